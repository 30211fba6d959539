"""Prices and tracking for parcels."""

from parcels.rates import Parcel, price
from parcels.shipments import Shipments

__all__ = ["Parcel", "Shipments", "price"]

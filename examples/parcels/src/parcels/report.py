"""A month's bill, as text."""

from parcels.rates import Parcel, price


def bill(parcels: list[Parcel], zone: str) -> str:
    """One line a parcel, and the sum."""
    prices = [price(parcel, zone, insured=parcel.value > 0) for parcel in parcels]
    lines = [f"{parcel.weight:>6} g  {cents / 100:>8.2f}" for parcel, cents in zip(parcels, prices, strict=True)]
    return "\n".join([*lines, f"total     {sum(prices) / 100:>8.2f}"])

"""Shipments, kept in SQLite."""

import sqlite3

from parcels.rates import Parcel, price


class Shipments:
    """All shipments of one shop."""

    def __init__(self, path: str) -> None:
        self.db = sqlite3.connect(path)
        self.db.execute("CREATE TABLE IF NOT EXISTS shipment (ref TEXT PRIMARY KEY, status TEXT, cents INTEGER)")

    def add(self, ref: str, parcel: Parcel) -> int:
        """Store a shipment; returns its price in cents."""
        cents = price(parcel)
        with self.db:
            self.db.execute("INSERT INTO shipment VALUES (?, 'new', ?)", (ref, cents))
        return cents

    def status(self, ref: str) -> str | None:
        """Where a shipment is; None if it is not known."""
        row = self.db.execute("SELECT status FROM shipment WHERE ref = ?", (ref,)).fetchone()
        return row[0] if row else None

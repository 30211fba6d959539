"""What it costs to send a parcel. Money is in cents, weight in grams."""

from dataclasses import dataclass

BRACKETS = ((1_000, 449), (5_000, 699), (20_000, 1_249))
ZONES = {"domestic": 1, "europe": 2, "world": 4}


@dataclass(frozen=True)
class Parcel:
    """One parcel to be sent."""

    weight: int
    value: int = 0


def price(parcel: Parcel, zone: str = "domestic", insured: bool = False) -> int:
    """Price in cents.

    Raises:
        ValueError: the parcel is too heavy, or the zone is not known.
    """
    if zone not in ZONES:
        raise ValueError(f"unknown zone {zone!r}")
    for limit, cents in BRACKETS:
        if parcel.weight <= limit:
            total = cents * ZONES[zone]
            return total + insurance(parcel) if insured else total
    raise ValueError(f"{parcel.weight} g is too heavy")


def insurance(parcel: Parcel) -> int:
    """One cent for every two euros of value, at least 50 cents."""
    return max(50, parcel.value // 200)


def average(parcels: list[Parcel]) -> int:
    """Average price in cents; 0 for no parcels."""
    if not parcels:
        return 0
    return sum(price(parcel) for parcel in parcels) // len(parcels)

"""What cannot be had better without paying or waiting more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Offer:
    """A panel's quality (more is better) and its price (less is better; money, seconds, calls)."""

    name: str
    quality: float
    price: float


def frontier(offers: Sequence[Offer]) -> list[str]:
    """The names of offers that no other beats (Pareto), from the cheapest up.

    Another beats one that is as good for less, or better for the same or less. Of equals all stay.
    """
    return [
        one.name
        for one in sorted(offers, key=lambda offer: (offer.price, -offer.quality, offer.name))
        if not any(_beats(other, one) for other in offers)
    ]


def _beats(one: Offer, other: Offer) -> bool:
    return (one.price <= other.price and one.quality > other.quality) or (
        one.price < other.price and one.quality == other.quality
    )

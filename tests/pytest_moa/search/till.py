"""A module as people write them: what the search is tried on."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

FACTOR = {"small": 1, "large": 3}
__all__ = [
    "Till",
    "TillError",
    "change",
    "countdown",
    "greeting",
    "label",
    "lottery",
    "opened_at",
    "price_of",
]


class TillError(Exception):
    def __init__(self, message: str, amount: int = 0) -> None:
        super().__init__(message)
        self.amount = amount


def label(text: str, max_length: int = 10, upper: bool = False) -> str:
    """Shorten a text.

    >>> label("hello world", 5)
    'hello...'
    """
    if max_length <= 0:
        raise ValueError("max_length must be positive")
    if len(text) > max_length:
        text = text[:max_length] + "..."
    return text.upper() if upper else text


def price_of(size: str, count: int) -> int:
    return FACTOR[size] * count


def change(paid: float, price: float) -> list[int]:
    rest = round(paid - price)
    coins: list[int] = []
    for coin in (50, 20, 10, 5, 2, 1):
        while rest >= coin:
            coins.append(coin)
            rest -= coin
    return coins


def countdown(start: int) -> Iterator[int]:
    while start > 0:
        yield start
        start -= 1


def extend(items: list[int], item: int) -> None:
    items.append(item * 2)


def greeting(name: str) -> None:
    print(f"Hello, {name}!")


def opened_at() -> int:
    return int(time.time()) // 60


def lottery() -> float:
    return random.random()


def forever() -> Iterator[int]:
    while True:
        yield 7


class Till:
    def __init__(self, owner: str, cash: int = 0) -> None:
        self.owner = owner
        self._cash = cash
        self.sales = 0

    @property
    def is_empty(self) -> bool:
        return self._cash == 0

    def sell(self, price: int) -> int:
        if price < 1:
            raise TillError("nothing is for free", amount=price)
        self._cash += price
        self.sales += 1
        return self._cash

    def __len__(self) -> int:
        return self.sales

    def _audit(self) -> bool:
        return self._cash >= 0

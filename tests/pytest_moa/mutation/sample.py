"""A module with a bit of everything that can be mutated. `sample_user` uses it."""

from __future__ import annotations

import asyncio
import enum
import functools
import logging
from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeVar, overload

if TYPE_CHECKING:
    pass

__all__ = ["Account", "clamp"]
__version__ = "1.0"

T = TypeVar("T")
log = logging.getLogger(__name__)

LIMIT = 10
NAMES = ("ann", "bob")
SCALES: dict[str, int] = {"small": 1, "large": 100}
Pair = namedtuple("Pair", "left right")
double = lambda value: value * 2  # noqa: E731


def squares(count: int) -> dict[int, int]:
    """Runs at import."""
    return {number: number * number for number in range(count)}


SQUARES = squares(5)


def clamp(value, low=0, high=LIMIT, *, strict=False):
    """Two kinds of defaults."""
    if strict and not low <= value <= high:
        raise ValueError(f"{value} is not between {low} and {high}")
    return max(low, min(value, high))


def greet(name, greeting="hello", *, mark="!", times=1):
    return ", ".join([f"{greeting} {name}"] * times) + mark


def counted(function: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return function(*args, **kwargs)

    wrapper.calls = 0
    return wrapper


@counted
def parse(text, base=10):
    try:
        number = int(text.strip(), base)
    except ValueError:
        return None
    else:
        number += 0
    finally:
        log.debug("parsed %s", text)
    return number


def words(text):
    found = []
    for index, word in enumerate(text.split(" ")):
        if not word:
            continue
        if word == "stop" or index > 5:
            break
        found.append(word[1:] if word.startswith("-") else word[:-1].lower())
    else:
        found.append("end")
    return found


def collatz(number):
    steps = 0
    while number != 1 and steps < 50:
        number = number // 2 if number % 2 == 0 else 3 * number + 1
        steps += 1
    return steps


def evens(limit) -> Iterator[int]:
    for number in range(limit):
        if number & 1:
            continue
        yield number
    yield -1


def running():
    total = 0
    while True:
        got = yield total
        if got is None:
            return "done"
        total += got


def adder(amount):
    count = 0

    def add(value):
        nonlocal count
        count += 1
        return value + amount, count

    return add


def kind(value):
    match value:
        case 0:
            return "zero"
        case int() if value < 0:
            return "negative"
        case [first, *_] | {"first": first}:
            return first
        case str():
            return "text"
    return None


@functools.cache
def cached(number):
    return number + LIMIT


@contextmanager
def section(name, log_to):
    log_to.append(f"<{name}>")
    try:
        yield name.upper()
    except KeyError:
        log_to.append("swallowed")
    finally:
        log_to.append(f"</{name}>")


async def gather(*numbers):
    async def one(number):
        await asyncio.sleep(0)
        return number + 1

    return [await one(number) for number in numbers if number > 0]


async def countdown(start):
    while start:
        yield start
        start -= 1


@functools.singledispatch
def show(value):
    return f"? {value}"


@show.register
def _(value: int):
    return f"int {value + 1}"


@show.register(str)
def _(value):
    return "str " + value


@overload
def first(items: list[T]) -> T: ...
@overload
def first(items: list[T], default: T) -> T: ...
def first(items, default=None):
    return items[0] if items else default


class Color(enum.Enum):
    RED = 1
    BLUE = 2

    @property
    def is_red(self):
        return self is Color.RED

    def next(self):
        return Color.BLUE if self == Color.RED else Color.RED


@dataclass
class Item:
    name: str
    price: int = 5
    tags: list[str] = field(default_factory=list, compare=False)

    def __post_init__(self):
        self.tags.append("new")

    def total(self, count=2):
        return self.price * count


@dataclass(frozen=True, slots=True)
class Point:
    x: int = 0
    y: int = 1

    def moved(self, by=1):
        return Point(self.x + by, self.y - by)


class Shape(ABC):
    sides = 0
    unit = "cm"

    def __init__(self, size):
        self.size = size

    @abstractmethod
    def area(self): ...

    def describe(self):
        return f"{self.area()} {self.unit}"

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        cls.label = cls.__name__.lower()


class Square(Shape):
    sides = 4

    def __init__(self, size, *, scale=1):
        super().__init__(size * scale)
        self.__hidden = size + 1

    def area(self):
        return self.size**2

    @property
    def width(self):
        return self.size

    @width.setter
    def width(self, value):
        if value < 0:
            raise ValueError("negative")
        self.size = value

    @functools.cached_property
    def perimeter(self):
        return self.size * self.sides

    @classmethod
    def unit_square(cls, scale=1):
        return cls(1, scale=scale)

    @staticmethod
    def is_square(width, height=2):
        return width == height

    def hidden(self):
        return self.__hidden

    def __eq__(self, other):
        return isinstance(other, Square) and self.size == other.size

    def __hash__(self):
        return hash(self.size)

    class Corner:
        angle = 90

        def opposite(self):
            return self.angle + 180


class Sized(Protocol):
    def size(self) -> int: ...


class SampleError(Exception):
    code = 3


def fail(kind):
    if kind == "sample":
        raise SampleError("it failed")
    if kind == "key":
        raise KeyError(kind)
    assert kind != "assert", "no assert"
    return kind


class Account:
    opened = 0

    def __init__(self, owner, balance=0):
        self.owner = owner
        self.balance = balance
        Account.opened += 1

    def deposit(self, amount):
        if amount <= 0:
            raise ValueError("amount must be positive")
        self.balance += amount
        return self

    def __len__(self):
        return self.balance


TABLE = {name: len(name) for name in NAMES if name != "zed"}
HANDLERS = {"greet": greet, "double": double}


def dispatch(name, *args, **kwargs):
    return HANDLERS[name](*args, **kwargs)


def ignored(value):  # pragma: no mutate
    return value + 1


if __name__ == "__main__":
    print(LIMIT + 1)

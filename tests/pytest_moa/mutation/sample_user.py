"""Calls everything in `sample`, by names bound at import, and says what came of it."""

import asyncio
import re

import sample
from sample import LIMIT as MOST
from sample import Account, Color, Item, Point, SampleError, Square, clamp, parse, show
from sample import greet as hi

ADDRESS = re.compile(r" at 0x[0-9a-f]+")
TABLE_OF_FUNCTIONS = {"clamp": clamp}


def outcome(call):
    try:
        return ADDRESS.sub("", repr(call()))
    except SampleError as error:
        return f"SampleError {error.code} {error}"
    except Exception as error:
        return f"{type(error).__name__}: {ADDRESS.sub('', str(error))}"


def generator():
    run = sample.running()
    seen = [next(run), run.send(2), run.send(3)]
    try:
        run.send(None)
    except StopIteration as stop:
        seen.append(stop.value)
    return seen


def sections():
    seen = []
    with sample.section("a", seen) as name:
        seen.append(name)
    with sample.section("b", seen):
        raise KeyError("x")
    return seen


def square():
    one = Square(3)
    before = one.width
    one.width = 5
    try:
        one.width = -1
    except ValueError:
        before += 1
    two = Square(2, scale=2)
    return before, one.area(), one.perimeter, one.hidden(), one == Square(5), one != two, one.describe()


def account():
    one = Account("ann").deposit(5).deposit(2)
    return one.balance, len(one), Account.opened, one.owner


async def later():
    return await sample.gather(1, -1, 2), [number async for number in sample.countdown(2)]


CALLS = [
    lambda: (MOST, sample.LIMIT, sample.NAMES, sample.SCALES, sample.TABLE, sample.SQUARES),
    lambda: sample.Pair(1, 2).left,
    lambda: sample.double(3),
    lambda: [clamp(-1), clamp(5), clamp(50), clamp(3, 4, 5), clamp(5, strict=True)],
    lambda: clamp(50, strict=True),
    lambda: clamp(10, strict=True),
    lambda: clamp(0, strict=True),
    lambda: TABLE_OF_FUNCTIONS["clamp"](11),
    lambda: [hi("bob"), hi("bob", "bye", mark="?", times=2), sample.greet("x")],
    lambda: [parse(" 12 "), parse("x"), parse("11", 2), parse.calls],
    lambda: [sample.words("Ab -cd  ef"), sample.words("a stop b"), sample.words("a b c d e f g h")],
    lambda: [sample.collatz(6), sample.collatz(1)],
    lambda: list(sample.evens(6)),
    generator,
    lambda: [(add := sample.adder(3))(1), add(2)],
    lambda: [sample.kind(one) for one in (0, -3, [7, 8], {"first": 9}, "x", 4)],
    lambda: [sample.cached(1), sample.cached(2), sample.cached(1)],
    sections,
    lambda: asyncio.run(later()),
    lambda: [show(1), show("x"), show(2.5)],
    lambda: [sample.first([4, 5]), sample.first([], 6), sample.first([])],
    lambda: [Color.RED.is_red, Color.BLUE.is_red, Color.RED.next().name, Color(2).next().value],
    lambda: [Item("a"), Item("a") == Item("a", 5, ["x"]), Item("b", 2).total(), Item("b", 2).total(3)],
    lambda: [Point(), Point(1, 2).moved(), Point(3, 4).moved(2) == Point(5, 2), hash(Point(1, 1))],
    lambda: Point.__setattr__(Point(), "x", 3),
    square,
    lambda: [Square.unit_square().size, Square.unit_square(3).size, Square.label, Square.sides],
    lambda: [Square.is_square(2), Square(1).is_square(3, 3), {Square(1): 1}[Square(1)]],
    lambda: Square.Corner().opposite(),
    lambda: sample.fail("sample"),
    lambda: sample.fail("key"),
    lambda: sample.fail("assert"),
    lambda: sample.fail("nothing"),
    account,
    lambda: Account("x").deposit(0),
    lambda: [sample.dispatch("greet", "z"), sample.dispatch("double", 4), sample.dispatch("nobody")],
    lambda: sample.ignored(1),
]


def observe():
    return [outcome(call) for call in CALLS]

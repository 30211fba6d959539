"""What a reader would not keep is not tried: private functions by themselves, arguments of other kinds."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pytest_moa.search.callers import Callers, aims_for, is_private
from pytest_moa.search.choice import Chooser
from pytest_moa.search.generation import Generator
from pytest_moa.search.program import Argument, Program, Step
from pytest_moa.search.shapes import Shape
from pytest_moa.search.surface import Surface, surface_of
from pytest_moa.search.taste import is_allowed
from pytest_moa.search.writing import Writer
from pytest_moa.values import Expression

from .hunting import hunt_over, loaded

SOURCE = """\
def title(text: str, limit: int = 0, upper: bool = False, sep: str = "-", tail: str = "") -> str:
    return _cut(text.replace(" ", sep), limit, upper, sep)


def _cut(text: str, limit: int, upper: bool, sep: str) -> str:
    if isinstance(limit, bool):
        raise TypeError("limit must be a number")
    text = text[:limit] if limit else text
    return _loud(text) if upper else text


def _loud(text: str) -> str:
    return text.upper() + "!"


def _unused(text: str) -> str:
    return text.lower()


def joined(first: str, second: str, third: str, fourth: str) -> str:
    return first + second + third + fourth
"""


@contextmanager
def surface_over(source: str) -> Iterator[Surface]:
    with loaded(source, "titles") as module:
        yield surface_of(module, source)


def test_private_functions_have_public_callers_through_others() -> None:
    with surface_over(SOURCE) as surface:
        callers = Callers(surface)
        assert callers.public_for("_loud") == {"title"}
        assert callers.alone == {"_unused"}
        assert aims_for(callers, ["_cut"]) == {"_cut", "title"}


@pytest.mark.parametrize(
    ("qualname", "private"),
    [("f", False), ("_f", True), ("Till.sell", False), ("Till._audit", True), ("Till.__len__", False)],
)
def test_a_part_with_an_underscore_makes_private(qualname: str, private: bool) -> None:
    assert is_private(qualname) is private


def test_mutants_of_private_functions_are_killed_through_public_ones() -> None:
    with hunt_over(SOURCE) as hunt:
        for _ in range(400):
            hunt.consider(hunt.next_program())
        assert {known.program.target for known in hunt.killers} <= {"title", "joined", "_unused"}
        inner = [name for name, one in hunt.rivals.mutants.items() if one.qualname == "_loud"]
        assert inner
        assert not hunt.rivals.live & set(inner)


def test_calls_have_few_options_and_only_two_arguments_by_position() -> None:
    with surface_over(SOURCE) as surface:
        generator = Generator(surface, random.Random(1))
        made = [generator.program(surface.callees["title"]).steps[0].arguments for _ in range(200)]
        assert max(len(one) for one in made) <= 4
        assert any(len(one) == 1 for one in made)
        (last,) = generator.program(surface.callees["joined"]).steps
        assert [one.name for one in last.arguments] == ["", "", "third", "fourth"]


def test_defaults_are_not_given() -> None:
    with surface_over(SOURCE) as surface:
        generator = Generator(surface, random.Random(1))
        made = [generator.program(surface.callees["title"]).steps[0].source for _ in range(200)]
        assert sum("upper=False" in one for one in made) < sum("upper=True" in one for one in made) / 5


@pytest.mark.parametrize(
    ("source", "shape", "allowed"),
    [
        ("20", Shape("bool"), False),
        ("True", Shape("int"), False),
        ("5", Shape("float"), True),
        ("None", Shape("union", (Shape("str"), Shape("none"))), True),
        ('"b"', Shape("literal", values=("a",)), False),
        ("[1]", Shape("list", (Shape("str"),)), False),
        ('"text"', Shape("list", (Shape("str"),)), False),
        ("lambda x: x", Shape("str"), False),
        ("anything()", Shape("str"), True),
    ],
)
def test_what_a_declared_kind_allows(source: str, shape: Shape, allowed: bool) -> None:
    assert is_allowed(source, shape) is allowed


def test_another_kind_than_declared_is_for_deliberate_errors_only() -> None:
    def call(limit: str) -> Program:
        return Program(
            "label", (Step("label", (Argument("", Expression('"a"')), Argument("", Expression(limit)))),)
        )

    with hunt_over() as hunt:
        hunt.rng.random = lambda: 0.0  # type: ignore[method-assign]
        assert hunt.consider(call("True")) is None
        assert hunt.consider(call('"5"')) is None
        known = hunt.consider(call("False"))
        assert known is not None
        assert known.raised
        assert not known.accidental


def test_accidents_with_results_of_another_kind_are_no_finding() -> None:
    with hunt_over() as hunt:
        made = Step("change", (Argument("", Expression("10")), Argument("", Expression("4"))), name="coins")
        given = (Argument("", Expression('"a"')), Argument("", Expression("coins")))
        assert hunt.consider(Program("label", (made, Step("label", given)))) is None


def test_branches_of_other_functions_are_not_asked_for() -> None:
    with hunt_over(SOURCE) as hunt:
        for _ in range(150):
            hunt.consider(hunt.next_program())
        chooser = Chooser(hunt, Writer(hunt.surface.module), ["joined"])
        found = list(chooser.for_branches(float("inf")))
        assert {one.candidate.target for one in found} == {"till_copy:joined"} or not found
        assert chooser.wanted == hunt.probes.by_function["joined"]


def test_no_text_is_asserted_that_is_longer_than_a_line() -> None:
    source = "def repeated(text: str, count: int = 1) -> str:\n    return text * count\n"
    with hunt_over(source) as hunt:
        short = hunt.run_original(_repeated(3))
        long = hunt.run_original(_repeated(30))
    assert short is not None
    assert long is not None
    assert short[1].facts == {(0, "{}"): "hello" * 3}
    assert not long[1].facts


def _repeated(count: int) -> Program:
    given = (Argument("", Expression('"hello"')), Argument("count", Expression(str(count))))
    return Program("repeated", (Step("repeated", given),))

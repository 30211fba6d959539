from __future__ import annotations

import ast
import random
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal

import pytest

from pytest_moa.search.clues import clues_of
from pytest_moa.search.inputs import Inputs
from pytest_moa.search.neighbours import neighbour, simpler
from pytest_moa.search.patterns import matching_text
from pytest_moa.search.shapes import Shape, of_annotation, of_use
from pytest_moa.values import Expression


@pytest.mark.parametrize(
    "pattern",
    [
        r"\d{2,4}-[a-f]+",
        r"(?P<name>\w+)=(?:yes|no)?",
        r"[^a-z\s]{3}",
        r"^(a|b)\1$",
        r"&#(\d+);",
        r"\s*,\s*",
        b"x[0-9]",
    ],
)
def test_texts_match_their_pattern(pattern: str | bytes) -> None:
    compiled: re.Pattern[Any] = re.compile(pattern)
    rng = random.Random(0)
    assert all(compiled.search(matching_text(compiled, rng)) for _ in range(50))


@pytest.mark.parametrize(
    ("annotation", "shape"),
    [
        (int, Shape("int")),
        (int | None, Shape("union", (Shape("int"), Shape("none")))),
        (Literal["a", "b"], Shape("literal", values=("a", "b"))),
        (Iterable[int], Shape("list", (Shape("int"),))),
        (Mapping[str, int], Shape("dict", (Shape("str"), Shape("int")))),
        (Callable[[int], str], Shape("callable", values=(1,))),
        (tuple[int, str], Shape("tuple", (Shape("int"), Shape("str")))),
        (type[int], Shape("class", values=(int,))),
        (random.Random, Shape("object", (), (random.Random,))),
        (Any, Shape("any")),
    ],
)
def test_annotations_have_shapes(annotation: Any, shape: Shape) -> None:
    assert of_annotation(annotation) == shape


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("return x.split(',')", "str"),
        ("return x['name']", "dict"),
        ("return x(1)", "callable"),
        ("return x + 1", "int"),
        ("return isinstance(x, bytes)", "bytes"),
        ("return [y * 2 for y in x]", "list"),
        ("return x.speed", "namespace"),
    ],
)
def test_uses_of_a_parameter_suggest_its_kind(body: str, kind: str) -> None:
    clues = clues_of(ast.parse(f"def f(x):\n    {body}\n"))["f"]
    assert of_use("x", clues.uses["x"], {})[0].kind == kind


def test_constants_of_the_code_come_back_as_arguments() -> None:
    inputs = Inputs(random.Random(1), constants=(37, "special"))
    numbers = {inputs.of_shape(Shape("int")).source for _ in range(200)}
    texts = {inputs.of_shape(Shape("str")).source for _ in range(200)}
    assert {"36", "37", "38"} <= numbers
    assert '"special"' in texts


@pytest.mark.parametrize(
    "source", ["5", '"hello"', "[1, 2]", '{"a": 1}', "None", "True", "b'x'", "{1, 2}", "1.5"]
)
def test_neighbours_are_expressions_near_to_one(source: str) -> None:
    inputs = Inputs(random.Random(2))
    found = {near.source for _ in range(60) if (near := neighbour(Expression(source), inputs)) is not None}
    assert len(found) > 3 or source == "True"
    for one in found:
        ast.parse(one, mode="eval")


def test_constants_within_an_expression_are_varied() -> None:
    inputs = Inputs(random.Random(3))
    near = neighbour(Expression("lambda x: x > 5"), inputs)
    assert near is not None
    assert near.source.startswith("lambda x: x > ")


def test_simpler_values_are_no_larger() -> None:
    assert Expression("[]") in simpler(Expression("[1, 2]"))
    assert Expression('"hello"') in simpler(Expression('"zxqj!!"'))
    assert Expression("0") in simpler(Expression("12345"))

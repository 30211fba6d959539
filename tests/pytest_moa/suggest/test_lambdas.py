"""No test has a lambda with a name, and strings are written as linters and readers want them."""

from __future__ import annotations

import ast

import pytest

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.lambdas import without_named_lambdas
from pytest_moa.suggest.needs import Home
from pytest_moa.suggest.proposal import Proposal, read_written, written
from pytest_moa.suggest.splitting import Wanted, split
from pytest_moa.suggest.unparsing import unparsed


def candidate(*body: str, support: str = "") -> Candidate:
    lines = "\n".join(f"    {line}" for line in body)
    return Candidate("shop:price", "test_it", f"def test_it():\n{lines}", support=support)


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (
            ("inc = lambda x: x + 1", "assert price(inc(1)) == 2"),
            ("def inc(x):", "    return x + 1", "assert price(inc(1)) == 2"),
        ),
        (
            ("inc = lambda x: x + 1", "assert price(inc, 1) == 2"),
            ("assert price(lambda x: x + 1, 1) == 2",),
        ),
        (
            ("one = 1", "inc = lambda x: x + one", "assert price(inc) == 2"),
            ("one = 1", "", "def inc(x):", "    return x + one", "assert price(inc) == 2"),
        ),
        (
            ("inc = lambda x: x + 1", "assert price(inc) == price(inc)"),
            ("def inc(x):", "    return x + 1", "assert price(inc) == price(inc)"),
        ),
    ],
)
def test_named_lambdas_become_functions_or_arguments(body: tuple[str, ...], left: tuple[str, ...]) -> None:
    found = without_named_lambdas(candidate(*body)).source
    assert [line.removeprefix("    ") for line in found.split("\n")[1:]] == list(left)


def test_other_lambdas_stay_as_they_are() -> None:
    kept = candidate("assert price( lambda:   1) == 'x'")
    assert without_named_lambdas(kept) == kept


def test_helpers_have_none_either() -> None:
    found = without_named_lambdas(candidate("assert price(twice) == 2", support="twice = lambda x: 2 * x"))
    assert found.support == "def twice(x):\n    return 2 * x"


def test_the_case_changes_with_the_test() -> None:
    code = "def test_it():\n    inc = lambda x: x + 1\n    assert price(inc, 1) == 2"
    (found,) = split(code, [Wanted("shop:price", "price")], Home("shop", frozenset({"price"})))
    case = without_named_lambdas(found).case
    assert case is not None
    assert case.setup == ()
    assert case.arguments[0] == ("", "lambda x: x + 1")


def test_nobody_proposes_one() -> None:
    proposed = candidate("inc = lambda x: x + 1", "assert price(inc(1)) == 2")
    assert "lambda" not in Proposal.of(proposed).source
    (read,) = read_written(written([proposed], claimed=True))
    assert "lambda" not in read.source


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f('a')", 'f("a")'),
        (r"f('a\ufe00')", r'f("a\ufe00")'),
        ("""f('say "hi" "you"')""", """f('say "hi" "you"')"""),
        ("f(b'a')", 'f(b"a")'),
        ("f(f'{a}b')", "f(f'{a}b')"),
        ("{'a': 1}['a'].b", '{"a": 1}["a"].b'),
    ],
)
def test_strings_are_in_double_quotes_and_nothing_in_them_is_invisible(source: str, expected: str) -> None:
    assert unparsed(ast.parse(source)) == expected

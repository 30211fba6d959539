"""The calls of a model's test that fails, with what the code gives for them.

Small models choose inputs well and expected values badly: nearly all their tests fail on the code as it is.
What such a test calls is then run once more as a deterministic proposer runs calls, and what is observed
makes a test of its own. It is written like all observed ones: only if it is the same twice and short enough
to be read; an exception only if it was raised on purpose.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from moa_engine.errors import MoaError
from pytest_moa.candidate import Candidate
from pytest_moa.proposers.asking_code import observe
from pytest_moa.proposers.proposer import Search
from pytest_moa.suggest.cases import is_literal, is_of
from pytest_moa.suggest.lambdas import without_named_lambdas
from pytest_moa.suggest.screening import refusal
from pytest_moa.suggest.splitting import Wanted
from pytest_moa.suggest.subject import SuggestSubject
from pytest_moa.suggest.unparsing import unparsed

#: Seconds for the calls of one test.
_SECONDS = 1.0

#: What no reader wants to see compared with True or False: what stands in it is looked at.
_ASKING = frozenset({"callable", "hasattr", "isinstance", "issubclass"})


class SecondLook:
    """Runs calls of tests that `members` wrote."""

    def __init__(self, subject: SuggestSubject, members: Collection[str]) -> None:
        self.members = frozenset(members)
        self._subject = replace(subject, seconds=lambda _kind, _target: _SECONDS)
        self._known: dict[tuple[str, ...], list[Candidate]] = {}

    def of(self, candidate: Candidate) -> tuple[Candidate, ...]:
        """Tests of what the candidate's calls give; none where nothing can be told from outside."""
        calls = calls_of(candidate)
        if not calls:
            return ()
        key = (candidate.target, *calls)
        if key not in self._known:
            found = self._known[key] = []
            with suppress(MoaError):  # the process is gone: there is no second look, and that is all
                observe(Search("recorded", self._subject, candidate.target, found.append), calls=calls)
        plain = map(without_named_lambdas, self._known[key])
        return tuple(one for one in plain if one.id != candidate.id and not refusal(one))


def calls_of(candidate: Candidate) -> list[str]:
    """What a test's last statement looks at: sources that end with a call, with what they need in front."""
    try:
        (function,) = ast.parse(candidate.source).body
    except (SyntaxError, ValueError):
        return []
    match function:
        case ast.FunctionDef(args=ast.arguments(args=[]), decorator_list=[], body=[*before, check]):
            pass
        case _:
            return []
    match check:
        case ast.Assert(test=test):
            looked_at = list(_looked_at(test, _called(candidate)))
        case ast.With(
            items=[ast.withitem(context_expr=ast.Call(func=raises))],
            body=[*inner, ast.Expr(value=value) | ast.Assign(value=value)],
        ) if ast.unparse(raises) == "pytest.raises":
            before, looked_at = [*before, *inner], [value]
        case _:
            return []
    imports = [line for line in candidate.imports if line != "import pytest"]
    needed = [*imports, candidate.support, *map(unparsed, before)]
    return ["\n".join([*needed, unparsed(one)]) for one in looked_at]


def _looked_at(test: ast.expr, called: str) -> Iterator[ast.expr]:
    """The sides of a condition that are about the target, and the target's calls inside of them."""
    sides = [side for side in _sides(test) if not is_literal(side)]
    about = [side for side in sides if _mentions(side, called)] or sides[:1]
    for side in about:
        if not (isinstance(side, ast.Call) and ast.unparse(side.func) in _ASKING):
            yield side
        calls = [part for part in ast.walk(side) if isinstance(part, ast.Call) and is_of(part, called)]
        yield from (call for call in calls[:1] if call is not side)


def _sides(test: ast.expr) -> Sequence[ast.expr]:
    match test:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return _sides(operand)
        case ast.BoolOp(values=values):
            return [side for value in values for side in _sides(value)]
        case ast.Compare(left=left, comparators=comparators):
            return [left, *comparators]
    return [test]


def _mentions(node: ast.expr, name: str) -> bool:
    return any(
        name == (part.id if isinstance(part, ast.Name) else part.attr)
        for part in ast.walk(node)
        if isinstance(part, ast.Name | ast.Attribute)
    )


def _called(candidate: Candidate) -> str:
    return Wanted(candidate.target, candidate.target.partition(":")[2]).called

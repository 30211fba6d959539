"""A test that calls one thing and looks at what comes back, taken apart into a `Case`.

Tests that are cases can be arranged: alike ones become one parametrised test, whoever wrote them.
"""

from __future__ import annotations

import ast
import copy
import re
from collections import Counter
from collections.abc import Mapping, Sequence

from pytest_moa.candidate import Case
from pytest_moa.suggest.unparsing import unparsed
from pytest_moa.values import quoted

#: Characters of an argument that is written where it is used.
_INLINE = 120


def case_of(body: Sequence[ast.stmt], name: str) -> Case | None:
    """The case that these statements are, if they call `name` (a function, or a class's method) once.

    Literal locals are written where they are used; other statements before the call are its setup.
    """
    *before, check = inlined(body)
    if any("\n" in ast.unparse(statement) for statement in before):
        return None
    match check:
        case ast.Assert(test=test):
            return _returning(test, name, before)
        case ast.With(items=[ast.withitem(context_expr=raises, optional_vars=None)], body=[inner]):
            if isinstance(inner, ast.Expr | ast.Assign) and isinstance(inner.value, ast.Call):
                return _raising(raises, inner.value, name, before)
    return None


def source_of_case(case: Case, name: str) -> str:
    """A test function that is this case and nothing else."""
    return "\n".join([f"def {name}():", *(f"    {line}" for line in (*case.setup, *outcome_lines(case)))])


def outcome_lines(case: Case) -> list[str]:
    """The statements that make the call and check what comes of it."""
    if case.outcome == "raises":
        match = f", match={matching(case.match)}" if case.match else ""
        return [f"with pytest.raises({case.expected}{match}):", f"    {case.call}", *case.checks]
    same = "is" if case.expected in ("True", "False", "None") else "=="
    return [f"assert {case.call} {same} {case.expected}", *case.checks]


def expected_in(source: str) -> str:
    """What a test's last statement expects, as source."""
    try:
        last = ast.parse(source).body[-1].body[-1]  # type: ignore[attr-defined]
    except (SyntaxError, ValueError, IndexError, AttributeError):
        return ""
    match last:
        case ast.Assert(test=ast.Compare(ops=[ast.Eq() | ast.Is()], comparators=[right])):
            return unparsed(right)
        case ast.Assert(test=test):
            return unparsed(test)
        case ast.With(items=[ast.withitem(context_expr=ast.Call(args=[kind, *_]))]):
            return unparsed(kind)
    return unparsed(last)


def matching(text: str) -> str:
    """Source of a pattern that finds exactly this text."""
    return quoted(text) if is_plain(text) else f"re.escape({quoted(text)})"


def is_plain(text: str) -> bool:
    """Whether a text means itself as a regular expression."""
    return not set(text) & set(".^$*+?{}[]\\|()")


def inlined(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements with locals written where they are used, where that keeps their meaning.

    That is so for literals that are used once or cannot change, and for a call whose result is only
    looked at by the assert right after it. Nothing goes into a block that expects an error.
    """
    uses = Counter(
        part.id
        for statement in body
        for part in ast.walk(statement)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load)
    )
    stores = Counter(
        part.id
        for statement in body
        for part in ast.walk(statement)
        if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
    )
    values: dict[str, ast.expr] = {}
    result: list[ast.stmt] = []
    for number, original in enumerate(body):
        statement = copy.deepcopy(original)
        _Inlined(values).visit(statement)
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if stores[name] == 1:
                short = len(ast.unparse(value)) <= _INLINE
                constant = is_literal(value) and (uses[name] == 1 or not _can_change(value))
                last = number == len(body) - 2 and isinstance(body[-1], ast.Assert)
                looked_at = isinstance(value, ast.Call) and uses[name] == 1 and last
                if short and (constant or looked_at):
                    values[name] = value
                    continue
        result.append(ast.fix_missing_locations(statement))
    return result


def _can_change(value: ast.expr) -> bool:
    return any(
        isinstance(part, ast.List | ast.Dict | ast.Set | ast.comprehension) for part in ast.walk(value)
    )


def is_literal(node: ast.expr) -> bool:
    """Whether an expression has no names and no calls in it."""
    return not any(
        isinstance(part, ast.Name | ast.Call | ast.Attribute | ast.Lambda | ast.JoinedStr)
        for part in ast.walk(node)
    )


class _Inlined(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit(self, node: ast.AST) -> ast.AST:
        changed: ast.AST = super().visit(node)
        if self.values and hasattr(changed, "moa_text"):
            del changed.moa_text
        return changed

    def visit_Name(self, node: ast.Name) -> ast.expr:
        if isinstance(node.ctx, ast.Load) and node.id in self.values:
            return copy.deepcopy(self.values[node.id])
        return node


def _returning(test: ast.expr, name: str, setup: list[ast.stmt]) -> Case | None:
    match test:
        case ast.Compare(left=left, ops=[ast.Eq() | ast.Is()], comparators=[right]):
            if not isinstance(left, ast.Call) and isinstance(right, ast.Call):
                left, right = right, left
            if isinstance(left, ast.Call) and is_of(left, name) and _is_expected(right):
                return _case(left, "returns", unparsed(right), "", setup)
        case ast.UnaryOp(op=ast.Not(), operand=ast.Call() as call) if is_of(call, name):
            return None  # falsy is less than False: not the same claim
    return None


def _raising(raises: ast.expr, call: ast.Call, name: str, setup: list[ast.stmt]) -> Case | None:
    if (
        not isinstance(raises, ast.Call)
        or ast.unparse(raises.func) != "pytest.raises"
        or len(raises.args) != 1
    ):
        return None
    if any(keyword.arg != "match" for keyword in raises.keywords) or not is_of(call, name):
        return None
    matched = [keyword.value for keyword in raises.keywords]
    match = ""
    for value in matched:
        if not (isinstance(value, ast.Constant) and isinstance(value.value, str) and is_plain(value.value)):
            return None
        match = value.value
    return _case(call, "raises", unparsed(raises.args[0]), match, setup)


def _case(call: ast.Call, outcome: str, expected: str, match: str, setup: list[ast.stmt]) -> Case | None:
    if any(isinstance(one, ast.Starred) for one in call.args) or any(
        one.arg is None for one in call.keywords
    ):
        return None
    return Case(
        callee=unparsed(call.func),
        arguments=(
            *(("", unparsed(one)) for one in call.args),
            *((keyword.arg or "", unparsed(keyword.value)) for keyword in call.keywords),
        ),
        outcome="raises" if outcome == "raises" else "returns",
        expected=expected,
        match=match,
        setup=tuple(unparsed(statement) for statement in setup),
    )


def is_of(call: ast.Call, name: str) -> bool:
    """Whether it calls what has this name, under any prefix."""
    return re.fullmatch(rf"(?:.*\.)?{re.escape(name)}", ast.unparse(call.func)) is not None


def _is_expected(node: ast.expr) -> bool:
    """Whether a row of a table could hold it: a literal, or a call of something with literals."""
    return len(ast.unparse(node)) <= _INLINE and not any(
        isinstance(part, ast.Lambda) for part in ast.walk(node)
    )

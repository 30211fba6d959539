"""What is never mutated: code whose change no test is expected to see."""

from __future__ import annotations

import ast
import re

from pytest_moa.code.definitions import FunctionNode, docstring_of_body
from pytest_moa.code.text import Text
from pytest_moa.mutation.statements import is_type
from pytest_moa.mutation.tables import INERT_CALLS, LOGGERS, LOGGING

PRAGMA = re.compile(r"#\s*pragma:.*\bno (mutate|cover)\b")

#: Decorators that hand a call's arguments on as they are, so that the function's own defaults apply.
TRANSPARENT = frozenset(
    {
        *("staticmethod", "classmethod", "abstractmethod", "override", "final", "lru_cache", "cache"),
        *("contextmanager", "asynccontextmanager", "property", "cached_property", "setter", "deprecated"),
    }
)


def ignored_lines(text: Text) -> frozenset[int]:
    """Lines with `# pragma: no mutate` or `# pragma: no cover`."""
    if "pragma:" not in text.source:
        return frozenset()
    return frozenset(number for number, line in enumerate(text.lines, 1) if PRAGMA.search(line))


def is_ignored(node: ast.stmt, lines: frozenset[int]) -> bool:
    """Whether a pragma stands on the statement, or on the head of the block it opens."""
    if not lines:
        return False
    body = getattr(node, "body", None)
    last = body[0].lineno - 1 if body else node.end_lineno or node.lineno
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(one.lineno for one in decorators)])
    return any(line in lines for line in range(first, max(last, node.lineno) + 1))


def is_inert_statement(node: ast.stmt, *, local: bool) -> bool:
    """Whether the statement means nothing to a test, with all that is in it."""
    if isinstance(node, ast.Expr):
        value = node.value
        return isinstance(value, ast.Constant) or (isinstance(value, ast.Call) and is_inert_call(value))
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(one, ast.Name) and _is_dunder(one.id) for one in targets):
            return True
        if isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.dump(node.annotation):
            return True
        if isinstance(node.value, ast.Call) and is_inert_call(node.value):
            return True
        return not local and is_type(node.value)
    if isinstance(node, ast.AugAssign):
        return isinstance(node.target, ast.Name) and _is_dunder(node.target.id)
    if isinstance(node, ast.If):
        test = ast.unparse(node.test)
        return "TYPE_CHECKING" in test or (test.startswith("__name__") and "__main__" in test)
    return type(node).__name__ == "TypeAlias" or isinstance(node, ast.Import | ast.ImportFrom)


def is_platform_test(node: ast.expr) -> bool:
    """Whether a condition asks for the version of Python or the platform: here it has one outcome."""
    return any(
        isinstance(one, ast.Attribute)
        and isinstance(one.value, ast.Name)
        and (one.value.id, one.attr)
        in {("sys", "version_info"), ("sys", "platform"), ("os", "name"), ("sys", "implementation")}
        for one in ast.walk(node)
    )


def is_inert_call(node: ast.Call) -> bool:
    """Logging, and what only type checkers read."""
    function = node.func
    if isinstance(function, ast.Name):
        return function.id in INERT_CALLS
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in INERT_CALLS:
        return True
    base = function.value
    name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else ""
    return function.attr in LOGGING and name in LOGGERS


def is_overload_or_stub(node: FunctionNode) -> bool:
    """An `@overload`, or a body that is nothing but `...`, or abstract."""
    names = {ast.unparse(one).rpartition(".")[2] for one in node.decorator_list}
    if "overload" in names:
        return True
    rest = node.body[docstring_of_body(node.body) :]
    if not rest:
        return True
    if len(rest) > 1:
        return False
    only = rest[0]
    if isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant):
        return True
    return "abstractmethod" in names and isinstance(only, ast.Raise | ast.Pass)


def keeps_defaults(node: FunctionNode) -> bool:
    """Whether another default of this function only has to be put into the function itself."""
    names = (ast.unparse(one.func if isinstance(one, ast.Call) else one) for one in node.decorator_list)
    return all(name.rpartition(".")[2] in TRANSPARENT for name in names)


def message_arguments(node: ast.Call, *, raised: bool) -> bool:
    """Whether a text handed over in this call is a message: of an exception that is raised, or a warning."""
    function = node.func
    warns = isinstance(function, ast.Attribute) and ast.unparse(function) == "warnings.warn"
    return (raised or warns) and any(map(is_text, node.args))


def is_text(node: ast.expr) -> bool:
    """Whether it is a text, or is made of one by formatting or adding."""
    if isinstance(node, ast.BinOp):
        return is_text(node.left) or is_text(node.right)
    if isinstance(node, ast.Call):
        function = node.func
        return isinstance(function, ast.Attribute) and function.attr == "format" and is_text(function.value)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")

"""Operators on statements. Each yields changes: start, end, replacement, operator's name."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_moa.code.text import Text
from pytest_moa.mutation.expressions import Change, forced
from pytest_moa.mutation.tables import ARITHMETIC, INERT_DECORATORS

#: Subscripts of these are types, even where they are assigned to a name.
GENERIC_TYPES = frozenset(
    {
        *("Any", "Annotated", "Callable", "ClassVar", "Dict", "FrozenSet", "Iterable", "Iterator", "List"),
        *("Literal", "Mapping", "Optional", "Sequence", "Set", "Tuple", "Type", "TypeAlias", "Union"),
        *("dict", "frozenset", "list", "set", "tuple", "type"),
    }
)


def assign(node: ast.Assign | ast.AnnAssign, text: Text) -> Iterator[Change]:
    """None is assigned, or "" instead of None."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if node.value is None or any(isinstance(one, ast.Tuple | ast.List) for one in targets):
        return
    none = isinstance(node.value, ast.Constant) and node.value.value is None
    yield text.start(node.value), text.end(node.value), '""' if none else "None", "assignment"


def augmented(node: ast.AugAssign, text: Text) -> Iterator[Change]:
    """`+=` becomes `-=`, and `=`."""
    token, other = ARITHMETIC[type(node.op)]
    start = text.end(node.target)
    found = re.search(re.escape(token) + "=", text.source[start : text.start(node.value)])
    assert found is not None
    for after in (f"{other}=", "="):
        yield start + found.start(), start + found.end(), after, "augmented"


def return_(node: ast.Return, text: Text) -> Iterator[Change]:
    """None is returned; a `return` without a value goes."""
    if node.value is None:
        yield text.start(node), text.end(node), "pass", "statement"
    elif not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield text.start(node.value), text.end(node.value), "None", "return"


def raise_(node: ast.Raise, text: Text) -> Iterator[Change]:
    """Nothing is raised."""
    yield text.start(node), text.end(node), "pass", "raise"


def expression(node: ast.Expr, text: Text) -> Iterator[Change]:
    """A call whose result nobody uses goes."""
    value = node.value.value if isinstance(node.value, ast.Await) else node.value
    if isinstance(value, ast.Call):
        yield text.start(node), text.end(node), "pass", "statement"


def delete(node: ast.Delete, text: Text) -> Iterator[Change]:
    """Nothing is deleted, if it is not just a name."""
    if not all(isinstance(one, ast.Name) for one in node.targets):
        yield text.start(node), text.end(node), "pass", "statement"


def break_(node: ast.Break, text: Text) -> Iterator[Change]:
    """The loop goes on."""
    yield text.start(node), text.end(node), "continue", "loop"


def continue_(node: ast.Continue, text: Text) -> Iterator[Change]:
    """The loop ends."""
    yield text.start(node), text.end(node), "break", "loop"


def if_(node: ast.If, text: Text) -> Iterator[Change]:
    """Always, and never."""
    yield from forced(node.test, text)


def while_(node: ast.While, text: Text) -> Iterator[Change]:
    """Never."""
    if not any(isinstance(one, ast.NamedExpr) for one in ast.walk(node.test)):
        yield text.start(node.test), text.end(node.test), "False", "loop"


def for_(node: ast.For, text: Text) -> Iterator[Change]:
    """Over nothing."""
    yield text.start(node.iter), text.end(node.iter), "()", "loop"


def try_(node: ast.Try, text: Text) -> Iterator[Change]:
    """A handler that catches nothing."""
    for handler in node.handlers:
        if handler.type is not None:
            yield text.start(handler.type), text.end(handler.type), "()", "exception"


def match(node: ast.Match, text: Text) -> Iterator[Change]:
    """A case that never fits."""
    if len(node.cases) < 2:
        return
    for case in node.cases:
        if case.guard is not None:
            yield text.start(case.guard), text.end(case.guard), "False", "match"
            continue
        pattern = text.end(case.pattern)
        colon = text.without_comments(pattern, text.start(case.body[0])).index(":")
        yield pattern + colon, pattern + colon, " if False", "match"


def decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, text: Text) -> Iterator[Change]:
    """A decorator goes, if it does more than inform a type checker or save time."""
    for one in node.decorator_list:
        name = ast.unparse(one.func if isinstance(one, ast.Call) else one).rpartition(".")[2]
        start = text.source.rindex("@", 0, text.start(one))
        if name not in INERT_DECORATORS and not text.source[start + 1 : text.start(one)].strip():
            yield start, text.end(one), "", "decorator"


def is_type(node: ast.expr | None) -> bool:
    """Whether the value of an assignment is a type: an alias, of no meaning at run time."""
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        if isinstance(node.right, ast.Constant) and node.right.value is None:
            return True
        node = node.left
    if not isinstance(node, ast.Subscript):
        return False
    base = node.value
    name = base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""
    return name in GENERIC_TYPES

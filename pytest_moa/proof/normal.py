"""Source as far as it runs: docstrings, annotations, comments and formatting are left out."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterator

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class _Stripped(ast.NodeTransformer):
    """Takes out what no caller can observe."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: FunctionNode) -> ast.AST:
        node.returns = None
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        node.body = _without_docstring(node.body)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def _without_docstring(body: list[ast.stmt]) -> list[ast.stmt]:
    first = body[0]
    if (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    ):
        return body[1:] or [ast.copy_location(ast.Pass(), first)]
    return body


def stripped(tree: ast.Module) -> ast.Module:
    """The tree of a module, changed: without docstrings and annotations."""
    tree.body = _without_docstring(tree.body) if tree.body else []
    return _Stripped().visit(tree)  # type: ignore[no-any-return]


def declares(node: FunctionNode) -> bool:
    """Whether each parameter has an annotation; as long as they have not been taken out."""
    given = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return all(one.annotation is not None for one in given if one.arg not in ("self", "cls"))


def dumped(node: ast.AST) -> str:
    """What two nodes have in common that do the same."""
    return ast.dump(node)


def statements(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Each statement under a function with its line, blocks by their heads."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield _head(child), getattr(child, "lineno", 0) or child.pattern.lineno  # type: ignore[union-attr]
            yield from statements(child)


def _guarded(node: ast.AST, guard: str) -> Iterator[tuple[str, str]]:
    """Each statement under a function with the condition that it depends on next, "" for none."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield _head(child), guard
            yield from _guarded(child, _dump(child.test) if isinstance(child, ast.If | ast.While) else guard)


def _head(node: ast.AST) -> str:
    parts = [type(node).__name__]
    for name, value in ast.iter_fields(node):
        if name in ("body", "orelse", "finalbody", "handlers", "cases"):
            continue
        parts.append(_dump(value))
    return "|".join(parts)


def _dump(value: object) -> str:
    if isinstance(value, ast.AST):
        return ast.dump(value)
    if isinstance(value, list):
        return ",".join(map(_dump, value))
    return repr(value)


def changed_lines(base: ast.AST | None, head: ast.AST) -> tuple[int, ...]:
    """Lines at head whose statements are not at base; of what only went away, the line after it."""
    now = list(statements(head))
    if base is None:
        return tuple(line for _, line in now[:1])
    was = [text for text, _ in statements(base)]
    found: dict[int, None] = {}
    matcher = difflib.SequenceMatcher(None, was, [text for text, _ in now], autojunk=False)
    for kind, _, _, first, last in matcher.get_opcodes():
        if kind == "equal":
            continue
        lines = [line for _, line in now[first:last]]
        if not lines and now:
            lines = [now[min(first, len(now) - 1)][1]]
        found.update(dict.fromkeys(lines))
    first_line = getattr(head, "lineno", 1)
    return tuple(sorted(found)) or (first_line,)


_WORD = re.compile(r"(?:id|attr|arg|name|value)='([^']+)'")


#: A constant of another module, such as `setters.NO_OP`.
_CONSTANT = re.compile(r"Attribute\(value=Name\(id='(\w+)'[^)]*\)+, attr='([A-Z][A-Z0-9_]+)'")


def changed_words(base: ast.AST | None, head: ast.AST | None) -> tuple[str, ...]:
    """Names and short texts in the statements that are not the same on both sides, or not in the same place.

    Then those in the conditions that such statements depend on. Constants are dotted.
    """
    sides = [list(_guarded(one, "")) if one is not None else [] for one in (base, head)]
    was, now = ([text for text, _ in side] for side in sides)
    matcher = difflib.SequenceMatcher(None, was, now, autojunk=False)
    moved: list[tuple[str, str]] = []
    for kind, first, last, start, end in matcher.get_opcodes():
        moved += [*sides[0][first:last], *sides[1][start:end]] if kind != "equal" else []
    differing = [*(text for text, _ in moved), *dict.fromkeys(guard for _, guard in moved)]
    found: dict[str, None] = {}
    for text in differing:
        found.update((f"{owner}.{name}", None) for owner, name in _CONSTANT.findall(text))
        found.update((word, None) for match in _WORD.findall(text) for word in re.findall(r"\w+", match))
    return tuple(
        word for word in found if len(word) > 1 and word not in ("self", "cls", "True", "False", "None")
    )

"""Which names of a Python file mean something else at head than they did at base, for whoever uses them.

Compared as text, without the bodies of functions whose signature says what they return: a change within
such a body can break no caller's types and no public API.

Not for threads: CPython 3.11's parser keeps state that they would share (SystemError: "AST constructor
recursion depth mismatch").
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from review_bot.change import Change, ChangedFile
from review_bot.reviewers.roles import is_python

_Function = ast.FunctionDef | ast.AsyncFunctionDef


def changed_names(change: Change) -> set[str]:
    """Names whose users may be affected by the change, as words: functions, classes, attributes, modules."""
    return {name for file in change.files for name in changed_names_of(file)}


def changed_names_of(file: ChangedFile) -> set[str]:
    """Names that base had and that are different or gone at head.

    The name of the module itself stands for all of them when it is gone or Python cannot parse it.
    """
    path = file.old_path or file.path
    if not is_python(path) or file.status in ("added", "copied", "mode"):
        return set()
    pure = PurePosixPath(path)
    module = {pure.parent.name if pure.stem == "__init__" else pure.stem} - {""}
    base, head = _described(file.base_text), _described(file.head_text)
    if base is None or head is None or file.path != path:
        return module | {word for name in base or () for word in _words(name)}
    return {word for name, text in base.items() if head.get(name) != text for word in _words(name)}


def _words(name: str) -> Iterator[str]:
    """What users write: of a special method, such as a constructor, only its class."""
    *outer, last = name.split(".")
    if not (last.startswith("__") and last.endswith("__")):
        yield last
    elif outer:
        yield outer[-1]
    else:
        yield last


def _described(text: str | None) -> dict[str, str] | None:
    """What a module offers: qualified name to the text that decides how it can be used."""
    if text is None:
        return None
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found: dict[str, str] = {}
    _describe(tree.body, "", text.split("\n"), found)
    return found


def _describe(body: list[ast.stmt], prefix: str, lines: list[str], found: dict[str, str]) -> None:
    for node in body:
        if isinstance(node, _Function):
            end = node.body[0].lineno - 1 if node.returns is not None else node.end_lineno
            _add(found, prefix + node.name, node, max(end or 0, node.lineno), lines)
            if prefix:
                _describe_attributes(node, prefix, lines, found)
        elif isinstance(node, ast.ClassDef):
            _add(found, prefix + node.name, node, max(node.body[0].lineno - 1, node.lineno), lines)
            for inner in node.body:  # fields make the constructor
                if isinstance(inner, ast.Assign | ast.AnnAssign):
                    _add(found, prefix + node.name, inner, inner.end_lineno, lines)
            _describe(node.body, f"{prefix}{node.name}.", lines, found)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                _add(found, prefix + (alias.asname or alias.name.split(".")[0]), node, node.end_lineno, lines)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For | ast.While):
            handlers = [inner for handler in getattr(node, "handlers", ()) for inner in handler.body]
            inside = [inner for inner in ast.iter_child_nodes(node) if isinstance(inner, ast.stmt)]
            _describe(inside + handlers, prefix, lines, found)
        else:
            for target in _targets(node):
                _add(found, prefix + target, node, node.end_lineno, lines)


def _describe_attributes(method: _Function, prefix: str, lines: list[str], found: dict[str, str]) -> None:
    """What a method assigns to its `self`."""
    for node in ast.walk(method):
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                _add(found, prefix + target.attr, target, node.end_lineno, lines)  # type: ignore[attr-defined]


def _targets(node: ast.stmt) -> Iterator[str]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id


def _add(
    found: dict[str, str], name: str, node: ast.stmt | ast.expr, end: int | None, lines: list[str]
) -> None:
    decorators = getattr(node, "decorator_list", [])
    start = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    text = "".join("".join(lines[start - 1 : end]).split())
    found[name] = found.get(name, "") + text

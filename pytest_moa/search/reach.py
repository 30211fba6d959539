"""Which branch must be taken for a place in the source to run."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator


class Gates:
    """Looks up the innermost branch around a place, as an id of the module's probes."""

    def __init__(self, tree: ast.Module) -> None:
        self._spans = sorted(_spans(tree), key=lambda span: (span[0], -span[1]))

    def of(self, line: int) -> str:
        """The id of the innermost branch whose block holds that line; "" at module level."""
        found = [span for span in self._spans if span[0] <= line <= span[1]]
        return min(found, key=lambda span: span[1] - span[0])[2] if found else ""


def _spans(tree: ast.Module) -> Iterator[tuple[int, int, str]]:
    for node in ast.walk(tree):
        at = f"{getattr(node, 'lineno', 0)}:{getattr(node, 'col_offset', 0)}"
        match node:
            case ast.FunctionDef(body=body) | ast.AsyncFunctionDef(body=body):
                yield node.lineno, _end(body), f"{at} enter"
            case ast.If(body=body, orelse=orelse):
                yield body[0].lineno, _end(body), f"{at} if true"
                if orelse:
                    yield orelse[0].lineno, _end(orelse), f"{at} if false"
            case ast.For(body=body) | ast.AsyncFor(body=body):
                yield body[0].lineno, _end(body), f"{at} for item"
            case ast.While(body=body):
                yield body[0].lineno, _end(body), f"{at} while true"
            case ast.ExceptHandler(body=body):
                yield body[0].lineno, _end(body), f"{at} except"


def _end(body: list[ast.stmt]) -> int:
    return body[-1].end_lineno or body[-1].lineno


class Uses:
    """Which functions may notice a change of a definition: those that name it, or what is made from it."""

    def __init__(self, tree: ast.Module) -> None:
        self._statements = list(_statements(tree.body))
        self._functions = [
            (node, f"{node.lineno}:{node.col_offset} enter", _names(node))
            for node in ast.walk(tree)
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        ]
        self._known: dict[int, frozenset[str]] = {}
        self.all = frozenset(gate for _, gate, _ in self._functions)
        self.early = _called_early(
            self._statements
        )  #: functions that already run while the module is imported

    def entered(self, qualnames: Collection[str]) -> frozenset[str]:
        """Ids of the "enter" branches of these functions."""
        names = {one.rpartition(".")[2] for one in qualnames}
        return frozenset(gate for node, gate, _ in self._functions if node.name in names)

    def of(self, line: int) -> frozenset[str]:
        """Ids of the "enter" branches of all functions that a change in that line may show in."""
        index = next(
            (
                at
                for at, node in enumerate(self._statements)
                if _first(node) <= line <= (node.end_lineno or 0)
            ),
            -1,
        )
        if index not in self._known:
            self._known[index] = self._of_statement(index)
        return self._known[index]

    def _of_statement(self, index: int) -> frozenset[str]:
        if index < 0:
            return self.all
        changed = set(_bound(self._statements[index]))
        while True:
            before = len(changed)
            for node in self._statements:
                if changed & _names(node):
                    changed |= _bound(node)
            if len(changed) == before:
                break
        inside = {id(one) for one in ast.walk(self._statements[index])}
        return frozenset(
            gate for node, gate, names in self._functions if id(node) in inside or changed & names
        )


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        if isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from _statements([*node.body, *getattr(node, "orelse", [])])
        else:
            yield node


def _first(node: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    return min([node.lineno, *(one.lineno for one in decorators)])


def _names(node: ast.AST) -> set[str]:
    found = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return found | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def _bound(node: ast.stmt) -> set[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def _called_early(statements: list[ast.stmt]) -> frozenset[str]:
    found: set[str] = set()
    for node in statements:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        calls = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
        found |= {one.id for one in calls if isinstance(one, ast.Name)}
    return frozenset(found)

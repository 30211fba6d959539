"""The imports that a test needs, merged into those that a file has."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pytest_moa.placing.renaming import free_name, used_names
from pytest_moa.placing.source_file import NotPlaced, lines_of, parsed


@dataclass(frozen=True, slots=True)
class Import:
    """One name that one import statement binds. `attribute` is "" for `import module`."""

    module: str
    attribute: str = ""
    alias: str = ""

    @property
    def name(self) -> str:
        """The name it binds."""
        return self.alias or self.attribute or self.module.split(".")[0]

    @property
    def statement(self) -> str:
        """As source."""
        what = self.attribute or self.module
        what += f" as {self.alias}" if self.alias and self.alias != what else ""
        return f"from {self.module} import {what}" if self.attribute else f"import {what}"


def imports_in(body: Iterable[ast.stmt]) -> Iterator[Import]:
    """What absolute import statements among these bind, one by one; no stars, nothing of __future__."""
    for statement in body:
        if isinstance(statement, ast.Import):
            yield from (Import(alias.name, "", alias.asname or "") for alias in statement.names)
        elif (
            isinstance(statement, ast.ImportFrom) and not statement.level and statement.module != "__future__"
        ):
            for alias in statement.names:
                if alias.name != "*":
                    yield Import(statement.module or "", alias.name, alias.asname or "")


def top_level_names(tree: ast.Module) -> set[str]:
    """Every name that a module binds outside of functions and classes."""
    found: set[str] = set()
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        else:
            waiting += ast.iter_child_nodes(node)
    return found


def needed(
    statements: Iterable[str],
    source: str,
    tree: ast.Module,
    same: Callable[[Import, Import], bool] = operator.eq,
) -> tuple[list[Import], dict[str, str]]:
    """Which imports a file lacks for this source, and which names of the source have to change for them.

    `same` says whether one import surely brings what another one would. What the source does not use is left
    out. A name that means something else in the file is imported
    under another one.

    Raises:
        NotPlaced: a name means something else, and no alias helps.
    """
    used, taken = used_names(source), top_level_names(tree)
    has = list(imports_in(tree.body))
    missing: list[Import] = []
    names: dict[str, str] = {}
    for wanted in dict.fromkeys(
        imports_in(statement for text in statements for statement in parsed(text).body)
    ):
        if wanted.name not in used or any(same(one, wanted) for one in has):
            continue
        clash = wanted.name in taken and not (not wanted.attribute and _same_package(wanted, has))
        if clash and not wanted.attribute and not wanted.alias and "." in wanted.module:
            raise NotPlaced(
                f"it needs `{wanted.statement}`, and {wanted.name} is something else in this file"
            )
        if clash:
            origin = wanted.module.rpartition(".")[2].lstrip("_")
            new = free_name(
                f"{origin}_{wanted.name}" if wanted.attribute else f"{origin}_module", taken | used
            )
            names[wanted.name] = new
            wanted = Import(wanted.module, wanted.attribute, new)
        taken.add(wanted.name)
        missing.append(wanted)
    return missing, names


def _same_package(wanted: Import, has: Iterable[Import]) -> bool:
    """`import a.b` beside `import a.c`: both bind the same `a`."""
    return any(not one.attribute and not one.alias and one.name == wanted.name for one in has)


def with_imports(text: str, missing: Iterable[Import], newline: str, width: int) -> str:
    """The text of a file with these imports added; nothing else changes.

    A name joins a line that imports from the same module already, where it fits in. Other statements
    come after the last import before the first definition, or before the first statement.
    """
    for wanted in missing:
        lines, tree = lines_of(text), parsed(text)
        line = _joined(tree, lines, wanted, width)
        if line is not None:
            text = "".join(lines)
            continue
        at, before, after = _where(tree, lines)
        if at and not lines[at - 1].endswith(("\n", "\r")):
            lines[at - 1] += newline
        lines.insert(at, newline * before + wanted.statement + newline * (1 + after))
        text = "".join(lines)
    return text


def _joined(tree: ast.Module, lines: list[str], wanted: Import, width: int) -> int | None:
    """Add the name to a one-line import from its module, in place; the line's number."""
    for node in tree.body:
        if (
            not isinstance(node, ast.ImportFrom)
            or node.level
            or node.module != wanted.module
            or not wanted.attribute
        ):
            continue
        index = node.lineno - 1
        bare = lines[index].rstrip("\r\n")
        plain = node.end_lineno == node.lineno and bare == ast.unparse(node) and node.names[0].name != "*"
        names = [*node.names, ast.alias(wanted.attribute, wanted.alias or None)]
        if all(
            earlier.name <= later.name for earlier, later in zip(node.names, node.names[1:], strict=False)
        ):
            names.sort(key=lambda alias: alias.name)
        joined = ast.unparse(ast.ImportFrom(node.module, names, 0))
        if plain and len(joined) <= width:
            lines[index] = joined + lines[index][len(bare) :]
            return index
    return None


def _where(tree: ast.Module, lines: list[str]) -> tuple[int, int, int]:
    """After how many lines a new import goes, and how many blank lines before and after it."""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    last: ast.stmt | None = None
    for node in _head(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            last = node
    if last is not None:
        future = isinstance(last, ast.ImportFrom) and last.module == "__future__"
        return last.end_lineno or last.lineno, int(future), 0
    body = tree.body
    docstring = bool(body) and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)
    docstring = docstring and isinstance(body[0].value.value, str)  # type: ignore[attr-defined]
    if docstring:
        end = body[0].end_lineno or body[0].lineno
        return end, 1, 0
    if not body:
        return len(lines), int(bool(lines) and bool(lines[-1].strip())), 0
    first = body[0]
    decorators = getattr(first, "decorator_list", [])
    start = min([first.lineno, *(decorator.lineno for decorator in decorators)]) - 1
    above = start
    while above and lines[above - 1].lstrip().startswith("#"):
        above -= 1
    at = above if above else start  # comments that begin the file stay its beginning
    return at, int(at > 0 and bool(lines[at - 1].strip())), 2 if isinstance(first, definitions) else 1


def _head(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that imports may stand between: those before the first other code.

    Where `sys.path` is changed, what comes after that counts too: imports may need it.
    """
    statements = list(tree.body)
    for index, node in enumerate(statements):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            del statements[index:]
            break
    if not any("sys.path" in ast.unparse(node) for node in statements):
        harmless = (ast.Import, ast.ImportFrom, ast.If, ast.Try, ast.Expr)
        other = (index for index, node in enumerate(statements) if not isinstance(node, harmless))
        del statements[next(other, len(statements)) :]
    yield from statements

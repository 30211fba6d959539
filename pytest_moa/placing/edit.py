"""Tests put into a file: where they stand, what they are called there, and not a byte more is changed."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from pytest_moa.candidate import Candidate
from pytest_moa.placing.formatting import Style
from pytest_moa.placing.imports import needed, top_level_names, with_imports
from pytest_moa.placing.packages import Packages
from pytest_moa.placing.renaming import free_name, renamed
from pytest_moa.placing.source_file import NotPlaced, SourceFile, lines_of, parsed

_LONGEST_NAME = 72


@dataclass(frozen=True, slots=True)
class Edit:
    """A new text for a file. `added` is the source of each test as it stands there, by candidate id."""

    text: str
    added: dict[str, str]
    present: tuple[str, ...] = ()  #: ids of candidates whose test is in the file already
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What matters around a file: its style, the fixtures that conftest files define for it, packages."""

    style: Style
    fixtures: Collection[str]
    packages: Packages


def edited(file: SourceFile, candidates: Iterable[Candidate], around: Surroundings) -> Edit:
    """The file with these tests.

    Raises:
        NotPlaced: one of them cannot be put there; the message says why.
    """
    edit = Edit(file.text, {})
    for candidate in candidates:
        edit = _with(file, edit, candidate, around)
    return edit


def _with(file: SourceFile, edit: Edit, candidate: Candidate, around: Surroundings) -> Edit:
    _check(candidate)
    tree = parsed(edit.text)
    taken = top_level_names(tree)
    if _has(tree, candidate.source):
        return replace(edit, present=(*edit.present, candidate.id))
    own = _own_support(candidate.support, tree)
    source = f"{own}\n\n\n{candidate.source}" if own else candidate.source
    names = {
        name: free_name(
            f"{name}_for_{candidate.name.removeprefix('test_')}"[:_LONGEST_NAME], {*taken, *around.fixtures}
        )
        for name in sorted(top_level_names(parsed(own)))
        if name in taken or name in around.fixtures
    }
    if candidate.name in taken:
        names[candidate.name] = _telling_name(candidate, taken)
    missing, aliases = needed(candidate.imports, source, tree, around.packages.same)
    parameters = {node.arg for node in ast.walk(parsed(source)) if isinstance(node, ast.arg)}
    if clash := sorted(parameters & set(aliases)):
        raise NotPlaced(f"{clash[0]} is a parameter of {candidate.name} and something else in {file.path}")
    source, note = around.style.formatted(renamed(source, {**names, **aliases}).strip("\n") + "\n")
    lines = lines_of(edit.text)
    at = _after(tree, lines, candidate)
    lines[at:at] = [_block(source, lines, at, file.newline)]
    text = with_imports("".join(lines), missing, file.newline, around.style.width)
    if missing:
        text = around.style.with_sorted_imports(file.text, text)
    _check_nothing_lost(edit.text, text, file.path)
    added = {**edit.added, candidate.id: source.strip("\n")}
    notes = edit.notes if not note or note in edit.notes else (*edit.notes, note)
    return Edit(text, added, edit.present, notes)


def _check(candidate: Candidate) -> None:
    """Refuse what is no test function with imports: a report may come from anywhere."""
    try:
        body, support = parsed(candidate.source).body, parsed(candidate.support).body
        imports = [node for text in candidate.imports for node in parsed(text).body]
    except (SyntaxError, ValueError) as error:
        raise NotPlaced(f"{candidate.name} is no Python: {error}") from error
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    if len(body) != 1 or not isinstance(body[0], definitions) or body[0].name != candidate.name:
        raise NotPlaced(f"{candidate.name} is not one test function")
    if not all(isinstance(node, ast.Import | ast.ImportFrom) for node in imports):
        raise NotPlaced(f"{candidate.name} has imports that are none")
    if not all(isinstance(node, (*definitions, ast.Assign, ast.AnnAssign)) for node in support):
        raise NotPlaced(f"{candidate.name} needs code that runs when its file is imported")


def _has(tree: ast.Module, source: str) -> bool:
    """Whether the file has a test that does the same, whatever its name."""
    return _nameless(parsed(source).body[0]) in {
        _nameless(node) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def _nameless(node: ast.AST) -> str:
    text = ast.dump(node)
    return text.replace(repr(getattr(node, "name", "")), "''", 1)


def _own_support(support: str, tree: ast.Module) -> str:
    """What of a candidate's support the file does not define in the very same words."""
    there = {ast.dump(node) for node in tree.body}
    lines = lines_of(support)
    kept = []
    for node in parsed(support).body:
        if ast.dump(node) not in there:
            first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
            kept.append("".join(lines[first - 1 : node.end_lineno]).strip("\n"))
    return "\n\n\n".join(kept)


def _telling_name(candidate: Candidate, taken: Collection[str]) -> str:
    """A free name that says what this test is about, not only that it is another one."""
    words = re.findall(r"[a-z0-9]+", candidate.says.lower())
    known = set(candidate.name.split("_"))
    case = candidate.case
    suffixes = ["_".join(word for word in words if word not in known)]
    if case is not None:
        outcome = f"{case.outcome} {case.expected}".lower()
        suffixes.append("_".join(re.findall(r"[a-z0-9]+", outcome)))
    for suffix in suffixes:
        room = _LONGEST_NAME - len(candidate.name) - 1
        name = (
            f"{candidate.name}_{suffix}" if len(suffix) <= room else f"{candidate.name}_{_cut(suffix, room)}"
        )
        if suffix and name not in taken:
            return name
    return free_name(candidate.name, taken)


def _cut(suffix: str, room: int) -> str:
    return suffix[: max(room, 8)].rpartition("_")[0] or suffix[: max(room, 8)]


def _after(tree: ast.Module, lines: list[str], candidate: Candidate) -> int:
    """After how many lines the test goes: behind the last test of its target, else at the end."""
    qualname = candidate.target.partition(":")[2]
    body = [node for node in tree.body if not _is_main(node)]
    owner, _, name = qualname.rpartition(".")
    for wanted in (name, owner.rpartition(".")[2]):
        tests = [node for node in body if wanted and _is_test(node) and _mentions(node, wanted)]
        if tests:
            return _end(tests[-1], lines)
    if body:
        return _end(body[-1], lines)
    return len(lines)


def _is_test(node: ast.stmt) -> bool:
    if isinstance(node, ast.ClassDef):
        return any(_is_test(inner) for inner in node.body)
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test")


def _mentions(node: ast.stmt, name: str) -> bool:
    return any(
        (isinstance(one, ast.Name) and one.id == name)
        or (isinstance(one, ast.Attribute) and one.attr == name)
        for one in ast.walk(node)
    )


def _is_main(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).replace("'", '"') == '__name__ == "__main__"'


def _end(node: ast.stmt, lines: list[str]) -> int:
    """The number of lines up to the end of a statement with the comments that belong to it."""
    end = at = node.end_lineno or node.lineno
    while at < len(lines):
        line = lines[at].strip()
        if line.startswith("#") and lines[at][0] in " \t":  # a comment of its body
            end = at + 1
        elif line:
            break
        at += 1
    at = end
    while at < len(lines) and lines[at].startswith("#"):
        at += 1
    return at if at == len(lines) or not lines[at].strip() else end


def _block(source: str, lines: list[str], at: int, newline: str) -> str:
    """The source with the blank lines that belong around it."""
    before = 0
    while before < at and not lines[at - 1 - before].strip():
        before += 1
    blank = max(0, 2 - before) if at > before else 0
    unfinished = at > 0 and not lines[at - 1].endswith(("\n", "\r"))
    after = 0
    while at + after < len(lines) and not lines[at + after].strip():
        after += 1
    follows = at + after < len(lines)
    text = "\n" * (blank + unfinished) + source + "\n" * (max(0, 2 - after) if follows else 0)
    return text.replace("\n", newline)


def _check_nothing_lost(before: str, after: str, path: str) -> None:
    """Every statement but imports is still there, in order.

    Raises:
        NotPlaced: it is not, which would be our mistake.
    """
    imports = (ast.Import, ast.ImportFrom)
    try:
        new = iter([ast.dump(node) for node in parsed(after).body])
    except (SyntaxError, ValueError) as error:
        raise NotPlaced(f"the tests do not fit into {path}: {error}") from error
    if not all(ast.dump(node) in new for node in parsed(before).body if not isinstance(node, imports)):
        raise NotPlaced(f"the tests do not fit into {path} without changing what is there")

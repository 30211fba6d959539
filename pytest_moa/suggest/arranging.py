"""Chosen candidates as the tests that a person would write: alike cases become one table."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_moa.candidate import Candidate, Case
from pytest_moa.suggest.cases import matching, source_of_case
from pytest_moa.suggest.naming import base_name, names_of, says_something, snake, unique, usable

#: Rows of one table, and characters of a case beyond which it stands alone.
_ROWS, _WIDE = 10, 240


def content_key(candidate: Candidate) -> str:
    """Eight hex digits over what a candidate does, whatever its name: who proposes it twice proposes one."""
    source = re.sub(rf"\b{re.escape(candidate.name)}\b", "test", candidate.source, count=1)
    text = json.dumps([candidate.target, source, candidate.support])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Arranged:
    """A test as it is suggested, and the keys of the candidates that it is made of."""

    candidate: Candidate
    parts: tuple[str, ...]


def grouped(candidates: Mapping[str, Candidate]) -> list[tuple[str, ...]]:
    """The keys of candidates that make one test each, in the order of their first ones."""
    groups: list[list[str]] = []
    open_groups: dict[object, list[str]] = {}
    for key, candidate in candidates.items():
        alike = _alike(candidate)
        group = open_groups.get(alike) if alike is not None else None
        if (
            group is None
            or len(group) >= _ROWS
            or _row_id(candidate) in {_row_id(candidates[k]) for k in group}
        ):
            group = []
            groups.append(group)
            if alike is not None:
                open_groups[alike] = group
        group.append(key)
    return [tuple(group) for group in groups]


def arranged(
    groups: Sequence[tuple[str, ...]],
    candidates: Mapping[str, Candidate],
    parameters: Mapping[str, Sequence[str]],
    names: Mapping[str, str],
) -> list[Arranged]:
    """One test a group. `parameters` are those of each target; `names` are better names by key."""
    taken: set[str] = set()
    result = []
    for group in groups:
        members = [candidates[key] for key in group]
        wanted = [names[key] for key in group if usable(names.get(key, ""))]
        made = _one(members, parameters.get(members[0].target, ()), wanted, taken)
        taken.add(made.name)
        result.append(Arranged(made, group))
    return result


def _alike(candidate: Candidate) -> object:
    """What candidates of one table have in common; None for one that stands alone."""
    case = candidate.case
    if case is None or not case.arguments or len(case.call) + len(case.expected) > _WIDE:
        return None
    if any("\n" in source for _, source in case.arguments) or case.callee.count("(") > 1:
        return None
    if source_of_case(case, candidate.name) != candidate.source and _plain(candidate.source) != _plain(
        source_of_case(case, candidate.name)
    ):
        return None  # its source says more than its case
    return (
        candidate.target,
        candidate.support,
        case.callee,
        case.outcome,
        case.expected if case.outcome == "raises" else "",
        bool(case.match),
        case.setup,
        case.checks,
        tuple(name for name, _ in case.arguments),
    )


def _plain(source: str) -> str:
    try:
        return ast.dump(ast.parse(source))
    except SyntaxError:
        return source


def _row_id(candidate: Candidate) -> str:
    """A row as pytest names it, more or less: rows of one table must not be named alike."""
    case = candidate.case
    return (
        ""
        if case is None
        else "-".join(source.strip("'\"") for _, source in (*case.arguments, ("", case.expected)))
    )


def _one(
    members: Sequence[Candidate], parameters: Sequence[str], wanted: Sequence[str], taken: set[str]
) -> Candidate:
    first = members[0]
    base = base_name(first.target.partition(":")[2])
    if len(members) > 1:
        return _table(members, parameters, wanted, taken, base)
    kept = [_about(first.name, base)] if says_something(first.name, base) and usable(first.name) else []
    derived = names_of(base, [first.case], parameters, ()) if first.case else iter(())
    name = unique(iter([*wanted, *kept, *derived]), base, taken)
    return _renamed(first, name)


def _about(name: str, base: str) -> str:
    """A proposer's name, with the function's in it."""
    return name if base.rpartition("_")[2] in name else f"test_{base}_{name.removeprefix('test_')}"


def _renamed(candidate: Candidate, name: str) -> Candidate:
    source = re.sub(rf"\bdef {re.escape(candidate.name)}\b", f"def {name}", candidate.source, count=1)
    return replace(candidate, name=name, source=source, says=candidate.says or _said(name))


def _said(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


@dataclass(frozen=True, slots=True)
class _Column:
    """One thing that differs among the rows of a table."""

    name: str
    cells: tuple[str, ...]


def _table(
    members: Sequence[Candidate], parameters: Sequence[str], wanted: Sequence[str], taken: set[str], base: str
) -> Candidate:
    first = members[0]
    cases = [member.case for member in members if member.case is not None]
    names_taken = {"pytest", *_names_in(first), *(word for case in cases for word in _words(case))}
    columns: list[_Column] = []
    arguments: list[tuple[str, str]] = []
    for position, (keyword, source) in enumerate(cases[0].arguments):
        cells = tuple(case.arguments[position][1] for case in cases)
        if len(set(cells)) == 1:
            arguments.append((keyword, source))
            continue
        called = keyword or (
            parameters[position] if position < len(parameters) else _usual(position, len(cases[0].arguments))
        )
        column = _Column(_free(snake(called) or "given", names_taken), cells)
        names_taken.add(column.name)
        columns.append(column)
        arguments.append((keyword, column.name))
    varying = [column.name for column in columns]
    outcome = _outcome_columns(cases, names_taken)
    columns += outcome.values()
    shown = replace(
        cases[0],
        arguments=tuple(arguments),
        expected=outcome["expected"].name if "expected" in outcome else cases[0].expected,
        match="",
    )
    name = unique(iter([*wanted, *names_of(base, cases, parameters, varying)]), base, taken)
    body = _body(shown, cases, outcome)
    source = "\n".join(
        [
            *_decorator(columns),
            f"def {name}({', '.join(column.name for column in columns)}):",
            *(f"    {line}" for line in body),
        ]
    )
    imports = {statement: None for member in members for statement in member.imports} | {
        "import pytest": None
    }
    if "re.escape(" in source:
        imports["import re"] = None
    return Candidate(
        target=first.target,
        name=name,
        source=source,
        imports=tuple(sorted(imports, key=lambda statement: (statement.startswith("from "), statement))),
        support=first.support,
        says=_said(name),
    )


def _outcome_columns(cases: Sequence[Case], taken: set[str]) -> dict[str, _Column]:
    """The columns of what is expected, where that differs: "expected" or "match"."""
    if cases[0].outcome == "returns":
        cells = tuple(case.expected for case in cases)
        return {"expected": _Column(_free("expected", taken), cells)} if len(set(cells)) > 1 else {}
    texts = tuple(matching(case.match) for case in cases)
    return {"match": _Column(_free("message", taken), texts)} if len(set(texts)) > 1 else {}


def _body(shown: Case, cases: Sequence[Case], outcome: Mapping[str, _Column]) -> list[str]:
    if shown.outcome == "raises":
        pattern = (
            outcome["match"].name
            if "match" in outcome
            else matching(cases[0].match)
            if cases[0].match
            else ""
        )
        match = f", match={pattern}" if pattern else ""
        return [
            *shown.setup,
            f"with pytest.raises({shown.expected}{match}):",
            f"    {shown.call}",
            *shown.checks,
        ]
    singletons = all(case.expected in ("True", "False", "None") for case in cases)
    return [
        *shown.setup,
        f"assert {shown.call} {'is' if singletons else '=='} {shown.expected}",
        *shown.checks,
    ]


def _decorator(columns: Sequence[_Column]) -> list[str]:
    rows = list(zip(*(column.cells for column in columns), strict=True))
    if len(columns) == 1:
        names = f'"{columns[0].name}"'
        table = [f"        {row[0]}," for row in rows]
    else:
        names = "({})".format(", ".join(f'"{column.name}"' for column in columns))
        table = [f"        ({', '.join(row)})," for row in rows]
    short = f"@pytest.mark.parametrize({names}, [{', '.join(row[0] for row in rows)}])"
    if len(columns) == 1 and len(short) <= 88:
        return [short]
    return ["@pytest.mark.parametrize(", f"    {names},", "    [", *table, "    ],", ")"]


def _usual(position: int, count: int) -> str:
    return "value" if count == 1 else ("first", "second", "third", "fourth", "fifth")[min(position, 4)]


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else f"{name}_value" if f"{name}_value" not in taken else f"the_{name}"


def _names_in(candidate: Candidate) -> set[str]:
    tree = ast.parse("\n".join([*candidate.imports, candidate.support]))
    imported = {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return imported | defined | {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)}


def _words(case: Case) -> set[str]:
    """Names in the case's expressions: a column must not hide them."""
    sources = [
        case.callee,
        case.expected,
        *(source for _, source in case.arguments),
        *case.setup,
        *case.checks,
    ]
    return {word for source in sources for word in re.findall(r"(?<![\w\"'.])[A-Za-z_]\w*", source)}

"""Chosen candidates as the tests that a person would write: alike ones become one table."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.naming import base_name, names_of, says_something, table_names, unique, usable
from pytest_moa.suggest.tables import (
    OUTCOMES,
    Shape,
    Signatures,
    fits,
    in_order,
    names_in,
    shape_of,
    table_of,
    written,
)

#: What a proposer adds to a name that it has used before; "of_2" is a value.
_UNIQUE = re.compile(r"(?<!_of)(?<!_by)_\d$")


def content_key(candidate: Candidate) -> str:
    """Eight hex digits over what a candidate does, whatever its name: who proposes it twice proposes one."""
    source = re.sub(rf"\b{re.escape(candidate.name)}\b", "test", candidate.source.strip(), count=1)
    text = json.dumps([candidate.target, source, candidate.support])
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Arranged:
    """A test as it is suggested, and the keys of the candidates that it is made of."""

    candidate: Candidate
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arranging:
    """Arranges candidates. `signatures` are by target (see `Brief`), `names` are better names by key."""

    candidates: Mapping[str, Candidate]
    signatures: Mapping[str, Signatures]
    names: Mapping[str, str]

    def groups(self, keys: Sequence[str]) -> list[tuple[str, ...]]:
        """The keys of candidates that make one test each, in the order of their first ones."""
        groups: list[tuple[list[str], list[Shape]]] = []
        for key in keys:
            shape = self._shape(key)
            candidate = self.candidates[key]
            for members, shapes in groups if shape is not None else ():
                first = self.candidates[members[0]]
                alike = (first.target, first.support) == (candidate.target, candidate.support)
                if alike and shapes and shape is not None and fits(shapes, shape):
                    members.append(key)
                    shapes.append(shape)
                    break
            else:
                groups.append(([key], [shape] if shape is not None else []))
        return [tuple(members) for members, _ in groups]

    def tests(self, groups: Sequence[tuple[str, ...]]) -> list[Arranged]:
        """One test a group, under names that are free."""
        taken: set[str] = set()
        result = []
        for group in groups:
            made = self._table(group, taken) if len(group) > 1 else self._single(group[0], taken)
            taken.add(made.name)
            result.append(Arranged(made, group))
        return result

    def _shape(self, key: str) -> Shape | None:
        candidate = self.candidates[key]
        return shape_of(candidate, self.signatures.get(candidate.target, {}))

    def _wanted(self, keys: Sequence[str]) -> list[str]:
        return [self.names[key] for key in keys if usable(self.names.get(key, ""))]

    def _single(self, key: str, taken: set[str]) -> Candidate:
        candidate = self.candidates[key]
        base = base_name(candidate.target.partition(":")[2])
        told = says_something(candidate.name, base) and usable(candidate.name)
        kept = [_about(_UNIQUE.sub("", candidate.name), base), _about(candidate.name, base)] if told else []
        derived = names_of(base, candidate.case, self._parameters(candidate)) if candidate.case else ()
        name = unique([*self._wanted([key]), *kept, *derived], base, taken)
        source = re.sub(
            rf"\bdef {re.escape(candidate.name)}\b", f"def {name}", candidate.source.strip(), count=1
        )
        echoed = candidate.says == _said(candidate.name)
        says = _said(name) if echoed or not candidate.says else candidate.says
        return replace(candidate, name=name, source=source, says=says)

    def _table(self, group: Sequence[str], taken: set[str]) -> Candidate:
        members = [self.candidates[key] for key in group]
        first = members[0]
        shapes = [shape for key in group if (shape := self._shape(key)) is not None]
        used = {
            "pytest",
            *_imported(first),
            *names_in(shapes[0].function),
            *names_in(ast.parse(first.support)),
        }
        table = table_of(in_order(shapes), used)
        base = base_name(first.target.partition(":")[2])
        fixed = [
            (slot.called, slot.source)
            for number, slot in enumerate(shapes[0].slots)
            if number not in table.slots and slot.called not in OUTCOMES
        ]
        derived = table_names(base, shapes[0].function, table.names, fixed)
        name = unique([*self._wanted(group), *derived], base, taken)
        imports = {statement: None for member in members for statement in member.imports}
        return Candidate(
            target=first.target,
            name=name,
            source=written(shapes, table, name),
            imports=tuple(sorted({**imports, "import pytest": None}, key=_import_order)),
            support=first.support,
            says=_said(name),
        )

    def _parameters(self, candidate: Candidate) -> Sequence[str]:
        called = candidate.case.callee.rpartition(".")[2] if candidate.case else ""
        return self.signatures.get(candidate.target, {}).get(called, ())


def _about(name: str, base: str) -> str:
    """A proposer's name, with the function's in it."""
    return name if base.rpartition("_")[2] in name else f"test_{base}_{name.removeprefix('test_')}"


def _said(name: str) -> str:
    return name.removeprefix("test_").replace("_", " ")


def _imported(candidate: Candidate) -> set[str]:
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in ast.walk(ast.parse("\n".join(candidate.imports)))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _import_order(statement: str) -> tuple[bool, str]:
    return statement.startswith("from "), statement

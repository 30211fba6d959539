"""Chosen candidates as the tests that a person would write: alike ones become one table."""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.naming import (
    base_name,
    names_of,
    says_something,
    shortened,
    table_names,
    unique,
    usable,
)
from pytest_moa.suggest.shapes import ARGUMENT, Shape, Signatures, shape_of
from pytest_moa.suggest.tables import ROWS, fits, has_options, in_order, names_in, table_of, written

#: Target, support and shape; and the key itself of what has no shape.
Family = tuple[str, str, str, str | bool]

#: The share of a table's rows from which on an option that they give alike is the usual one.
USUAL = 0.7

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
    _shapes: dict[str, Shape | None] = field(default_factory=dict, init=False)

    def groups(self, keys: Sequence[str]) -> list[tuple[str, ...]]:
        """The keys of candidates that make one test each, in the order of their first ones."""
        groups: list[list[str]] = []
        for key in keys:
            family = self.family(key)
            for group in groups:
                if family == self.family(group[0]) and self.joins(group, key):
                    group.append(key)
                    break
            else:
                groups.append([key])
        return [tuple(group) for group in groups]

    def family(self, key: str) -> Family:
        """What candidates have in common that can be rows of one table."""
        shape, candidate = self._shape(key), self.candidates[key]
        return candidate.target, candidate.support, "" if shape is None else shape.key, shape is None and key

    def joins(self, group: Sequence[str], key: str) -> bool:
        """Whether a candidate is one more readable row beside these of its family."""
        shape = self._shape(key)
        shapes = self._shapes_of(group)
        return not group or (shape is not None and len(shapes) == len(group) and fits(shapes, shape))

    def does(self, key: str) -> Hashable:
        """What a candidate calls, and how: equal for two that differ in what they expect alone."""
        shape = self._shape(key)
        return key if shape is None else (self.family(key), shape.given)

    def tests(self, groups: Sequence[tuple[str, ...]], most: int = 0) -> list[Arranged]:
        """One test a group, under free names; two, if `most` allows it, where most rows share an option."""
        taken: set[str] = set()
        result = []
        for group in self._by_usual_option(self._by_theme(groups), most):
            made = self._table(group, taken) if len(group) > 1 else self._single(group[0], taken)
            taken.add(made.name)
            result.append(Arranged(made, group))
        return result

    def _by_theme(self, groups: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """The groups; of a family with two tables, one has what gives options, the other the rest."""
        families: dict[Family, list[int]] = {}
        for number, group in enumerate(groups):
            families.setdefault(self.family(group[0]), []).append(number)
        result = list(groups)
        for numbers in families.values():
            if len(numbers) != 2:
                continue
            keys = [key for number in numbers for key in groups[number]]
            required = set.intersection(*(set(shape.slots) for shape in self._shapes_of(keys)))
            plain = [key for key in keys if set(self._shapes_of([key])[0].slots) == required]
            more = [key for key in keys if key not in plain]
            if max(len(plain), len(more)) <= ROWS and len(self.groups(plain)) == len(self.groups(more)) == 1:
                result[numbers[0]], result[numbers[1]] = tuple(plain), tuple(more)
        return result

    def _by_usual_option(self, groups: Sequence[tuple[str, ...]], most: int) -> list[tuple[str, ...]]:
        """The groups; of one where most rows give an option one value, and others none, these are apart."""
        result: list[tuple[str, ...]] = []
        for number, group in enumerate(groups):
            room = len(result) + len(groups) - number < most
            result += self._halves(group) if room else [group]
        return result

    def _halves(self, group: tuple[str, ...]) -> list[tuple[str, ...]]:
        shapes = self._shapes_of(group)
        for slot in sorted({name for shape in shapes for name in shape.slots if name.startswith(ARGUMENT)}):
            values = [shape.slots[slot].source for shape in shapes if slot in shape.slots]
            if len(set(values)) == 1 and len(group) > len(values) >= USUAL * len(group):
                usual = tuple(key for key, shape in zip(group, shapes, strict=True) if slot in shape.slots)
                return [usual, tuple(key for key in group if key not in usual)]
        return [group]

    def _shape(self, key: str) -> Shape | None:
        if key not in self._shapes:
            candidate = self.candidates[key]
            self._shapes[key] = shape_of(candidate, self.signatures.get(candidate.target, {}))
        return self._shapes[key]

    def _shapes_of(self, keys: Sequence[str]) -> list[Shape]:
        return [shape for key in keys if (shape := self._shape(key)) is not None]

    def _wanted(self, keys: Sequence[str]) -> list[str]:
        return [self.names[key] for key in keys if usable(self.names.get(key, ""))]

    def _single(self, key: str, taken: set[str]) -> Candidate:
        candidate = self.candidates[key]
        base = base_name(candidate.target.partition(":")[2])
        told = says_something(candidate.name, base) and usable(shortened(candidate.name))
        own = [_UNIQUE.sub("", candidate.name), candidate.name]
        kept = [shortened(_about(name, base)) for name in own] if told else []
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
        shapes = in_order(self._shapes_of(group))
        used = {"pytest", *names_in(shapes[0].template), *names_in(ast.parse(first.support))}
        table = table_of(shapes, used.union(*(shape.imports for shape in shapes)))
        base = base_name(first.target.partition(":")[2])
        fixed = [
            (slot.called, slot.source)
            for key, slot in shapes[0].slots.items()
            if key not in table.slots
            and not slot.outcome
            and key.removeprefix(ARGUMENT) not in table.optional
        ]
        source = written(shapes, table, "test")
        outcomes = {name for key, name in table.slots.items() if shapes[0].slots[key].outcome}
        inputs = [name for name in table.names if name not in outcomes]
        options = table.optional if all(has_options(table, shape) for shape in shapes) else ()
        derived = table_names(base, source, inputs, options, fixed)
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


def _import_order(statement: str) -> tuple[bool, str]:
    return statement.startswith("from "), statement

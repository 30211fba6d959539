"""The versions of a module that programs have to tell apart from the original: its mutants.

Mutants of function bodies exchange a function's code. What else they change (decorators, defaults, class
bodies, constants) is executed once in a namespace of its own, whose names then stand in for the module's.
"""

# ruff: noqa: S102 - it executes mutants

from __future__ import annotations

import contextlib
import sys
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from types import ModuleType
from typing import Any

from pytest_moa.code import FunctionVersions, definitions_of
from pytest_moa.mutation import Mutant, mutants_of, mutated_source
from pytest_moa.search.reach import Gates, Uses
from pytest_moa.search.state import Tables
from pytest_moa.search.surface import Surface


class Rivals:
    """All mutants of a module that are not known to be killed. `live` are those that nothing killed yet."""

    def __init__(self, surface: Surface, qualnames: Sequence[str] | None, known: frozenset[str]) -> None:
        self.module: ModuleType = surface.module
        self.source = surface.source
        self.mutants: dict[str, Mutant] = {}
        self.endless: set[str] = set()  #: some programs loop for ever under them
        self.unimportable: set[str] = set()  #: their module cannot be executed: any test kills them
        self.gates: dict[str, Collection[str]] = {}  #: branches of which one must be taken to meet the mutant
        self.at_gate: dict[str, list[str]] = defaultdict(list)
        self._versions: dict[str, FunctionVersions] = {}
        self._namespaces: dict[str, dict[str, Any]] = {}
        self._tables: dict[str, Tables] = {}
        gates, uses = Gates(surface.tree), Uses(surface.tree)
        places = definitions_of(surface.source)
        made: dict[tuple[str, int], FunctionVersions | None] = {}
        for mutant in mutants_of(surface.source, surface.module.__name__):
            if mutant.id in known:
                continue
            if qualnames is not None and not _wanted(mutant, qualnames, uses):
                continue
            self.mutants[mutant.id] = mutant
            early = mutant.qualname in uses.early
            place = places.at(mutant.line) if mutant.scope == "function" and not early else None
            versions = None
            if place is not None:
                key = (place.qualname, place.first_line)
                if key not in made:
                    made[key] = FunctionVersions.of(surface.source, surface.module, place)
                versions = made[key]
            if versions is not None and versions.add(mutant.id, mutated_source(surface.source, mutant)):
                self._versions[mutant.id] = versions
                self.gates[mutant.id] = (gates.of(mutant.line),)
            elif self._execute(mutant):
                self.gates[mutant.id] = uses.all if early else uses.of(mutant.line)
        for name, found in self.gates.items():
            for gate in found:
                self.at_gate[gate].append(name)
        self.live: set[str] = set(self.gates)

    def _execute(self, mutant: Mutant) -> bool:
        module = self.module
        names = {
            name: value
            for name, value in vars(module).items()
            if name.startswith("__") and name.endswith("__")
        }
        kept = dict(sys.modules)
        try:
            code = compile(
                mutated_source(self.source, mutant), module.__file__ or "<module>", "exec", dont_inherit=True
            )
            exec(code, names)
        except Exception:
            self.unimportable.add(mutant.id)
            return False
        finally:
            sys.modules.update(kept)
        self._namespaces[mutant.id] = names
        self._tables[mutant.id] = Tables(names)
        return True

    def __contains__(self, name: str) -> bool:
        return name in self.gates

    def reached(self, hits: Collection[str]) -> list[str]:
        """Names of the mutants that a run with these branches may meet, each once."""
        return list(
            dict.fromkeys(
                name for gate in sorted(hits) for name in self.at_gate.get(gate, ()) if name in self.gates
            )
        )

    def forget(self, name: str) -> None:
        """Never run a mutant again: it hangs where nothing can stop it."""
        self.gates.pop(name, None)
        self.live.discard(name)

    def swapped(self, name: str) -> contextlib.AbstractContextManager[None]:
        """A context in which the module is that mutant."""
        if name in self._versions:
            return self._versions[name].swapped(name)
        return self._renamed(self._namespaces[name], self._tables[name])

    @contextlib.contextmanager
    def _renamed(self, names: dict[str, Any], tables: Tables) -> Iterator[None]:
        held = vars(self.module)
        kept = dict(held)
        held.update(names)
        try:
            yield
        finally:
            held.clear()
            held.update(kept)
            tables.restore()


def _wanted(mutant: Mutant, qualnames: Sequence[str], uses: Uses) -> bool:
    """Whether a mutant is in one of these functions or classes, or in a constant that one of them names."""
    if mutant.qualname == "":
        return bool(uses.of(mutant.line) & uses.entered(qualnames))
    return any(mutant.qualname == one or mutant.qualname.startswith(f"{one}.") for one in qualnames)

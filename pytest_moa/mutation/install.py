"""Put a mutant into this process, for good: meant for a child that ends after it ran some tests."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from types import ModuleType

from pytest_moa.code.definitions import definitions_of
from pytest_moa.code.import_time import run_at_import
from pytest_moa.code.versions import FunctionVersions, Swapped
from pytest_moa.mutation.dependents import Dependents, dependents_of
from pytest_moa.mutation.mutant import Mutant, mutated_source
from pytest_moa.mutation.reexecute import can_reexecute, reexecute

#: Operators that are about calling the function, not about what the import made of it.
CHECKS = frozenset({"control", "identity"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `install` has to know of a module, whatever the mutant."""

    module: ModuleType
    source: str
    dependents: Dependents
    used_at_import: frozenset[str]  #: functions of the module that importing others has run
    repeatable: bool  #: whether the module can be executed again
    versions: dict[int, FunctionVersions | None] = field(default_factory=dict)  #: by first line


_prepared: dict[str, Prepared] = {}


def prepare(source: str, module: ModuleType, ran: frozenset[str] | None = None) -> None:
    """Look at who uses the imported module, so that children forked from now on need not.

    `ran` has those of its functions that importing it and others has run, where that is known. To be
    called again when more modules have been imported, such as collected tests.
    """
    definitions_of(source)
    dependents = dependents_of(module)
    called = dependents.called | dependents.methods
    used = run_at_import(ast.parse(source), called) if called else frozenset[str]()
    used = used if ran is None else used & ran
    repeatable = can_reexecute(source, module, dependents)
    _prepared[module.__name__] = Prepared(module, source, dependents, used, repeatable)


def install(mutant: Mutant, source: str, module: ModuleType) -> bool:
    """Let the imported module, whose source is `source`, behave as if the mutated source had been imported.

    False if that cannot be done rightly here; then nothing has changed, and the mutated source has to be
    imported by a process that has not imported the module. `prepare` beforehand saves time.

    Raises:
        ValueError: the mutant was made for another source.
    """
    found = ready(mutant, source, module)
    return found is not None and found.put()


@dataclass(frozen=True, slots=True)
class Ready:
    """A mutant that has only to be put in; `put` says whether it could be."""

    put: Callable[[], bool]
    swapped: Callable[[], Swapped] | None = None  #: puts it in for a while; None if that cannot be undone


def ready(mutant: Mutant, source: str, module: ModuleType) -> Ready | None:
    """Do all of `install` that changes nothing: what is compiled before a fork is compiled once.

    None if it is known already that it cannot be done rightly here.

    Raises:
        ValueError: the mutant was made for another source.
    """
    known = _prepared.get(module.__name__)
    if known is None or known.module is not module or known.source != source:
        prepare(source, module)
        known = _prepared[module.__name__]
    mutated = mutated_source(source, mutant)
    if mutant.scope == "definition":
        if not known.repeatable:
            return None
        return Ready(partial(_again, known, mutated))
    if mutant.qualname in known.used_at_import and mutant.operator not in CHECKS:
        return None
    versions = _versions(known, mutant)
    if versions is None or not versions.add(mutant.id, mutated):
        return None
    return Ready(partial(_put, versions, mutant.id), partial(versions.swapped, mutant.id))


def _versions(known: Prepared, mutant: Mutant) -> FunctionVersions | None:
    definition = definitions_of(known.source).at(mutant.line)
    if definition is None:
        return None
    if definition.first_line not in known.versions:
        found = FunctionVersions.of(known.source, known.module, definition)
        known.versions[definition.first_line] = found
    return known.versions[definition.first_line]


def _put(versions: FunctionVersions, name: str) -> bool:
    versions.put(name)
    return True


def _again(known: Prepared, mutated: str) -> bool:
    known.versions.clear()  # the functions that it makes are others
    return reexecute(mutated, known.module, known.dependents)

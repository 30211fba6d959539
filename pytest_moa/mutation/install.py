"""Put a mutant into this process, for good: meant for a child that ends after it ran some tests."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from types import ModuleType

from pytest_moa.code.definitions import definitions_of
from pytest_moa.code.import_time import run_at_import
from pytest_moa.code.versions import FunctionVersions
from pytest_moa.mutation.dependents import Dependents, dependents_of
from pytest_moa.mutation.mutant import Mutant, mutated_source
from pytest_moa.mutation.reexecute import reexecute

#: Operators that are about calling the function, not about what the import made of it.
CHECKS = frozenset({"control", "identity"})


@dataclass(frozen=True, slots=True)
class Prepared:
    """What `install` has to know of a module, whatever the mutant."""

    module: ModuleType
    source: str
    dependents: Dependents
    used_at_import: frozenset[str]  #: functions of the module that importing others has run


_prepared: dict[str, Prepared] = {}


def prepare(source: str, module: ModuleType) -> None:
    """Look at who uses the imported module, so that children forked from now on need not.

    To be called again when more modules have been imported, such as collected tests.
    """
    definitions_of(source)
    dependents = dependents_of(module)
    called = dependents.called | dependents.methods
    used = run_at_import(ast.parse(source), called) if called else frozenset[str]()
    _prepared[module.__name__] = Prepared(module, source, dependents, used)


def install(mutant: Mutant, source: str, module: ModuleType) -> bool:
    """Let the imported module, whose source is `source`, behave as if the mutated source had been imported.

    False if that cannot be done rightly here; then nothing has changed, and the mutated source has to be
    imported by a process that has not imported the module. `prepare` beforehand saves time.

    Raises:
        ValueError: the mutant was made for another source.
    """
    known = _prepared.get(module.__name__)
    if known is None or known.module is not module or known.source != source:
        prepare(source, module)
        known = _prepared[module.__name__]
    mutated = mutated_source(source, mutant)
    if mutant.scope == "definition":
        return reexecute(mutated, source, module, known.dependents)
    if mutant.qualname in known.used_at_import and mutant.operator not in CHECKS:
        return False
    definition = definitions_of(source).at(mutant.line)
    versions = None if definition is None else FunctionVersions.of(source, module, definition)
    if versions is None or not versions.add(mutant.id, mutated):
        return False
    versions.put(mutant.id)
    return True

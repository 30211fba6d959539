"""Put a mutant into this process, for good: meant for a child that ends after it ran some tests."""

from __future__ import annotations

from types import ModuleType

from pytest_moa.code.definitions import definitions_of
from pytest_moa.code.versions import FunctionVersions
from pytest_moa.mutation.mutant import Mutant, mutated_source


def install(mutant: Mutant, source: str, module: ModuleType) -> bool:
    """Let the imported module, whose source is `source`, behave as if the mutated source had been imported.

    False if that cannot be done rightly here; then nothing has changed, and the mutated source has to be
    imported by a process that has not imported the module.
    """
    if mutant.scope == "definition":
        return False
    definition = definitions_of(source).at(mutant.line)
    versions = None if definition is None else FunctionVersions.of(source, module, definition)
    if versions is None or not versions.add(mutant.id, mutated_source(source, mutant)):
        return False
    swapped = versions.swapped(mutant.id)
    swapped.__enter__()
    return True

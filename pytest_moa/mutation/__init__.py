"""Mutants of a module: found on its source, put into a running process."""

from pytest_moa.mutation.finding import mutants_of
from pytest_moa.mutation.install import install, prepare
from pytest_moa.mutation.mutant import Mutant, mutant_diff, mutated_source
from pytest_moa.mutation.standard import control, identity

__all__ = [
    "Mutant",
    "control",
    "identity",
    "install",
    "mutant_diff",
    "mutants_of",
    "mutated_source",
    "prepare",
]

"""Functions of a module: where its source defines them, which objects run them, other code for them."""

from pytest_moa.code.definitions import Definition, Definitions, definitions_of
from pytest_moa.code.live import live_function
from pytest_moa.code.probes import Probes
from pytest_moa.code.versions import FunctionVersions

__all__ = ["Definition", "Definitions", "FunctionVersions", "Probes", "definitions_of", "live_function"]

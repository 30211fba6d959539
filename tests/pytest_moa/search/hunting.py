"""A hunt in this process over a fresh copy of the sample, without a clock: so many programs, no more."""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from pytest_moa.code import Probes
from pytest_moa.search.execution import SECONDS, Runner
from pytest_moa.search.generation import Generator
from pytest_moa.search.hunt import Hunt
from pytest_moa.search.rivals import Rivals
from pytest_moa.search.surface import surface_of

SAMPLE = Path(__file__).with_name("till.py")


@contextmanager
def loaded(source: str, name: str = "till_copy") -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_loader(name, loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(SAMPLE)
    sys.modules[name] = module
    exec(compile(source, str(SAMPLE), "exec", dont_inherit=True), vars(module))
    try:
        yield module
    finally:
        del sys.modules[name]


@contextmanager
def hunt_over(source: str | None = None, seed: int = 1, seconds: float = SECONDS) -> Iterator[Hunt]:
    source = source or SAMPLE.read_text()
    with loaded(source) as module:
        surface = surface_of(module, source)
        rng = random.Random(seed)
        rivals = Rivals(surface, None, frozenset())
        probes = Probes.of(source, str(SAMPLE))
        probes.install(module)
        try:
            runner = Runner(module, seconds=seconds)
            yield Hunt(surface, Generator(surface, rng), runner, probes, rivals, rng)
        finally:
            probes.uninstall()

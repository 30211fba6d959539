"""The processes of a run: confined, or refused; with modules that can be imported, the others named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from moa_engine.errors import ConfigError
from pytest_moa.project import SourceModule
from pytest_moa.running.executor import Executor
from pytest_moa.sandbox import probe
from pytest_moa.suggestions import Skipped, SuggestRequest


@contextmanager
def started(
    request: SuggestRequest, workers: int
) -> Iterator[tuple[Executor, SuggestRequest, tuple[Skipped, ...]]]:
    """A started executor, the request with the targets that it can execute, and those that it cannot.

    Raises:
        CannotMeasure: pytest cannot start, or no module can be imported.
        ConfigError: nothing would confine what is executed, and that was not asked for.
    """
    modules = list(modules_of(request).values())
    confined = _is_confined(request)
    with Executor(request.project, modules, workers=workers, confined=confined) as executor:
        broken = executor.broken
        left = tuple(target for target in request.targets if target.path not in broken)
        skipped = [Skipped(one.name, broken[one.path]) for one in request.targets if one.path in broken]
        yield executor, replace(request, targets=left), tuple(skipped)


def modules_of(request: SuggestRequest) -> Mapping[str, SourceModule]:
    """The modules of all targets, by dotted name."""
    found: dict[str, SourceModule] = {}
    for target in request.targets:
        if target.module not in found:
            module = request.project.module(request.project.root / target.path)
            found[target.module] = replace(module, name=target.module)
    return found


def _is_confined(request: SuggestRequest) -> bool:
    if probe().layers:
        return True
    if not request.unsafe:
        raise ConfigError(
            "generated tests would run without any confinement: nothing on this machine can provide it",
            hint="--moa-unsafe runs them all the same, with your rights; a container is safer",
        )
    return False

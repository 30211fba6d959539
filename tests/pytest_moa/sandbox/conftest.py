"""Warm processes in every sandbox that works here, and a world outside of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_moa.sandbox import Limits, Mechanism, landlock, probe
from pytest_moa.warm import WarmProcess
from tests.pytest_moa.sandbox.outside import HERE, SESAME, Outside

#: Enough for what is allowed, and soon used up.
LIMITS = Limits(wall=5, cpu=4, memory=256 << 20, processes=16, file_bytes=8 << 20, output_bytes=64 << 10)

STRONGEST = probe()
WITHOUT_NAMESPACES = Mechanism("landlock + seccomp", ("landlock", "seccomp"), strong=True)


def sandboxes() -> list[Mechanism]:
    """Those to test: the strongest that works here, and the one that containers leave."""
    if not STRONGEST.strong:
        return []
    weaker = [WITHOUT_NAMESPACES] if landlock.version() >= landlock.SCOPES else []
    return [STRONGEST, *(one for one in weaker if one.layers != STRONGEST.layers)]


@pytest.fixture(scope="package")
def outside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outside]:
    made = Outside(tmp_path_factory.mktemp("outside"))
    yield made
    made.close()


@pytest.fixture(scope="package", params=sandboxes(), ids=lambda mechanism: mechanism.name)
def warm(request: pytest.FixtureRequest, outside: Outside) -> Iterator[WarmProcess]:
    """A confined process that knows the attempts, in the project of `outside`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(outside.home))
        patch.setenv("API_KEY", SESAME)
        with WarmProcess(
            root=outside.project,
            preload="attempts:preload",
            preload_args={},
            python_path=[str(HERE)],
            limits=LIMITS,
        ) as process:
            process.mechanism = request.param
            process.start()
            yield process


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def unconfined(outside: Outside) -> Iterator[WarmProcess]:
    """The same without any sandbox."""
    with WarmProcess(
        root=outside.project,
        preload="attempts:preload",
        preload_args={},
        python_path=[str(HERE)],
        limits=LIMITS,
        confined=False,
    ) as process:
        process.start()
        yield process

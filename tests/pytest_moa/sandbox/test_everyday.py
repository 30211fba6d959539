"""What ordinary tests do works inside of the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_moa.sandbox import Mechanism
from pytest_moa.warm import WarmProcess
from tests.pytest_moa.sandbox.conftest import sandboxes
from tests.pytest_moa.sandbox.outside import HERE

WORK = [
    *("temporary_files", "home", "reads_project", "imports_project", "asynchronous", "programs", "threads"),
    *("spawned_process", "database", "system_files", "pairs", "dev_null", "no_bytecode", "hash_seed"),
    *("signals", "keyboard_interrupt"),
]
WORK_WITH_NAMESPACES = ["modes", "loopback", "many_processes", "own_proc"]


@pytest.fixture(scope="module", params=sandboxes(), ids=lambda mechanism: mechanism.name)
def everyday(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WarmProcess]:
    mechanism: Mechanism = request.param
    root = tmp_path_factory.mktemp("everyday")
    (root / "package").mkdir()
    (root / "package" / "__init__.py").write_text("# the project's\n")
    (root / "package" / "module.py").write_text("VALUE = 42\n")
    (root / ".git").mkdir()  # something is hidden: the rest is still there
    (root / ".git" / "config").write_text("")
    with WarmProcess(root=root, preload="everyday:preload", python_path=[str(root), str(HERE)]) as process:
        process.mechanism = mechanism
        process.start()
        yield process


@pytest.mark.parametrize("what", WORK + WORK_WITH_NAMESPACES)
def test_works(everyday: WarmProcess, what: str) -> None:
    if what in WORK_WITH_NAMESPACES and "namespaces" not in everyday.mechanism.layers:
        pytest.skip("works with namespaces only, see docs/design/sandbox.md")
    ended = everyday.call(f"everyday:{what}", {"root": str(Path(everyday.root))})
    assert ended.status == "returned", ended
    assert ended.value

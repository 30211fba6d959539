"""What confines jobs is found by trying, and named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_moa.sandbox import kernel, landlock, mechanism, probe
from pytest_moa.warm import WarmFailed, WarmProcess
from tests.pytest_moa.sandbox.outside import HERE

BOOT = Path(mechanism.__file__).parents[1] / "warm" / "boot.py"

#: A trial on a kernel that refuses what a container's may refuse.
REFUSED = """
import runpy, sys
sys.argv = [{boot!r}, "pytest_moa.sandbox.trial"]
sys.path.insert(0, {folder!r})
from pytest_moa.sandbox import kernel, landlock
def refuse(*_):
    raise PermissionError(1, "not here")
{patch}
from pytest_moa.sandbox import trial
trial.main()
"""


def tried(patch: str) -> list[dict[str, object]]:
    code = REFUSED.format(boot=str(BOOT), folder=str(BOOT.parents[2]), patch=patch)
    done = subprocess.run([sys.executable, "-P", "-c", code], check=False, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_names_what_it_found() -> None:
    found = probe()
    assert found.name == (" + ".join(found.layers) or "none")
    assert probe() is found
    if not found.layers:
        assert not found.strong


needs_both = pytest.mark.skipif(
    "namespaces" not in probe().layers or landlock.version() < landlock.SCOPES,
    reason=f"the sandbox here is {probe().name}",
)


@needs_both
def test_without_user_namespaces_the_rest_holds() -> None:
    assert tried("kernel.unshare = refuse") == [{"layers": ["landlock", "seccomp"], "open": []}]


@needs_both
def test_without_mounts_in_namespaces_the_rest_holds() -> None:
    """As where AppArmor lets namespaces be made, and nothing be done in them."""
    assert tried("kernel.mount = refuse")[0] == {"layers": ["landlock", "seccomp"], "open": []}


@needs_both
def test_without_landlock_what_can_be_read_is_open_and_told() -> None:
    no_landlock = "landlock.version = lambda: 0; landlock.Ruleset = refuse"
    assert tried(no_landlock) == [{"layers": ["namespaces", "seccomp"], "open": ["read"]}]


@needs_both
def test_an_old_landlock_does_not_count_as_strong_by_itself() -> None:
    old = "kernel.unshare = refuse; landlock.version = lambda: 3"
    assert tried(old) == [{"layers": ["landlock", "seccomp"], "open": ["processes"]}]


def test_on_other_systems_there_is_none() -> None:
    assert tried("kernel.SUPPORTED = False") == []


@pytest.mark.skipif(not kernel.SUPPORTED, reason="the sandbox is for Linux")
def test_a_layer_that_does_not_work_is_no_reason_to_go_on(tmp_path: Path) -> None:
    """What was found by trying has to hold later: without it nothing is imported."""
    marker = tmp_path / "imported"
    (tmp_path / "victim.py").write_text(f"open({str(marker)!r}, 'w')\n")
    with WarmProcess(root=tmp_path, preload="victim:preload", python_path=[str(tmp_path), str(HERE)]) as warm:
        warm.mechanism = mechanism.Mechanism("broken", ("landlock", "namespaces", "seccomp"), strong=True)
        warm.environ["PYTHONPATH"] = str(tmp_path / "broken")
        (tmp_path / "broken").mkdir()
        (tmp_path / "broken" / "sitecustomize.py").write_text(
            "import ctypes\nreal = ctypes.CDLL\n"
            "class Refusing:\n"
            "    def __init__(self, *_, **__): pass\n"
            "    def __getattr__(self, name): return lambda *_: -1\n"
            "ctypes.CDLL = Refusing\n"
        )
        with pytest.raises(WarmFailed):
            warm.start()
    assert not marker.exists()
    assert len(list((tmp_path / "broken").iterdir())) == 1

"""`moa mutate` as people run it: the report, the JSON, exit codes, and what is said when it cannot work."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from moa_engine.cli import main
from tests.pytest_moa.running.sample import write

RATES = """
    def rate(weight):
        if weight > 10:
            return 2
        return 1

    def unused(weight):
        return weight + 1
"""

RATES_TEST = """
    from rates import rate

    def test_rate():
        assert rate(1) == 1
        assert rate(20) == 2
"""

Moa = Callable[..., tuple[int, str, str]]


@pytest.fixture
def moa(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[Mapping[str, str]], Moa]:
    """Writes a project and gives what runs `moa mutate` in it: exit code, standard output, standard error."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.chdir(tmp_path)

    def written(files: Mapping[str, str]) -> Moa:
        write(tmp_path, {"pyproject.toml": "[tool.pytest.ini_options]", **files})

        def run(*arguments: str) -> tuple[int, str, str]:
            capsys.readouterr()
            code = main(["mutate", *arguments, "--workers", "1"])
            out, err = capsys.readouterr()
            return code, out, err

        return run

    return written


def test_the_report_shows_score_survivors_and_what_is_not_covered(
    moa: Callable[[Mapping[str, str]], Moa], tmp_path: Path
) -> None:
    run = moa({"rates.py": RATES, "tests/test_rates.py": RATES_TEST})
    code, out, err = run("rates.py", "--json", "report.json", "--fail-under", "99")
    assert code == 1
    assert err == ""
    data = json.loads((tmp_path / "report.json").read_text())
    assert out.startswith(f"Mutation score {data['score']:.1%}: ")
    assert "rates.py::rate: 1 mutant survived\n\n  line 2 (" in out.replace("2 mutants", "1 mutant")
    assert "\n  -    if weight > 10:\n  +    if weight >= 10:\n" in out
    assert "unused" in out
    assert f"{data['total']} mutants, 1 test, " in out.splitlines()[-1]
    assert data["schema"] == "mutation/1"
    assert data["complete"]
    assert data["killed"] + data["survived"] + data["not_covered"] == data["total"] == len(data["mutants"])
    killed = next(each for each in data["mutants"] if each["status"] == "killed")
    assert killed["killed_by"] == "tests/test_rates.py::test_rate"
    assert {each["qualname"] for each in data["functions"]} == {"rate", "unused"}


def test_one_function_with_a_mark_that_is_reached(moa: Callable[[Mapping[str, str]], Moa]) -> None:
    run = moa({"rates.py": RATES, "tests/test_rates.py": RATES_TEST})
    code, out, _ = run("rates.py::rate", "--format", "json", "--fail-under", "50")
    assert code == 0
    assert {each["qualname"] for each in json.loads(out)["mutants"]} == {"rate"}


def test_a_folder_with_what_cannot_be_measured_beside_what_can(
    moa: Callable[[Mapping[str, str]], Moa],
) -> None:
    run = moa(
        {
            "pkg/__init__.py": "",
            "pkg/rates.py": RATES,
            "pkg/wrong.py": "def broken(:\n",
            "pkg/raises.py": "def one():\n    return 1\nraise RuntimeError('not today')\n",
            "tests/test_rates.py": RATES_TEST.replace("from rates", "from pkg.rates")
            + "\n    def test_fails():\n        assert rate(1) == 7\n",
            "tests/test_gone.py": "import nowhere_to_be_found\n",
        }
    )
    code, out, err = run("pkg")
    assert err == ""
    assert code == 0
    assert "left out pkg/wrong.py: pkg/wrong.py:1: syntax error" in out
    assert "left out pkg/raises.py: it cannot be imported as pkg.raises: RuntimeError: not today" in out
    assert "fail without any change: tests/test_rates.py::test_fails: assert 1 == 7" in out
    assert (
        "not collected: tests/test_gone.py: ModuleNotFoundError: No module named 'nowhere_to_be_found'" in out
    )


@pytest.mark.parametrize(
    ("files", "arguments", "code", "message"),
    [
        pytest.param({}, ["gone.py"], 2, "gone.py: no such file or folder", id="no file"),
        pytest.param({"m.py": RATES}, ["m.py::gone"], 2, "m.py: no function 'gone'", id="no function"),
        pytest.param({"m.py": "def f(:"}, ["m.py"], 2, "m.py:1: syntax error", id="syntax error"),
        pytest.param({"m.py": "'only text'"}, ["m.py"], 2, "nothing in it to change", id="nothing there"),
        pytest.param({"m.py": RATES}, ["m.py"], 4, "no tests are in", id="no tests"),
        pytest.param(
            {"m.py": RATES, "tests/test_m.py": ""}, ["m.py"], 4, "no test passes: none was found", id="none"
        ),
        pytest.param(
            {"m.py": RATES, "test_m.py": "def test_it():\n    assert 1 == 2\n"},
            ["m.py"],
            4,
            "no test passes: 1 of 1 fail; the first: test_m.py::test_it: assert 1 == 2",
            id="all fail",
        ),
        pytest.param(
            {"m.py": f"import gone_away\n{RATES}".replace("\n    ", "\n"), "test_m.py": "def test_it(): ..."},
            ["m.py"],
            4,
            "m.py: it cannot be imported as m: ModuleNotFoundError: No module named 'gone_away'",
            id="import error",
        ),
        pytest.param(
            {"m.py": RATES, "tests/conftest.py": "import gone_away", "tests/test_m.py": ""},
            ["m.py"],
            4,
            "ModuleNotFoundError: No module named 'gone_away'",
            id="conftest",
        ),
        pytest.param({"m.py": RATES}, ["m.py", "--tests", "nope"], 2, "nope: no such file", id="no --tests"),
        pytest.param(
            {"m.py": RATES, "test_m.py": "def test_it(): ...", "pytest.ini": "[pytest]\nminversion = 99\n"},
            ["m.py"],
            4,
            "pytest cannot start in this project: ",
            id="pytest's own error",
        ),
    ],
)
def test_what_cannot_be_measured_is_said_in_a_line(
    moa: Callable[[Mapping[str, str]], Moa],
    files: Mapping[str, str],
    arguments: list[str],
    code: int,
    message: str,
) -> None:
    found, out, err = moa(files)(*arguments)
    assert (found, out) == (code, "")
    assert err.startswith("moa: ")
    assert message in err
    assert "Traceback" not in err


def test_ctrl_c_shows_what_is_known(tmp_path: Path) -> None:
    tests = "import time\nfrom rates import rate\ndef test_it():\n    time.sleep(0.2)\n    assert rate(1)\n"
    write(tmp_path, {"pytest.ini": "[pytest]", "rates.py": RATES, "test_rates.py": tests})
    environ: dict[str, Any] = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "moa_engine.cli", "mutate", "rates.py", "--format", "json", "--workers", "1"],
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    if process.returncode == 130:
        assert out == "" or not json.loads(out)["complete"]
    else:  # a fast machine was done before
        assert process.returncode == 0


def test_time_that_is_up_leaves_the_rest_unknown(moa: Callable[[Mapping[str, str]], Moa]) -> None:
    run = moa({"rates.py": RATES, "tests/test_rates.py": RATES_TEST})
    code, out, _ = run("rates.py", "--seconds", "0.01")
    assert code == 0
    assert "No mutation score" in out
    assert "mutants not judged: the time was up" in out


def test_a_module_that_a_foreign_one_needs_has_no_verdicts_on_its_definitions_only(
    moa: Callable[[Mapping[str, str]], Moa],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    run = moa(
        {
            "limits.py": "LIMIT = 10\n\nclass Table:\n    def over(self, w):\n        return w > LIMIT\n",
            "conftest.py": "import foreign\n",
            "test_limits.py": """
                from limits import Table

                TABLE = Table()

                def test_over():
                    assert TABLE.over(11)
                    assert not TABLE.over(10)
            """,
        }
    )
    foreign = write(tmp_path_factory.mktemp("foreign"), {"foreign.py": "import limits\n"})
    monkeypatch.setenv("PYTHONPATH", str(foreign))
    code, out, _ = run("limits.py")
    assert code == 0
    assert "100.0%: 3 of 3 mutants killed" in out
    assert "no verdicts on what runs while limits.py is imported: " in out
    assert "limits is imported by a package that is installed" in out

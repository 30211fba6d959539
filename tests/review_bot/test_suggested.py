"""`review-bot review --suggestions FILE`: tests that pytest --moa suggested become part of the review."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from moa_engine.cli import main as moa
from pytest_moa.candidate import Candidate
from pytest_moa.suggestions import Facts, Suggestion, Suggestions, TargetOutcome
from pytest_moa.target import Target
from tests.review_bot.commands import Review, as_json
from tests.review_bot.gitrepo import GitRepo

RATES = "def price(parcels):\n    return 2 * parcels\n"
TESTS = "from rates import price\n\n\ndef test_price():\n    assert price(1) == 2\n"


def suggestion(name: str, file: str, before: str | None) -> Suggestion:
    imports = ("import math", "from rates import price")
    source = f"def {name}():\n    assert price(3) == math.floor(6.5)\n"
    return Suggestion(
        Candidate("rates:price", name, source, imports, says="three parcels cost six"),
        Facts(kills=("m1", "m2"), branches=("2:0 enter",)),
        proposed_by=("search",),
        hardened_by=("qwen",),
        file=file,
        file_digest="" if before is None else hashlib.sha256(before.encode()).hexdigest(),
        creates=before is None,
    )


def report(place: Path, *suggestions: Suggestion) -> str:
    found = Suggestions(suggestions, targets=(TargetOutcome(Target("rates.py", "rates", "price", 1, 2)),))
    place.write_text(json.dumps(found.to_json()))
    return str(place)


@pytest.fixture
def rates(tmp_path: Path) -> GitRepo:
    return rates_in(tmp_path / "rates")


def rates_in(folder: Path, below: str = "") -> GitRepo:
    repo = GitRepo(folder)
    settings = '[review]\nreviewers = ["ruff"]\n'
    before = {f"{below}rates.py": RATES.replace("2", "3"), f"{below}test_rates.py": TESTS}
    repo.commit({**before, "moa.toml": settings})
    repo.commit({f"{below}rates.py": RATES})
    return repo


def test_a_suggested_test_can_be_committed_from_the_review(
    review: Review, rates: GitRepo, tmp_path: Path
) -> None:
    given = report(
        tmp_path / "moa.json",
        suggestion("test_three", "test_rates.py", TESTS),
        suggestion("test_new", "test_new.py", None),
    )
    ran = review("--repo", str(rates.folder), "HEAD~1", "--suggestions", given, "--format", "json")
    done = as_json(ran)
    three, new = done["suggested_tests"]
    assert (three["path"], three["creates"], three["kills"], three["branches"]) == (
        "test_rates.py",
        False,
        2,
        1,
    )
    assert (three["proposed_by"], three["hardened_by"], three["disputed_by"]) == (["search"], ["qwen"], [])
    assert (new["path"], new["creates"], new["edits"]) == ("test_new.py", True, [])

    rates.git("apply", "-", stdin=done["suggested_tests_patch"].encode())
    patched = (rates.folder / "test_rates.py").read_text()
    ran_tests = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=rates.folder, capture_output=True)
    assert b"3 passed" in ran_tests.stdout
    lines = TESTS.splitlines()
    for edit in reversed(three["edits"]):
        lines[edit["start_line"] - 1 : edit["line"]] = edit["text"].splitlines()
    assert "\n".join(lines) + "\n" == patched


def test_every_format_for_people_shows_it_and_a_replay_shows_the_same(
    review: Review, rates: GitRepo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = report(tmp_path / "moa.json", suggestion("test_three", "test_rates.py", TESTS))
    outputs = {name: tmp_path / name for name in ("text", "markdown", "rdjson", "json")}
    options = [word for name, file in outputs.items() for word in ("--format", name, "--output", str(file))]
    assert review("--repo", str(rates.folder), "HEAD~1", "--suggestions", given, *options).returncode == 0
    Path(given).unlink()
    done = json.loads(outputs["json"].read_text())
    capsys.readouterr()
    assert moa(["replay", done["run"], "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == done
    for name in ("text", "markdown"):
        text = outputs[name].read_text()
        assert "Suggested tests (1)" in text
        assert "three parcels cost six" in text
        assert "def test_three():" in text
        assert (
            "kills 2 mutants, takes 1 branch that no test does; proposed by search; hardened by qwen" in text
        )
    (diagnostic,) = json.loads(outputs["rdjson"].read_text())["diagnostics"]
    assert diagnostic["location"]["path"] == "test_rates.py"
    assert diagnostic["code"] == {"value": "suggested-test"}
    assert "def test_three():" in diagnostic["suggestions"][-1]["text"]


def test_a_test_whose_file_is_another_by_now_is_left_out_and_named(
    review: Review, rates: GitRepo, tmp_path: Path
) -> None:
    given = report(
        tmp_path / "moa.json",
        suggestion("test_three", "test_rates.py", TESTS + "\n"),
        suggestion("test_outside", "../test_rates.py", None),
    )
    ran = review("--repo", str(rates.folder), "HEAD~1", "--suggestions", given)
    assert ran.returncode == 0
    assert "Suggested tests" not in ran.stdout
    assert "test_three for test_rates.py: the file at head is not the one" in " ".join(ran.stdout.split())
    assert "test_outside for ../test_rates.py" in " ".join(ran.stdout.split())


def test_paths_are_the_repository_s_where_pytest_ran_in_a_folder_of_it(
    review: Review, tmp_path: Path
) -> None:
    repo = rates_in(tmp_path / "mono", "packages/rates/")
    given = report(tmp_path / "moa.json", suggestion("test_three", "test_rates.py", TESTS))
    done = as_json(review("--repo", str(repo.folder), "HEAD~1", "--suggestions", given, "--format", "json"))
    assert done["suggested_tests"][0]["path"] == "packages/rates/test_rates.py"
    repo.git("apply", "--check", "-", stdin=done["suggested_tests_patch"].encode())


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), ("{}", "is no report of pytest --moa"), ("[", "is no report")],
)
def test_what_is_no_report_is_refused_before_anything_is_asked(
    review: Review, rates: GitRepo, tmp_path: Path, content: str | None, said: str
) -> None:
    given = tmp_path / "moa.json"
    if content is not None:
        given.write_text(content)
    ran = review("--repo", str(rates.folder), "HEAD~1", "--suggestions", str(given))
    assert ran.returncode == 2
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr

"""Reviews that run both versions: real repositories, the real sandbox, models at a scripted endpoint."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from moa_engine.record import Record
from moa_engine.replay import replay
from review_bot.review_task import ReviewTask
from tests.review_bot.commands import Review, as_json, command, environment
from tests.review_bot.gitrepo import GitRepo
from tests.scripted_endpoint import ScriptedEndpoint

BASE = '''"""Figures."""


def mean(items: list[int]) -> float:
    """Average of the items; 0 for none."""
    if not items:
        return 0
    return sum(items) / len(items)


def seal(number: int) -> int:
    """The number, but for one."""
    return number
'''

HEAD = BASE.replace("    if not items:\n        return 0\n", "").replace(
    "return number", "return number if number != 7**9 + 1 else 0"
)


@pytest.fixture
def stats(repo: GitRepo) -> GitRepo:
    """A repository whose last commit takes a guard away, for which no linter has a rule."""
    repo.commit({"stats.py": BASE, "shop.py": ""}, "Figures")
    repo.commit({"stats.py": HEAD}, "Simplify mean")
    return repo


def test_without_a_model_the_review_shows_what_now_raises(
    review: Review, stats: GitRepo, tmp_path: Path
) -> None:
    options = ("HEAD~1", "--prove", "on", "--prove-seconds", "10")
    data = as_json(review(*options, "--format", "json"))
    [finding] = [one for one in data["findings"] if one["category"] == "behaviour"]
    assert (finding["path"], finding["raised_by"], finding["standing"]) == (
        "stats.py",
        ["proof"],
        "confirmed",
    )
    witness = finding["evidence"][0]
    assert (witness["kind"], witness["base"]["text"]) == ("witness", "0")
    assert witness["head"]["outcome"] == "raised"
    assert witness["found_by"]
    assert {one["judgement"] for one in data["behaviour"]} == {"unjudged"}
    assert data["proof"]["mechanism"]
    assert {one["qualname"] for one in data["proof"]["searched"]} == {"mean", "seal"}
    assert holds(stats, "HEAD~1", witness["test"], tmp_path)
    assert not holds(stats, "HEAD", witness["test"], tmp_path)

    again = review(*options)  # from the record: nothing is run
    assert "What this change does: " in again.stdout
    assert f"  {witness['input']}" in again.stdout
    assert "intended?" in again.stdout
    assert "0 calls and 1 answer from the record" in again.stdout
    with Record(tmp_path / "record.sqlite") as record:
        first, second = (record.run(run.id) for run in reversed(record.runs()))
        assert second.result == first.result
        assert replay(second, ReviewTask).task.present(replay(second, ReviewTask), "text")


def holds(repo: GitRepo, revision: str, test: str, folder: Path) -> bool:
    """Whether a test passes in a fresh checkout, with pytest and nothing of ours."""
    place = folder / revision.replace("~", "-")
    repo.git("worktree", "add", "--force", "--detach", str(place), revision)
    (place / "test_witness.py").write_text(test)
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:moa", "-p", "no:cacheprovider", "test_witness.py"]
    done = subprocess.run(line, cwd=place, capture_output=True, env=environment(folder, PYTHONPATH="."))
    return done.returncode == 0


FALLS = {
    "path": "stats.py",
    "quote": "return sum(items) / len(items)",
    "title": "Division by zero for an empty list",
    "body": "mean([]) raises ZeroDivisionError.",
    "severity": "major",
    "category": "bug",
    "suggestion": "",
    "call": "stats.mean([])",
}
WRONG = {
    **FALLS,
    "quote": "",
    "title": "Negative numbers have no seal: KeyError",
    "body": "",
    "call": "seal(-1)",
}


def script(request: Any) -> str:
    """qwen has a right finding and knows the seal's number; llama has a wrong finding; both judge."""
    name = request["model"]
    text = "\n".join(message["content"] for message in request["messages"])
    if "We look for calls" in text:
        calls = ["seal(7**9 + 1)"] if name == "qwen" and "tests:seal" not in text else []
        return json.dumps({"calls": [{"function": "stats:seal", "calls": calls}]})
    if "inputs on which it now behaves differently" in text:
        ids = re.findall(r"^\[([0-9a-f]{8})\]", text, re.MULTILINE)
        word, why = ("regression", "0 was promised") if name == "qwen" else ("intended", "mean is simplified")
        return json.dumps({"judgements": [{"id": id, "why": why, "judgement": word} for id in ids]})
    if "Settle these findings" in text:
        return '{"decisions": [], "new": []}'
    if "Check each claim" in text:
        return '{"stances": [], "findings": []}'
    return json.dumps({"findings": [FALLS if name == "qwen" else WRONG]})


def committee(repo: GitRepo, base_url: str) -> None:
    members = "".join(
        f'[members.{name}]\nmodel = "{name}"\nfamily = "{name}"\nbase_url = "{base_url}"\n'
        for name in ("qwen", "llama")
    )
    repo.write(
        {
            "moa.toml": "layers = 3\nattempts = 1\n[review]\nreviewers = []\n"
            f"[stragglers]\nhedge = false\n{members}"
        }
    )


def test_members_judge_claim_and_propose(review: Review, stats: GitRepo, tmp_path: Path) -> None:
    options = ("HEAD~1", "--prove", "on", "--prove-seconds", "40", "--format", "json")
    with ScriptedEndpoint(script) as endpoint:
        committee(stats, endpoint.base_url)
        data = as_json(review(*options))
        asked = endpoint.count
        again = as_json(review(*options))
        assert (endpoint.count, again["calls"]) == (asked, 0)
    assert again["findings"] == data["findings"]
    found = {one["title"]: one for one in data["findings"]}

    falls = next(one for one in found.values() if "qwen" in one["raised_by"])
    assert falls["standing"] == "confirmed"
    assert any(one["kind"] == "witness" and one["supports"] for one in falls["evidence"] if "supports" in one)
    wrong = found[WRONG["title"]]
    assert (wrong["standing"], wrong["reason"]) == ("disputed", "witness: `seal(-1)` raises nothing")

    judged = {one["qualname"]: one for one in data["behaviour"]}
    assert judged["mean"]["judgement"] == "suspicious"  # two families are divided
    assert {said["member"]: said["judgement"] for said in judged["mean"]["judged_by"]} == {
        "qwen": "regression",
        "llama": "intended",
    }
    assert judged["seal"]["found_by"] == ["qwen"]
    prompts = {tuple(attempt.prompt.name for attempt in attempts_of(tmp_path, data["run"]))}
    assert {"judge-behaviour", "propose-calls"} <= set(*prompts)


def attempts_of(folder: Path, run: str) -> Any:
    with Record(folder / "record.sqlite") as record:
        return record.run(run).attempts


def test_ctrl_c_gives_what_was_proved_by_then(stats: GitRepo, tmp_path: Path) -> None:
    process = subprocess.Popen(
        command("review", "HEAD~1", "--prove-seconds", "300", "--format", "json"),
        cwd=stats.folder,
        env=environment(tmp_path, MOA_REVIEW__PROVE="on"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(8)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    data = json.loads(out)
    assert data["status"] == "partial"
    assert "the proof was cut short" in data["proof"]["notes"]
    assert "Traceback" not in err


def test_a_proof_that_is_off_imports_nothing(stats: GitRepo, tmp_path: Path) -> None:
    program = (
        "import sys; from review_bot.cli import main; main(['review', 'HEAD~1', '--quiet']);"
        "print(sorted(name for name in sys.modules if name.startswith(('pytest_moa.proof', 'pytest_moa.warm',"
        "'pytest_moa.sandbox', 'review_bot.proof.proving'))), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=stats.folder,
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr == "[]\n"
    assert "What this change does" not in done.stdout


def test_a_ci_job_with_secrets_runs_nothing_and_says_so(
    review: Review, stats: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"CI": "true", "GITHUB_TOKEN": "x", "MOA_REVIEW__PROVE": "auto"}.items():
        monkeypatch.setenv(name, value)
    assert "note: proof is off: this is a CI job with secrets in its environment (GITHUB_TOKEN)" in (
        " ".join(review("HEAD~1").stdout.split())
    )


def test_a_plan_counts_what_may_be_asked_beside_the_layers(review: Review, stats: GitRepo) -> None:
    committee(stats, "http://127.0.0.1:9/v1")
    plan = json.loads(review("HEAD~1", "--prove", "on", "--plan", "--format", "json").stdout)
    beside = [row for row in plan["rows"] if row["role"] == "beside"]
    assert [(row["member"], row["calls"], row["most_calls"]) for row in beside] == [
        ("qwen", 0, 5),
        ("llama", 0, 5),
    ]
    assert "beside     qwen              if needed" in review("HEAD~1", "--prove", "on", "--plan").stdout
    without = json.loads(review("HEAD~1", "--plan", "--format", "json").stdout)
    assert len(without["rows"]) == len(plan["rows"]) - 2

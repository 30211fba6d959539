"""The command `review-bot` with a model on its committee, at a real endpoint on loopback."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from moa_engine.record import Record
from moa_engine.replay import replay
from review_bot.review_task import ReviewTask
from tests.review_bot.commands import Review, as_json, command, environment
from tests.review_bot.gitrepo import GitRepo
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

FINDING = {
    "path": "shop.py",
    "quote": "return sum(prices) * rate",
    "title": "The rate is not defined",
    "body": "rate is not an argument of total, so calling it raises a NameError.",
    "severity": "major",
    "category": "bug",
    "suggestion": "",
}


def answer(finding: dict[str, str]) -> str:
    """What a reviewer says, and an aggregator that decides nothing."""
    return json.dumps({"findings": [finding], "decisions": []})


@pytest.fixture
def endpoint(repo: GitRepo) -> Iterator[ScriptedEndpoint]:
    """A model joins the committee."""
    with ScriptedEndpoint(lambda _: answer(FINDING)) as running:
        with_model(repo, running.base_url)
        yield running


def with_model(repo: GitRepo, base_url: str, more: str = "") -> None:
    repo.write(
        {
            "moa.toml": f"""
            layers = 2
            attempts = 1
            {more}
            [review]
            reviewers = ["ruff"]
            [stragglers]
            hedge = false
            [members.qwen]
            model = "qwen2.5-coder:7b"
            base_url = "{base_url}"
            """
        }
    )


def test_a_model_and_a_tool_that_say_the_same_are_both_named(
    review: Review, endpoint: ScriptedEndpoint
) -> None:
    done = review("HEAD~1", "--format", "json")
    data = as_json(done)
    assert done.returncode == 0
    assert data["status"] == "complete"
    assert {name for finding in data["findings"] for name in finding["raised_by"]} == {"ruff", "qwen"}
    assert all(finding["line"] == 2 for finding in data["findings"])


def reviewer(said: Scripted | str) -> Callable[[Any], Scripted | str]:
    """A reviewer that says this, and an aggregator that decides nothing."""
    return lambda request: '{"decisions": []}' if "decisions" in str(request) else said


#: No tool says the same.
OWN = {**FINDING, "quote": "def total", "title": "Prices may be negative", "body": "Nobody checks that."}


@pytest.mark.parametrize("said", [OWN, [OWN], {"findings": OWN}])
def test_a_finding_without_the_list_around_it_is_one(review: Review, repo: GitRepo, said: object) -> None:
    with ScriptedEndpoint(reviewer(json.dumps(said))) as running:
        with_model(repo, running.base_url)
        data = as_json(review("HEAD~1", "--format", "json"))
    found = [finding for finding in data["findings"] if "qwen" in finding["raised_by"]]
    assert [finding["title"] for finding in found] == [OWN["title"]]
    assert (data["status"], data["missing"]) == ("complete", [])


CUT = json.dumps([OWN, FINDING])


@pytest.mark.parametrize("finish_reason", ["length", "stop"])
@pytest.mark.parametrize("text", [CUT[: CUT.rindex("body") + 9], f'{{"findings": {CUT[:-4]}'])
def test_of_an_answer_that_is_cut_off_what_is_whole_counts(
    review: Review, repo: GitRepo, tmp_path: Path, finish_reason: str, text: str
) -> None:
    with ScriptedEndpoint(reviewer(Scripted(text, finish_reason=finish_reason))) as running:
        with_model(repo, running.base_url)
        first = review("HEAD~1", "--format", "json")
        asked = running.count
        again = as_json(review("HEAD~1", "--format", "json"))
    data = as_json(first)
    found = [finding["title"] for finding in data["findings"] if "qwen" in finding["raised_by"]]
    assert found == [OWN["title"]]
    for warnings in (data["warnings"], again["warnings"], [first.stderr]):
        assert any("qwen: an answer was cut off, and what of it is whole counts" in text for text in warnings)
    assert running.count == asked == data["calls"] - 1 == 2  # ruff is the other one
    with Record(tmp_path / "record.sqlite") as record:
        runs = [record.run(run) for run in (data["run"], again["run"])]
    for run in runs:
        assert [event.data["cut"] for event in run.events if event.data.get("member") == "qwen"] == [True]
        assert replay(run, ReviewTask).result is not None


def test_an_answer_that_is_cut_off_before_anything_is_whole_is_none(review: Review, repo: GitRepo) -> None:
    with ScriptedEndpoint(lambda _: Scripted('{"findings": [', finish_reason="length")) as running:
        with_model(repo, running.base_url)
        done = review("HEAD~1", "--format", "json")
    assert as_json(done)["missing"] == ["qwen"]
    assert "the answer was cut off at max_tokens (raise max_tokens)" in done.stderr


def test_what_names_no_changed_file_is_shown_with_its_author(
    review: Review, repo: GitRepo, tmp_path: Path
) -> None:
    repo.commit({"one.py": "x = 1\n", "two.py": "y = 2\n"})
    astray = {**OWN, "path": "settings.py", "quote": "RATE = 2", "title": "RATE is\x1b[2J global"}
    folded = tmp_path / "review.md"
    with ScriptedEndpoint(reviewer(json.dumps([astray]))) as running:
        with_model(repo, running.base_url)
        data = as_json(review("HEAD~1", "--format", "json"))
        text = review("HEAD~1", "--format", "text", "--format", "markdown", "--output", str(folded)).stdout
    assert (data["findings"], data["objections"]) == ([], [])
    assert data["unplaced"] == [
        {
            "member": "qwen",
            "path": "settings.py",
            "severity": "major",
            "category": "bug",
            "title": "RATE is[2J global",
            "body": "Nobody checks that.\n\nQuoted: RATE = 2",
        }
    ]
    assert text.splitlines()[0].endswith(": 1 without a place")
    for said in ("RATE is[2J global", "Nobody checks that.", "raised by qwen, about settings.py"):
        assert said in text
        assert said.replace("[", "\\[") in folded.read_text()


def test_the_same_review_again_makes_no_call(review: Review, endpoint: ScriptedEndpoint) -> None:
    first = as_json(review("HEAD~1", "--format", "json"))
    asked = len(endpoint.requests)
    again = as_json(review("HEAD~1", "--format", "json"))
    assert asked > 0
    assert len(endpoint.requests) == asked
    assert (again["calls"], again["cached"]) == (0, first["calls"])
    assert again["findings"] == first["findings"]


def test_what_is_said_of_several_parts_of_a_change_is_one_finding(
    review: Review, repo: GitRepo, endpoint: ScriptedEndpoint
) -> None:
    repo.commit({f"table{number}.txt": f"{number} of many lines\n" * 2000 for number in range(3)})
    data = as_json(review("HEAD~2", "--format", "json"))
    parts = [request for request in endpoint.requests if "diff (part " in str(request.body)]
    assert len(parts) > 2
    said = [finding for finding in data["findings"] if "qwen" in finding["raised_by"]]
    assert [finding["title"] for finding in said] == [FINDING["title"]]


def test_a_plan_calls_nobody(review: Review, endpoint: ScriptedEndpoint) -> None:
    done = review("HEAD~1", "--plan")
    assert done.returncode == 0
    assert "qwen" in done.stdout
    assert json.loads(review("HEAD~1", "--plan", "--format", "json").stdout)
    assert endpoint.requests == []


def test_an_unreachable_model_costs_its_own_voice(review: Review, repo: GitRepo) -> None:
    with_model(repo, "http://127.0.0.1:9/v1")
    done = review("HEAD~1", "--format", "json")
    data = as_json(done)
    assert (done.returncode, data["status"], data["missing"]) == (0, "partial", ["qwen"])
    assert [finding["raised_by"] for finding in data["findings"]] == [["ruff"]]
    assert "No answer from qwen: " in done.stderr
    assert review("HEAD~1", "--strict").returncode == 3
    assert review("HEAD~1", "--strict", "--fail-on", "nit").returncode == 1
    shown = review("HEAD~1").stdout
    assert "PARTIAL" in shown
    assert "No answer from qwen: " in shown


def test_no_answer_at_all_is_no_review(review: Review, repo: GitRepo) -> None:
    with_model(repo, "http://127.0.0.1:9/v1")
    (repo.folder / "moa.toml").write_text(
        (repo.folder / "moa.toml").read_text().replace('reviewers = ["ruff"]', "reviewers = []")
    )
    done = review("HEAD~1", "--format", "json")
    assert done.returncode == 4
    assert as_json(done)["status"] == "failed"
    assert "No answer from qwen: " in done.stderr


def test_words_of_a_model_cannot_steer_the_terminal(review: Review, repo: GitRepo) -> None:
    nasty = {**FINDING, "title": "\x1b[2J\x1b]0;owned\x07 rate \u202e", "body": "\x9b31m\x00"}
    with ScriptedEndpoint(lambda _: answer(nasty)) as running:
        with_model(repo, running.base_url)
        done = review("HEAD~1")
    assert "owned" in done.stdout
    assert not set("\x1b\x07\x9b\x00\u202e") & set(done.stdout + done.stderr)


def test_the_first_interrupt_prints_what_is_known(repo: GitRepo, tmp_path: Path) -> None:
    with ScriptedEndpoint(lambda _: Scripted(hang=True)) as running:
        before = subprocess.run(  # so that the tools' answers are in the record, however busy the machine is
            command("review", "HEAD~1"), cwd=repo.folder, env=environment(tmp_path), capture_output=True
        )
        assert before.returncode == 0
        with_model(repo, running.base_url)
        process = subprocess.Popen(
            command("review", "HEAD~1", "--format", "json", "--strict"),
            cwd=repo.folder,
            env=environment(tmp_path),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        give_up = time.monotonic() + 60
        while not running.requests and time.monotonic() < give_up:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    data = json.loads(out)
    assert (process.returncode, data["status"], data["missing"]) == (3, "partial", ["qwen"])
    assert "interrupted" in err
    assert "Traceback" not in err

"""`moa bench` as a user runs it: a real repository, real git, a real model server on loopback."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from moa_engine.cli import main
from tests.review_bot.bench.test_edits import SHOP
from tests.review_bot.commands import environment
from tests.review_bot.gitrepo import GitRepo
from tests.scripted_endpoint import Scripted, ScriptedEndpoint


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Bench = Callable[..., Ran]

#: Three modules of four functions each.
MODULES: dict[str, str | bytes] = {f"shop{number}.py": SHOP for number in (1, 2, 3)}


def text_of(request: Any) -> str:
    return "\n".join(message["content"] for message in request["messages"])


def accuser(request: Any) -> str:
    """Says of every line that a diff changes that it is wrong, in words that fit anything."""
    findings = []
    path = ""
    for line in text_of(request).split("\n"):
        if found := re.match(r"=== (\S+)", line):
            path = found[1]
        elif line[:1] in ("+", "-") and line[1:].strip() and path:
            findings.append(
                {
                    "path": path,
                    "quote": line[1:],
                    "title": "This is wrong",
                    "body": "The condition, order, exception, guard, default, index, await or loop.",
                    "severity": "major",
                    "category": "bug",
                    "suggestion": "",
                }
            )
    return json.dumps({"findings": findings, "decisions": [], "stances": []})


def silent(request: Any) -> str:
    return json.dumps({"findings": [], "decisions": [], "stances": []})


def by_model(request: Any) -> str | Scripted:
    if request["model"] == "broken":
        return Scripted(status=400, raw=b'{"error": {"message": "no such model"}}')
    return accuser(request) if request["model"] == "accuser" else silent(request)


@pytest.fixture
def repo(tmp_path: Path) -> GitRepo:
    repo = GitRepo(tmp_path / "project")
    repo.commit(MODULES)
    return repo


@pytest.fixture
def bench(
    repo: GitRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Bench:
    for name, value in environment(tmp_path).items():
        if name.startswith("MOA_"):
            monkeypatch.setenv(name, value)
    monkeypatch.chdir(repo.folder)

    def run(*arguments: str) -> Ran:
        try:
            code = main(["bench", *arguments])
        except SystemExit as exit:
            code = int(exit.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


def configured(repo: GitRepo, endpoint: ScriptedEndpoint, *models: str, more: str = "layers = 1") -> None:
    members = "\n".join(
        f'[members.{model}]\nmodel = "{model}"\nbase_url = "{endpoint.base_url}"\nfamily = "{model}"'
        for model in models
    )
    repo.write(
        {
            "moa.toml": f"{more}\nattempts = 1\n[stragglers]\nhedge = false\n"
            f'[review]\nreviewers = ["hygiene"]\n{members}\n'
        }
    )


def result(repo: GitRepo, name: str = "moa-bench.json") -> dict[str, Any]:
    data: dict[str, Any] = json.loads((repo.folder / name).read_text())
    return data


SMALL = ("--planted", "6", "--clean", "4", "--no-witness")


def test_without_a_step_it_does_the_whole(repo: GitRepo, bench: Bench) -> None:
    with ScriptedEndpoint(by_model) as endpoint:
        configured(repo, endpoint, "accuser", "silent")
        done = bench(*SMALL)
        assert done.code == 0, done.err
        calls = len(endpoint.requests)
        again = bench()  # with the cases that are there, and what the record knows
        assert again.code == 0
        assert len(endpoint.requests) == calls
    found = result(repo)
    scores = found["measures"]["scores"]
    assert scores["accuser"]["by_place"]["recall"]["value"] == 1
    assert scores["accuser"]["false_alarms"]["value"] == 1
    assert scores["silent"]["recall"]["value"] == 0
    panels = {panel["name"]: panel for panel in found["panels"]}
    assert panels["accuser"]["calls"] == panels["accuser"]["cached"] == 3  # what it costs, whoever paid
    assert "accuser" in again.out
    assert "moa report moa-bench.json" in again.err


def test_the_plan_calls_nobody(repo: GitRepo, bench: Bench) -> None:
    with ScriptedEndpoint(by_model) as endpoint:
        configured(repo, endpoint, "accuser", "silent")
        assert bench("cases", *SMALL, "--output", "c.json").code == 0
        done = bench("run", "c.json", "--plan")
        assert done.code == 0
        assert not endpoint.requests
    assert re.search(r"1 +accuser +3 ", done.out)
    assert not (repo.folder / "moa-bench.json").exists()


def test_a_member_that_fails_everywhere_costs_its_own_voice(repo: GitRepo, bench: Bench) -> None:
    with ScriptedEndpoint(by_model) as endpoint:
        configured(repo, endpoint, "accuser", "broken")
        done = bench(*SMALL)
    assert done.code == 3
    panels = {panel["name"]: panel for panel in result(repo)["panels"]}
    assert not panels["broken"]["verdicts"]
    assert {one["case"] for one in panels["broken"]["failed"]} == {"case-01", "case-02", "case-03"}
    assert "no answer from broken" in done.err
    assert panels["accuser"]["verdicts"]


def test_without_a_model_the_tools_are_measured(repo: GitRepo, bench: Bench) -> None:
    repo.write({"moa.toml": '[review]\nreviewers = ["hygiene", "secrets"]\n'})
    done = bench(*SMALL, "--committee", "offline")
    assert done.code == 0, done.err
    assert [panel["name"] for panel in result(repo)["panels"]] == ["hygiene", "secrets", "offline"]


def test_a_committee_that_got_worse_fails_a_ci_job(repo: GitRepo, bench: Bench) -> None:
    with ScriptedEndpoint(by_model) as endpoint:
        configured(repo, endpoint, "accuser")
        assert bench(*SMALL, "--planted", "9", "--clean", "0", "--output", "old.json").code == 0
    with ScriptedEndpoint(silent) as endpoint:
        configured(repo, endpoint, "accuser")
        done = bench("--compare", "old.json", "--fail-if-worse")
    assert done.code == 1
    assert "worse" in done.out
    assert bench("compare", "old.json", "old.json", "--fail-if-worse").code == 0


def test_fixes_of_the_log_are_taken_back(repo: GitRepo, bench: Bench) -> None:
    repo.commit(
        {"shop1.py": SHOP.replace("if rate < 0:", "if rate <= 0:")}, "Fix a rate of 0 that was let in"
    )
    done = bench("cases", "--planted", "1", "--clean", "0", "--history", "2", "--no-witness")
    assert done.code == 0, done.err
    data = result(repo, "moa-cases.json")
    taken = [hunk for case in data["cases"] for hunk in case["hunks"] if hunk["kind"] == "history"]
    assert [(hunk["path"], hunk["after"].strip()) for hunk in taken] == [("shop1.py", "if rate < 0:")]
    assert taken[0]["function"] == "scaled"


def test_mistakes_are_told_in_a_sentence(repo: GitRepo, bench: Bench) -> None:
    done = bench("run", "nowhere.json")
    assert done.code == 2
    assert "nowhere.json cannot be read" in done.err
    assert "moa bench cases" in done.err
    (repo.folder / "bad.json").write_text("{}")
    assert "is no case set" in bench("run", "bad.json").err
    assert "is no folder" in bench("cases", "no_such_thing").err


def test_aggregators_settle_the_same_proposals_without_a_call_to_a_proposer(
    repo: GitRepo, bench: Bench
) -> None:
    """A judge that rejects whatever one voice alone says; the review still shows it."""
    proposing = True

    def answered(request: Any) -> str | Scripted:
        if "You settle the review" not in text_of(request):
            assert proposing, "a proposer was asked"
            return by_model(request)
        ids = re.findall(r"^\[?#?([0-9a-f]{8})", text_of(request), re.MULTILINE)
        decisions = [{"ids": [id], "verdict": "rejected", "reason": "Nobody else says so."} for id in ids]
        return json.dumps({"decisions": decisions if request["model"] == "judge" else [], "new": []})

    with ScriptedEndpoint(answered) as endpoint:
        configured(repo, endpoint, "silent", "judge")
        assert bench(*SMALL).code == 0
        proposing = False
        assert "silent" in bench("aggregators", "moa-cases.json", "--plan").out
        done = bench("aggregators", "moa-cases.json")
        assert done.code == 0, done.err
    measured = {one["name"]: one for one in result(repo)["measures"]["aggregators"]}
    assert set(measured) == {"deterministic", "majority vote", "silent", "judge"}
    for one in measured.values():
        assert one["lone_truth"]["value"] == 1  # the ledger loses nothing
    assert measured["deterministic"]["lone_truth_kept"]["value"] == 1
    assert measured["majority vote"]["lone_truth_kept"]["value"] == 0
    assert measured["silent"]["lone_truth_kept"]["value"] == 1
    assert measured["judge"]["lone_truth_kept"]["value"] == 0
    assert measured["judge"]["liar_kept"]["value"] == 0
    assert any(one["planted"] == "truth" for one in measured["judge"]["would_drop"])


def test_each_ablation_is_one_command(repo: GitRepo, bench: Bench) -> None:
    with ScriptedEndpoint(by_model) as endpoint:
        configured(repo, endpoint, "accuser", "silent")
        assert bench(*SMALL).code == 0
        asked = len(endpoint.requests)
        for name in ("proposers", "proposer"):
            assert bench("ablate", name, "moa-cases.json").code == 0
        assert len(endpoint.requests) == asked  # from the record
        assert bench("ablate", "samples", "moa-cases.json", "--samples", "2").code == 0
        assert {request.body["model"] for request in endpoint.requests[asked:]} == {"accuser"}
        assert bench("ablate", "layers", "moa-cases.json").code == 0
        assert bench("ablate", "aggregator", "moa-cases.json").code == 0
    found = result(repo)
    ablations = {
        one["name"]: [point["value"] for point in one["points"]] for one in found["measures"]["ablations"]
    }
    assert ablations == {
        "proposers": [1, 2],
        "proposer": ["accuser", "silent"],
        "samples": [1, 2],
        "layers": [1, 2, 3],
        "aggregator": ["deterministic", "majority vote", "accuser", "silent"],
    }
    assert "accuser x 2" in {panel["name"] for panel in found["panels"] if panel["what"] == "self-moa"}


def test_interrupted_it_keeps_what_is_done_and_goes_on(repo: GitRepo, bench: Bench, tmp_path: Path) -> None:
    held: list[subprocess.Popen[str]] = []

    def slow_second(request: Any) -> str | Scripted:
        if len(endpoint.requests) == 2 and held:
            held[0].send_signal(signal.SIGINT)
            return Scripted(hang=True)
        return accuser(request)

    with ScriptedEndpoint(slow_second) as endpoint:
        configured(repo, endpoint, "accuser")
        assert bench("cases", *SMALL).code == 0
        command = [sys.executable, "-m", "moa_engine.cli", "bench", "run", "moa-cases.json"]
        process = subprocess.Popen(
            command, cwd=repo.folder, env=environment(tmp_path), stderr=subprocess.PIPE, text=True
        )
        held.append(process)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 3, err
        assert "1 of 3 cases are done; the same command goes on" in err
        assert {one["run"] for one in result(repo)["panels"][0]["verdicts"]}
        held.clear()
        assert bench("run", "moa-cases.json").code == 0
        assert len(endpoint.requests) == 4  # the one that was cut off is asked again

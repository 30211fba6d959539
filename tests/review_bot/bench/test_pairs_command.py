"""`moa bench --pairs`: two committees' answers, a jury, real requests to a model server on loopback."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moa_engine.cli import main
from tests.review_bot.bench.test_bench_command import Bench, bench, repo, result, text_of
from tests.review_bot.gitrepo import GitRepo
from tests.scripted_endpoint import ScriptedEndpoint

__all__ = ["bench", "repo"]

CONFIG = """
attempts = 1
[stragglers]
hedge = false
[members.fair]
model = "fair"
base_url = "{url}"
[committees.good]
layers = 1
[committees.good.members.right]
model = "right"
base_url = "{url}"
[committees.poor]
layers = 1
[committees.poor.members.wrong]
model = "wrong"
base_url = "{url}"
"""


def answered(request: Any) -> str:
    text = text_of(request)
    if request["model"] != "fair":
        return f"{request['model']} answer"
    if "Rating" in text:
        right = "the answer to grade\nright" in text
        return f"Rating: [[{9 if right else 2}]]"
    return f"It is {'[[A]]' if text.index('right answer') < text.index('wrong answer') else '[[B]]'}"


@pytest.fixture
def endpoint(repo: GitRepo) -> Any:
    with ScriptedEndpoint(answered) as running:
        repo.write({"moa.toml": CONFIG.format(url=running.base_url)})
        yield running


def test_the_better_committee_wins_in_both_orders(
    repo: GitRepo, bench: Bench, endpoint: ScriptedEndpoint
) -> None:
    prompts = [{"turns": [f"Question {number}?", "And then?"]} for number in range(4)]
    repo.write({"prompts.jsonl": "\n".join(map(json.dumps, prompts))})
    pairs = ("--pairs", "prompts.jsonl", "--committee", "good", "--against", "poor")
    planned = bench(*pairs, "--plan")
    assert planned.code == 0, planned.err
    assert not endpoint.requests
    done = bench(*pairs)
    assert done.code == 0, done.err
    found = result(repo, "moa-pairs.json")
    assert found["measures"]["win_rate"]["value"] == 1
    assert found["measures"]["both_orders"] == {"wins": 4, "ties": 0, "losses": 0}
    assert found["two_turns"]["good"]["overall"]["value"] == 9
    assert found["two_turns"]["poor"]["second_turn"]["value"] == 2
    assert "good is preferred to poor in 100%" in done.out
    assert "not enough to say who is better: 4 prompts" in done.out
    exported = result(repo, "moa-pairs.good.json")
    assert exported[0] == {"instruction": "Question 0?", "output": "right answer", "generator": "good"}  # type: ignore[comparison-overlap]
    assert main(["report", str(repo.folder / "moa-pairs.json"), "--output", str(repo.folder / "x.html")]) == 0
    assert "good against poor" in (repo.folder / "x.html").read_text("utf-8")
    asked = len(endpoint.requests)
    assert bench(*pairs).code == 0
    assert len(endpoint.requests) == asked  # all of it is in the record


def test_mistakes_are_told(repo: GitRepo, bench: Bench, endpoint: ScriptedEndpoint) -> None:
    repo.write({"prompts.txt": "One?\n\nTwo?\n", "bad.json": '[{"nothing": 1}]'})
    assert "name both" in bench("--pairs", "prompts.txt").err
    pairs = ("--committee", "good", "--against", "poor", "--pairs")
    assert "holds no prompts" in bench(*pairs, "bad.json").err
    assert "cannot be read" in bench(*pairs, "none.txt").err
    assert not endpoint.requests

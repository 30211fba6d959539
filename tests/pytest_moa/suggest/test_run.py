"""A whole run: scripted models, the real engine, real executions."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from moa_engine.config import Settings
from moa_engine.errors import ConfigError
from moa_engine.ledger import Ledger
from moa_engine.record import Record
from moa_engine.replay import replay
from pytest_moa.candidate import Candidate
from pytest_moa.proposers.proposer import Proposer
from pytest_moa.settings import ProposerSettings
from pytest_moa.suggest.brief import Brief
from pytest_moa.suggest.run import suggest
from pytest_moa.suggest.task import SuggestTask
from pytest_moa.suggestions import Progress, Suggestions
from pytest_moa.target import Target
from tests.pytest_moa.suggest.shop import make_shop, request_for
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

ONE = """Here you go:
```python
from your_module import price
import pytest

def test_price_of_a_letter():
    assert price(100) == 300
    assert price(500) == 600
    assert price(499) == 301

def test_five_kilos_is_allowed():
    assert price(5000) == 600

def test_evil():
    import subprocess
    assert subprocess.run(["true"]).returncode == price(0)

def test_zero_weight():
    with pytest.raises(ValueError):
        price(0)

def test_vacuous():
    value = 1
    assert value == 1
```
"""
TWO = """```python
def test_express():
    assert price(4999, True) == 900

def test_five_kilos():
    assert price(5000) == 600
"""
THREE = "I am sorry, but I can only talk about the weather."

SETTINGS = """\
layers = 3
record = "{record}"
aggregator = "one"
{members}
[tests]
proposers = ["docstrings"]
"""
MEMBER = """\
[members.{name}]
base_url = "{url}"
model = "{name}"
family = "family-{name}"
context_window = {window}
"""


@dataclass
class Committee:
    """What the scripted models saw."""

    first: dict[str, list[str]] = field(default_factory=dict)
    again: dict[str, str] = field(default_factory=dict)
    settling: str = ""

    def answer(self, request: Any) -> str:
        model = request["model"]
        messages = [message["content"] for message in request["messages"]]
        if messages[0].startswith("You settle"):
            self.settling = messages[1]
            return json.dumps({"decisions": self.decisions(shown_in(messages[1]))})
        if "have been proposed for it" in messages[1]:
            self.again[model] = messages[1]
            return json.dumps(self.critique(model, shown_in(messages[1])))
        self.first[model] = messages
        return {"one": ONE, "two": TWO, "three": THREE}[model]

    def critique(self, model: str, tests: dict[str, str]) -> Any:
        stances = []
        for name, source in tests.items():
            position = "unsure"
            if "price(5000)" in source:
                position = "agree"
            elif "price(0)" in source and model != "one":
                position = "dispute"
            stances.append({"id": name, "why": f"{model} says so", "position": position, "problem": "none"})
        written = [
            {"hardens": name, "code": "def test_bounds():\n    assert price(4999) == 600\n"} for name in tests
        ]
        return {"stances": stances, "tests": written[:1]}

    def decisions(self, tests: dict[str, str]) -> Any:
        express = next(name for name, source in tests.items() if "900" in source)
        return [
            {
                "ids": [express],
                "verdict": "kept",
                "reason": "",
                "name": "test_price_of_the_heaviest_express_parcel",
            },
            {"ids": ["ffffffff"], "verdict": "rejected", "reason": "no such test", "name": ""},
            {"ids": [express], "verdict": "rejected", "reason": "delete it", "name": ""},
        ]


def shown_in(prompt: str) -> dict[str, str]:
    """The tests of a later layer's prompt, by id."""
    parts = re.split(r"^\[([0-9a-f]{8})\]$", prompt, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@dataclass
class Ran:
    root: Path
    record: Path
    committee: Committee
    requests: int
    result: Suggestions
    seen: list[Progress]

    def again(self, **given: object) -> Suggestions:
        return suggest(request_for(self.root, **given))


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    folder = tmp_path_factory.mktemp("shop")
    committee, seen = Committee(), []
    with ScriptedEndpoint(committee.answer) as endpoint:
        members = "".join(
            MEMBER.format(name=name, url=endpoint.base_url, window=window)
            for name, window in (("one", 32768), ("two", 32768), ("three", 8192))
        )
        record = folder / "record.sqlite"
        root = make_shop(folder / "project", SETTINGS.format(record=record, members=members))
        result = suggest(request_for(root), seen.append)
        yield Ran(root, record, committee, endpoint.count, result, seen)


def source_with(text: str) -> Callable[[Any], bool]:
    return lambda one: text in one.candidate.source


def test_suggestions_pass_add_something_and_say_who_proposed_them(ran: Ran) -> None:
    assert ran.result.status == "complete"
    express = next(filter(source_with("900"), ran.result.suggestions))
    assert express.proposed_by == ("two", "one")  # rows of one table
    assert express.facts.kills
    assert express.facts.branches
    for one in ran.result.suggestions:
        assert one.facts.kills or one.facts.branches
        assert compile(one.candidate.module_source(), "test", "exec")
    (target,) = ran.result.targets
    assert target.killed_before < target.killed_after <= target.mutants
    assert target.reached_before < target.reached_after


def test_the_figures_are_those_of_the_tests_as_they_stand(ran: Ran) -> None:
    (target,) = ran.result.targets
    kills = {mutant for one in ran.result.suggestions for mutant in one.facts.kills}
    assert target.killed_after - target.killed_before == len(kills)
    assert not kills & set(target.survivors)


def test_a_test_that_fails_because_the_code_looks_wrong_is_a_suspected_bug(ran: Ran) -> None:
    (bug,) = ran.result.suspected_bugs
    assert "price(5000) == 600" in bug.candidate.source
    assert "too heavy" in bug.message
    assert bug.proposed_by == ("one", "two")
    assert {(opinion.member, opinion.position) for opinion in bug.opinions} >= {("three", "agree")}


def test_a_wrong_test_is_listed_and_no_bug(ran: Ran) -> None:
    wrong = next(filter(source_with("301"), ran.result.candidates))
    assert wrong.status == "fails"
    assert wrong.fate.startswith("fails, and nobody but its proposer holds that it should pass")


def test_what_two_families_dispute_is_not_selected(ran: Ran) -> None:
    disputed = next(filter(source_with("        price(0)"), ran.result.candidates))
    assert disputed.fate == "disputed by three, two, so not selected"
    assert not any(map(source_with("price(0)"), ran.result.suggestions))


def test_dangerous_tests_are_not_executed(ran: Ran) -> None:
    evil = next(filter(source_with("subprocess"), ran.result.candidates))
    assert (evil.status, evil.fate) == ("unsafe", "not executed: it imports subprocess")
    assert "subprocess" not in ran.committee.settling


def test_the_aggregator_names_but_cannot_delete(ran: Ran) -> None:
    names = [one.candidate.name for one in ran.result.suggestions]
    assert "test_price_of_the_heaviest_express_parcel" in names
    assert any("ffffffff is not the id of any item" in warning for warning in ran.result.warnings)
    assert any("decided twice" in warning for warning in ran.result.warnings)


def test_a_later_question_begins_with_the_first_one(ran: Ran) -> None:
    for model, again in ran.committee.again.items():
        assert again.startswith(ran.committee.first[model][1])
        assert len(again) > len(ran.committee.first[model][1])


def test_members_see_facts_and_no_names(ran: Ran) -> None:
    again = ran.committee.again["three"]
    assert "executed: passes; kills" in again
    assert "executed: fails: ValueError: too heavy" in again
    assert not re.search(r"\b(one|two|three|docstrings)\b:", again)


def test_the_first_question_shows_code_style_and_gaps_and_no_secret(ran: Ran) -> None:
    asked = ran.committee.first["two"][1]
    assert "elif weight < 5000:" in asked
    assert "def test_a_letter_costs_three(letter):" in asked
    assert "`if weight < 500:` false" in asked
    assert "+ if weight <= 500:" in asked
    assert "<masked:" in asked
    assert "sk-live-4f9a8b7c" not in asked


def test_small_models_see_no_tests_to_copy(ran: Ran) -> None:
    asked = ran.committee.first["three"][1]
    assert "elif weight < 5000:" in asked
    assert "test_a_letter_costs_three" not in asked
    assert len(asked) < len(ran.committee.first["two"][1])


def test_controls_are_from_the_same_facts(ran: Ran) -> None:
    controls = {control.name.split(" (")[0]: control for control in ran.result.controls}
    committee = controls["committee"]
    assert committee.kills >= controls["deterministic members alone"].kills > 0
    assert committee.kills >= controls["best single model"].kills > 0
    assert committee.kills >= controls["best single member"].kills >= controls["best single model"].kills
    assert controls["all candidates that pass"].kills >= committee.kills


def test_a_report_says_which_candidates_are_in_which_test_and_what_each_member_cost(ran: Ran) -> None:
    report = json.loads(json.dumps(ran.result.to_json()))
    for suggestion in report["suggestions"]:
        parts = {one["id"] for one in report["candidates"] if one["selected_in"] == suggestion["id"]}
        assert parts == set(suggestion["made_of"])
    left = [one for one in report["candidates"] if not one["selected_in"]]
    assert left
    assert all(one["fate"] for one in left)
    (target,) = report["targets"]
    assert target["score_before"] == target["killed_before"] / target["mutants"] < target["score_after"]
    assert {one["name"]: one["kind"] for one in report["costs"]} == {
        "one": "chat",
        "two": "chat",
        "three": "chat",
        "docstrings": "docstrings",
    }
    assert next(one for one in report["costs"] if one["name"] == "two")["calls"] > 0


def test_no_test_calls_what_another_one_calls(ran: Ran) -> None:
    sources = [one.candidate.source for one in ran.result.suggestions]
    assert len({re.sub(r"def test_\w+", "", source) for source in sources}) == len(sources)


def test_the_run_can_be_replayed_byte_for_byte(ran: Ran) -> None:
    with Record(ran.record) as record:
        stored = record.run(ran.result.run)
    outcome = replay(stored, SuggestTask)
    assert outcome.result is not None
    assert [one.id for one in outcome.result.suggestions] == [one.id for one in ran.result.suggestions]
    assert "tests suggested" in outcome.task.present(outcome, "text")
    assert json.loads(outcome.task.present(outcome, "json"))["result"]["schema"] == "suggestions/1"
    with pytest.raises(ValueError, match="text, json"):
        outcome.task.present(outcome, "xml")
    assert set(outcome.task.fates(outcome)) == {item.id for item in outcome.ledger.items}


def test_the_same_run_asks_nobody_again(ran: Ran) -> None:
    again = ran.again()
    assert {one.id for one in again.suggestions} == {one.id for one in ran.result.suggestions}
    with Record(ran.record) as record:
        attempts = record.run(again.run).attempts
    assert attempts
    assert all(attempt.purpose == "cached" for attempt in attempts)


def test_progress_ends_with_something_that_could_be_accepted(ran: Ran) -> None:
    so_far = [step.so_far for step in ran.seen if step.so_far is not None]
    assert so_far[-1].suggestions
    assert any(step.says == "executing candidates" for step in ran.seen)


def test_a_result_survives_json(ran: Ran) -> None:
    assert Suggestions.from_json(json.dumps(ran.result.to_json())) == ran.result


def test_a_plan_calls_nobody(ran: Ran) -> None:
    planned = ran.again(plan=True)
    assert planned.status == "plan"
    assert "one" in planned.plan
    assert planned.calls == 0


def test_ctrl_c_keeps_what_was_found(tmp_path: Path) -> None:
    root = make_shop(
        tmp_path / "project",
        f'record = "{tmp_path}/record.sqlite"\n[tests]\nproposers = ["docstrings", "boundaries"]\n',
    )

    seen: list[str] = []

    def interrupt(step: Progress) -> None:
        if step.says == "running mutants" not in seen:  # of candidates that have been checked
            os.kill(os.getpid(), signal.SIGINT)
        seen.append(step.says)

    result = suggest(request_for(root), interrupt)
    assert result.status == "interrupted"
    assert result.candidates
    assert any(one.status == "passes" for one in result.candidates)


def test_who_does_not_wait_for_a_slow_model_gets_what_the_others_found(tmp_path: Path) -> None:
    seen: list[Progress] = []

    def interrupt(step: Progress) -> None:
        seen.append(step)
        if step.says.startswith("waiting for slow") and step.found and seen[-2].says == step.says:
            os.kill(os.getpid(), signal.SIGINT)

    with ScriptedEndpoint(lambda request: Scripted(hang=True)) as endpoint:
        member = MEMBER.format(name="slow", url=endpoint.base_url, window=8192)
        settings = f'record = "{tmp_path}/record.sqlite"\n{member}[tests]\nproposers = ["boundaries"]\n'
        result = suggest(request_for(make_shop(tmp_path / "project", settings)), interrupt)
    assert result.status == "interrupted"
    assert result.suggestions
    assert {by for one in result.suggestions for by in one.proposed_by} == {"boundaries"}


def test_without_anybody_there_is_a_clear_line(tmp_path: Path) -> None:
    root = make_shop(tmp_path / "project", "[tests]\nproposers = []\n")
    with pytest.raises(ConfigError, match="nobody is on the committee"):
        suggest(request_for(root))


def test_an_unknown_proposer_is_named(tmp_path: Path) -> None:
    root = make_shop(tmp_path / "project", '[tests]\nproposers = ["wittness"]\n')
    with pytest.raises(ConfigError, match=r"tests\.proposers.*wittness.*did you mean witness"):
        suggest(request_for(root))


@pytest.mark.parametrize(("kind", "asked"), [("witness", ["m:open"]), ("docstrings", ["m:done", "m:open"])])
def test_where_nothing_is_open_only_promises_are_looked_at(kind: str, asked: list[str]) -> None:
    done = Target("m.py", "m", "done", 1, 2)
    briefs = [
        Brief(done, "", (), branches=("1:0 enter",), reached=("1:0 enter",), mutants=("a",), killed=("a",)),
        Brief(replace(done, qualname="open"), "", (), branches=("5:0 enter",)),
    ]
    task = SuggestTask(briefs, voices={}, most=10, digest="")
    member = Proposer.of_kind(kind)(kind, ProposerSettings(kind=kind), Settings())
    assert [question.unit for question in task.questions(member, 1, Ledger(seed=1))] == asked


def test_what_the_request_says_counts_more_than_the_settings(tmp_path: Path) -> None:
    settings = f'record = "{tmp_path}/record.sqlite"\n[tests]\nproposers = []\nmax = 1\n'
    root = make_shop(tmp_path / "project", settings)

    def mine(_: object) -> list[Candidate]:
        bodies = ["assert price(4999) == 600", "assert price(100, express=True) > 449"]
        return [
            Candidate(
                "prices:price",
                f"test_{number}",
                f"def test_{number}():\n    {body}\n",
                ("from prices import price",),
            )
            for number, body in enumerate(bodies)
        ]

    given = replace(request_for(root), proposers={"mine": mine})
    assert len(suggest(given).suggestions) == 1
    assert len(suggest(replace(given, max=10)).suggestions) == 2


def test_excluded_files_are_skipped(tmp_path: Path) -> None:
    root = make_shop(tmp_path / "project", '[tests]\nexclude = ["prices.py"]\n')
    result = suggest(request_for(root))
    assert result.status == "nothing"
    assert [one.target for one in result.skipped] == ["prices.py::price"]


def test_other_plug_ins_propose_and_modules_that_cannot_be_imported_are_named(tmp_path: Path) -> None:
    settings = f'record = "{tmp_path}/record.sqlite"\n[tests]\nproposers = []\n'
    root = make_shop(tmp_path / "project", settings)
    (root / "broken.py").write_text("import no_such_module\n\n\ndef broken():\n    return 1\n", "utf-8")
    given = request_for(root)
    targets = (*given.project.targets(str(root / "broken.py")), *given.targets)
    source = "def test_mine():\n    assert price(4999) == 600\n"
    mine = Candidate("prices:price", "test_mine", source, ("from prices import price",))
    result = suggest(replace(given, targets=targets, proposers={"mine": lambda request: [mine]}))
    assert [one.proposed_by for one in result.suggestions] == [("mine",)]
    (skipped,) = result.skipped
    assert skipped.target == "broken.py::broken"
    assert "no_such_module" in skipped.why


def test_what_the_linter_refuses_gives_its_place_to_the_next_best(tmp_path: Path) -> None:
    settings = f'record = "{tmp_path}/record.sqlite"\n[tests]\nproposers = []\nmax = 1\n'
    root = make_shop(tmp_path / "project", settings)
    with (root / "pyproject.toml").open("a") as file:
        file.write('[tool.ruff.lint]\nselect = ["E", "F"]\n')
    sources = {
        "test_unused": "def test_unused():\n    unused = 1\n"
        "    assert price(4999, True) == 900\n    assert price(500) == 600",
        "test_next": "def test_next():\n    assert price(4999) > 599",
        "test_spare": 'def test_spare():\n    assert price(4999, True) > 899, f"too cheap"',
    }
    mine = [
        Candidate("prices:price", name, source, ("from prices import price",))
        for name, source in sources.items()
    ]
    given = replace(request_for(root), proposers={"mine": lambda _: mine})
    (first,) = suggest(given).suggestions
    assert "unused" not in first.candidate.source
    result = suggest(replace(given, max=3))
    fates = {one.candidate.name: one.fate for one in result.candidates}
    assert fates["test_unused"].startswith("left out, as the linter refuses it: F841 ")
    (spare,) = [one for one in result.suggestions if "899" in one.candidate.source]
    assert spare.candidate.source.endswith('"too cheap"')
    assert ' f"' not in spare.candidate.source
    assert spare.id in fates["test_spare"]

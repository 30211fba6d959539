"""Proposers that run the code: real warm processes, real calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from moa_engine.errors import Refused
from moa_engine.member import Message, PromptVersion, Request
from pytest_moa.candidate import Candidate
from pytest_moa.project import Project
from pytest_moa.proposers.processes import Processes
from pytest_moa.proposers.proposer import KINDS, Proposer, Shares, standing_members
from pytest_moa.settings import ProposerSettings, TestsSettings
from pytest_moa.suggest.gathering import Gathering, sources_of
from pytest_moa.suggest.proposal import read_written
from pytest_moa.suggest.subject import SuggestSubject
from pytest_moa.suggestions import Recorded, RecordedCall

SOURCE = '''\
def size(width: int, height: int = 2) -> str:
    """The size class.

    >>> size(1)
    'small'
    """
    if width < 10:
        return "small"
    if width > 100:
        raise ValueError("too wide")
    return f"{height} high"


def encode_name(text: str) -> str:
    return text.replace("%", "%25").replace("/", "%2F")


def decode_name(text: str) -> str:
    return text.replace("%2F", "/").replace("%25", "%")


def trimmed(text: str) -> str:
    return text.strip()
'''


@pytest.fixture(scope="module")
def subject(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SuggestSubject]:
    root = tmp_path_factory.mktemp("sizes")
    (root / "sizes.py").write_text(SOURCE, "utf-8")
    (root / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n', "utf-8")
    project = Project.find(root)
    targets = project.targets(str(root / "sizes.py"))
    sources = sources_of(targets, project)
    none = frozenset[str]()
    briefs = [
        Gathering(project, ()).brief(
            target, sources["sizes"], branches=none, reached=none, mutants=(), killed=none
        )
        for target in targets
    ]
    calls = (
        RecordedCall("sizes.py::size", "size(50, height=7)", (), ("from sizes import size",)),
        RecordedCall("sizes.py::size", "undefined(1)"),
    )
    modules = {"sizes": project.module(Path(root / "sizes.py"))}
    processes = Processes(project, modules, workers=1, confined=True)
    yield SuggestSubject(briefs, Recorded(calls), processes, lambda kind, target: 20.0)
    processes.close()


def proposed(kind: str, subject: object, target: str = "sizes:size") -> list[Candidate]:
    """What a member of this kind answers about a target."""
    member = Proposer.of_kind(kind)(kind, ProposerSettings(kind=kind), None)  # type: ignore[arg-type]
    request = Request((Message("user", target),), PromptVersion("", ""), subject=subject)
    reply = asyncio.run(member.generate(request))
    assert json.loads(reply.text)["candidates"] is not None
    return [one.candidate for one in read_written(reply.text)]


def asserted(candidates: list[Candidate]) -> set[str]:
    return {candidate.source.strip().splitlines()[-1].strip() for candidate in candidates}


def test_recorded_calls_and_their_neighbours_are_observed(subject: SuggestSubject) -> None:
    found = proposed("recorded", subject)
    assert 'assert size(50, height=7) == "7 high"' in asserted(found)
    assert len(found) > 1
    assert all(candidate.target == "sizes:size" for candidate in found)


def test_limits_are_tried_one_parameter_at_a_time(subject: SuggestSubject) -> None:
    found = asserted(proposed("boundaries", subject))
    assert 'assert size(10, height=7) == "7 high"' in found
    assert 'assert size(9, height=7) == "small"' in found
    assert any("size(101" in line for line in found)


def test_documented_examples_are_claims(subject: SuggestSubject) -> None:
    assert KINDS["docstrings"].claims
    assert asserted(proposed("docstrings", subject)) == {'assert size(1) == "small"'}


def test_the_ghostwriter_writes_properties(subject: SuggestSubject) -> None:
    pytest.importorskip("black")  # the ghostwriter formats with it
    (found,) = proposed("ghostwriter", subject, "sizes:encode_name")[:1]
    assert "@settings(derandomize=True" in found.source
    assert "decode_name" in found.source
    assert proposed("ghostwriter", subject, "sizes:trimmed")


def test_the_search_proposes_witnesses(subject: SuggestSubject) -> None:
    subject.seconds, before = lambda kind, target: 2.0, subject.seconds
    found = proposed("witness", subject, "sizes:trimmed")
    subject.seconds = before
    assert found
    assert {candidate.target for candidate in found} == {"sizes:trimmed"}


def test_without_time_a_proposer_finds_nothing_and_that_is_noted(subject: SuggestSubject) -> None:
    shares = Shares({"sizes:size": 1.0}, cpu=10.0, until=0.0)
    subject.seconds, before = shares.seconds, subject.seconds
    subject.found.clear()
    assert proposed("boundaries", subject) == []
    assert subject.late == {"sizes:size"}
    subject.seconds = before


def test_other_subjects_are_refused() -> None:
    with pytest.raises(Refused, match="proposes tests and nothing else"):
        proposed("witness", object())


def test_shares_follow_what_there_is_to_find() -> None:
    shares = Shares({"a": 3.0, "b": 1.0}, cpu=100.0, until=float("inf"))
    assert shares.seconds("witness", "a") == pytest.approx(3 * shares.seconds("witness", "b"))
    total = sum(shares.seconds(kind, target) for kind in KINDS for target in "ab")
    assert total == pytest.approx(100.0, rel=0.05)


def test_a_proposer_whose_library_is_missing_stays_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_moa.proposers.proposer.find_spec", lambda name: None)
    assert standing_members(TestsSettings()) == ["witness", "recorded", "docstrings", "boundaries"]

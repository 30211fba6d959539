"""A pytest plug-in that answers `pytest_moa_suggest`: calls each target with 3, and holds what came back.

What it was asked goes into `request.json`, so that tests can look at it. `STAND_IN_DOES` names what else
it does: "interrupt" after its first test, "fail" with an error of ours, "crash" with another one.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import time
import warnings
from dataclasses import asdict

import pytest

from moa_engine.errors import RunFailed
from pytest_moa.candidate import Candidate
from pytest_moa.suggestions import (
    Facts,
    JudgedCandidate,
    Observer,
    Progress,
    Suggestion,
    Suggestions,
    SuggestRequest,
    SuspectedBug,
    TargetOutcome,
)
from pytest_moa.target import Target


@pytest.hookimpl
def pytest_moa_suggest(request: SuggestRequest, progress: Observer) -> Suggestions:
    asked = {
        "targets": [target.name for target in request.targets],
        "existing": [test.nodeid for test in request.existing],
        "recorded": asdict(request.recorded),
        "workers": request.workers,
        "max": request.max,
        "seconds": request.seconds,
        "unsafe": request.unsafe,
        "proposers": sorted(request.proposers),
    }
    (request.root / "request.json").write_text(json.dumps(asked))
    warnings.warn("of no interest to the user, whose settings make errors of warnings", stacklevel=1)
    if request.plan:
        return Suggestions(status="plan", plan="1 call, $0.01")
    if os.environ.get("STAND_IN_DOES") == "fail":
        raise RunFailed("nobody answered", hint="Ask again.")
    if os.environ.get("STAND_IN_DOES") == "crash":
        raise KeyError("shop.rates")
    suggestions: list[Suggestion] = []
    for target in request.targets:
        suggestions.append(_suggestion(target, f"{target.qualname}(3)"))
        progress(
            Progress("calling", len(suggestions), len(request.targets), so_far=_all(request, suggestions))
        )
        if os.environ.get("STAND_IN_DOES") == "interrupt":
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(30)
    return _all(request, suggestions)


def _suggestion(target: Target, call: str) -> Suggestion:
    module = importlib.import_module(target.module)
    value = eval(call, vars(module).copy())
    name = target.qualname.rpartition(".")[2]
    first = target.qualname.partition(".")[0]
    candidate = Candidate(
        f"{target.module}:{target.qualname}",
        f"test_{name}_again",
        f"def test_{name}_again():\n    assert {call} == {value!r}",
        (f"from {target.module} import {first}",),
        says="as before",
    )
    return Suggestion(
        candidate,
        Facts(branches=("2:4 if true", "2:4 if false"), kills=("aa", "bb", "cc")),
        proposed_by=("stand-in",),
        hardened_by=("other",),
        disputed_by=("third\x1b[2J",),
        says="as before",
    )


def _all(request: SuggestRequest, suggestions: list[Suggestion]) -> Suggestions:
    bug = Candidate("shop.rates:price", "test_bug", "def test_bug():\n    assert price(0) == 1")
    return Suggestions(
        suggestions=tuple(suggestions[: request.max]),
        suspected_bugs=(SuspectedBug(bug, "assert 0 == 1", ("stand-in",), says="free is odd"),)
        * bool(suggestions),
        candidates=tuple(
            JudgedCandidate(one.candidate, "passes", kills=one.facts.kills, fate="suggested")
            for one in suggestions
        ),
        targets=tuple(TargetOutcome(target, 10, 4, 7, survivors=("dd",)) for target in request.targets),
        members=("stand-in", "other"),
        run="r1",
        calls=2,
        seconds=1.5,
        sandbox="none",
    )

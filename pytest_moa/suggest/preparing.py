"""A run's task: with briefs, subject and examiner, and with the time that each part of it may take."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_moa.mutation import mutants_of
from pytest_moa.project import SourceModule
from pytest_moa.proposers.processes import Processes
from pytest_moa.proposers.proposer import Shares
from pytest_moa.suggest.baseline import Baseline
from pytest_moa.suggest.brief import Brief
from pytest_moa.suggest.executing import Execution
from pytest_moa.suggest.gathering import Gathering, sources_of
from pytest_moa.suggest.second_look import SecondLook
from pytest_moa.suggest.starting import modules_of
from pytest_moa.suggest.subject import SuggestSubject
from pytest_moa.suggest.task import SuggestTask
from pytest_moa.suggest.voices import Voice
from pytest_moa.suggestions import Effort, Observer, Progress, Suggestions, SuggestRequest
from pytest_moa.target import Target

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.session import Session
    from pytest_moa.running.executor import Executor

#: Shares of the time: measuring what there is, then searching; executing gets the rest, of which the
#: last part is for the arranged tests.
_BASELINE, _SEARCH, _LAST = 0.25, 0.6, 0.12


@dataclass(frozen=True, slots=True)
class Clock:
    """When which part of a run has to end, by `time.monotonic`."""

    start: float
    seconds: float

    @property
    def baseline(self) -> float:
        """The end of measuring existing tests."""
        return self.start + _BASELINE * self.seconds

    def executing(self) -> float:
        """The end of executing candidates that begins now, later where models took much of the time."""
        end = self.start + self.seconds * (1 - _LAST)
        return max(end, time.monotonic() + self.seconds / 4)

    def last(self) -> float:
        """The end of executing the chosen tests once more."""
        return max(self.start + self.seconds, time.monotonic() + _LAST * self.seconds)

    def search(self, began: float) -> float:
        """The end of searching that began then."""
        return began + _SEARCH * max(0.0, self.start + self.seconds - began)


def task_for(
    session: Session,
    request: SuggestRequest,
    effort: Effort,
    committee: Committee,
    executor: Executor,
    baseline: Baseline,
    clock: Clock,
    tell: Observer,
) -> tuple[SuggestTask, Processes]:
    """The task of a run, and the processes that its proposers use: to be closed when it is over."""
    modules = modules_of(request)
    processes = Processes(
        request.project, modules, workers=effort.workers, confined=executor.mechanism != "none"
    )
    now = time.monotonic()
    until = clock.search(now)
    weights = {brief.id: 1.0 + len(brief.survivors) + len(brief.uncovered) for brief in baseline.briefs}
    shares = Shares(weights, max(0.0, until - now) * effort.workers, until)
    subject = SuggestSubject(baseline.briefs, request.recorded, processes, shares.seconds)

    def watch(says: str, done: int, of: int, so_far: Suggestions | None) -> None:
        found = len(so_far.suggestions) if so_far else 0
        tell(Progress(says, done, of, found, so_far))

    open_branches = {
        brief.id: frozenset(brief.branches) - frozenset(brief.reached) for brief in baseline.briefs
    }
    voices = {name: Voice.of(member) for name, member in committee.members.items()}
    look = SecondLook(subject, [name for name, voice in voices.items() if not voice.deterministic])
    task = SuggestTask(
        [brief.masked(session.redactor.mask) for brief in baseline.briefs],
        voices=voices,
        most=effort.max,
        digest=_digest(request, effort, baseline.briefs, modules),
        subject=subject,
        examiner=Execution(executor, baseline.open_mutants, open_branches, clock.executing, look),
        watch=watch,
    )
    return task, processes


def _digest(
    request: SuggestRequest, effort: Effort, briefs: Sequence[Brief], modules: Mapping[str, SourceModule]
) -> str:
    """SHA-256 of all that decides what is proposed."""
    parts = [
        [brief.to_json() for brief in briefs],
        {name: module.path.read_text(encoding="utf-8") for name, module in modules.items()},
        [repr(call) for call in request.recorded.calls],
        effort.seconds,
        effort.workers,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()


def planned_task(
    session: Session,
    request: SuggestRequest,
    effort: Effort,
    targets: Sequence[Target],
    committee: Committee,
) -> SuggestTask:
    """The task as far as it is known before anything was executed: all there is counts as open."""
    gathering = Gathering(request.project, request.existing)
    sources = sources_of(targets, request.project)
    mutants = {name: mutants_of(source.text, name) for name, source in sources.items()}
    briefs = [
        gathering.brief(
            target,
            sources[target.module],
            branches=frozenset(request.recorded.branches.get(target.name, ())),
            reached=frozenset(request.recorded.reached.get(target.name, ())),
            mutants=[mutant for mutant in mutants[target.module] if mutant.qualname == target.qualname],
            killed=frozenset(),
        ).masked(session.redactor.mask)
        for target in targets
    ]
    return SuggestTask(
        briefs,
        voices={name: Voice.of(member) for name, member in committee.members.items()},
        most=effort.max,
        digest="",
    )

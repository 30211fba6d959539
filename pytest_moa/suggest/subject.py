"""What deterministic proposers are given, and what executes candidates."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.brief import Brief
from pytest_moa.suggest.judging import Executed
from pytest_moa.suggestions import Recorded

if TYPE_CHECKING:
    from pytest_moa.proposers.processes import Processes

#: Told how many candidates of how many are done.
Told = Callable[[str, int, int], None]


class Examiner(Protocol):
    """Executes candidates: what passes, what it reaches, what it kills."""

    def examine(
        self,
        candidates: Sequence[Candidate],
        groups: Mapping[str, str],
        stop: threading.Event,
        told: Told,
    ) -> Mapping[str, Executed]:
        """What executing each candidate showed, by its id; what it has by then soon after `stop` is set.

        `groups` says by id whose a candidate is, for those whose scores are to be compared.
        """
        ...


@dataclass
class SuggestSubject:
    """What deterministic members read: targets with their mutants, recorded calls, warm processes.

    `briefs` are not masked here: nothing of it leaves this machine. `shares` are the seconds that a
    member of a kind may take for one target, by kind and target id. `found` collects what was found for
    a question (member, unit) so that an interrupted search is not lost, `answers` what was answered,
    `late` the targets for which some proposer had no time left.
    """

    briefs: Sequence[Brief]
    recorded: Recorded
    processes: Processes
    seconds: Callable[[str, str], float]
    late: set[str] = field(default_factory=set)
    found: dict[tuple[str, str], list[Candidate]] = field(default_factory=dict)
    answers: dict[tuple[str, str], str] = field(default_factory=dict)

    def brief(self, target: str) -> Brief:
        """The target with this id."""
        return next(brief for brief in self.briefs if brief.id == target)

    def recorded_sources(self, target: str) -> list[str]:
        """Sources of the target's recorded calls, with the imports that they need."""
        name = self.brief(target).target.name
        return [
            "\n".join([*call.imports, call.source]) for call in self.recorded.calls if call.target == name
        ]

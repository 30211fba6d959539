"""What the searches of one proof have found so far, cleaned and merged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from review_bot.proof.facts import Cleaner
from review_bot.proof.report import BehaviourReport, ProofReport, SearchedReport

if TYPE_CHECKING:
    from pytest_moa.proof.behaviour import Proof, Searched


@dataclass(slots=True)
class Found:
    """Grows with each search. `names` has members' names for what stands among the proposers."""

    clean: Cleaner
    names: dict[str, str] = field(default_factory=dict)
    behaviours: dict[str, BehaviourReport] = field(default_factory=dict)
    mechanism: str = ""
    seconds: float = 0.0
    notes: dict[str, None] = field(default_factory=dict)
    _searched: dict[tuple[str, str], SearchedReport] = field(default_factory=dict)

    def add(self, proof: Proof) -> list[BehaviourReport]:
        """Take in what a search found; gives what is new in it."""
        known = {(one.name, one.input) for one in self.behaviours.values()}
        reports = [self.clean.behaviour(change, self.names) for change in proof.changes]
        new = [one for one in reports if (one.name, one.input) not in known and one.id not in self.behaviours]
        self.behaviours.update((one.id, one) for one in new)
        for searched in proof.searched:
            key = (searched.path, searched.qualname)
            self._searched[key] = self._merged(self._searched.get(key), searched)
        self.mechanism = proof.mechanism
        self.seconds += proof.seconds
        for note in proof.notes:
            self.note(note)
        return new

    def note(self, sentence: str) -> None:
        """Keep a sentence for people."""
        self.notes[self.clean.text(sentence)] = None

    def report(self) -> ProofReport:
        """How the proof went."""
        return ProofReport(
            mechanism=self.mechanism,
            seconds=round(self.seconds, 1),
            searched=[one for _, one in sorted(self._searched.items())],
            notes=list(self.notes),
        )

    def _merged(self, before: SearchedReport | None, now: Searched) -> SearchedReport:
        """What became of a function in all searches: the last word, unless there was more before."""
        report = SearchedReport(
            path=now.path,
            qualname=self.clean.text(now.qualname),
            status=now.status,
            why=self.clean.text(now.why),
            executions=now.executions,
            seconds=round(now.seconds, 2),
            branches=self.clean.text(now.branches),
        )
        if before is None:
            return report
        told = before if _weight(before.status) > _weight(report.status) else report
        sums: Mapping[str, object] = {
            "executions": before.executions + report.executions,
            "seconds": round(before.seconds + report.seconds, 2),
            "branches": report.branches or before.branches,
        }
        return told.model_copy(update=dict(sums))


def _weight(status: str) -> int:
    return {"differs": 2, "no difference found": 1}.get(status, 0)

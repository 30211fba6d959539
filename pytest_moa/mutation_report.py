"""What became of the mutants of a target, as data: counts, by function, and each mutant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pytest_moa.mutation import Mutant, mutant_diff
from pytest_moa.running.facts import ExistingTest, MutantStatus, Verdict

if TYPE_CHECKING:
    from pytest_moa.project import Project
    from pytest_moa.running.executor import Executor

SCHEMA = "mutation/1"


@dataclass(frozen=True, slots=True)
class FunctionCounts:
    """Mutants of one function, or of what a module or class defines ("" and the class's name)."""

    path: str
    qualname: str
    counts: Counter[MutantStatus]

    @property
    def name(self) -> str:
        """As targets are written."""
        return f"{self.path}::{self.qualname}" if self.qualname else self.path


@dataclass
class MutationReport:
    """Reads what an executor knows, now and later."""

    project: Project
    executor: Executor
    mutants: Sequence[Mutant]
    skipped: dict[str, str] = field(default_factory=dict)  #: path -> why it was left out
    interrupted: bool = False
    seconds: float = 0.0

    def __post_init__(self) -> None:
        modules = self.executor.modules
        self._paths = {name: self.project.shown(module.path) for name, module in modules.items()}
        self._sources = {name: self.executor.source(name) for name in modules}

    @property
    def verdicts(self) -> list[Verdict]:
        """One for each mutant, in order."""
        known = self.executor.verdicts
        return [known.get(mutant.id, Verdict(mutant, "unknown")) for mutant in self.mutants]

    @property
    def counts(self) -> Counter[MutantStatus]:
        """Mutants by status."""
        return Counter(verdict.status for verdict in self.verdicts)

    @property
    def score(self) -> float | None:
        """Share of killed mutants among those with a verdict, 0 to 1; None without any."""
        return score_of(self.counts)

    @property
    def failing(self) -> tuple[ExistingTest, ...]:
        """Tests that were left out, since they fail on the code as it is."""
        return self.executor.known_tests.failing

    def functions(self) -> list[FunctionCounts]:
        """Counts by function, in the order of the source."""
        found: dict[tuple[str, str], Counter[MutantStatus]] = {}
        for verdict in self.verdicts:
            place = (self.path(verdict.mutant), verdict.mutant.qualname)
            found.setdefault(place, Counter())[verdict.status] += 1
        return [FunctionCounts(path, qualname, counts) for (path, qualname), counts in found.items()]

    def path(self, mutant: Mutant) -> str:
        """Where the mutant's module is, from the root."""
        return self._paths[mutant.module]

    def diff(self, mutant: Mutant) -> str:
        """The mutant as a unified diff."""
        return mutant_diff(self._sources[mutant.module], mutant, self.path(mutant))

    def untrusted(self) -> dict[str, str]:
        """Why functions have no verdicts, by name."""
        return {
            f"{self._paths[module]}{f'::{qualname}' if qualname else ''}": why
            for (module, qualname), why in self.executor.untrusted.items()
        }

    def to_json(self) -> dict[str, Any]:
        """The report as JSON data."""
        counts = self.counts
        return {
            "schema": SCHEMA,
            "score": self.score,
            "total": len(self.mutants),
            "complete": not self.interrupted and not counts["unknown"],
            **_counted(counts),
            "functions": [
                {
                    "path": each.path,
                    "qualname": each.qualname,
                    "score": score_of(each.counts),
                    "total": each.counts.total(),
                    **_counted(each.counts),
                }
                for each in self.functions()
            ],
            "mutants": [self._mutant(verdict) for verdict in self.verdicts],
            "failing_tests": [{"id": test.nodeid, "message": test.message} for test in self.failing],
            "uncollected": dict(self.executor.known_tests.errors),
            "untrusted_functions": self.untrusted(),
            "skipped": {**self.skipped, **self.executor.broken},
            "sandbox": {"mechanism": self.executor.mechanism, "confined": self.executor.confined},
            "seconds": round(self.seconds, 3),
        }

    def _mutant(self, verdict: Verdict) -> dict[str, Any]:
        mutant = verdict.mutant
        return {
            "id": mutant.id,
            "path": self.path(mutant),
            "qualname": mutant.qualname,
            "line": mutant.line,
            "operator": mutant.operator,
            "before": mutant.before,
            "after": mutant.after,
            "diff": self.diff(mutant),
            "status": verdict.status,
            "killed_by": next(iter(verdict.killers), None),
            "message": verdict.message,
            "seconds": round(verdict.seconds, 4),
        }


def score_of(counts: Counter[MutantStatus]) -> float | None:
    """Killed ones among those with a verdict; a mutant that no test reaches lives."""
    killed = counts["killed"] + counts["timed_out"]
    judged = killed + counts["survived"] + counts["not_covered"]
    return killed / judged if judged else None


def _counted(counts: Counter[MutantStatus]) -> dict[str, int]:
    names: tuple[MutantStatus, ...] = (
        "killed", "survived", "timed_out", "not_covered", "untrusted", "unknown",
    )  # fmt: skip
    return {name: counts[name] for name in names}

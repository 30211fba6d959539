"""Which mutants each of several candidates kills: the kill matrix, a column at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pytest_moa.candidate import Candidate
from pytest_moa.mutation import Mutant, identity, mutated_source
from pytest_moa.running.facts import Kills, MutantStatus, Verdict
from pytest_moa.running.killing import by_function
from pytest_moa.running.pool import Job
from pytest_moa.warm import Ended

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor, Progress

#: CPU time of a candidate under a mutant: so many times its own, and so much on top.
_TIMES: Final = 10.0
_MORE: Final = 0.5

#: Mutants of one job.
_BATCH: Final = 16


def kill_with(
    executor: Executor, candidates: Sequence[Candidate], mutants: Sequence[Mutant], progress: Progress | None
) -> Kills:
    """Run candidates under mutants of functions that they reach; all under those of definitions."""
    return _Columns(executor, candidates, progress, len(mutants)).run(mutants)


class _Columns:
    def __init__(
        self, executor: Executor, candidates: Sequence[Candidate], progress: Progress | None, total: int
    ) -> None:
        self.executor = executor
        self.candidates = candidates
        self.progress = progress
        self.total = total
        self.verdicts: dict[str, Verdict] = {}
        self.sources = {name: executor.source(name) for name in executor.modules}
        self.untrusted: dict[tuple[str, str], str] = {}
        self.wrong: dict[tuple[str, str], set[str]] = {}  #: candidates that fail under a control

    def run(self, mutants: Sequence[Mutant]) -> Kills:
        places = by_function(mutant for mutant in mutants if mutant.scope == "function")
        self._controls(places)
        slow = [mutant for mutant in mutants if mutant.scope == "definition"]
        jobs = []
        for place, found in places.items():
            rows = self._reaching(*place)
            if not rows:
                for mutant in found:
                    self._judged(Verdict(mutant, "not_covered"))
                continue
            starts = range(0, len(found), _BATCH)
            jobs += [self._job(rows, found[start : start + _BATCH], slow) for start in starts]
        self.executor.collected.run(jobs, self.executor.late)
        self._slow(slow)
        judged = {each.id: self.verdicts.get(each.id, Verdict(each, "unknown")) for each in mutants}
        self._note_kills()
        return Kills(judged, self.untrusted)

    def _controls(self, places: Mapping[tuple[str, str], list[Mutant]]) -> None:
        jobs = []
        for place in places:
            module, qualname = place
            rows = self._reaching(module, qualname)
            if not rows:
                continue

            def each(told: Mapping[str, Any], place: tuple[str, str] = place) -> None:
                if told["installed"] and told["killers"]:
                    self.wrong[place] = set(told["killers"])
                    names = ", ".join(told["killers"])
                    self.untrusted[place] = f"without any change fail: {names}"

            control = identity(self.sources[module], qualname, module)
            if control is None:
                continue
            jobs.append(self._column(rows, [control], each, lambda _: None))
        self.executor.collected.run(jobs, self.executor.late)

    def _reaching(self, module: str, qualname: str) -> list[Candidate]:
        """Candidates that take a branch of the function, or of which that is not known."""
        ids = self.executor.branches[module].get(qualname, frozenset())
        wrong = self.wrong.get((module, qualname), set())
        found = []
        for candidate in self.candidates:
            facts = self.executor.facts.get(candidate.id)
            known = facts is not None and candidate.target.partition(":")[0] == module and ids
            if candidate.id not in wrong and (not known or (facts and not ids.isdisjoint(facts.branches))):
                found.append(candidate)
        return found

    def _job(self, rows: Sequence[Candidate], mutants: Sequence[Mutant], slow: list[Mutant]) -> Job:
        by_id = {mutant.id: mutant for mutant in mutants}

        def each(told: Mapping[str, Any]) -> None:
            mutant = by_id.pop(told["id"])
            if not told["installed"]:
                slow.append(mutant)
                return
            killers = tuple(told["killers"])
            status: MutantStatus = "survived" if not killers else "killed"
            if killers and set(killers) == set(told["timed_out"]):
                status = "timed_out"
            self._judged(Verdict(mutant, status, killers, "", told["seconds"]))

        def done(ended: Ended) -> None:
            if ended.status != "returned":  # a candidate that ends its process under a mutant
                slow.extend(by_id.values())

        return self._column(rows, mutants, each, done)

    def _column(self, rows: Sequence[Candidate], mutants: Sequence[Mutant], each: Any, done: Any) -> Job:
        limit = sum(self._row(row)["limit"] for row in rows) * len(mutants)
        args = {
            "candidates": [self._row(row) for row in rows],
            "mutants": [mutant.to_json() for mutant in mutants],
        }
        return Job("pytest_moa.running.jobs:column", args, done, each, self.executor.limits(limit))

    def _row(self, candidate: Candidate) -> dict[str, Any]:
        facts = self.executor.facts.get(candidate.id)
        return {
            "candidate": {"id": candidate.id, "name": candidate.name, "text": candidate.module_source()},
            "folder": str(self.executor.folder(candidate.target.partition(":")[0])),
            "limit": _MORE + _TIMES * (facts.seconds if facts else 1.0),
        }

    def _slow(self, mutants: Sequence[Mutant]) -> None:
        """Definitions, and what else a swap cannot change: all candidates of the module, imported anew."""
        controls: dict[str, set[str]] = {}
        modules = dict.fromkeys(mutant.module for mutant in mutants)
        jobs = []
        for module in modules:
            rows = [self._row(row) for row in self.candidates if row.target.partition(":")[0] == module]

            def controlled(ended: Ended, module: str = module) -> None:
                controls[module] = set(ended.value["passed"]) if ended.status == "returned" else set()

            jobs.append(self._fresh(module, self.sources[module], rows, controlled))
        self.executor.fresh.run(jobs, self.executor.late)
        jobs = []
        for mutant in mutants:
            sound = controls.get(mutant.module, set())
            rows = [self._row(row) for row in self.candidates if row.id in sound]
            if not rows:
                self._judged(Verdict(mutant, "not_covered"))
                continue

            def done(ended: Ended, mutant: Mutant = mutant, sound: set[str] = sound) -> None:
                self._slow_verdict(mutant, ended, sound)

            changed = mutated_source(self.sources[mutant.module], mutant)
            jobs.append(self._fresh(mutant.module, changed, rows, done))
        self.executor.fresh.run(jobs, self.executor.late)

    def _fresh(self, module: str, source: str, rows: list[dict[str, Any]], done: Any) -> Job:
        args = {"module": module, "path": str(self.executor.modules[module].path), "source": source}
        limit = 5 + sum(row["limit"] for row in rows)
        return self.executor.fresh_job({**args, "files": [], "candidates": rows}, done, limit)

    def _slow_verdict(self, mutant: Mutant, ended: Ended, sound: set[str]) -> None:
        if ended.status != "returned":
            return
        told = ended.value
        killers = tuple(name for name in told["killers"] if name in sound)
        if (
            told["status"] == "killed" and not killers
        ):  # it cannot even be imported: whoever imports it notices
            killers = tuple(sorted(sound))
        status = {"timed out": "timed_out", "killed": "killed"}.get(told["status"], "survived")
        self._judged(Verdict(mutant, status if killers else "survived", killers, told["message"]))  # type: ignore[arg-type]

    def _judged(self, verdict: Verdict) -> None:
        self.verdicts[verdict.mutant.id] = verdict
        if self.progress is not None:
            self.progress(len(self.verdicts), self.total)

    def _note_kills(self) -> None:
        """Write into the candidates' facts what they kill."""
        for candidate in self.candidates:
            if (facts := self.executor.facts.get(candidate.id)) is not None:
                killed = (name for name, each in self.verdicts.items() if candidate.id in each.killers)
                kills = tuple(dict.fromkeys((*facts.kills, *killed)))
                self.executor.facts[candidate.id] = replace(facts, kills=kills)

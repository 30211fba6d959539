"""From programs that kill to tests: greedy choice, shrinking, the assertions that are needed, a trial."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from pytest_moa.candidate import Candidate
from pytest_moa.search.execution import Key, Run
from pytest_moa.search.hunt import Hunt, Known
from pytest_moa.search.shrinking import shrunk
from pytest_moa.search.state import restore_names
from pytest_moa.search.trial import passes
from pytest_moa.search.writing import Unwritable, Writer

#: Seconds in which a test is run against mutants for which it was not made.
SECONDS_FOR_OTHERS = 0.3
#: The share of the time for choosing in which programs meet mutants that others killed.
SHARE_FOR_OTHERS = 0.35


@dataclass(frozen=True, slots=True)
class Chosen:
    """A test, the mutants that it was seen to kill and the branches that it takes."""

    candidate: Candidate
    kills: frozenset[str]
    branches: frozenset[str]


class Chooser:
    """Chooses among a hunt's killers, and never says of a test what it has not seen it do."""

    def __init__(self, hunt: Hunt, writer: Writer, qualnames: Sequence[str] | None = None) -> None:
        self.hunt = hunt
        self.wanted = _branches_of(hunt, qualnames)  #: branches that tests are written for
        self.writer = writer
        self.killed: set[str] = set()
        self.branches: set[str] = set()

    def tests(self, until: float) -> Iterator[Chosen]:
        """Tests for all that is killed and not yet written, the best first."""
        hunt = self.hunt
        waiting = [known for known in hunt.killers if known.kills - self.killed]
        self._widen(waiting, time.monotonic() + SHARE_FOR_OTHERS * (until - time.monotonic()))
        failed: set[Known] = set()
        while time.monotonic() < until:
            open_ = [
                known for known in waiting if known not in failed and known.kills - self.killed - known.unfit
            ]
            if not open_:
                break
            hunt.safe_point()
            best = max(
                open_, key=lambda known: (_worth(known, self.killed), -known.cost, known.program.source)
            )
            chosen, tried = self._written(best)
            if chosen is None:
                failed.add(best)
                continue
            gained = chosen.kills - self.killed
            best.unfit |= tried - chosen.kills
            if not gained:
                failed.add(best)
                continue
            if not self.killed:  # a module that cannot be imported fails any test
                chosen = replace(chosen, kills=chosen.kills | hunt.rivals.unimportable)
            self.killed |= chosen.kills
            self.branches |= chosen.branches
            yield chosen
        found_by_none = {name for known in waiting for name in known.unfit} - self.killed
        hunt.rivals.live |= found_by_none

    def _widen(self, waiting: list[Known], until: float) -> None:
        """Let the most promising programs meet what others killed: few tests that kill much are wanted."""
        hunt = self.hunt
        killed = {name for known in waiting for name in known.kills} - self.killed
        for known in sorted(waiting, key=lambda one: (-_worth(one, self.killed), one.program.source)):
            for name in hunt.rivals.reached(known.hits):
                if name not in killed or name in known.kills or name in hunt.rivals.endless:
                    continue
                if time.monotonic() > until:
                    return
                if hunt.tells(known.program, known.facts, name, known.seconds):
                    known.kills.add(name)

    def for_branches(self, until: float) -> Iterator[Chosen]:
        """Tests for branches that no chosen test takes."""
        for known in self.hunt.pool(most=400):
            if time.monotonic() > until:
                return
            inner = self.hunt.is_inner(known.program.target)
            if known.accidental or inner or not (known.hits & self.wanted) - self.branches:
                continue
            known.facts = self.hunt.stable(known.program, known.facts)
            chosen = self._test(known, frozenset())
            if chosen is not None:
                self.branches |= chosen.branches
                self.killed |= chosen.kills
                yield chosen

    def _written(self, known: Known) -> tuple[Chosen | None, set[str]]:
        """The test of a program, made smaller; and the mutants that it was to kill."""
        wanted = frozenset(known.kills - self.killed - known.unfit)
        smaller = shrunk(self.hunt, known, wanted)
        if smaller is not known:
            chosen = self._test(smaller, frozenset(smaller.kills))
            if chosen is not None:
                return chosen, smaller.kills
        return self._test(known, wanted), set(wanted)

    def _test(self, known: Known, wanted: frozenset[str]) -> Chosen | None:
        hunt = self.hunt
        hunt.probes.clear()
        run = hunt.runner.run(known.program, seconds=1.0, write=True)
        if run.timed_out:
            return None
        usable = {key for key in known.facts if _can_be_written(key, known, run)}
        keys = self._needed(known, run, usable, wanted)
        if not keys:
            return None
        try:
            candidate = self.writer.candidate(known.program, run, keys)
        except Unwritable:
            return None
        if not self._holds(candidate):
            return None
        kills = {name for name in sorted(wanted) if self._kills(candidate, name)}
        until = time.monotonic() + SECONDS_FOR_OTHERS
        for name in self._reached(known):
            if name not in wanted and time.monotonic() < until and self._kills(candidate, name):
                kills.add(name)
        self.writer.taken.add(candidate.name)
        return Chosen(candidate, frozenset(kills), known.hits)

    def _holds(self, candidate: Candidate) -> bool:
        if not self._passes(candidate) or not self._passes(candidate, module="test_others"):
            return False
        with self.hunt.clocks.shifted():
            return self._passes(candidate)

    def _passes(self, candidate: Candidate, seconds: float = 0.5, module: str = "candidate") -> bool:
        held = vars(self.hunt.surface.module)
        kept = dict(held)
        try:
            return passes(candidate, seconds, module)
        finally:
            restore_names(held, kept)
            self.hunt.runner.tables.restore()

    def _reached(self, known: Known) -> Collection[str]:
        rivals = self.hunt.rivals
        return [
            name for name in rivals.reached(known.hits) if name in known.kills or name not in rivals.endless
        ]

    def _kills(self, candidate: Candidate, name: str) -> bool:
        if name not in self.hunt.rivals:
            return False
        self.hunt.guard.running(f"{name}\0{candidate.name}")
        with self.hunt.rivals.swapped(name):
            return not self._passes(candidate, seconds=0.15)

    def _needed(self, known: Known, run: Run, usable: set[Key], wanted: frozenset[str]) -> set[Key]:
        """The fewest and simplest facts that tell the wanted mutants apart, the result itself always."""
        last = len(known.program.steps) - 1
        main: Key = ("raised", "type") if run.raised is not None else (last, "{}")
        keys = {main} & usable
        silent = run.facts.get(main) == ("is", None)
        if run.raised is not None and ("raised", "message") in usable:
            keys.add(("raised", "message"))
        for name in sorted(wanted):
            telling = self.hunt.telling(known.program, known.facts, name, known.seconds) & usable
            if telling and not telling & keys:
                keys.add(min(telling, key=lambda key: (_rank(key, last), len(key[1]), str(key))))
        if silent and any(key != main and _rank(key, last) < 4 for key in keys):
            keys.discard(main)  # that nothing is returned is no news beside what was changed
        if not keys and usable:
            keys.add(min(usable, key=lambda key: (_rank(key, last), len(key[1]), str(key))))
        return keys


def _branches_of(hunt: Hunt, qualnames: Sequence[str] | None) -> frozenset[str]:
    if qualnames is None:
        return hunt.probes.all
    found = (
        branches
        for name, branches in hunt.probes.by_function.items()
        if any(name == one or name.startswith(f"{one}.") for one in qualnames)
    )
    return frozenset[str]().union(*found)


def _rank(key: Key, last: int) -> int:
    where, path = key
    if path == "{}" or path.startswith("{}."):
        base = 0 if where == last or where == "raised" else 1
    else:
        base = 2 if not path.startswith(("type(", "repr(")) else 4
    return base + (2 if where in ("stdout", "warns") else 0)


def _can_be_written(key: Key, known: Known, run: Run) -> bool:
    where, path = key
    if key not in run.facts or run.facts[key] != known.facts[key] or where == "time":
        return False
    if (
        key in (("raised", "type"), ("raised", "message"))
        or where in ("stdout", "warns")
        or path == "is result"
    ):
        return True
    if path in ("step", "changed"):
        return False
    if run.raised is not None and type(where) is int and where == run.raised:
        return False
    return path.startswith("type(") or (run.written or {}).get(key) is not None


def _worth(known: Known, killed: set[str]) -> float:
    gained = len(known.kills - killed - known.unfit)
    return gained / math.sqrt(60 + known.cost)

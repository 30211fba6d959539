"""From programs on which both sides differ to witnesses: examined, shrunk, written, proved."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_moa.proof.behaviour import BehaviourChange, Outcome, Side, identity
from pytest_moa.proof.changes import ChangedFunction
from pytest_moa.proof.difference import Details, Difference, differences, shown
from pytest_moa.proof.lane import Lane, mentions_private
from pytest_moa.proof.reducing import reductions
from pytest_moa.proof.replaying import Replayer
from pytest_moa.proof.snippet import Snippet
from pytest_moa.proof.texts import shortened
from pytest_moa.proof.writing import Unwritable

#: Seconds for one program, and for one that is late, to be sure.
SECONDS, LONG = 0.25, 2.0
#: Witnesses of one changed function, and of one kind among them.
MOST_WITNESSES, MOST_OF_A_KIND = 4, 2
#: Programs of one batch that are looked at closer.
MOST_EXAMINED = 12
#: Inputs of one changed function that are told to proposers.
MOST_TRIED = 12
#: Seconds for one batch of generated programs.
PATIENCE = 1.5
#: Seconds for making one witness smaller.
SHRINKING = 3.0
#: Share of the whole time after a function's last witness, divided by how many there are, that is enough.
QUIET = 0.2
#: Differences of one test, or of one entry, that were none, after which its others are not looked at.
MOST_NOISE = 5
#: Places of one program that are tried in a test.
MOST_WRITTEN = 4
#: Tests that were written for one kind of difference and did not prove it.
MOST_REFUTED = 4


@dataclass(slots=True)
class Tally:
    """What was done for one changed function."""

    executions: int = 0
    seconds: float = 0.0
    refused: int = 0
    reached: set[str] = field(default_factory=set)  #: "module branch", at base
    tried: dict[str, None] = field(default_factory=dict)  #: some inputs, as source


class Hunt:
    """Collects witnesses. `deadline` is by `time.monotonic`."""

    def __init__(
        self,
        changed: Sequence[ChangedFunction],
        replayer: Replayer,
        deadline: float,
        progress: Callable[[str], None],
        stop: threading.Event,
    ) -> None:
        self.changed = {one.name: one for one in changed}
        self.replayer = replayer
        self.deadline = deadline
        self._seconds = deadline - time.monotonic()
        self.progress = progress
        self.stop = stop
        self.found: list[BehaviourChange] = []
        self.tallies = {name: Tally() for name in self.changed}
        self.notes: Counter[str] = Counter()
        self._kinds: Counter[tuple[str, ...]] = Counter()
        self._refuted: Counter[tuple[str, ...]] = Counter()
        self._seen: set[str] = set()
        self._noise: Counter[str] = Counter()  # differences that were none, by test or by entry
        self._chancy: set[str] = set()  # tests that do not do the same twice
        self._last: dict[str, float] = {}  # when a function showed its last witness

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self.stop.is_set() or time.monotonic() > self.deadline

    def done_with(self, name: str) -> bool:
        """Whether a function has shown enough, or nothing new for a while."""
        mine = sum(change_name(one) == name for one in self.found)
        quiet = time.monotonic() - self._last.get(name, time.monotonic())
        return mine >= MOST_WITNESSES or (mine > 0 and quiet > QUIET * self._seconds / mine)

    def consider(
        self, lane: Lane, snippets: Iterable[Snippet], patience: float = PATIENCE
    ) -> tuple[list[Snippet], list[dict[str, Any]]]:
        """Run programs on both sides, follow up those that differ; gives what ran, and base's results.

        Those for which `patience`, in seconds, is too short are left out.
        """
        fresh = []
        for given in snippets:
            snippet = given.stilled() if given.item in self._chancy and not given.is_still else given
            key = f"{snippet.item}\n{snippet.module}\n{snippet.source}"
            if key not in self._seen:
                self._seen.add(key)
                fresh.append(snippet)
        ran: list[Snippet] = []
        results: list[dict[str, Any]] = []
        until = time.monotonic() + patience
        count = 40
        while fresh and not self.over and time.monotonic() < until:
            now, fresh = fresh[:count], fresh[count:]
            began = time.monotonic()
            base, head = lane.run(now, SECONDS)
            each = (time.monotonic() - began) / len(now)
            count = max(8, min(1000, int((until - time.monotonic()) / each)))
            ran += now
            results += base
            self._follow_up(lane, now, base, head)
        return ran, results

    def _follow_up(
        self,
        lane: Lane,
        snippets: Sequence[Snippet],
        base: Sequence[Mapping[str, Any]],
        head: Sequence[Mapping[str, Any]],
    ) -> None:
        differing: list[tuple[bool, int, int, Snippet]] = []
        for snippet, was, now in zip(snippets, base, head, strict=True):
            tally = self.tallies.get(self.owner(snippet.aim))
            if tally is not None:
                tally.executions += 1
                if was["hits"] or len(tally.tried) < MOST_TRIED // 2:
                    tally.tried[snippet.source] = None
                tally.reached.update(was["hits"])
                tally.refused += bool(was["refused"] or now["refused"])
            if was["digest"] != now["digest"] and not (was["refused"] or now["refused"]):
                otherwise = (was["raised"], was["late"]) != (now["raised"], now["late"])
                noise = 0 if otherwise else self._noise[snippet.item or snippet.aim]
                if noise < MOST_NOISE:
                    differing.append((not otherwise, noise, snippet.cost, snippet))
        for *_, snippet in sorted(differing, key=lambda one: one[:3])[:MOST_EXAMINED]:
            if self.over:
                break
            self.examine(lane, snippet)

    def owner(self, aim: str) -> str:
        """The changed function that a program for `aim` is searching for."""
        if aim in self.changed:
            return aim
        for one in self.changed.values():
            if any(entry.name == aim for entry in one.entries):
                return one.name
        return next(iter(self.changed), aim)

    def looked_at(
        self, lane: Lane, snippet: Snippet, *, sure: bool = True
    ) -> tuple[list[Any], list[Any], list[Difference]]:
        """Two runs on each side, each in a fresh child, and where they differ; `sure`: wait for late ones."""
        runs = [lane.run([snippet], SECONDS, detail=True) for _ in range(2)]
        base, head = [one[0][0] for one in runs], [one[1][0] for one in runs]
        late = [one["late"] for one in (*base, *head)]
        if sure and any(late) and not all(late):
            runs = [lane.run([snippet], LONG, detail=True)]
            base, head = [one[0][0] for one in runs], [one[1][0] for one in runs]
        if any("facts" not in one and not one["late"] for one in (*base, *head)):
            return base, head, []
        if base[0].get("violates"):
            self.notes["differences that only arguments of undeclared types show"] += 1
            return base, head, []
        return base, head, differences(base, head)

    def examine(self, lane: Lane, snippet: Snippet) -> None:
        """Make a witness of a program that differs, if its kind is new."""
        base, head, found = self.looked_at(lane, snippet)
        if base[0].get("violates"):
            return
        if not found and not snippet.is_still and self._by_chance(base, head):
            if snippet.item:
                self._chancy.add(snippet.item)
            self.examine(lane, snippet.stilled())
            return
        if not found:
            self._noise[snippet.item or snippet.aim] += 1 if not snippet.item else MOST_NOISE
            self.notes["differences that a side does not repeat"] += 1
            return
        name = self._name_of(snippet, base[0])
        if not self._wanted(name, found[0]):
            return
        smaller = self.shrunk(lane, snippet, found[0])
        for one in dict.fromkeys((smaller, snippet)):
            if self.over and self.found:
                return
            base, head, found = self.looked_at(lane, one)
            found.sort(key=lambda one: not one.can_be_written)
            for difference in found[:MOST_WRITTEN]:
                if self._wanted(name, difference) and self._proved(
                    lane, one, difference, base[0], head[0], name
                ):
                    return

    def _by_chance(self, base: Sequence[Details], head: Sequence[Details]) -> bool:
        """Whether a side did not do the same twice."""
        return any(one["digest"] != side[0]["digest"] for side in (base, head) for one in side)

    def _name_of(self, snippet: Snippet, base: Mapping[str, Any]) -> str:
        reached = base.get("functions", ())
        owners = [name for name in self.changed if name in reached]
        aimed = self.owner(snippet.aim)
        if aimed in owners or not owners:
            return aimed
        return max(owners, key=lambda name: self.changed[name].risk)

    def _wanted(self, name: str, difference: Difference) -> bool:
        kind = (name, *difference.kind)
        return (
            self._kinds[kind] < MOST_OF_A_KIND
            and self._refuted[kind] < MOST_REFUTED
            and not self.done_with(name)
        )

    def _proved(
        self,
        lane: Lane,
        snippet: Snippet,
        difference: Difference,
        base: Mapping[str, Any],
        head: Mapping[str, Any],
        name: str,
    ) -> bool:
        kind = (name, *difference.kind)
        try:
            test = lane.test(snippet, difference, base)
            if mentions_private(test):
                raise Unwritable("it uses private names")
        except (Unwritable, SyntaxError) as error:
            self.notes[f"differences that no test can assert ({error})"] += 1
            self._refuted[kind] += 1
            return False
        verdict = self.replayer.verdict(test)
        if not verdict.proves:
            self._refuted[kind] += 1
            self.notes["tests that did not hold in fresh processes"] += 1
            self.rejected(test, verdict.base_message if verdict.base < 3 else "passes on head")
            return False
        self._kinds[kind] += 1
        self.add(snippet, difference, base, head, name, test)
        return True

    def rejected(self, test: str, why: str) -> None:
        """Hear of a test that proved nothing; for those who look for reasons."""

    def add(
        self,
        snippet: Snippet,
        difference: Difference,
        base: Mapping[str, Any],
        head: Mapping[str, Any],
        name: str,
        test: str,
    ) -> None:
        """Keep a witness."""
        function = self.changed[name]
        was, now = side_of(base, difference, difference.base), side_of(head, difference, difference.head)
        change = BehaviourChange(
            id=identity(function.module, function.qualname, snippet.source, was, now, difference.differs),
            path=function.path,
            module=function.module,
            qualname=function.qualname,
            line=function.lines[0],
            input=snippet.source,
            base=was,
            head=now,
            differs=difference.differs,
            test=test,
            found_by=snippet.by,
            rank=difference.rank,
        )
        if all(one.test != change.test for one in self.found):
            self.found.append(change)
            self._last[name] = time.monotonic()
            self.progress(f"{function.qualname}: {shortened(snippet.source, 80)}")

    def shrunk(self, lane: Lane, snippet: Snippet, wanted: Difference) -> Snippet:
        """A smaller program that differs in the same way."""
        until = min(time.monotonic() + SHRINKING, self.deadline + 2)
        best = snippet
        while time.monotonic() < until:
            tried = [replace(best, source=source, code="") for source in reductions(best.source)]
            tried = sorted((one for one in tried if one.cost < best.cost), key=lambda one: one.cost)
            base, head = lane.run(tried, SECONDS) if tried else ([], [])
            differing = [
                one for one, was, now in zip(tried, base, head, strict=True) if was["digest"] != now["digest"]
            ]
            better = None
            for one in differing[:6]:
                _, _, found = self.looked_at(lane, one, sure=False)
                if found and found[0].kind == wanted.kind:
                    better = one
                    break
                if time.monotonic() > until:
                    break
            if better is None:
                break
            best = better
        return best


def change_name(change: BehaviourChange) -> str:
    """The changed function, as "package.module:Class.method"."""
    return f"{change.module}:{change.qualname}"


def side_of(details: Mapping[str, Any], difference: Difference, text: str) -> Side:
    """What one side did, for people."""
    outcome: Outcome = "returned"
    if details["late"]:
        outcome = "timed_out"
    elif details.get("crashed"):
        outcome = "crashed"
    elif details["error"] is not None:
        outcome = "raised"
    arguments = text if difference.differs == "arguments" else ""
    whole = shown(details) if difference.differs in ("arguments", "output", "warnings") else text
    return Side(
        outcome,
        shortened(whole or text),
        shortened(details.get("output", "")),
        tuple(shortened(one) for one in details.get("warned", ())),
        shortened(arguments),
    )

"""From programs on which both sides differ to witnesses: examined, shrunk, written, proved."""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from pytest_moa.proof.behaviour import ACCIDENT, BehaviourChange
from pytest_moa.proof.changes import ChangedFunction
from pytest_moa.proof.clock import Clock, TimeIsOver
from pytest_moa.proof.difference import Details, Difference, differences
from pytest_moa.proof.kept import Kept, change_name
from pytest_moa.proof.lane import Lane, mentions_private
from pytest_moa.proof.reducing import reduced
from pytest_moa.proof.replaying import Replayer
from pytest_moa.proof.sighting import (
    ACCIDENTS,
    CHANCY,
    UNDECLARED,
    UNSTABLE,
    Group,
    Note,
    Sighting,
    is_accident,
    is_meant,
)
from pytest_moa.proof.snippet import Snippet
from pytest_moa.proof.texts import shortened
from pytest_moa.proof.writing import Unwritable

#: Seconds for one program, and for one that is late, to be sure.
SECONDS, LONG = 0.25, 2.0
#: Programs of one batch that are looked at closer, and those among them on which head raises the same.
MOST_EXAMINED, MOST_RAISING = 12, 5
#: Smaller programs of one step that are looked at closer.
MOST_REDUCED = 6
#: Inputs of one changed function that are told to proposers.
MOST_TRIED = 12
#: Seconds for one batch of generated programs.
PATIENCE = 1.5
#: Seconds for making one witness smaller.
SHRINKING = 3.0
#: Differences of one test, or of one entry, that were none, after which its others are not looked at.
MOST_NOISE = 5
#: Places of one program that are tried in a test.
MOST_WRITTEN = 4
#: Programs of a kind that showed nothing new after which few of one batch are looked at; how few those are.
MOST_FRUITLESS, MOST_OF_THE_POOR = 8, 1


@dataclass(slots=True)
class Tally:
    """What was done for one changed function."""

    executions: int = 0
    seconds: float = 0.0
    refused: int = 0
    reached: set[str] = field(default_factory=set)  #: "module branch", at base
    tried: dict[str, None] = field(default_factory=dict)  #: some inputs, as source


class Hunt:
    """Collects witnesses, as long as `clock` says; each is told to `tell` when it is proved."""

    def __init__(
        self,
        changed: Sequence[ChangedFunction],
        replayer: Replayer,
        clock: Clock,
        progress: Callable[[str], None],
        tell: Callable[[BehaviourChange], None],
    ) -> None:
        self.changed = {one.name: one for one in changed}
        self.replayer = replayer
        self.clock = clock
        self.progress = progress
        self.branches: dict[str, frozenset[str]] = {}  #: "module branch", by changed function, at base
        self.pending: list[Sighting] = []  #: seen, and not proved for want of time
        self._accidents: dict[str, Sighting] = {}  # the least witnesses, for who has no other
        self.kept = Kept(clock.left(), tell)
        self.tallies = {name: Tally() for name in self.changed}
        self.notes: Counter[Note] = Counter()
        self._seen: set[str] = set()
        self._noise: Counter[str] = Counter()  # differences that were none, by test or by entry
        self._fruitless: Counter[Group] = Counter()  # sightings that showed nothing new
        self._chancy: set[str] = set()  # files with tests that do not do the same twice

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return self.clock.over

    def consider(
        self, lane: Lane, snippets: Iterable[Snippet], patience: float = PATIENCE
    ) -> tuple[list[Snippet], list[dict[str, Any]]]:
        """Run programs on both sides, follow up those that differ; gives what ran, and base's results.

        Those for which `patience` is too short, in seconds of running them, are left out for this time.
        """
        fresh: dict[str, Snippet] = {}
        for given in snippets:
            snippet = given.stilled() if self._is_chancy(given) else given
            key = f"{snippet.item}\n{snippet.module}\n{snippet.source}"
            if key not in self._seen:
                fresh.setdefault(key, snippet)
        left = list(fresh.items())
        ran: list[Snippet] = []
        results: list[dict[str, Any]] = []
        count = 40
        while left and not self.over and patience > 0:
            keys, now = zip(*left[:count], strict=True)
            left = left[count:]
            self._seen.update(keys)
            began = time.monotonic()
            base, head = lane.run(now, SECONDS)
            took = time.monotonic() - began
            patience -= took
            count = max(8, min(1000, int(patience * len(now) / took)))
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
        differing: defaultdict[Group, list[tuple[int, Snippet]]] = defaultdict(list)
        for snippet, was, now in zip(snippets, base, head, strict=True):
            if was.get("fault") or now.get("fault"):
                continue
            name = self.owner(snippet.aim)
            tally = self.tallies.get(name)
            if tally is not None:
                tally.executions += 1
                if was["hits"] or len(tally.tried) < MOST_TRIED // 2:
                    tally.tried[snippet.source] = None
                tally.reached.update(was["hits"])
                tally.refused += bool(was["refused"] or now["refused"])
            if was["digest"] != now["digest"] and not (was["refused"] or now["refused"]):
                group = (name, was["raised"], was["late"], now["raised"], now["late"])
                noise = self._noise[snippet.item or snippet.aim]
                if noise < MOST_NOISE or group[1:3] != group[3:]:
                    differing[group].append((noise, snippet))
        sightings: list[Sighting] = []
        try:
            for group, snippet in self._chosen(differing):
                if self.over:
                    break
                sighting = self.sighted(lane, snippet)
                if sighting is not None:
                    sightings.append(sighting)
                elif not self._is_chancy(snippet):
                    self._fruitless[group] += 1
            sightings.sort(key=lambda one: one.order)
            while sightings:
                self.settle(sightings.pop(0))
        except TimeIsOver:
            self.pending += sightings
            raise

    def _chosen(
        self, differing: Mapping[Group, Sequence[tuple[int, Snippet]]]
    ) -> list[tuple[Group, Snippet]]:
        """Programs to look at closer: of each kind of difference in turn the shortest, accidents last."""
        kinds = []
        for group, found in differing.items():
            accident = group[1] in ACCIDENTS
            poor = accident or self._fruitless[group] >= MOST_FRUITLESS
            ordered = [one for _, one in sorted(found, key=lambda one: (one[0], one[1].cost))]
            few = ordered[: MOST_OF_THE_POOR if poor else MOST_RAISING if group[3] else MOST_EXAMINED]
            kinds.append((accident, poor, [(group, one) for one in few]))
        kinds.sort(key=lambda one: one[:2])
        turns = [one for turn in zip_longest(*(few for *_, few in kinds)) for one in turn]
        return [one for one in turns if one is not None][:MOST_EXAMINED]

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
            self.notes[UNDECLARED] += 1
            return base, head, []
        return base, head, differences(base, head)

    def sighted(self, lane: Lane, snippet: Snippet) -> Sighting | None:
        """What a program that differs shows, if both sides repeat it and its kind is new."""
        base, head, found = self.looked_at(lane, snippet)
        if base[0].get("violates"):
            return None
        if not found and not snippet.is_still and self._by_chance(base, head):
            if snippet.item:
                self._chancy.add(snippet.item.partition("::")[0])
            return self.sighted(lane, snippet.stilled())
        if not found:
            if any(one["digest"] != base[0]["digest"] for one in (*base, *head)):  # else it stands still now
                self._noise[snippet.item or snippet.aim] += 1 if not snippet.item else MOST_NOISE
                self.notes[CHANCY] += 1
            return None
        name = self._name_of(snippet, base[0])
        sighting = self._sighting(lane, snippet, name, found[0], base[0])
        if self._is_ill_typed(snippet, name, base[0], head[0]):
            return None
        if is_accident(base[0]):
            if head[0]["error"] is None:
                least = replace(sighting, difference=replace(found[0], rank=ACCIDENT))
                self._accidents.setdefault(name, least)
            return None
        return sighting if self.kept.wants(sighting) else None

    def _is_ill_typed(
        self, snippet: Snippet, name: str, base: Mapping[str, Any], head: Mapping[str, Any]
    ) -> bool:
        """Whether base refuses a guess, and one side says no more than that its type is a wrong one."""
        refused = is_accident(base) or (base.get("error") is not None and is_accident(head))
        return refused and not is_meant(snippet, self.changed[name])

    def _sighting(
        self, lane: Lane, snippet: Snippet, name: str, difference: Difference, base: Mapping[str, Any]
    ) -> Sighting:
        own = self.branches.get(name, frozenset())
        return Sighting(lane, snippet, name, difference, own.intersection(base.get("hits", ())))

    def settle(self, sighting: Sighting) -> None:
        """Make a witness of what was seen; without the time for it, it is pending."""
        if self.over:
            self.pending.append(sighting)
            return
        if not self.kept.wants(sighting):
            return
        try:
            self._settled(sighting)
        except TimeIsOver:
            self.pending.append(sighting)
            raise

    def _settled(self, sighting: Sighting) -> None:
        lane, snippet, name = sighting.lane, sighting.snippet, sighting.name
        smaller = self.shrunk(lane, snippet, sighting.difference)
        for one in dict.fromkeys((smaller, snippet)):
            base, head, found = self.looked_at(lane, one)
            found.sort(key=lambda one: not one.can_be_written)
            for difference in found[:MOST_WRITTEN]:
                if sighting.difference.rank == ACCIDENT:
                    difference = replace(difference, rank=ACCIDENT)
                elif is_accident(base[0]) or self._is_ill_typed(one, name, base[0], head[0]):
                    continue
                seen = self._sighting(lane, one, name, difference, base[0])
                if self.kept.wants(seen):
                    if self._proved(seen, base[0], head[0]):
                        return
                elif difference.rank > sighting.difference.rank:
                    return  # a plainer program shows the same, and has been found before

    def finish(self) -> None:
        """Prove what is pending, the best first, then accidents where nothing better was found."""
        waiting, self.pending = sorted(self.pending, key=lambda one: one.order), []
        for sighting in waiting:
            if not self.pending:
                with contextlib.suppress(TimeIsOver):
                    self.settle(sighting)
            else:
                self.pending.append(sighting)

    def finish_accidents(self) -> None:
        """Prove the least of witnesses for functions that have shown no other."""
        known = {change_name(one) for one in self.kept.found}
        for name, sighting in self._accidents.items():
            if name not in known and not self.over:
                with contextlib.suppress(TimeIsOver):
                    self.settle(sighting)

    def _is_chancy(self, snippet: Snippet) -> bool:
        """Whether chance and the clock should stand still in it, as in others of its file, and do not."""
        return snippet.item.partition("::")[0] in self._chancy and not snippet.is_still

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

    def _proved(self, seen: Sighting, base: Mapping[str, Any], head: Mapping[str, Any]) -> bool:
        try:
            test = seen.lane.test(seen.snippet, seen.difference, base)
            if mentions_private(test):
                raise Unwritable("it uses private names")
        except (Unwritable, SyntaxError) as error:
            self.notes[
                Note(
                    f"difference was left out: no test can assert it ({error})",
                    f"differences were left out: no test can assert them ({error})",
                )
            ] += 1
            self.kept.refuted(seen)
            return False
        verdict = self.replayer.verdict(test)
        if not verdict.proves:
            self.kept.refuted(seen)
            self.notes[UNSTABLE] += 1
            self.rejected(test, verdict.base_message if verdict.base < 3 else "passes on head")
            return False
        self.kept.proved(seen, self.changed[seen.name], test, base, head)
        self.progress(f"{self.changed[seen.name].qualname}: {shortened(seen.snippet.source, 80)}")
        return True

    def rejected(self, test: str, why: str) -> None:
        """Hear of a test that proved nothing; for those who look for reasons."""

    def shrunk(self, lane: Lane, snippet: Snippet, wanted: Difference) -> Snippet:
        """A smaller program that differs in the same way."""
        until = time.monotonic() + min(SHRINKING, self.clock.left() / 3)

        def over() -> bool:
            return time.monotonic() > until or self.clock.stop.is_set()

        def first(tried: Sequence[Snippet]) -> Snippet | None:
            base, head = lane.run(tried, SECONDS)
            differing = [
                one for one, was, now in zip(tried, base, head, strict=True) if was["digest"] != now["digest"]
            ]
            for one in differing[:MOST_REDUCED]:
                _, _, found = self.looked_at(lane, one, sure=False)
                if found and (found[0].kind == wanted.kind or found[0].rank > wanted.rank):
                    return one
                if over():
                    break
            return None

        return reduced(snippet, first, over)

"""From a ledger to suggestions: facts choose, votes only keep out what asserts a wrong value.

Everything here is a pure function of the ledger, so that a replay gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.arranging import Arranged, Arranging
from pytest_moa.suggest.brief import Brief
from pytest_moa.suggest.judging import Judged, body_of, expectations, observed_note
from pytest_moa.suggest.selection import Offer, Tables, arranged
from pytest_moa.suggest.voices import Voice
from pytest_moa.suggestions import (
    Control,
    Facts,
    JudgedCandidate,
    Opinion,
    Suggestion,
    Suggestions,
    SuspectedBug,
    TargetOutcome,
)


@dataclass(frozen=True)
class Gaps:
    """What existing tests leave open: mutants by id, branches as "module branch"."""

    briefs: tuple[Brief, ...]
    voices: Mapping[str, Voice]
    most: int  #: suggestions
    left_out: dict[str, str] = field(default_factory=dict)  #: why the linter keeps candidates out, by key

    def new_kills(self, kills: Iterable[str]) -> frozenset[str]:
        """Those of the mutants that no existing test kills."""
        return frozenset(kills) & self._open_mutants

    def new_branches(self, candidate: Candidate, branches: Iterable[str]) -> frozenset[str]:
        """Those of a candidate's branches that are a target's and that no existing test takes."""
        module = candidate.target.partition(":")[0]
        taken = frozenset(branches)
        return frozenset(
            f"{module} {branch}"
            for brief in self.briefs
            if brief.target.module == module
            for branch in (taken & set(brief.branches)) - set(brief.reached)
        )

    def offer(self, one: Judged) -> Offer:
        """What a candidate brings, and what reading it costs: objections first, then length."""
        return Offer(
            one.key,
            self.new_kills(one.executed.kills),
            self.new_branches(one.candidate, one.executed.branches),
            (
                len(one.problems) + one.vote.disputed,
                one.candidate.case is None,
                len(one.candidate.support) + len(one.candidate.source),
            ),
        )

    @cached_property
    def signatures(self) -> dict[str, Mapping[str, Sequence[str]]]:
        """Names of parameters, by target and by what its tests call."""
        return {brief.id: brief.signatures for brief in self.briefs}

    @cached_property
    def _open_mutants(self) -> frozenset[str]:
        return frozenset[str]().union(*(set(brief.mutants) - set(brief.killed) for brief in self.briefs))


def conclude(candidates: Mapping[str, Judged], gaps: Gaps, objections: Sequence[str] = ()) -> Suggestions:
    """The suggestions that these candidates amount to; what is not among them is listed with the reason."""
    eligible = [one for one in candidates.values() if _is_eligible(one, gaps)]
    tests = select(eligible, gaps)
    suggestions = [_suggestion(test, candidates, gaps) for test in tests]
    bugs = [_suspected(one) for one in candidates.values() if _is_suspected(one)]
    in_test = {key: test.candidate.id for test in tests for key in test.parts}
    covered = {key: _covering(one, suggestions, gaps) for key, one in candidates.items()}
    return Suggestions(
        suggestions=tuple(suggestions),
        suspected_bugs=tuple(bugs),
        candidates=tuple(
            JudgedCandidate(
                candidate=one.candidate,
                status=one.executed.status,
                proposed_by=one.authors,
                message=one.executed.message,
                branches=tuple(sorted(one.executed.branches)),
                kills=tuple(sorted(one.executed.kills)),
                seconds=one.executed.seconds,
                fate="; ".join(
                    filter(
                        None,
                        [
                            _fate(one, in_test.get(key, ""), covered[key], gaps.left_out.get(key, "")),
                            observed_note([one]),
                            _followed(one),
                        ],
                    )
                ),
            )
            for key, one in candidates.items()
        ),
        targets=tuple(outcomes(gaps.briefs, suggestions)),
        status="complete" if suggestions or bugs else "nothing",
        controls=controls(eligible, gaps, tests),
        warnings=tuple(objections),
    )


def select(candidates: Sequence[Judged], gaps: Gaps) -> list[Arranged]:
    """The tests to suggest, most useful first: a table of alike cases counts as one."""
    offers = {one.key: gaps.offer(one) for one in candidates}
    arranging = Arranging(
        {one.key: one.candidate for one in candidates},
        gaps.signatures,
        {one.key: one.name for one in candidates if one.name},
    )
    return arranging.tests(
        arranged(_once(offers, arranging), Tables(arranging.family, arranging.joins), gaps.most), gaps.most
    )


def outcomes(briefs: Sequence[Brief], suggestions: Sequence[Suggestion]) -> list[TargetOutcome]:
    """Each target's mutants and branches before and after the suggestions."""
    kills = {mutant for one in suggestions for mutant in one.facts.kills}
    found = []
    for brief in briefs:
        before = set(brief.killed) & set(brief.mutants)
        after = before | (kills & set(brief.mutants))
        reached = set(brief.reached) & set(brief.branches)
        taken = {
            branch
            for one in suggestions
            if one.candidate.target.partition(":")[0] == brief.target.module
            for branch in one.facts.branches
        }
        found.append(
            TargetOutcome(
                target=brief.target,
                mutants=len(brief.mutants),
                killed_before=len(before),
                killed_after=len(after),
                branches=len(brief.branches),
                reached_before=len(reached),
                reached_after=len(reached | (taken & set(brief.branches))),
                survivors=tuple(mutant for mutant in brief.mutants if mutant not in after),
            )
        )
    return found


def controls(candidates: Sequence[Judged], gaps: Gaps, tests: Sequence[Arranged]) -> tuple[Control, ...]:
    """What parts of the committee would have reached alone, with as many tests: from the same kill matrix."""
    by_key = {one.key: gaps.offer(one) for one in candidates}

    def control(name: str, some: Sequence[Arranged]) -> Control:
        offers = [by_key[key] for test in some for key in test.parts]
        kills = frozenset[str]().union(*(offer.kills for offer in offers))
        branches = frozenset[str]().union(*(offer.branches for offer in offers))
        return Control(name, len(kills), len(branches), len(some))

    def alone(members: Collection[str]) -> list[Arranged]:
        return select([one for one in candidates if set(one.authors) & set(members)], gaps)

    def best(kind: str, members: Collection[str]) -> Control:
        single = [
            control(f"best single {kind} ({name}, {gaps.voices[name].samples} samples)", alone([name]))
            for name in members
        ]
        return max(single, key=lambda one: (one.kills, one.branches))

    chat = [name for name, voice in gaps.voices.items() if not voice.deterministic]
    tools = [name for name, voice in gaps.voices.items() if voice.deterministic]
    found = [control("committee", tests)]
    if tools:
        found.append(control("deterministic members alone", alone(tools)))
    if chat:
        found.append(best("model", chat))
    if gaps.voices:
        found.append(best("member", list(gaps.voices)))
    kills = frozenset[str]().union(*(offer.kills for offer in by_key.values()))
    branches = frozenset[str]().union(*(offer.branches for offer in by_key.values()))
    found.append(Control("all candidates that pass", len(kills), len(branches), len(by_key)))
    return tuple(found)


def _once(offers: Mapping[str, Offer], arranging: Arranging) -> list[Offer]:
    """The offers without those that call the same in the same way as one that kills as much."""
    best: dict[Hashable, Offer] = {}
    for key, offer in offers.items():
        known = best.setdefault(arranging.does(key), offer)
        if (-len(offer.kills), offer.burden) < (-len(known.kills), known.burden):
            best[arranging.does(key)] = offer
    return list(best.values())


def _is_eligible(one: Judged, gaps: Gaps) -> bool:
    return one.executed.status == "passes" and not one.is_disputed and one.key not in gaps.left_out


def _is_suspected(one: Judged) -> bool:
    """Whether a failing test speaks of a bug: documentation, a second family or a second look holds it."""
    if one.executed.status != "fails" or one.is_disputed or one.ruling is not None:
        return False
    seconded = any(stance.position == "agree" for stance in one.stances)
    return one.is_claimed or ((one.vote.held > 1 or seconded) and one.vote.held > one.vote.disputed)


def _suggestion(test: Arranged, candidates: Mapping[str, Judged], gaps: Gaps) -> Suggestion:
    parts = [candidates[key] for key in test.parts]
    offers = [gaps.offer(one) for one in parts]
    # Who proposed what a part was made from is named, and so is who made it better.
    hardened = [one for one in parts if any(origin in candidates for origin in one.hardens)]
    origins = [candidates[origin] for one in hardened for origin in one.hardens if origin in candidates]
    proposers = [*(author for one in parts if one not in hardened for author in one.authors)]
    proposers += [author for one in origins for author in one.authors]
    seen = any(not one.items for one in parts)  # its value was observed, as those of tools are
    solid = seen or any(_is_tool(author, gaps.voices) for one in parts for author in one.authors)
    held = solid or all(one.vote.held > 1 for one in parts)
    opinions = [
        Opinion(author, "dispute", f"expected {text}; what the code gives was observed")
        for author, text in expectations(parts).items()
    ]
    return Suggestion(
        candidate=test.candidate,
        facts=Facts(
            branches=tuple(sorted(_bare(frozenset[str]().union(*(offer.branches for offer in offers))))),
            kills=tuple(sorted(frozenset[str]().union(*(offer.kills for offer in offers)))),
            seconds=round(sum(one.executed.seconds for one in parts), 4),
        ),
        proposed_by=tuple(dict.fromkeys(proposers)),
        hardened_by=tuple(dict.fromkeys(author for one in hardened for author in one.authors)),
        disputed_by=tuple(dict.fromkeys(member for one in parts for member in one.disputed_by)),
        standing="confirmed" if held else "minority",
        says="; ".join(filter(None, [test.candidate.says, observed_note(parts)])),
        opinions=tuple(dict.fromkeys([*opinions, *(opinion for one in parts for opinion in one.opinions)])),
        made_of=tuple(one.candidate.id for one in parts),
    )


def _suspected(one: Judged) -> SuspectedBug:
    return SuspectedBug(
        candidate=one.candidate,
        message=one.executed.message,
        proposed_by=one.authors,
        disputed_by=one.disputed_by,
        opinions=one.opinions,
        says=one.candidate.says,
    )


def _covering(one: Judged, suggestions: Sequence[Suggestion], gaps: Gaps) -> str:
    """The id of the suggestion that brings most of what a candidate brings, "" if none brings any."""
    offer = gaps.offer(one)
    best, most = "", 0
    for suggestion in suggestions:
        shared = len(offer.kills & set(suggestion.facts.kills)) + len(
            _bare(offer.branches) & set(suggestion.facts.branches)
        )
        if shared > most:
            best, most = suggestion.id, shared
    return best


def _fate(one: Judged, test: str, covering: str, left_out: str) -> str:
    refused = next((body_of(item).refused for item in one.items if body_of(item).refused), "")
    if refused:
        return f"not executed: it {refused}"
    match one.executed.status:
        case "passes" if test:
            return "suggested" if test == one.candidate.id else f"suggested as a part of {test}"
        case "passes" if one.is_disputed:
            return f"disputed by {', '.join(one.disputed_by)}, so not selected"
        case "passes" if left_out:
            return f"left out, as the linter refuses it: {left_out}"
        case "passes" if covering:
            return f"adds nothing to {covering}"
        case "passes":
            return "adds nothing to the existing tests"
        case "fails" if _is_suspected(one):
            return "shown as a suspected bug"
        case "fails" if one.stances:
            return "fails, and nobody but its proposer holds that it should pass"
        case "fails":
            return "fails, and nobody else has looked at it"
        case "vacuous":
            return "passes whatever the target does"
        case "unjudged":
            return one.executed.message
    return one.executed.status


def _followed(one: Judged) -> str:
    """Which tests hold what a failing one's calls give instead."""
    tests = " and ".join(test.id for test in one.executed.observed)
    return f"what the code gives instead was observed: {tests}" if tests else ""


def _bare(branches: Iterable[str]) -> frozenset[str]:
    """Branches without the module in front."""
    return frozenset(branch.partition(" ")[2] for branch in branches)


def _is_tool(name: str, voices: Mapping[str, Voice]) -> bool:
    return name in voices and voices[name].deterministic

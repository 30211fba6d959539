"""Which findings are one: those that agree, and those that an aggregator takes for the same claim."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from moa_engine.agreement import Claim, clusters
from moa_engine.ledger import Fact, Item, Settled, Stance
from review_bot.anchors import Anchors, Place
from review_bot.finding import Finding
from review_bot.standing import Voice, is_tool

#: Lines of one file between findings that an aggregator may still unite: about a function's length.
REACH = 25

#: Characters of a body that count when claims are compared: the claim comes first, examples later.
_CLAIM = 1000

Group = list[Item]
ThingT = TypeVar("ThingT", Stance, Fact)
_Where = tuple[str, int | None, int | None]


def body_of(item: Item) -> Finding:
    """The finding that an item of a review's ledger holds."""
    if not isinstance(item.body, Finding):
        raise TypeError(f"item {item.id} holds no finding but {type(item.body).__name__}")
    return item.body


def place_of(finding: Finding) -> Place:
    """Where a finding is."""
    return Place(finding.path, finding.side, finding.start_line, finding.line)


def claim_of(finding: Finding) -> str:
    """What a finding says, as far as it is compared with others."""
    return f"{finding.title}\n{finding.body[:_CLAIM]}"


def by_item(things: Iterable[ThingT]) -> defaultdict[str | None, list[ThingT]]:
    """Stances or facts by the id of their item; under None what is about no item."""
    found: defaultdict[str | None, list[ThingT]] = defaultdict(list)
    for thing in things:
        found[thing.item].append(thing)
    return found


def group(items: Sequence[Item], anchors: Anchors) -> list[Group]:
    """The items in groups that make the same claim about the same place.

    Who lists two things in one answer means two things; answers about two parts of a change may repeat one.
    """
    voices: defaultdict[str, set[str]] = defaultdict(set)
    for item in items:
        voices[body_of(item).path].add(_voice(item))
    by_key = {f"{item.id}.{number}": item for number, item in enumerate(items)}
    claims = []
    for key, item in by_key.items():
        place = place_of(body_of(item))
        path, start, end = anchors.at_head(place)
        scope = anchors.scope(place) if len(voices[path]) > 1 else ""  # reading the file takes a while
        claims.append(Claim(key, path, start, end, claim_of(body_of(item)), _voice(item), scope))
    return [[by_key[key] for key in keys] for keys in clusters(claims)]


def _voice(item: Item) -> str:
    return f"{item.author} {item.layer} {item.sample} {item.generation}"


def united(
    groups: Sequence[Group], decided: Iterable[Settled], anchors: Anchors, voices: Mapping[str, Voice]
) -> tuple[list[Group], list[str]]:
    """The groups, with those made one that an aggregator calls the same, and what of it is refused.

    Only `merged` unites: a list of what to keep or to drop does not say that it is all the same. Code
    checks that what is united is in one place, and that no tool's finding disappears behind another
    one of the same tool.
    """
    at = {item.id: number for number, items in enumerate(groups) for item in items}
    where = {item.id: anchors.at_head(place_of(body_of(item))) for items in groups for item in items}
    tools = [{item.author for item in items if is_tool(voices, item.author)} for items in groups]
    home = list(range(len(groups)))

    def root(number: int) -> int:
        while home[number] != number:
            home[number] = home[home[number]]
            number = home[number]
        return number

    refused = []
    for settled in decided:
        if settled.verdict != "merged":
            continue
        apart = []
        for one, other in pairwise(sorted(settled.ids, key=lambda item: _sortable(where[item]))):
            first, second = sorted((root(at[one]), root(at[other])))
            if first == second:
                continue
            if not _within_reach(where[one], where[other]) or tools[first] & tools[second]:
                apart.append(f"{one} and {other}")
                continue
            home[second] = first
            tools[first] |= tools[second]
        if apart:
            refused.append(f"{settled.by}: not one finding, so not merged: {', '.join(apart)}")
    whole: defaultdict[int, Group] = defaultdict(list)
    for number, items in enumerate(groups):
        whole[root(number)] += items
    return list(whole.values()), refused


def _sortable(where: _Where) -> tuple[str, int, int]:
    return (where[0], where[1] or 0, where[2] or 0)


def _within_reach(one: _Where, other: _Where) -> bool:
    if one[0] != other[0]:
        return False
    return one[2] is None or other[1] is None or other[1] - one[2] <= REACH

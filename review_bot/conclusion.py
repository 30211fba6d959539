"""From a ledger to a review: claims that agree become one finding, and each finding gets its standing.

This is the whole of the deterministic aggregator. An aggregator's synthesis can add to it: unite
findings of one place that share no words, dispute or reject with a reason, bring findings of its own.
It can remove nothing; what it tries beyond that is refused and listed as an objection.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from moa_engine.agreement import Claim, clusters, cosine, vectors
from moa_engine.ledger import Decision, Fact, Item, Ledger, Settled, Stance, settle
from review_bot.anchors import Anchors, Place
from review_bot.finding import SEVERITIES, Finding, ReportedFinding, Review, Severity, Standing
from review_bot.standing import Ruling, Standpoint, Voice, stand

#: The order in which findings are reported.
_ORDER: tuple[Standing, ...] = ("confirmed", "disputed", "minority", "rejected")

#: Lines of one file between findings that an aggregator may still unite: about a function's length.
_REACH = 25

#: Characters of a body that count when claims are compared: the claim comes first, examples later.
_CLAIM = 1000

ADDED = "added by the aggregator"

Group = list[Item]


@dataclass(frozen=True, slots=True)
class Rulings:
    """What an aggregator said: decisions on the ledger's items, and items of its own."""

    by: str = ""
    decisions: Sequence[Decision] = ()
    added: Sequence[Item] = ()


def conclude(
    ledger: Ledger,
    anchors: Anchors,
    voices: Mapping[str, Voice],
    rulings: Rulings | None = None,
    objections: Iterable[str] = (),
) -> Review:
    """The review that this ledger amounts to; without rulings, by cluster, count and rank alone."""
    rulings = rulings or Rulings()
    refused = list(objections)
    settlement = settle(ledger.items, rulings.decisions, rulings.by)
    refused.extend(f"{rulings.by}: {objection}" for objection in settlement.objections)
    decided = [settled for settled in settlement.groups if settled.by]
    groups = _united(group([*ledger.items, *rulings.added], anchors), decided, anchors, refused)
    on_item = {item: settled for settled in decided for item in settled.ids}
    own = {item.id for item in rulings.added}
    stances, facts = by_item(ledger.stances), by_item(ledger.facts)
    reported = []
    for items in groups:
        heard = [item for item in items if item.id not in own]
        ruling = _ruling([on_item.get(item.id) for item in heard])
        said = [stance for item in heard for stance in stances[item.id]]
        known = [fact for item in heard for fact in facts[item.id]]
        point = stand(heard or items, said, known, voices, ruling)
        finding = _finding(items, heard or items, said, known, point, ruling, anchors, voices)
        if not heard:
            finding = finding.model_copy(update={"reason": ADDED})
        elif ruling is not None and point.standing == "confirmed":
            refused.append(f"{ruling.by}: {finding.title!r} stands on a tool or evidence, so it is kept")
        reported.append((finding, point.votes))
    return Review(findings=_ranked(reported), objections=list(dict.fromkeys(refused)))


def group(items: Sequence[Item], anchors: Anchors) -> list[Group]:
    """The items in groups that make the same claim about the same place."""
    by_key = {f"{item.id}.{number}": item for number, item in enumerate(items)}
    claims = []
    for key, item in by_key.items():
        body = body_of(item)
        path, start, end = anchors.at_head(place_of(body))
        text = f"{body.title}\n{body.body[:_CLAIM]}"
        claims.append(Claim(key, path, start, end, text, voice=f"{item.author} {item.layer} {item.sample}"))
    return [[by_key[key] for key in keys] for keys in clusters(claims)]


def body_of(item: Item) -> Finding:
    """The finding that an item of a review's ledger holds."""
    if not isinstance(item.body, Finding):
        raise TypeError(f"item {item.id} holds no finding but {type(item.body).__name__}")
    return item.body


def place_of(finding: Finding) -> Place:
    """Where a finding is."""
    return Place(finding.path, finding.side, finding.start_line, finding.line)


ThingT = TypeVar("ThingT", Stance, Fact)


def by_item(things: Iterable[ThingT]) -> defaultdict[str | None, list[ThingT]]:
    """Stances or facts by the id of their item; under None what is about no item."""
    found: defaultdict[str | None, list[ThingT]] = defaultdict(list)
    for thing in things:
        found[thing.item].append(thing)
    return found


def _united(
    groups: list[Group], decided: Iterable[Settled], anchors: Anchors, refused: list[str]
) -> list[Group]:
    """The groups, with those made one that an aggregator takes for the same claim, within a place."""
    home = {item.id: number for number, items in enumerate(groups) for item in items}
    merged = list(range(len(groups)))

    def root(number: int) -> int:
        while merged[number] != number:
            number = merged[number]
        return number

    where = {item.id: anchors.at_head(place_of(body_of(item))) for items in groups for item in items}
    for settled in decided:
        if (
            settled.verdict != "merged"
        ):  # a list of what to keep or to drop does not say that it is all the same
            continue
        apart = []
        for one, other in pairwise(sorted(settled.ids, key=lambda item: _sortable(where[item]))):
            if _within_reach(where[one], where[other]):
                first, second = sorted((root(home[one]), root(home[other])))
                merged[second] = first
            else:
                apart.append(f"{one} and {other}")
        if apart:
            refused.append(f"{settled.by}: not in one place, so not merged: {', '.join(apart)}")
    united: dict[int, Group] = {}
    for number, items in enumerate(groups):
        united.setdefault(root(number), []).extend(items)
    return list(united.values())


_Where = tuple[str, int | None, int | None]


def _sortable(where: _Where) -> tuple[str, int, int]:
    return (where[0], where[1] or 0, where[2] or 0)


def _within_reach(one: _Where, other: _Where) -> bool:
    if one[0] != other[0]:
        return False
    if one[2] is None or other[1] is None:
        return True
    return other[1] - one[2] <= _REACH


def _ruling(decided: Sequence[Settled | None]) -> Ruling | None:
    """What an aggregator's decisions on the items of one finding say against it, if they do.

    Who keeps one item and rejects another that says the same has only dropped a duplicate.
    """
    against = [settled for settled in decided if settled and settled.verdict in ("disputed", "rejected")]
    kept = any(settled and settled.verdict in ("kept", "merged") for settled in decided)
    reason = "; ".join(dict.fromkeys(settled.reason for settled in against if settled.reason))
    if kept or not reason:
        return None
    rejected = all(settled and settled.verdict == "rejected" for settled in decided)
    return Ruling("rejected" if rejected else "disputed", reason, against[0].by)


def _finding(
    items: Group,
    heard: Group,
    said: Sequence[Stance],
    known: Sequence[Fact],
    point: Standpoint,
    ruling: Ruling | None,
    anchors: Anchors,
    voices: Mapping[str, Voice],
) -> ReportedFinding:
    """One finding, in the words of the item that speaks best for all; the others' words are kept."""
    by_merit = _by_merit(heard, voices)
    lead, *others = by_merit
    body = body_of(lead)
    place = place_of(body)
    suggestion = next(
        (
            twin.suggestion
            for item in by_merit
            if place_of(twin := body_of(item)) == place and twin.suggestion
        ),
        None,
    )
    stances = [{"member": stance.member, "position": stance.position, "why": stance.why} for stance in said]
    if ruling is not None:
        stances.append({"member": ruling.by, "position": "dispute", "why": ruling.reason})
    return ReportedFinding(
        id=_fingerprint(body, anchors.code(place)),
        path=body.path,
        side=body.side,
        start_line=body.start_line,
        line=body.line,
        severity=_severity(heard, voices),
        category=body.category,
        title=body.title,
        body=body.body,
        suggestion=suggestion,
        standing=point.standing,
        reason=point.reason,
        raised_by=list(point.raised_by),
        seconded_by=list(point.seconded_by),
        disputed_by=list(point.disputed_by),
        evidence=_distinct(
            [*(piece for item in heard for piece in body_of(item).evidence), *map(_evidence, known)]
        ),
        rule=body.rule,
        stances=_distinct(stances),
        merged=[_merged(item) for item in [*others, *(item for item in items if item not in heard)]],
    )


def _by_merit(items: Group, voices: Mapping[str, Voice]) -> Group:
    """Tools first, then who names lines, then whose words are most like everybody's."""
    texts = vectors([f"{body_of(item).title}\n{body_of(item).body[:_CLAIM]}" for item in items])

    def merit(numbered: tuple[int, Item]) -> tuple[bool, bool, float, int, str]:
        number, item = numbered
        body = body_of(item)
        tool = _is_tools(item, voices)
        likeness = sum(sorted(cosine(texts[number], text) for text in texts))
        return (not tool, body.line is None, -round(likeness, 6), SEVERITIES.index(body.severity), item.id)

    return [item for _, item in sorted(enumerate(items), key=merit)]


def _severity(items: Group, voices: Mapping[str, Voice]) -> Severity:
    """What tools say, else reviewers: the median of the members' worst words, of two the worse."""
    tools = [item for item in items if _is_tools(item, voices)]
    worst: dict[str, int] = {}
    for item in tools or items:
        rank = SEVERITIES.index(body_of(item).severity)
        worst[item.author] = min(rank, worst.get(item.author, rank))
    ranks = sorted(worst.values())
    return SEVERITIES[ranks[(len(ranks) - 1) // 2]]


def _is_tools(item: Item, voices: Mapping[str, Voice]) -> bool:
    return item.author in voices and voices[item.author].deterministic


def _evidence(fact: Fact) -> dict[str, Any]:
    return {
        "kind": fact.kind,
        "text": fact.text,
        "supports": fact.supports,
        **({"data": dict(fact.data)} if fact.data else {}),
    }


def _merged(item: Item) -> dict[str, Any]:
    return {"member": item.author, **body_of(item).model_dump(mode="json", exclude={"path", "evidence"})}


def _distinct(things: Iterable[Any]) -> list[Any]:
    return list({json.dumps(thing, sort_keys=True, default=str): thing for thing in things}.values())


def _fingerprint(finding: Finding, code: Sequence[str]) -> str:
    """Twelve hex digits that stay when lines move: of path, code without blanks, and claim."""
    claim = finding.rule or " ".join(re.findall(r"[^\W\d_]+", finding.title.casefold()))
    parts = [finding.path, "".join("".join(code).split()), claim]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _ranked(reported: Iterable[tuple[ReportedFinding, int]]) -> list[ReportedFinding]:
    """By standing, severity, votes and place; findings with one fingerprint get numbers."""
    ranked = sorted(
        reported,
        key=lambda pair: (
            _ORDER.index(pair[0].standing),
            SEVERITIES.index(pair[0].severity),
            -pair[1],
            pair[0].path,
            pair[0].line or 0,
            pair[0].id,
            pair[0].title,
        ),
    )
    seen: Counter[str] = Counter()
    findings = []
    for finding, _ in ranked:
        seen[finding.id] += 1
        number = seen[finding.id]
        findings.append(
            finding if number == 1 else finding.model_copy(update={"id": f"{finding.id}-{number}"})
        )
    return findings

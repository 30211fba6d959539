"""From a ledger to a review: claims that agree become one finding, and each finding gets its standing.

This is the whole of the deterministic aggregator. An aggregator's synthesis can add to it: unite
findings of one place that share no words, dispute or reject with a reason, bring findings of its own.
It can remove nothing; what it tries beyond that is refused and listed as an objection.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moa_engine.agreement import cosine, vectors
from moa_engine.ledger import Decision, Fact, Item, Ledger, Settled, Stance, settle
from review_bot.anchors import Anchors
from review_bot.finding import (
    SEVERITIES,
    Finding,
    ReportedFinding,
    Review,
    Severity,
    Standing,
    UnplacedFinding,
)
from review_bot.grouping import Group, body_of, by_item, claim_of, group, place_of, united
from review_bot.proof.facts import WITNESS
from review_bot.standing import ENOUGH_VOICES, Ruling, Standpoint, Voice, is_tool, stand

#: The order in which findings are reported.
_ORDER: tuple[Standing, ...] = ("confirmed", "disputed", "minority", "rejected")

ADDED = "added by the aggregator"


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
    unplaced: Iterable[UnplacedFinding] = (),
    needed: Mapping[str, float] | None = None,
) -> Review:
    """The review that this ledger amounts to; without rulings, by cluster, count and rank alone.

    `needed` says how many votes confirm a finding of some category, where that is not two.
    """
    rulings = rulings or Rulings()
    refused = list(objections)
    settlement = settle(ledger.items, rulings.decisions, rulings.by)
    refused.extend(f"{rulings.by}: {objection}" for objection in settlement.objections)
    decided = [settled for settled in settlement.groups if settled.by]
    groups, apart = united(group([*ledger.items, *rulings.added], anchors), decided, anchors, voices)
    refused += apart
    on_item = {item: settled for settled in decided for item in settled.ids}
    own = {item.id for item in rulings.added}
    stances, facts = by_item(ledger.stances), by_item(ledger.facts)
    reported = []
    for items in groups:
        heard = [item for item in items if item.id not in own]
        ruling = _ruling([on_item.get(item.id) for item in heard])
        said = [stance for item in heard for stance in stances[item.id]]
        known = [fact for item in heard for fact in facts[item.id]]
        enough = _enough(heard or items, voices, needed) if needed else ENOUGH_VOICES
        point = stand(heard or items, said, known, voices, ruling, enough)
        finding = _finding(heard or items, said, known, point, anchors, voices)
        if ruling is not None:
            word = {"member": ruling.by, "position": "dispute", "why": ruling.reason}
            finding.stances.append(word)
        if heard:
            finding.merged.extend(_merged(item) for item in items if item.id in own)
        else:
            finding = finding.model_copy(update={"reason": ADDED})
        if ruling is not None and point.standing == "confirmed":
            refused.append(f"{ruling.by}: {finding.title!r} stands on a tool or evidence, so it is kept")
        reported.append((finding, point.votes))
    return Review(
        findings=_ranked(reported),
        objections=list(dict.fromkeys(refused)),
        unplaced=list(dict.fromkeys(unplaced)),
    )


def _enough(items: Group, voices: Mapping[str, Voice], needed: Mapping[str, float]) -> float:
    """The votes that confirm a finding of this category."""
    return needed.get(body_of(_by_merit(items, voices)[0]).category, ENOUGH_VOICES)


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
    said: Sequence[Stance],
    known: Sequence[Fact],
    point: Standpoint,
    anchors: Anchors,
    voices: Mapping[str, Voice],
) -> ReportedFinding:
    """One finding, in the words of the item that speaks best for all; the others' words are kept."""
    by_merit = _by_merit(items, voices)
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
    return ReportedFinding(
        id=_fingerprint(body, anchors.code(place)),
        path=body.path,
        side=body.side,
        start_line=body.start_line,
        line=body.line,
        severity=_severity(items, voices),
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
            [*(piece for item in items for piece in body_of(item).evidence), *map(_evidence, known)]
        ),
        rule=body.rule,
        stances=_distinct(stances),
        merged=[_merged(item) for item in others],
        items=sorted(item.id for item in items),
    )


def _by_merit(items: Group, voices: Mapping[str, Voice]) -> Group:
    """Tools first, then who names lines, then whose words are most like everybody's."""
    texts = vectors([claim_of(body_of(item)) for item in items])

    def merit(numbered: tuple[int, Item]) -> tuple[bool, bool, float, int, str]:
        number, item = numbered
        body = body_of(item)
        tool = is_tool(voices, item.author)
        likeness = sum(sorted(cosine(texts[number], text) for text in texts))
        return (not tool, body.line is None, -round(likeness, 6), SEVERITIES.index(body.severity), item.id)

    return [item for _, item in sorted(enumerate(items), key=merit)]


def _severity(items: Group, voices: Mapping[str, Voice]) -> Severity:
    """What tools say, else reviewers: the median of the members' worst words, of two the worse."""
    tools = [item for item in items if is_tool(voices, item.author)]
    worst: dict[str, int] = {}
    for item in tools or items:
        rank = SEVERITIES.index(body_of(item).severity)
        worst[item.author] = min(rank, worst.get(item.author, rank))
    ranks = sorted(worst.values())
    return SEVERITIES[ranks[(len(ranks) - 1) // 2]]


def _evidence(fact: Fact) -> dict[str, Any]:
    if fact.kind == WITNESS:
        return {"kind": fact.kind, "text": fact.text, "supports": fact.supports, **fact.data}
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


def _ranked(reported: Iterable[tuple[ReportedFinding, float]]) -> list[ReportedFinding]:
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

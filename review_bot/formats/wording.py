"""The sentences that the formats for people share: where, who said it, how the run went.

Everything here is one line of plain text without control characters. What comes from models and
servers is still to be escaped by formats that have a markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from moa_engine.printable import one_line
from review_bot.finding import SEVERITIES, ReportedFinding, Standing, UnplacedFinding

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review

#: The standings in the order in which they are shown, each with what it means.
STANDINGS: dict[Standing, str] = {
    "confirmed": "two independent reviewers, evidence, or a deterministic tool",
    "disputed": "a reviewer says otherwise",
    "minority": "one voice alone; models of one family share one",
    "rejected": "the aggregator's reason stands next to each",
}


#: What the heading says of findings that name no file of the change.
UNPLACED = "about no file of this change, as far as code can tell; nobody else was asked about it"


def by_standing(findings: Iterable[ReportedFinding]) -> dict[Standing, list[ReportedFinding]]:
    """The findings of each standing that has any, the worst first."""
    ranked = sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
    grouped = {standing: [f for f in ranked if f.standing == standing] for standing in STANDINGS}
    return {standing: found for standing, found in grouped.items() if found}


def place(finding: ReportedFinding) -> str:
    """ "path:line", "path:start-line", or the path alone for a finding about the whole file."""
    path = one_line(finding.path)
    if finding.line is None:
        return path
    first = finding.start_line or finding.line
    lines = str(finding.line) if first == finding.line else f"{first}-{finding.line}"
    return f"{path}:{lines}" + (" (before the change)" if finding.side == "LEFT" else "")


def kind(finding: ReportedFinding | UnplacedFinding) -> str:
    """The category, and the tool's rule if there is one."""
    rule = finding.rule if isinstance(finding, ReportedFinding) else ""
    return one_line(f"{finding.category} {rule}")


def attribution(finding: ReportedFinding) -> str:
    """ "raised by ruff, qwen; seconded by mistral; disputed by llama (why)"."""
    why = {member: one_line(text) for member, text in _disputes(finding)}
    parts = [f"raised by {', '.join(finding.raised_by)}"]
    if finding.seconded_by:
        parts.append(f"seconded by {', '.join(finding.seconded_by)}")
    if finding.disputed_by:
        named = [f"{name} ({why[name]})" if why.get(name) else name for name in finding.disputed_by]
        parts.append(f"disputed by {', '.join(named)}")
    return one_line("; ".join(parts))


def author(finding: UnplacedFinding) -> str:
    """ "raised by qwen, about config/settings.py"."""
    return one_line(f"raised by {finding.member}" + (f", about {finding.path}" if finding.path else ""))


def reason(finding: ReportedFinding) -> str:
    """Why it has its standing, unless the attribution says all of it."""
    rest = finding.reason or ""
    for member, why in _disputes(finding):
        rest = rest.replace(f"{member}: {why}", "")
    return one_line(finding.reason or "") if rest.strip("; ") else ""


def _disputes(finding: ReportedFinding) -> list[tuple[str, str]]:
    """Who disputed it, with why."""
    return [(said["member"], said["why"]) for said in finding.stances if said["position"] == "dispute"]


def evidence(item: Mapping[str, Any]) -> str:
    """One fact: its kind, its text, and whether it speaks for or against the finding."""
    verdict = {True: " (confirms it)", False: " (refutes it)", None: ""}[item.get("supports")]
    if item.get("kind") == "witness" and "text" not in item:
        found_by = ", ".join(map(str, item.get("found_by", ())))
        return one_line(f"witness: {item.get('input', '')} (found by {found_by})")
    return one_line(f"{item.get('kind', 'fact')}: {item.get('text', '')}{verdict}")


def subject(change: Change) -> str:
    """What was reviewed: "1a2b3c4d5e..6f7a8b9c0d", or what stands for it where a side is no commit."""
    match change.source:
        case "index":
            return "the staged changes"
        case "worktree":
            return "the working tree"
        case "patch":
            return "the patch"
    return (
        f"{change.base[:10]}..{change.head[:10]}" if change.base else f"the first commit {change.head[:10]}"
    )


def tally(review: Review) -> str:
    """ "2 confirmed, 1 minority", or "no findings"."""
    groups = by_standing(review.findings)
    counts = [f"{len(found)} {standing}" for standing, found in groups.items()]
    if review.unplaced:
        counts.append(f"{len(review.unplaced)} without a place")
    return ", ".join(counts) or "no findings"


def money(cost_usd: float | None) -> str:
    """An amount of USD; below a cent with the digits that matter."""
    if cost_usd is None:
        return "cost unknown"
    return f"${cost_usd:.4f}" if 0 < cost_usd < 0.1 else f"${cost_usd:.2f}"


def counted(number: int, thing: str) -> str:
    """ "1 call", "2 calls"."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def closing(outcome: Outcome[Review]) -> str:
    """Members, calls, cost, time and run."""
    names = [f"{m.name} ({one_line(m.model)})" if m.model else m.name for m in outcome.members]
    calls = counted(outcome.calls, "call")
    if outcome.cached:
        calls += f" and {counted(outcome.cached, 'answer')} from the record"
    parts = [f"{counted(len(names), 'member')}: {', '.join(names)}"]
    if outcome.aggregator:
        parts.append(f"aggregated by {outcome.aggregator}")
    parts += [calls, money(outcome.cost_usd), f"{outcome.seconds:.1f} s"]
    if outcome.run:
        parts.append(f"run {outcome.run}")
    return "; ".join(parts)


def track_records(outcome: Outcome[Review]) -> list[str]:
    """What a bench found of the members, a line each; nothing of those that were not measured."""
    voices = getattr(outcome.task, "voices", {})
    return [
        f"{member.name} {voices[member.name].track}"
        for member in outcome.members
        if member.name in voices and voices[member.name].track
    ]


def failures(outcome: Outcome[Review]) -> list[str]:
    """One sentence for each member of whom an answer is missing, with the reasons."""
    errors = {member.name: member.errors for member in outcome.members}
    sentences = []
    for name in outcome.missing:
        answers = [answer for answer in outcome.ledger.answers if answer.member == name]
        lost = [answer for answer in answers if answer.value is None]
        reasons = errors.get(name) or tuple(dict.fromkeys(answer.error for answer in lost))
        why = one_line("; ".join(reasons)) or "not in time"
        if len(lost) < len(answers):
            sentences.append(f"{len(lost)} of {len(answers)} answers from {name} missing: {why}")
        else:
            sentences.append(f"No answer from {name}: {why}")
    return sentences


def remarks(outcome: Outcome[Review], change: Change) -> Sequence[str]:
    """What readers have to know besides the findings: warnings, masked secrets, objections."""
    found = [one_line(text) for text in (*change.notes, *outcome.warnings)]
    if outcome.masked_secrets:
        secrets = counted(outcome.masked_secrets, "secret")
        found.append(f"{secrets} in the change masked before anything was sent")
    if outcome.result and outcome.result.proof:
        found += map(one_line, outcome.result.proof.notes)
    if outcome.result:
        found += [f"suggested test left out: {one_line(note)}" for note in outcome.result.suggested.notes]
    if outcome.result and outcome.result.objections:
        unused = counted(len(outcome.result.objections), "statement")
        first = one_line(outcome.result.objections[0])
        found.append(f"{unused} by members could not be used, beginning with: {first}")
    return found

"""What the committee thinks of changes of behaviour, and which of them become findings.

A family of models has one vote, as everywhere. The judgement that most families hold decides; where
two are held by as many, it is "suspicious": nobody has settled it, and a reader should look.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

from moa_engine.ledger import Item
from review_bot.answers import TITLE
from review_bot.finding import Finding, Severity
from review_bot.proof.facts import difference, told
from review_bot.proof.report import RAISES, BehaviourReport, Judgement, Said
from review_bot.standing import ENOUGH_VOICES, Voice

#: Who raises what a proof has found.
PROVER = "proof"

#: The prover's voice: executed code is no opinion.
VOICE = Voice(PROVER, deterministic=True)

#: Witnesses of one function that its finding names.
_MOST = 4


def judged(
    reports: Iterable[BehaviourReport], said: Mapping[str, Sequence[Said]], voices: Mapping[str, Voice]
) -> list[BehaviourReport]:
    """The reports with the committee's judgement."""
    return [_judged(report, said.get(report.id, ()), voices) for report in reports]


def _judged(report: BehaviourReport, said: Sequence[Said], voices: Mapping[str, Voice]) -> BehaviourReport:
    families: defaultdict[str, Counter[Judgement]] = defaultdict(Counter)
    for one in said:
        family = voices[one.member].family if one.member in voices else one.member
        families[family][one.judgement] += 1
    if not families:
        return report
    held = Counter(_most(votes) for votes in families.values())
    judgement = _most(held)
    reasons = [one.why for one in said if one.judgement == judgement and one.why]
    told = {"judgement": judgement, "why": reasons[0] if reasons else "", "votes": held[judgement]}
    return report.model_copy(update={**told, "judged_by": list(said)})


def _most(votes: Counter[Judgement]) -> Judgement:
    (first, count), *others = votes.most_common()
    return "suspicious" if others and others[0][1] == count else first


def found_by_proof(reports: Iterable[BehaviourReport]) -> list[Item]:
    """What readers have to see as findings: one for each function with suspicious changes or regressions.

    What raises on input that was valid before is one unless two independent voices call it intended.
    """
    by_function: defaultdict[tuple[str, str], list[BehaviourReport]] = defaultdict(list)
    for report in reports:
        settled = report.judgement == "intended" and report.votes >= ENOUGH_VOICES
        if report.judgement in ("suspicious", "regression") or (report.rank >= RAISES and not settled):
            by_function[report.path, report.name].append(report)
    return [Item(together[0].id, PROVER, 0, _finding(together)) for together in by_function.values()]


def _finding(together: Sequence[BehaviourReport]) -> Finding:
    together = list({(one.base.text, one.head.text, one.differs): one for one in reversed(together)}.values())
    together.reverse()  # of those that show the same, the first
    first = together[0]
    title = f"`{_one_line(first.input)}` {told(first, 'head')}; it {told(first, 'base')} before"
    parts = []
    if len(together) > 1:
        more = [f"- `{_one_line(one.input)}` {difference(one)}" for one in together[1:_MOST]]
        parts.append("\n".join(["Also:", *more]))
    if first.judgement == "unjudged":
        parts.append("Is that intended? Running both versions shows it; nobody has judged it.")
    else:
        parts += [f"{said.member}: {said.judgement}. {said.why}".strip() for said in first.judged_by]
    return Finding(
        path=first.path,
        start_line=first.line,
        line=first.line,
        severity=_severity(together),
        category="behaviour",
        title=title if len(title) <= TITLE else f"{title[: TITLE - 1]}…",
        body="\n\n".join(parts),
        evidence=[one.witness() for one in together[:_MOST]],
    )


def _severity(together: Sequence[BehaviourReport]) -> Severity:
    unwanted = [one for one in together if one.judgement != "intended"]
    worst = any(one.judgement == "regression" or one.rank >= RAISES for one in unwanted)
    return "major" if worst else "minor"


def _one_line(source: str) -> str:
    return "; ".join(line.strip() for line in source.splitlines() if line.strip())

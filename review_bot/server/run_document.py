"""What the page shows of a run: its row in `run_records`, made from the record of who did the review.

The JSON in it is what other commands print: attempts as in `moa show --format json`, the review as in
`review-bot review --format json`. Added is the ledger between the two, what was said before it was
merged, and the code that findings are about.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from moa_engine.assembly import fact_to_json
from moa_engine.shown import attempt_json
from review_bot.formats.as_json import to_json
from review_bot.formats.frame import Frames
from review_bot.formats.well_formed import well_formed
from review_bot.github.report import report

if TYPE_CHECKING:
    from moa_engine.attempt import Attempt
    from moa_engine.outcome import Outcome
    from moa_engine.record import StoredRun
    from review_bot.finding import Review
    from review_bot.github.model import PullRequest
    from review_bot.masking import Mask

SCHEMA = "server-run/1"


def run_columns(
    stored: StoredRun, outcome: Outcome[Review] | None, *, mask: Mask, pull: PullRequest | None
) -> dict[str, Any]:
    """The columns of `run_records` that the run itself knows: all but its job and its pull request.

    `outcome` is None for a run that did not end; what was said until then is shown all the same. `mask`
    is the run's `Redactor.mask`.
    """
    asked = [attempt for attempt in stored.attempts if attempt.purpose != "cached"]
    status = outcome.status if outcome else stored.status
    document = {
        "schema": SCHEMA,
        "run": stored.id,
        "committee": stored.committee,
        "version": stored.version,
        "status": status,
        "started": stored.started,
        "seconds": outcome.seconds if outcome else stored.seconds,
        "pull": pull and _pull(pull, mask),
        "attempts": [_attempt(attempt, mask) for attempt in stored.attempts],
        **_said(outcome, mask),
        **_reviewed(outcome, mask),
    }
    return {
        "run": stored.id,
        "started": stored.started,
        "status": status,
        "cost": outcome.cost_usd if outcome else _cost(asked),
        "calls": outcome.calls if outcome else len(asked),
        "members": _stored(_members(stored, outcome, mask)),
        "document": _stored(document),
    }


def _pull(pull: PullRequest, mask: Mask) -> dict[str, str]:
    return {
        "title": mask(pull.title),
        "author": pull.author,
        "base": mask(pull.base_ref),
        "head": mask(pull.head_ref),
    }


def _attempt(attempt: Attempt, mask: Mask) -> dict[str, Any]:
    return {**attempt_json(attempt), "text": mask(attempt.text), "error": mask(attempt.error)}


def _said(outcome: Outcome[Review] | None, mask: Mask) -> dict[str, list[dict[str, Any]]]:
    """The ledger, and what became of each of its items."""
    if outcome is None:
        return {"items": [], "stances": [], "facts": []}
    ledger, fates = outcome.ledger, outcome.task.fates(outcome)
    items = [
        {
            "id": item.id,
            "author": item.author,
            "layer": item.layer,
            "sample": item.sample,
            "generation": item.generation,
            "body": _each(item.body.model_dump(mode="json"), mask),
            "fate": mask(fates.get(item.id, "")),
        }
        for item in ledger.items
    ]
    stances = [
        {
            "item": stance.item,
            "member": stance.member,
            "layer": stance.layer,
            "position": stance.position,
            "why": mask(stance.why),
        }
        for stance in ledger.stances
    ]
    facts = [{**fact_to_json(fact), "text": mask(fact.text)} for fact in ledger.facts]
    facts = [{**fact, "data": _each(fact["data"], mask)} for fact in facts]
    return {"items": items, "stances": stances, "facts": facts}


def _reviewed(outcome: Outcome[Review] | None, mask: Mask) -> dict[str, Any]:
    """The review as JSON; and for each finding, by its id, the code that it is about and that it suggests."""
    if outcome is None:
        return {"review": None, "frames": {}}
    told = report(outcome, mask)
    frames, shown = Frames(told.change), {}
    for finding in outcome.result.findings if outcome.result else ():
        suggested = frames.suggested(finding) if finding.suggestion is not None else []
        shown[finding.id] = {"lines": [list(line) for line in frames.frame(finding)], "suggested": suggested}
    return {"review": to_json(told.outcome, told.change), "frames": _each(shown, mask)}


def _members(stored: StoredRun, outcome: Outcome[Review] | None, mask: Mask) -> list[dict[str, Any]]:
    """Each member's part, and how fast and how well it answered."""
    reports = {member.name: member.to_json() for member in outcome.members} if outcome else {}
    names = dict.fromkeys((*reports, *(attempt.member for attempt in stored.attempts)))
    members = []
    for name in names:
        own = [attempt for attempt in stored.attempts if attempt.member == name]
        asked = [attempt for attempt in own if attempt.purpose != "cached"]
        answered = [attempt for attempt in asked if not attempt.error_code]
        # Who was stopped because it was no longer needed has not failed.
        failed = [attempt for attempt in asked if attempt.error_code not in ("", "cancelled")]
        last = max(failed, key=lambda attempt: attempt.started, default=None)
        members.append(
            {
                **reports.get(name, {}),
                "name": name,
                **_kind(own),
                "calls": len(asked),
                "cached": len(own) - len(asked),
                "cost_usd": reports[name]["cost_usd"] if name in reports else _cost(asked),
                "answers": len(answered),
                "failures": len(failed),
                "latencies": [round(attempt.seconds, 3) for attempt in answered],
                "errors": [mask(error) for error in reports.get(name, {}).get("errors", ())],
                "last_error": last
                and {"at": last.started, "code": last.error_code, "text": mask(last.error)[:500]},
            }
        )
    return members


def _kind(own: Sequence[Attempt]) -> dict[str, str]:
    return {"kind": own[0].kind, "model": own[0].model} if own else {}


def _cost(attempts: Sequence[Attempt]) -> float | None:
    """What is known to have been spent; None when a price is not known."""
    costs = [attempt.cost_usd for attempt in attempts if not attempt.error_code]
    return None if None in costs else float(sum(filter(None, costs), Decimal(0)))


def _each(value: Any, change: Callable[[str], str]) -> Any:
    """`value` with every string in it changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {name: _each(item, change) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_each(item, change) for item in value]
    return value


def _stored(value: Any) -> Any:
    """As both databases take it: well-formed Unicode. PostgreSQL's functions on JSON refuse NUL."""
    return _each(well_formed(value), lambda text: text.replace("\0", "�"))

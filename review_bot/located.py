"""From what a chat reviewer states to a finding with its place in the change."""

from __future__ import annotations

from collections.abc import Iterable

from review_bot.anchors import Anchors
from review_bot.answers import Draft
from review_bot.finding import Finding, UnplacedFinding
from review_bot.suggestions import replacement

#: Characters of a quote, and of a suggestion, that code could not use and that readers get to see.
_SHOWN = 600

#: Characters of a path that names no file.
_PATH = 100

#: Characters of a call; a longer one is no call.
_CALL = 1_000

#: Characters above which a suggestion is no repair of the lines that it is about.
_LONGEST = 8000


def located(drafts: Iterable[Draft], anchors: Anchors) -> tuple[list[Finding], list[Draft]]:
    """The findings at their places, each once, and the drafts that name no file of the change."""
    found: dict[str, Finding] = {}
    lost: list[Draft] = []
    for draft in drafts:
        finding = _finding(draft, anchors)
        if finding is None:
            lost.append(draft)
        else:
            found.setdefault(finding.model_dump_json(), finding)
    return list(found.values()), lost


def unplaced(member: str, drafts: Iterable[Draft]) -> list[UnplacedFinding]:
    """What a member found about no file of the change, with all that it said of it."""
    return [
        UnplacedFinding(
            member=member,
            path=_cut(" ".join(draft.path.split()), _PATH),
            severity=draft.severity,
            category=draft.category,
            title=draft.words()[0],
            body=_body(
                draft,
                f"Quoted: {_cut(draft.quote)}" if draft.quote.strip() else "",
                f"Suggested: {_cut(draft.suggestion)}" if draft.suggestion.strip() else "",
            ),
        )
        for draft in drafts
    ]


def _finding(draft: Draft, anchors: Anchors) -> Finding | None:
    place = anchors.locate(draft.path, draft.quote)
    if place is None:
        return None
    code = anchors.code(place)
    short = len(draft.suggestion) <= _LONGEST
    suggestion = replacement(draft.suggestion, place, draft.quote, code) if short else None
    parts = []
    if place.line is None and draft.quote.strip():
        parts.append(f"Quoted, but not found in one place: {_cut(draft.quote)}")
    if suggestion is None and _dense(draft.suggestion) not in ("", _dense("".join(code))):
        parts.append(f"Suggested: {_cut(draft.suggestion)}")
    return Finding(
        path=place.path,
        side=place.side,
        start_line=place.start_line,
        line=place.line,
        severity=draft.severity,
        category=draft.category,
        title=draft.words()[0],
        body=_body(draft, *parts),
        suggestion=suggestion,
        call=draft.call.strip() if len(draft.call) <= _CALL else "",
    )


def _body(draft: Draft, *more: str) -> str:
    """The body of a finding, with what code could not use of it."""
    return "\n\n".join(part for part in (draft.words()[1], *more) if part)


def _cut(text: str, length: int = _SHOWN) -> str:
    text = text.strip("\n")
    return text if len(text) <= length else f"{text[:length]}…"


def _dense(text: str) -> str:
    return "".join(text.split())

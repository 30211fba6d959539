"""From what a chat reviewer states to a finding with its place in the change."""

from __future__ import annotations

from collections.abc import Iterable

from review_bot.anchors import Anchors
from review_bot.answers import Draft
from review_bot.finding import Finding
from review_bot.suggestions import replacement

#: Characters of a quote, and of a suggestion, that code could not use and that readers get to see.
_SHOWN = 600

#: Characters above which a suggestion is no repair of the lines that it is about.
_LONGEST = 8000


def located(drafts: Iterable[Draft], anchors: Anchors) -> tuple[list[Finding], list[str]]:
    """The findings at their places, each once, and one sentence for each that names no file."""
    found: dict[str, Finding] = {}
    lost: list[str] = []
    for draft in drafts:
        finding = _finding(draft, anchors)
        if finding is None:
            lost.append(f"{draft.words()[0]!r} names no file of this change: {draft.path[:100]!r}")
        else:
            found.setdefault(finding.model_dump_json(), finding)
    return list(found.values()), lost


def _finding(draft: Draft, anchors: Anchors) -> Finding | None:
    place = anchors.locate(draft.path, draft.quote)
    if place is None:
        return None
    title, body = draft.words()
    code = anchors.code(place)
    short = len(draft.suggestion) <= _LONGEST
    suggestion = replacement(draft.suggestion, place, draft.quote, code) if short else None
    parts = [body]
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
        title=title,
        body="\n\n".join(part for part in parts if part),
        suggestion=suggestion,
    )


def _cut(text: str) -> str:
    text = text.strip("\n")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _dense(text: str) -> str:
    return "".join(text.split())

"""What stands on a pull request, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from review_bot.github.marker import Marker, write_marker
from review_bot.github.model import PostedComment

BOT = "github-actions[bot]"

_ids = count(1)


@dataclass(frozen=True, slots=True)
class Said:
    """A post of any kind."""

    author: str
    body: str


def finding_comment(
    finding: str, *, run: str = "run-1", author: str = BOT, reactions: Mapping[str, int] | None = None
) -> PostedComment:
    """A comment on a finding."""
    number = next(_ids)
    return PostedComment(
        id=number,
        node_id=f"node-{number}",
        path="shop.py",
        line=2,
        side="RIGHT",
        body=f"{write_marker(Marker('finding', run, '', (finding,)))}\nText.",
        author=author,
        in_reply_to=None,
        outdated=False,
        reactions=reactions or {},
        created_at=datetime(2026, 8, 1, tzinfo=UTC),
    )

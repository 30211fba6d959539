"""What reviewers that run no model are given: the change itself, and both sides of the repository."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from review_bot.change import Change, Trees


@dataclass(frozen=True)
class ReviewSubject:
    """A change as it is, secrets included, with access to the repository around it.

    `repository` is None for a bare patch. `trees` puts the Python sources of both sides into a scratch
    folder when it is first called, and answers the same from then on, from any thread.
    """

    change: Change
    repository: Path | None
    trees: Callable[[], Trees]

"""Which hunks of a pull request were reviewed before, told by what they change and not by where they are.

A force-push, a rebase or a merge of the base moves hunks and gives every commit a new id; what a hunk adds
and removes stays. So a digest of that is kept (in the marker of the review), and nothing has to be asked
about commits that may not exist any more.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterator
from typing import NamedTuple

from review_bot.change import Asked, Change, ChangedFile, Hunk

#: Digests that fit into a marker beside the text of a comment; of a larger change files are told apart.
MOST = 2_500

_DIGITS = 8


class _Part(NamedTuple):
    path: str
    hunk: int | None  #: None for a file without hunks
    digest: str


def digests(change: Change) -> tuple[str, ...]:
    """What to keep of a change that was reviewed: a digest of each hunk, or file if there are many."""
    hunks = tuple(part.digest for part in _parts(change))
    return hunks if len(hunks) <= MOST else tuple(map(_of_file, change.files))[:MOST]


def changed_since(change: Change, reviewed: Collection[str]) -> Asked:
    """The hunks that no earlier review saw."""
    whole = {file.path for file in change.files if _of_file(file) in reviewed}
    asked: dict[str, list[int]] = {}
    for part in _parts(change):
        if part.path not in whole and part.digest not in reviewed:
            asked.setdefault(part.path, []).extend(() if part.hunk is None else (part.hunk,))
    return asked


def _parts(change: Change) -> Iterator[_Part]:
    """Every hunk; the same lines added a second time in one file are another hunk."""
    for file in change.files:
        if not file.hunks:
            yield _Part(file.path, None, _of_file(file))
        times: Counter[str] = Counter()
        for index, hunk in enumerate(file.hunks):
            text = _changed(hunk)
            times[text] += 1
            yield _Part(file.path, index, _digest("hunk", file.path, text, times[text]))


def _changed(hunk: Hunk) -> str:
    """The lines that a hunk adds and removes. White space counts: it is code in some languages."""
    return "\n".join(line for line in hunk.body.split("\n") if line[:1] in ("+", "-"))


def _of_file(file: ChangedFile) -> str:
    about = (file.path, file.status, file.old_path, file.old_mode, file.new_mode)
    return _digest("file", *about, *map(_changed, file.hunks))


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:_DIGITS]

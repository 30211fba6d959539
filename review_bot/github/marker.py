"""The hidden line that says whose a post is and what it was about: our only memory on GitHub.

It is the first line of what we post, and nothing else is ever read: quotes of it, and copies in code that
we show, stand further down. Who may have written it is for the caller to say (`own`): text of a pull
request can look like anything.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar, get_args

Kind = Literal["review", "summary", "finding"]

#: Characters of a marker; what is beyond them is forgotten, and then asked or said once more.
LONGEST = 45_000

_START, _END = "<!-- pytest-moa ", " -->"
_VERSION = 1
_LISTS = ("fingerprints", "hunks", "dismissed")


@dataclass(frozen=True, slots=True)
class Marker:
    """What a post keeps. `head` is the reviewed commit.

    `fingerprints` are of the findings that were said (in a "finding": of the one), `dismissed` of those
    that somebody has taken back, `hunks` digests of what was reviewed. A summary's `last` is the id of our
    last review when it was written: no clock has to tell which of the two is younger.
    """

    kind: Kind
    run: str
    head: str
    fingerprints: tuple[str, ...] = ()
    hunks: tuple[str, ...] = ()
    dismissed: tuple[str, ...] = ()
    last: str = ""


class Post(Protocol):
    """What GitHub keeps of anything that somebody wrote."""

    @property
    def author(self) -> str: ...

    @property
    def body(self) -> str: ...


PostT = TypeVar("PostT", bound=Post)


def write_marker(marker: Marker) -> str:
    """The marker as one line of ASCII, which shows nowhere: an HTML comment that nothing in it can end.

    Of more than a marker can hold, the hunks are forgotten first, then the last of the fingerprints.
    """
    line = _line(marker)
    if len(line) > LONGEST and marker.hunks:
        line = _line(marker := dataclasses.replace(marker, hunks=()))
    while len(line) > LONGEST and (marker.fingerprints or marker.dismissed):
        kept = {
            name: getattr(marker, name)[: len(getattr(marker, name)) * 3 // 4]
            for name in ("fingerprints", "dismissed")
        }
        line = _line(marker := dataclasses.replace(marker, **kept))
    return line


def read_marker(body: str) -> Marker | None:
    """The marker that a post of ours begins with; None where it begins with none."""
    first = body.partition("\n")[0].rstrip("\r")
    if not (first.startswith(_START) and first.endswith(_END)) or len(first) > LONGEST:
        return None
    try:
        data = json.loads(first[len(_START) : -len(_END)])
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or data.get("v") != _VERSION or data.get("kind") not in get_args(Kind):
        return None
    texts = run, head, last = [data.get(name, "") for name in ("run", "head", "last")]
    lists = [data.get(name, []) for name in _LISTS]
    if not _is_texts(texts) or not all(map(_is_texts, lists)):
        return None
    fingerprints, hunks, dismissed = map(tuple, lists)
    return Marker(data["kind"], run, head, fingerprints, hunks, dismissed, last)


def own(
    posts: Iterable[PostT], viewer: str, kind: Kind | None = None, *, run: str = ""
) -> list[tuple[PostT, Marker]]:
    """The posts that begin with a marker and that `viewer`, our own login, has written; in their order.

    `kind` and `run` ask for those of one kind or of one run. Without a viewer nothing is ours.
    """
    found = []
    for post in posts:
        marker = read_marker(post.body) if viewer and post.author == viewer else None
        if marker and kind in (None, marker.kind) and run in ("", marker.run):
            found.append((post, marker))
    return found


def _line(marker: Marker) -> str:
    filled = {name: value for name, value in dataclasses.asdict(marker).items() if value}
    text = json.dumps({"v": _VERSION, **filled}, separators=(",", ":"))
    # Neither end of a comment, in any reading of HTML: no ">", no "<", no two dashes.
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "-\\u002d")
    return f"{_START}{text}{_END}"


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)

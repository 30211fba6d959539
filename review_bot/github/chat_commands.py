"""Commands in comments: `/review`, `/review full`, `/explain ID`, `/dismiss ID why`. Pure parsing.

A command is the first thing in a comment, on a line of its own; quoted commands and commands inside code
are words. What follows the line is words, too, except that the reason of a dismissal may go on to the end
of its paragraph. Who may command is a matter of rights on the repository, never of what a comment says
about its author: `author_association` calls everybody who once joined the organisation a member.

A comment that merely begins like a command of another bot ("/reviewers", "/explained") is not for us.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from moa_engine.printable import one_line

#: What `Client.permission_of` says of people who can push.
_CAN_WRITE = frozenset({"admin", "maintain", "write"})

#: Longer reasons are cut: they are repeated in comments and put into the record.
REASON_LIMIT = 500

#: The fingerprint of a finding, or the beginning of one; twins have a number.
_ID = re.compile(r"[0-9a-f]{4,12}(-[1-9]\d{0,3})?")
_COMMAND = re.compile(r"/(?P<name>review|explain|dismiss)(?P<rest>[ \t].*)?", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class ReviewAgain:
    """`/review`: what changed since the last review; `/review full`: all of it, as if never seen."""

    full: bool = False


@dataclass(frozen=True, slots=True)
class Explain:
    """`/explain ID`: all that is known of one finding."""

    finding: str


@dataclass(frozen=True, slots=True)
class Dismiss:
    """`/dismiss ID why`: this finding is not raised again."""

    finding: str
    why: str


@dataclass(frozen=True, slots=True)
class Misunderstood:
    """Meant for us, and not usable. `why` is a sentence for who wrote it, with nothing of theirs in it."""

    why: str


Command = ReviewAgain | Explain | Dismiss


def may_command(permission: str) -> bool:
    """Whether somebody with this permission on the repository may command the bot."""
    return permission in _CAN_WRITE


def parse(comment: str) -> Command | Misunderstood | None:
    """The command in a comment; None when there is none in it."""
    paragraph = comment.lstrip("\ufeff\r\n").replace("\r\n", "\n").split("\n\n", 1)[0]
    first, _, more = paragraph.partition("\n")
    match = _COMMAND.fullmatch(first.rstrip())
    if match is None:
        return None
    words = (match["rest"] or "").split()
    match match["name"].lower():
        case "review":
            return _review(words)
        case "explain":
            return _explain(words)
        case _:
            return _dismiss(words, more)


def meant(given: str, known: Collection[str]) -> str | Misunderstood:
    """The one known finding whose id this is, or begins with it."""
    if given in known:
        return given
    found = sorted(finding for finding in known if finding.startswith(given))
    if not found:
        return Misunderstood(f"No finding of this pull request has the id {given}.")
    if len(found) > 1:
        return Misunderstood(f"Several findings begin with {given}: {', '.join(found[:5])}.")
    return found[0]


def _review(words: list[str]) -> ReviewAgain | Misunderstood:
    match [word.lower() for word in words]:
        case []:
            return ReviewAgain()
        case ["full"]:
            return ReviewAgain(full=True)
    return Misunderstood("`/review` takes nothing or the word `full` after it.")


def _explain(words: list[str]) -> Explain | Misunderstood:
    if len(words) == 1 and (finding := _id(words[0])):
        return Explain(finding)
    return Misunderstood("`/explain` takes the id of one finding; it stands at the end of its comment.")


def _dismiss(words: list[str], more: str) -> Dismiss | Misunderstood:
    finding = _id(words[0]) if words else ""
    if not finding:
        return Misunderstood("`/dismiss` takes the id of one finding, and then the reason.")
    why = one_line(" ".join([*words[1:], more]))
    if not why:
        return Misunderstood("`/dismiss` needs a reason after the id: whoever comes next will want to know.")
    return Dismiss(finding, why if len(why) <= REASON_LIMIT else why[: REASON_LIMIT - 1].rstrip() + "…")


def _id(word: str) -> str:
    """The id in a word, as people copy it: with backticks, in capitals; "" when it is none."""
    bare = word.strip("`").lower()
    return bare if _ID.fullmatch(bare) else ""

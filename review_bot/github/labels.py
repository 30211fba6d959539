"""What people think of findings, read back from GitHub: thumbs on our comments, and dismissals.

Only people who may write count: on a public repository anybody can give a thumb. The labels go into the
record of the run that reads them, each with the run whose finding it is about, because that one's record may
be elsewhere. Read again they are written again; of one person and finding the last one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from review_bot.github.chat_commands import Dismiss, Misunderstood, meant, parse
from review_bot.github.known import id_of
from review_bot.github.marker import own

if TYPE_CHECKING:
    from moa_engine.record import Record
    from review_bot.github.marker import Post
    from review_bot.github.model import PostedComment, Reaction

#: The kind of event in the record.
EVENT = "label"

_USEFUL = {"+1": True, "-1": False}


@dataclass(frozen=True, slots=True)
class Label:
    """Somebody's judgement of a finding. `why` is given by who dismissed it, and "" for a thumb."""

    finding: str
    run: str  #: the run that told of it
    author: str
    useful: bool
    why: str = ""


def thumbs(
    comments: Iterable[PostedComment],
    viewer: str,
    reactions: Callable[[int], Iterable[Reaction]],
    may_write: Callable[[str], bool],
) -> Iterator[Label]:
    """The thumbs on our own comments on findings. `reactions` is asked only about comments that have some."""
    for comment, marker in own(comments, viewer, "finding"):
        if not marker.fingerprints or not any(comment.reactions.get(name) for name in _USEFUL):
            continue
        finding = id_of(marker.fingerprints[0])
        for reaction in reactions(comment.id):
            useful = _USEFUL.get(reaction.content)
            if useful is not None and reaction.author != viewer and may_write(reaction.author):
                yield Label(finding, marker.run, reaction.author, useful)


def runs_told(posts: Iterable[Post], viewer: str) -> dict[str, str]:
    """The run that told of a finding last, by the finding's id, for all that our own posts know of."""
    return {
        id_of(print_): marker.run
        for _, marker in own(posts, viewer)
        for print_ in (*marker.dismissed, *marker.fingerprints)
    }


def dismissals(posts: Iterable[Post], viewer: str, may_write: Callable[[str], bool]) -> dict[str, Label]:
    """The findings that somebody who may has dismissed, by id. The comments themselves are the memory.

    An id that stands for no finding of ours, or for several, dismisses nothing.
    """
    posts = list(posts)
    told = runs_told(posts, viewer)
    found: dict[str, Label] = {}
    for post in posts:
        command = parse(post.body)
        if not isinstance(command, Dismiss) or post.author == viewer:
            continue
        finding = meant(command.finding, told)
        if not isinstance(finding, Misunderstood) and may_write(post.author):
            found[finding] = Label(finding, told[finding], post.author, useful=False, why=command.why)
    return found


def put_down(record: Record, run: str, labels: Iterable[Label]) -> None:
    """Put labels into the record of `run`, which has read them."""
    for label in labels:
        record.event(run, EVENT, asdict(label))


def remembered(may_write: Callable[[str], bool]) -> Callable[[str], bool]:
    """Asks about everybody once."""
    known: dict[str, bool] = {}

    def answer(login: str) -> bool:
        if login not in known:
            known[login] = may_write(login)
        return known[login]

    return answer

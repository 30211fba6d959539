"""Commands in comments on a pull request: who may give one, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from review_bot.github.chat_commands import (
    Command,
    Dismiss,
    Explain,
    Misunderstood,
    ReviewAgain,
    may_command,
    meant,
    parse,
)
from review_bot.github.client import Client, Refused, Unclear
from review_bot.github.event import NoTarget, Said, Target
from review_bot.github.explaining import explained
from review_bot.github.labels import runs_told
from review_bot.github.marker import Post, read_marker, write_marker
from review_bot.github.model import PullRequest
from review_bot.github.rereview import Before, read_before

if TYPE_CHECKING:
    from moa_engine.record import StoredRun
    from moa_engine.session import Session

#: Gives a run by its id, or raises `RecordError`.
Recorded = Callable[[str], "StoredRun"]

#: An answer begins with this and the id of the comment that it answers, so that there is one.
_ANSWER = "<!-- pytest-moa answers {id} -->"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody with write access asked for in a comment."""

    said: Said
    command: Command | Misunderstood


def wish_of(client: Client, target: Target) -> Wish | NoTarget | None:
    """What the comment that started the job asks for; None where no comment did."""
    if target.said is None:
        return None
    command = parse(target.said.body)
    if command is None:
        return NoTarget("the comment is no command")
    if target.said.author == client.viewer():
        return NoTarget("the comment is our own")
    if not may_command(client.permission_of(target.said.author)):
        return NoTarget("who commented has no write access")
    if isinstance(command, ReviewAgain):
        _react(client, target.said.id)
    return Wish(target.said, command)


def answer(client: Client, pull: PullRequest, wish: Wish, session: Session, recorded: Recorded) -> None:
    """Do what a comment asks for, except for a review, and say so; once, however often it is tried.

    `recorded` gives the runs that are explained.

    Raises:
        GithubError: GitHub does not take it.
    """
    before = read_before(client, pull.number)
    known = {*before.said, *(id for _, id in before.comments)}
    command = wish.command
    if isinstance(command, Misunderstood):
        _say(client, pull, wish, command.why)
    elif isinstance(command, Explain | Dismiss):
        id = meant(command.finding, known)
        if isinstance(id, Misunderstood):
            _say(client, pull, wish, id.why)
        elif isinstance(command, Dismiss):
            _dismiss(client, before, id)
            _say(client, pull, wish, f"Finding `{id}` is dismissed: it is not raised again.")
        else:
            _say(client, pull, wish, _explained(client, pull, before, id, session, recorded))


def _dismiss(client: Client, before: Before, id: str) -> None:
    """Fold its comments away. The comment with the command is what the next review goes by."""
    for comment, finding in before.comments:
        if finding == id:
            try:
                client.minimise(comment.node_id, "RESOLVED")
            except (Refused, Unclear):
                continue
    marker = read_marker(before.summary.body) if before.summary else None
    if before.summary and marker and id not in marker.dismissed:
        new = replace(marker, dismissed=(*marker.dismissed, id))
        client.edit_issue_comment(
            before.summary.id, "\n".join([write_marker(new), before.summary.body.partition("\n")[2]])
        )


def _explained(
    client: Client, pull: PullRequest, before: Before, id: str, session: Session, recorded: Recorded
) -> str:
    posts: list[Post] = [*client.reviews(pull.number), *(comment for comment, _ in before.comments)]
    run = runs_told(posts, before.viewer).get(id, before.run)
    told = explained(id, dict.fromkeys((run, before.run)), recorded, session.redactor.mask)
    return told or (
        f"All of it is in the record of run `{run}`, which is not on this machine: `moa show {run}` tells."
    )


def _say(client: Client, pull: PullRequest, wish: Wish, text: str) -> None:
    """Answer below the pull request, unless that was done before."""
    start = _ANSWER.format(id=wish.said.id)
    viewer = client.viewer()

    def landed() -> bool:
        notes = client.issue_comments(pull.number)
        return any(note.author == viewer and note.body.startswith(start) for note in notes)

    if landed():
        return
    try:
        client.create_issue_comment(pull.number, f"{start}\n{text}")
    except Unclear:
        if not landed():
            raise


def _react(client: Client, comment: int) -> None:
    try:
        client.react(comment, "eyes")
    except (Refused, Unclear):  # a courtesy
        return

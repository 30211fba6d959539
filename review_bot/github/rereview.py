"""What was said before on a pull request, and what is to be said now.

The only memory is what we have posted: markers of our own reviews, comments and summary, never those that
somebody else could have written. The summary is written last, after each push; a review that is younger than
it was posted by a run that did not get further.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from review_bot.github.chat_commands import may_command
from review_bot.github.client import Client, Refused
from review_bot.github.known import id_of, standing, told_before
from review_bot.github.labels import Label, dismissals, remembered
from review_bot.github.marker import Marker, own
from review_bot.github.model import IssueComment, PostedComment, PostedReview
from review_bot.github.summary_body import Row, State

if TYPE_CHECKING:
    from review_bot.anchors import Anchors
    from review_bot.change import Change
    from review_bot.finding import ReportedFinding


@dataclass(frozen=True, slots=True)
class Before:
    """What we said so far. `kept` is of the findings that stood last (see `known`)."""

    viewer: str
    run: str = ""  #: the last one; "" before the first
    head: str = ""  #: what it reviewed
    finished: bool = False  #: whether the summary is of that run
    reviewed: frozenset[str] = frozenset()  #: digests of hunks
    kept: tuple[str, ...] = ()
    said: frozenset[str] = frozenset()  #: ids of what stood, at the last summary and since
    dismissed: frozenset[str] = frozenset()  #: ids of what somebody who may has taken back
    folded: frozenset[str] = frozenset()  #: those of the dismissed that are folded away already
    answered: frozenset[str] = frozenset()  #: ids of what a person answered or resolved
    comments: tuple[tuple[PostedComment, str], ...] = ()  #: ours on lines, with the ids of their findings
    threads: tuple[tuple[int, str], ...] = ()  #: ids of open threads, by their first comment
    labels: tuple[Label, ...] = ()  #: from dismissals
    summary: IssueComment | None = None
    last_review: str = ""  #: the id of our last one
    demands: tuple[PostedReview, ...] = ()  #: our reviews that request changes

    @property
    def muted(self) -> frozenset[str]:
        """Ids of what is not said again, whatever a review finds."""
        return self.dismissed | self.answered


def read_before(client: Client, number: int) -> Before:
    """What our own posts say.

    Raises:
        GithubError: GitHub cannot be asked.
    """
    viewer = client.viewer()
    may_write = remembered(lambda login: may_command(client.permission_of(login)))
    reviews = [
        (review, marker)
        for review, marker in own(client.reviews(number), viewer, "review")
        if review.state != "PENDING"
    ]
    notes = client.issue_comments(number)
    summaries = own(notes, viewer, "summary")
    summary, told = summaries[-1] if summaries else (None, Marker("summary", "", ""))
    known = [str(review.id) for review, _ in reviews]
    since = [marker for _, marker in reviews[known.index(told.last) + 1 if told.last in known else 0 :]]
    last = since[-1] if since else told
    posted = client.review_comments(number)
    comments = tuple(
        (comment, id_of(marker.fingerprints[0]))
        for comment, marker in own(posted, viewer, "finding")
        if marker.fingerprints
    )
    ids = {comment.id: finding for comment, finding in comments}
    said = {id_of(kept) for marker in (told, *since) for kept in marker.fingerprints}
    answered = {ids[one.in_reply_to] for one in posted if one.in_reply_to in ids and one.author != viewer}
    dismissed = dismissals([*notes, *(review for review, _ in reviews), *posted], viewer, may_write)
    resolved, threads = _threads(client, number, viewer, ids) if ids else (set[str](), ())
    return Before(
        viewer,
        last.run,
        last.head,
        summary is not None and told is last,
        frozenset(last.hunks),
        last.fingerprints,
        frozenset(said),
        frozenset(last.dismissed) | dismissed.keys(),
        frozenset(told.dismissed),
        frozenset(answered | resolved),
        comments,
        threads,
        tuple(dismissed.values()),
        summary,
        known[-1] if known else "",
        tuple(review for review, _ in reviews if review.state == "CHANGES_REQUESTED"),
    )


def _threads(
    client: Client, number: int, viewer: str, ids: dict[int, str]
) -> tuple[set[str], tuple[tuple[int, str], ...]]:
    """Findings whose threads somebody else resolved, and our open threads."""
    try:
        found = client.threads(number)
    except Refused:  # without threads, comments are folded away and edited
        return set(), ()
    ours = [thread for thread in found if thread.comments and thread.comments[0] in ids]
    me = viewer.removesuffix("[bot]")
    resolved = {
        ids[thread.comments[0]] for thread in ours if thread.resolved and thread.resolved_by not in ("", me)
    }
    return resolved, tuple((thread.comments[0], thread.node_id) for thread in ours if not thread.resolved)


@dataclass(frozen=True, slots=True)
class Now:
    """What to say after a review of `head`. `kept` is what to keep of all that was said and still applies."""

    new: tuple[ReportedFinding, ...]
    kept: tuple[str, ...]
    rows: tuple[Row, ...]
    gone: tuple[PostedComment, ...]  #: our comments that no longer apply
    marks: dict[str, str]  #: what to keep of the new ones, by id


def compared(
    before: Before,
    findings: Iterable[ReportedFinding],
    change: Change,
    anchors: Anchors,
    *,
    tools_failed: bool = False,
) -> Now:
    """What of a review is new, what stands, and what is gone. What was rejected is not said."""
    told = told_before([one for one in findings if one.standing != "rejected"], anchors, before.kept)
    rest = [kept for kept in before.kept if kept not in told.known]
    stay = standing(rest, change, tools_failed=tools_failed)
    muted = tuple(kept for kept in rest if kept not in stay and id_of(kept) in before.muted)
    new = {finding.id: (finding, kept) for finding, kept in told.new if finding.id not in before.muted}
    again = {id_of(kept): finding for finding, kept in told.again}
    marks = {id: kept for id, (_, kept) in new.items()}
    kept = (*(kept for _, kept in told.again), *stay, *muted, *marks.values())
    stands = dict.fromkeys(map(id_of, kept))
    gone = before.said - stands.keys()
    rows = [Row(id, "new", finding) for id, (finding, _) in new.items()]
    rows += [Row(id, _state(id, before), again.get(id)) for id in stands if id not in new]
    rows += [Row(id, "gone") for id in sorted(gone)]
    fold = (gone - before.answered) | (before.dismissed - before.folded)
    return Now(
        tuple(finding for finding, _ in new.values()),
        kept,
        tuple(rows),
        tuple(comment for comment, id in before.comments if id in fold),
        marks,
    )


def _state(id: str, before: Before) -> State:
    if id in before.dismissed:
        return "dismissed"
    return "answered" if id in before.answered else "open"

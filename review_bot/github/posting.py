"""Posting a review: once, whatever happens in between.

What GitHub shows is the only state. Each step first looks whether it is done and is harmless to repeat, and
the summary, which says what was reviewed, is written last::

    look -> review -> fold what is gone -> withdraw demands -> summary

Killed anywhere, the next run reads the markers again (`rereview`), finds the review or does not, and goes on
from there. Only two writes make something new, the review and the first summary: neither is sent again
before a look has shown that it did not land.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

from review_bot.finding import ReportedFinding
from review_bot.github.client import Client, GithubError, Refused, Unclear
from review_bot.github.comment_body import gone_body
from review_bot.github.marker import Kind, Marker, own
from review_bot.github.model import Event, IssueComment, PostedComment, PostedReview, PullRequest
from review_bot.github.placement import LIMIT, Placement, placed
from review_bot.github.report import Report
from review_bot.github.rereview import Before, Now
from review_bot.github.review_body import review_body
from review_bot.github.summary_body import summary_body

_Posted = TypeVar("_Posted", PostedReview, IssueComment)

#: How often one thing is sent at most, and seconds before it is looked for: lists lag behind writes.
_TIMES = 3
_LAG = 2.0

GONE = "the code changed, and nobody found it again"
DISMISSED = "it was dismissed"


class ReadOnly(GithubError):
    """The token may not write to the pull request; nothing was posted."""


class Superseded(GithubError):
    """The review is of no use any more: what was reviewed is not what is there now."""


@dataclass(slots=True)
class Posting:
    """One review on its way to its pull request. `run` is in every marker."""

    client: Client
    pull: PullRequest  #: as it was reviewed
    report: Report
    run: str
    hunks: tuple[str, ...]  #: digests of all that was reviewed, now and before
    event: Event = "COMMENT"
    max_inline: int = LIMIT
    whole: bool = True  #: whether models have seen what they should; else the next run asks them again
    pause: Callable[[float], None] = time.sleep
    notes: list[str] = field(default_factory=list)  #: sentences for people, in the review

    def post(self, before: Before, now: Now) -> None:
        """Say what is new, fold what is gone, and bring the summary up to date.

        `before` has to be what stands on GitHub at this moment, not what stood there before the review.

        Raises:
            ReadOnly: the token may not write; nothing was posted.
            Superseded: the pull request is closed, or is not what was reviewed.
            GithubError: something could not be posted; the next run goes on from here.
        """
        self._look()
        last = self._review(before, now) if now.new else before.last_review
        for comment in now.gone:
            self._fold(comment, before)
        if self.event == "COMMENT":
            for review in before.demands:
                self._withdraw(review)
        self._summary(before, now, last)

    def _look(self) -> None:
        """Check that the pull request still is what was reviewed."""
        fresh = self.client.pull(self.pull.number)
        if fresh.state != "open":
            raise Superseded("the pull request was closed while it was reviewed")
        if fresh.base_ref != self.pull.base_ref:
            raise Superseded("the pull request got another base while it was reviewed")
        if fresh.head_sha == self.pull.head_sha:
            return
        try:
            moved = self.client.compare(self.pull.head_sha, fresh.head_sha).status
        except Refused:
            moved = "diverged"
        if moved != "ahead":
            raise Superseded("the pull request's head was replaced while it was reviewed")
        self.notes.append(
            f"The head moved to {fresh.head_sha[:10]} while this was written; "
            f"it is about {self.pull.head_sha[:10]}."
        )

    def _review(self, before: Before, now: Now) -> str:
        """Post it; its id."""
        placement = placed(now.new, self.report, lambda one: self._mark("finding", now, one), self.max_inline)
        refusals = 0
        while True:
            body = review_body(self.report, placement, self._marker("review", before, now), notes=self.notes)
            try:
                return self._once(
                    partial(
                        self.client.create_review,
                        self.pull.number,
                        self.pull.head_sha,
                        body,
                        self.event,
                        placement.inline,
                    ),
                    self._landed_review,
                )
            except Refused as refused:
                if refused.status in (401, 403, 404) and not refusals:
                    raise ReadOnly(refused.message) from refused
                refusals += 1
                if refused.status != 422:
                    raise
                if orphan := self._finish_orphan(placement, before, now):
                    return orphan
                if "pending review" in refused.message.lower():
                    if not self._clear_pending(before) or refusals == _TIMES:
                        raise  # somebody else's, with whom we share a login: no comment is to blame
                elif placement.inline:
                    self._clear_pending(before)
                    placement = placement.halved()
                else:
                    raise

    def _finish_orphan(self, placement: Placement, before: Before, now: Now) -> str:
        """After a refusal: the id of the review if it is there all the same, as GitHub sometimes leaves it.

        It has no comments then, so its body gets everything.
        """
        review = self._landed_review()
        if review is None:
            return ""
        while placement.inline:
            placement = placement.halved()
        body = review_body(self.report, placement, self._marker("review", before, now), notes=self.notes)
        self._again(partial(self.client.edit_review_body, self.pull.number, review.id, body))
        return str(review.id)

    def _clear_pending(self, before: Before) -> bool:
        """Delete reviews of ours, of any run, that were never submitted: one blocks all others."""
        left = [
            review
            for review, _ in own(self.client.reviews(self.pull.number), before.viewer, "review")
            if review.state == "PENDING"
        ]
        for review in left:
            self.client.delete_pending_review(self.pull.number, review.id)
        return bool(left)

    def _landed_review(self) -> PostedReview | None:
        reviews = self.client.reviews(self.pull.number)
        found = own(reviews, self.client.viewer(), "review", run=self.run)
        return next((review for review, _ in found if review.state != "PENDING"), None)

    def _landed_summary(self) -> IssueComment | None:
        notes = self.client.issue_comments(self.pull.number)
        return next((note for note, _ in own(notes, self.client.viewer(), "summary", run=self.run)), None)

    def _fold(self, comment: PostedComment, before: Before) -> None:
        """Hide a comment that no longer applies, and resolve its thread or else say so in its text."""
        thread = dict(before.threads).get(comment.id)
        resolved = False
        if thread is not None:
            resolved = self._allowed(lambda: self.client.resolve_thread(thread))
        if not resolved:
            dismissed = any(id in before.dismissed for one, id in before.comments if one.id == comment.id)
            body = gone_body(comment.body, DISMISSED if dismissed else GONE, self.report)
            if body != comment.body:
                self._allowed(lambda: self.client.edit_review_comment(comment.id, body))
        self._allowed(lambda: self.client.minimise(comment.node_id, "OUTDATED"))

    def _withdraw(self, review: PostedReview) -> None:
        reason = "Nothing of what this review asked for is open any more."
        self._allowed(lambda: self.client.dismiss_review(self.pull.number, review.id, reason))

    def _summary(self, before: Before, now: Now, last: str) -> None:
        head = self.pull.head_sha if self.whole else ""
        marker = replace(self._marker("summary", before, now), head=head, last=last)
        body = summary_body(self.report, now.rows, marker, notes=self.notes)
        try:
            if before.summary is not None:
                id = before.summary.id
                if body != before.summary.body:
                    self._again(lambda: self.client.edit_issue_comment(id, body))
                return
        except Refused as refused:
            if refused.status not in (404, 410):  # somebody deleted it
                raise _read_only(refused) from refused
        try:
            self._once(
                partial(self.client.create_issue_comment, self.pull.number, body), self._landed_summary
            )
        except Refused as refused:
            raise _read_only(refused) from refused

    def _marker(self, kind: Kind, before: Before, now: Now) -> Marker:
        return Marker(
            kind, self.run, self.pull.head_sha, now.kept, self.hunks, tuple(sorted(before.dismissed))
        )

    def _mark(self, kind: Kind, now: Now, finding: ReportedFinding) -> Marker:
        return Marker(kind, self.run, self.pull.head_sha, (now.marks[finding.id],))

    def _once(self, write: Callable[[], _Posted], landed: Callable[[], _Posted | None]) -> str:
        """Write something new, and give its id; look whether it landed before it is sent again."""
        for attempt in range(_TIMES):
            try:
                return str(write().id)
            except Unclear:
                for wait in (_LAG, 2 * _LAG):
                    self.pause(wait)
                    if (found := landed()) is not None:
                        return str(found.id)
                if attempt + 1 == _TIMES:
                    raise
        raise AssertionError("the last attempt returns or raises")

    def _again(self, write: Callable[[], None]) -> None:
        """Write what is the same when it is written twice."""
        for attempt in range(_TIMES):
            try:
                write()
            except Unclear:
                if attempt + 1 == _TIMES:
                    raise
                self.pause(_LAG)
            else:
                return

    def _allowed(self, write: Callable[[], None]) -> bool:
        """Write what may be refused without harm; whether it was not."""
        try:
            self._again(write)
        except Refused:
            return False
        return True


def _read_only(refused: Refused) -> GithubError:
    return ReadOnly(refused.message) if refused.status in (401, 403, 404) else refused

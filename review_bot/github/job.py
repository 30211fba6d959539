"""The review of one pull request: what is asked of whom, and what becomes of the outcome."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

from review_bot.command import FOUND, NO_REVIEW, PARTIAL, REVIEWED, print_plan, say
from review_bot.github.chat_commands import may_command
from review_bot.github.client import Client, GithubError
from review_bot.github.hunks import changed_since, digests
from review_bot.github.known import fails, id_of
from review_bot.github.labels import put_down, remembered, thumbs
from review_bot.github.posting import Posting, ReadOnly, Superseded
from review_bot.github.report import report
from review_bot.github.rereview import Before, Now, compared, read_before
from review_bot.github.showing import no_commands, show_check, show_in_job, show_instead
from review_bot.outputs import Output, check_writable, write
from review_bot.preparing import committee_of, nothing_of, rules_of, task_of

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.outcome import Outcome
    from moa_engine.progress import Observer
    from moa_engine.session import Session
    from review_bot.change import Asked
    from review_bot.finding import Review, Severity
    from review_bot.github.model import PullRequest
    from review_bot.github.reading import Commits
    from review_bot.github.report import Report
    from review_bot.github.settings import GithubSettings
    from review_bot.review_task import ReviewTask
    from review_bot.settings import ReviewSettings

#: What tells the job's rights to GitHub and its services. Members that need one have read it by then.
_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")


def _nothing(_: Outcome[Review]) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a pull request is reviewed, and where the review is shown besides."""

    environ: Mapping[str, str]  #: of the CI job, if it is one
    full: bool = False  #: also what was reviewed before
    suggestions: Path | None = None
    outputs: Sequence[Output] = ()
    colour: bool = True
    plan: bool = False  #: only what it would cost
    strict: bool = False
    quiet: bool = False
    shown_instead: bool = True  #: a token that may only read is no fault: the job's page shows it
    watching: Callable[[], AbstractContextManager[Observer | None]] = nullcontext
    concluded: Callable[[Outcome[Review]], None] = _nothing  #: told of the outcome before it is posted


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What came of it. `why` is why nothing was reviewed, `unposted` why a review was not posted."""

    code: int
    why: str = ""
    unposted: str = ""
    pull: PullRequest | None = None
    outcome: Outcome[Review] | None = None
    run: str = ""  #: the one that stands on the pull request now
    new: int = 0
    known: int = 0
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Job:
    """A review that is wanted. `full`: also of what was reviewed before; `again`: also of the same head."""

    options: Options
    client: Client
    pull: PullRequest
    commits: Commits
    session: Session
    full: bool = False
    again: bool = False

    def run(self) -> Reviewed:
        """Review and post.

        Raises:
            MoaError: there is no review, or it could not be posted.
        """
        before = read_before(self.client, self.pull.number)
        if before.finished and before.head == self.pull.head_sha and not self.again:
            return Reviewed(
                self._code(before.kept, before, partial=False),
                why=f"{before.head[:10]} has been reviewed in run {before.run}",
                pull=self.pull,
                run=before.run,
            )
        settings = self._review_settings
        change = self.commits.change(rules_of(settings), self.session.settings.guidelines)
        asked = None if self.full or not before.reviewed else changed_since(change, before.reviewed)
        committee = committee_of(self.session, settings)
        for name in _TOKENS:
            os.environ.pop(name, None)
        if self.options.outputs:
            check_writable(self.options.outputs)
        task = task_of(
            change,
            committee,
            self.session,
            settings,
            repository=self.commits.folder,
            environ=self.options.environ,
            suggestions=self.options.suggestions,
            asked=asked,
        )
        outcome = self._outcome(task, committee, asked)
        if outcome is None:
            return Reviewed(REVIEWED, pull=self.pull)
        self.options.concluded(outcome)
        if self.options.outputs:
            with no_commands(self.options.environ):
                write(outcome, self.options.outputs, colour=self.options.colour)
        return self._posted(task, outcome, digests(change), before)

    def _posted(
        self, task: ReviewTask, outcome: Outcome[Review], hunks: tuple[str, ...], reviewed: Before
    ) -> Reviewed:
        from moa_engine.run import new_run_id

        told = report(outcome, self.session.redactor.mask)
        if outcome.result is None:
            show_in_job(told, self.options.environ)
            say("there is no review", "the members' errors are in the record: moa show last")
            return Reviewed(NO_REVIEW, pull=self.pull, outcome=outcome)
        tools = {name for name, voice in task.voices.items() if voice.deterministic}
        models = task.voices.keys() - tools
        heard = not models or not models <= {*outcome.missing} or task.asked == {}
        if not heard:
            hunks = tuple(hunk for hunk in hunks if hunk in reviewed.reviewed)
        # What stands there now: people answer, and other runs post, while members think.
        before = read_before(self.client, self.pull.number)
        now = compared(
            before,
            outcome.result.findings,
            task.change,
            task.anchors,
            tools_failed=bool(tools & {*outcome.missing}),
        )
        run = outcome.run or new_run_id()
        unposted = self._post(told, before, now, run, hunks, heard)
        if outcome.run:
            self._remember(outcome.run, before)
        return Reviewed(
            self._code(now.kept, before, partial=outcome.status == "partial"),
            unposted=unposted,
            pull=self.pull,
            outcome=outcome,
            run=run,
            new=len(now.new),
            known=len(now.kept) - len(now.new),
            gone=len(now.gone),
        )

    def _post(
        self, told: Report, before: Before, now: Now, run: str, hunks: tuple[str, ...], heard: bool
    ) -> str:
        """Post it; why it was not, if it is of no use any more or may not be."""
        settings, environ = self._settings, self.options.environ
        demanding = settings.event == "REQUEST_CHANGES" and self._failing(now.kept, before, "major")
        posting = Posting(
            self.client,
            self.pull,
            told,
            run,
            hunks,
            "REQUEST_CHANGES" if demanding else "COMMENT",
            settings.max_inline,
            heard,
        )
        try:
            posting.post(before, now)
        except ReadOnly as error:
            if not self.options.shown_instead:
                raise
            show_instead(told, now.new, environ, error)
            return error.message
        except Superseded as error:
            say(f"not posted: {error.message}")
            return error.message
        except GithubError:
            show_in_job(told, environ, "It could not be posted on the pull request.")
            raise
        show_in_job(told, environ)
        show_check(
            self.client,
            self.pull,
            told,
            settings,
            self._review_settings.fail_on,
            failing=self._failing(now.kept, before, "never"),
        )
        if not self.options.quiet:
            say(f"{len(now.new)} new, {len(now.kept) - len(now.new)} known, {len(now.gone)} gone; run {run}")
        return ""

    def _remember(self, run: str, before: Before) -> None:
        """Put down what people think of what was said."""
        may_write = remembered(lambda login: may_command(self.client.permission_of(login)))
        comments = [comment for comment, _ in before.comments]
        given = thumbs(comments, before.viewer, self.client.comment_reactions, may_write)
        try:
            put_down(self.session.record, run, [*before.labels, *given])
        except GithubError as error:  # the review is posted; the next run reads them again
            say(f"what people think of the findings was not read: {error.message}")

    def _outcome(self, task: ReviewTask, committee: Committee, asked: Asked | None) -> Outcome[Review] | None:
        """The outcome; None where only the plan was wanted."""
        from moa_engine.session import plan_for, run_task

        seen = asked == {} and not any(voice.deterministic for voice in task.voices.values())
        if seen or not task.change.files:
            if self.options.plan:
                print("nothing to ask anybody about")
                return None
            outcome = nothing_of(task)
            return replace(outcome, warnings=("all of this was reviewed before",)) if seen else outcome
        plan = plan_for(self.session, task, committee)
        if self.options.plan:
            print_plan(plan, "text")
            return None
        with self.options.watching() as observer:
            return run_task(self.session, task, committee, plan, observer)

    def _code(self, kept: tuple[str, ...], before: Before, *, partial: bool) -> int:
        """What was found before and still is open counts as well: nobody gets past by pushing once more."""
        if self._failing(kept, before, "never"):
            return FOUND
        return PARTIAL if self.options.strict and partial else REVIEWED

    def _failing(self, kept: tuple[str, ...], before: Before, otherwise: Severity | Literal["never"]) -> bool:
        fail_on = self._review_settings.fail_on
        fail_on = otherwise if fail_on == "never" else fail_on
        return any(fails(one, fail_on) and id_of(one) not in before.dismissed for one in kept)

    @property
    def _settings(self) -> GithubSettings:
        return cast("GithubSettings", self.session.sections["github"])

    @property
    def _review_settings(self) -> ReviewSettings:
        return cast("ReviewSettings", self.session.sections["review"])

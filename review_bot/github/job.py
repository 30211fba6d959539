"""The review of one pull request: what is asked of whom, and what becomes of the outcome."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, cast

from review_bot.command import FOUND, NO_REVIEW, PARTIAL, REVIEWED, committee_of, nothing_of, print_plan, say
from review_bot.github.chat_commands import may_command
from review_bot.github.client import Client, GithubError
from review_bot.github.hunks import changed_since, digests
from review_bot.github.known import fails, id_of
from review_bot.github.labels import put_down, remembered, thumbs
from review_bot.github.posting import Posting, ReadOnly, Superseded
from review_bot.github.report import report
from review_bot.github.rereview import Before, Now, compared, read_before
from review_bot.github.showing import no_commands, show_check, show_in_job, show_instead
from review_bot.outputs import check_writable, paired, write

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.outcome import Outcome
    from moa_engine.session import Session
    from review_bot.change import Asked, Change
    from review_bot.finding import Review, Severity
    from review_bot.github.model import PullRequest
    from review_bot.github.reading import Commits
    from review_bot.github.report import Report
    from review_bot.github.settings import GithubSettings
    from review_bot.review_task import ReviewTask
    from review_bot.settings import ReviewSettings
    from review_bot.skipped import SkipRules

#: What tells the job's rights to GitHub and its services. Members that need one have read it by then.
_TOKENS = ("GITHUB_TOKEN", "GH_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")


@dataclass(frozen=True, slots=True)
class Job:
    """A review that is wanted. `full`: also of what was reviewed before; `again`: also of the same head."""

    args: argparse.Namespace
    client: Client
    pull: PullRequest
    commits: Commits
    session: Session
    environ: Mapping[str, str]
    full: bool = False
    again: bool = False

    def run(self) -> int:
        """Review and post; the exit code.

        Raises:
            MoaError: there is no review, or it could not be posted.
        """
        before = read_before(self.client, self.pull.number)
        if before.finished and before.head == self.pull.head_sha and not self.again:
            say(f"nothing to review: {before.head[:10]} has been reviewed in run {before.run}")
            return self._code(before.kept, before, partial=False)
        change = self.commits.change(self._rules(), self.session.settings.guidelines)
        asked = None if self.full or not before.reviewed else changed_since(change, before.reviewed)
        committee = committee_of(self.session, self._review_settings)
        for name in _TOKENS:
            os.environ.pop(name, None)
        outputs = paired(self.args.outputs) if self.args.outputs else []
        check_writable(outputs)
        task = self._task(change, committee, asked)
        outcome = self._outcome(task, committee, asked)
        if outcome is None:
            return REVIEWED
        if outputs:
            with no_commands(self.environ):
                write(outcome, outputs, colour=not self.args.no_color)
        return self._posted(task, outcome, digests(change), before)

    def _posted(
        self, task: ReviewTask, outcome: Outcome[Review], hunks: tuple[str, ...], reviewed: Before
    ) -> int:
        from moa_engine.run import new_run_id

        told = report(outcome, self.session.redactor.mask)
        if outcome.result is None:
            show_in_job(told, self.environ)
            say("there is no review", "the members' errors are in the record: moa show last")
            return NO_REVIEW
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
        self._post(told, before, now, run, hunks, heard)
        if outcome.run:
            self._remember(outcome.run, before)
        return self._code(now.kept, before, partial=outcome.status == "partial")

    def _post(
        self, told: Report, before: Before, now: Now, run: str, hunks: tuple[str, ...], heard: bool
    ) -> None:
        settings = self._settings
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
            show_instead(told, now.new, self.environ, error)
            return
        except Superseded as error:
            say(f"not posted: {error.message}")
            return
        except GithubError:
            show_in_job(told, self.environ, "It could not be posted on the pull request.")
            raise
        show_in_job(told, self.environ)
        show_check(
            self.client,
            self.pull,
            told,
            settings,
            self._review_settings.fail_on,
            failing=self._failing(now.kept, before, "never"),
        )
        if not self.args.quiet:
            say(f"{len(now.new)} new, {len(now.kept) - len(now.new)} known, {len(now.gone)} gone; run {run}")

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
        from moa_engine.terminal import progress

        seen = asked == {} and not any(voice.deterministic for voice in task.voices.values())
        if seen or not task.change.files:
            if self.args.plan:
                print("nothing to ask anybody about")
                return None
            outcome = nothing_of(task)
            return replace(outcome, warnings=("all of this was reviewed before",)) if seen else outcome
        plan = plan_for(self.session, task, committee)
        if self.args.plan:
            print_plan(plan, "text")
            return None
        with progress(quiet=self.args.quiet, colour=False if self.args.no_color else None) as observer:
            return run_task(self.session, task, committee, plan, observer)

    def _task(self, change: Change, committee: Committee, asked: Asked | None) -> ReviewTask:
        from review_bot.proof.deciding import decide
        from review_bot.review_task import ReviewTask
        from review_bot.track import voices_of

        settings, repository = self._review_settings, self.commits.folder
        return ReviewTask(
            change,
            repository=repository,
            mask=self.session.redactor.mask,
            voices=voices_of(committee.members, settings),
            needed=settings.votes_needed,
            proof=decide(
                settings.prove,
                settings.prove_seconds,
                change,
                repository=repository is not None,
                environ=self.environ,
            ),
            layers=len(committee.layers),
            suggestions=self.args.suggestions,
            asked=asked,
        )

    def _code(self, kept: tuple[str, ...], before: Before, *, partial: bool) -> int:
        """What was found before and still is open counts as well: nobody gets past by pushing once more."""
        if self._failing(kept, before, "never"):
            return FOUND
        return PARTIAL if self.args.strict and partial else REVIEWED

    def _failing(self, kept: tuple[str, ...], before: Before, otherwise: Severity | Literal["never"]) -> bool:
        fail_on = self._review_settings.fail_on
        fail_on = otherwise if fail_on == "never" else fail_on
        return any(fails(one, fail_on) and id_of(one) not in before.dismissed for one in kept)

    def _rules(self) -> SkipRules:
        from review_bot.skipped import SkipRules

        settings = self._review_settings
        return SkipRules(settings.include, settings.exclude, settings.max_file_bytes)

    @property
    def _settings(self) -> GithubSettings:
        return cast("GithubSettings", self.session.sections["github"])

    @property
    def _review_settings(self) -> ReviewSettings:
        return cast("ReviewSettings", self.session.sections["review"])

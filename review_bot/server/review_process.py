"""The process of one job: the same review as `review-bot github`, for the server.

    python -m review_bot.server.review_process

It reads one JSON object from standard input (`Start`), gets tokens over the socket that it inherits, writes
JSON lines to standard output (how far it is, and at the end the result), and words for people to standard
error. Exit codes are those of `review-bot github`; 75 when the server closed the socket, or died.

Members, endpoints, keys, prices and budgets are the operator's; for what a repository may set, see
`base_settings`. Nothing of the server's own secrets is in this process: only a token for one repository.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from moa_engine.errors import RecordError
from moa_engine.progress import Event, MemberFinished, MemberStarted
from review_bot.command import as_exit_code, say
from review_bot.github.client import Connection
from review_bot.github.job import Options, Reviewed
from review_bot.github.reviewing import review_pull
from review_bot.github.tokens import Tokens
from review_bot.server.base_settings import base_settings
from review_bot.server.channel import Channel
from review_bot.server.database import Database, DatabaseFailed, reason
from review_bot.server.jobs import Job
from review_bot.server.kept_answers import KeptAnswers
from review_bot.server.run_rows import result_of, stored_run, write_result, write_run

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from moa_engine.progress import Observer
    from moa_engine.record import StoredRun
    from moa_engine.session import Session
    from review_bot.finding import Review
    from review_bot.github.reading import Commits

#: Seconds between two lines that say who is thinking.
_OFTEN = 1.0

Tell = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Start:
    """What the server says on standard input."""

    job: Job
    channel: int  #: the socket's file descriptor
    database: str = field(repr=False)  #: its URL
    record: str | None  #: the file of this machine's record
    config: str | None  #: the operator's file; else settings are searched from the working directory
    api_url: str
    server_url: str
    prove: bool  #: whether code under review may be run here, in a sandbox

    @classmethod
    def read(cls, text: str) -> Start:
        """The object in `text`."""
        data = json.loads(text)
        return cls(**{**data, "job": Job.from_json(data["job"])})


class Process:
    """One job in this process."""

    def __init__(self, start: Start, database: Database, tell: Tell) -> None:
        self._start = start
        self._job = start.job
        self._database = database
        self._tell = tell
        self._kept = KeptAnswers(database, start.job, say)
        self._session: Session | None = None
        self._commits: Commits | None = None
        self._result: dict[str, Any] = {"run": "", "status": ""}

    def run(self, tokens: Tokens) -> int:
        """Do the job; the exit code.

        Raises:
            MoaError: there is no review, or it could not be posted.
        """
        start, job = self._start, self._job
        connection = Connection(job.repository, tokens, start.api_url, start.server_url)
        options = Options(
            environ={},
            quiet=True,
            shown_instead=False,
            watching=self._watching,
            concluded=self._concluded,
        )
        self._tell({"phase": "reading"})
        done = review_pull(connection, job.target, options, self._opened, recorded=self._recorded)
        self._finish(done)
        return done.code

    @contextmanager
    def _opened(self, commits: Commits) -> Iterator[Session]:
        from moa_engine.session import open_session

        start = self._start
        given = {"record": start.record, "review.prove": None if start.prove else "off"}
        with open_session(
            start=Path(),
            config=Path(start.config) if start.config else None,
            flags=given,
            above=base_settings(commits.settings()),
        ) as session:
            self._session, self._commits = session, commits
            session.plugins.register(self._kept)
            self._kept.restore(session.record)
            yield session

    @contextmanager
    def _watching(self) -> Iterator[Observer]:
        """Says who is thinking: of each who joins at once, of the rest now and then."""
        asked: dict[str, int] = {}
        told: set[str] = set()
        last = 0.0

        def observer(event: Event) -> None:
            nonlocal told, last
            if isinstance(event, MemberStarted | MemberFinished):
                more = 1 if isinstance(event, MemberStarted) else -1
                asked[event.member] = asked.get(event.member, 0) + more
                thinking = {member for member, count in asked.items() if count}
                if thinking - told or time.monotonic() - last >= _OFTEN:
                    told, last = thinking, time.monotonic()
                    self._phase("reviewing", thinking=sorted(thinking))

        self._phase("reviewing")
        yield observer

    def _phase(self, phase: str, **more: Any) -> None:
        assert self._session is not None
        assert self._commits is not None
        title = self._session.redactor.mask(self._commits.pull.title)
        self._tell({"phase": phase, "title": title, **more})

    def _recorded(self, run: str) -> StoredRun:
        """A run from this machine's record, or else from wherever it was made."""
        assert self._session is not None
        try:
            return self._session.record.run(run)
        except RecordError:
            return stored_run(self._database, self._job.repository, run)

    def _concluded(self, outcome: Outcome[Review]) -> None:
        """Put the run down before it is posted: every run that GitHub shows can be looked up."""
        self._phase("posting")
        assert self._session is not None
        assert self._commits is not None
        pull, mask = self._commits.pull, self._session.redactor.mask
        findings = outcome.result.findings if outcome.result else ()
        standings = [finding.standing for finding in findings]
        self._result |= {
            "run": outcome.run,
            "status": outcome.status,
            "calls": outcome.calls,
            "cached": outcome.cached,
            "cost": outcome.cost_usd,
            "seconds": outcome.seconds,
            "summary": {
                "title": mask(pull.title),
                "findings": {standing: standings.count(standing) for standing in sorted({*standings})},
            },
        }
        self._kept.flush()
        with self._database.writing() as connection:
            calls, cost = self._kept.earlier(connection, outcome.run)
            total = None if cost is None or outcome.cost_usd is None else cost + outcome.cost_usd
            self._result |= {"calls": calls + outcome.calls, "cost": total}
            if outcome.run:
                stored = self._session.record.run(outcome.run)
                write_run(connection, self._job, stored, outcome, mask=mask, pull=pull)
            write_result(connection, self._job, self._result)

    def _finish(self, done: Reviewed) -> None:
        """The result: of this process, or of an earlier one that was killed when all was posted."""
        why = done.why or done.unposted
        if done.why and done.run and (earlier := result_of(self._database, self._job, done.run)):
            self._result, why = earlier, ""
        if done.outcome is not None:
            counts = {"new": done.new, "known": done.known, "gone": done.gone}
            self._result["summary"] = {**self._result["summary"], **counts}
            with self._database.writing() as connection:
                write_result(connection, self._job, self._result)
        self._tell({"result": {**self._result, "why": why}})


def main() -> int:
    """Do the job that standard input describes."""
    # Whatever prints is not to be taken for a line of ours.
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(said: Mapping[str, Any]) -> None:
        print(json.dumps(said), file=lines, flush=True)

    def work() -> int:
        start = Start.read(sys.stdin.read())
        channel = Channel(start.channel)
        database = Database.open(start.database)
        try:
            return Process(start, database, tell).run(Tokens(channel.token))
        except SQLAlchemyError as error:
            raise DatabaseFailed(f"the server's database does not answer: {reason(error)}") from error
        finally:
            database.close()

    return as_exit_code(work)


if __name__ == "__main__":
    sys.exit(main())

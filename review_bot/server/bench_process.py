"""The process of one case of a bench, for the server: the same run as that of `moa bench run`.

    python -m review_bot.server.bench_process

It reads one JSON object from standard input (`Start`), writes JSON lines to standard output, and words for
people to standard error; it ends when the server does (`channel`). Members, endpoints, keys, prices and
budgets are the operator's. The job names a committee, and says what it was when it was priced: another one is
refused. The code of the case is read, and never run.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import SQLAlchemyError

from moa_engine.errors import ConfigError, MoaError
from review_bot.command import as_exit_code, say
from review_bot.server import bench_rows
from review_bot.server.channel import Channel
from review_bot.server.database import Database, DatabaseFailed, reason
from review_bot.server.run_rows import packed

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from review_bot.settings import ReviewSettings


@dataclass(frozen=True, slots=True)
class Start:
    """What the server says on standard input."""

    id: str
    channel: int  #: the socket's file descriptor
    database: str = field(repr=False)  #: its URL
    record: str | None  #: the file of this machine's record
    config: str | None  #: the operator's file; else settings are searched from the working directory

    @classmethod
    def read(cls, text: str) -> Start:
        """The object in `text`."""
        data = json.loads(text)
        return cls(data.pop("job")["id"], **data)


def run(start: Start, database: Database) -> str:
    """Run the case, and put the run into the table; its id.

    Raises:
        ConfigError: the committee is not here, or is another one.
        MoaError: there is no run.
    """
    from moa_engine.session import open_session
    from review_bot.bench.cases import CaseSet
    from review_bot.bench.measuring import patient
    from review_bot.bench.running import case_tasks, run_cases
    from review_bot.bench.shape import difference, shape_of
    from review_bot.preparing import committee_of

    work = bench_rows.work_of(database, start.id)
    try:
        cases = CaseSet.from_json(work["case"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"the job has no case that can be read: {error!r}") from error
    flags: dict[str, Any] = {"record": start.record, "committee": work["committee"]}
    given = {name: value for name, value in flags.items() if value is not None}
    config = Path(start.config) if start.config else None
    with open_session(start=Path(), config=config, flags=given) as opened:
        session = patient(opened)
        settings = cast("ReviewSettings", session.sections["review"])

        def seat() -> Committee:
            return committee_of(session, settings)

        committee = seat()
        if other := difference(work["shape"], shape_of(session, settings, committee)):
            raise ConfigError(
                f"the committee {committee.name!r} of the server on {os.uname().nodename} is not that of the "
                f"command: {other}",
                hint="give both the same configuration",
            )
        kept = bench_rows.answers(database, start.id, work["cases"], cases.cases[0].id, say)
        session.plugins.register(kept)
        kept.restore(session.record)
        with case_tasks(session, settings, cases, committee) as tasks:
            done = run_cases(session, tasks, seat)
        if not done:
            raise MoaError("the run was interrupted")
        kept.flush()
        outcome = done[0].outcome
        bench_rows.write_run(
            database, start.id, outcome.run, outcome.status, packed(session.record.run(outcome.run))
        )
        return outcome.run


def main() -> int:
    """Do the job that standard input describes."""
    # Whatever prints is not to be taken for a line of ours.
    lines = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def work() -> int:
        start = Start.read(sys.stdin.read())
        Channel(start.channel)
        database = Database.open(start.database)
        try:
            made = run(start, database)
        except SQLAlchemyError as error:
            raise DatabaseFailed(f"the server's database does not answer: {reason(error)}") from error
        finally:
            database.close()
        print(json.dumps({"result": {"run": made}}), file=lines, flush=True)
        return 0

    return as_exit_code(work)


if __name__ == "__main__":
    sys.exit(main())

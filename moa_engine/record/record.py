"""The record of all runs: append to it, ask it, verify it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

from moa_engine.attempt import Attempt
from moa_engine.errors import RecordError
from moa_engine.record.chain import Verification
from moa_engine.record.entries import (
    Body,
    Event,
    Note,
    RunSummary,
    StoredRun,
    attempt_from,
    event_from,
    readable,
)
from moa_engine.record.file import open_for_reading, open_for_writing
from moa_engine.record.process import is_alive, this_process
from moa_engine.record.reader import Reader
from moa_engine.record.writer import Writer

#: Seconds after its last entry that a run counts as running, where its process cannot be seen.
_SILENCE = 3600.0


class Record:
    """A record, open for writing and reading, from any thread.

    Several processes can use one file at the same time. Nothing in it is ever changed or removed.

    Args:
        path: the file; made, with its folder, if there is none.
        wait: seconds that another process may hold the file locked before that is an error.

    Raises:
        RecordError: the file cannot be written, is locked, is not a record, or has a newer format.
    """

    def __init__(self, path: Path | str, *, wait: float = 5.0) -> None:
        self.path = Path(path).expanduser().absolute()
        writing = open_for_writing(self.path, wait)
        self._reader = Reader(open_for_reading(self.path, wait), self.path)
        self._writer = Writer(writing, self.path)

    @classmethod
    def default_path(cls) -> Path:
        """Where the record is unless the settings say otherwise: in the user's state folder."""
        from platformdirs import user_state_path

        return user_state_path("moa", appauthor=False) / "record.sqlite"

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except RecordError as failure:
            if error is None:
                raise
            error.add_note(str(failure))  # what went wrong first matters more

    # Writing

    def start_run(
        self,
        *,
        run: str,
        key: str,
        task: str,
        committee: str,
        payload: Mapping[str, Any],
        plan: Mapping[str, Any],
        seed: int,
        version: str,
    ) -> None:
        """Put down that a run begins, and wait until that is in the file: the time to find that it cannot be.

        `payload` (what `Task.dump` gave) and `plan` are JSON values; `key` is the same for the same run.

        Raises:
            RecordError: the record cannot be written.
        """
        fields = {"key": key, "task": task, "committee": committee, "seed": seed, "version": version}
        texts = {"payload": _json(payload), "plan": _json(plan)}
        self._writer.add(Note("start", run, {**fields, "process": this_process()}, texts, time.time()))
        self.flush()

    def append(self, attempt: Attempt) -> None:
        """Queue an attempt; it is in the file within a fraction of a second."""
        self._writer.add(attempt)

    def event(self, run: str, kind: str, data: Mapping[str, Any]) -> None:
        """Queue something else that happened in a run. `data` is a JSON value."""
        self._writer.add(Note("event", run, {"kind": kind}, {"data": _json(data)}, time.time()))

    def finish_run(self, run: str, *, status: str, result: str, outcome: str) -> None:
        """Put down how a run ended, and wait until all of it is in the file.

        `result` and `outcome` are JSON texts; they come back exactly as they are given.

        Raises:
            RecordError: something of the run cannot be written.
        """
        texts = {"result": result, "outcome": outcome}
        self._writer.add(Note("end", run, {"status": status}, texts, time.time()))
        self.flush()

    def flush(self) -> None:
        """Wait until everything queued is in the file, where the end of this process cannot touch it.

        Raises:
            RecordError: it cannot be written (disk full, locked). It stays queued: flush again.
        """
        self._writer.flush()

    @property
    def problem(self) -> RecordError | None:
        """Why the last write in the background failed; None while all is well."""
        return self._writer.problem

    def close(self) -> None:
        """Flush and close.

        Raises:
            RecordError: what was queued could not be written, and is lost.
        """
        try:
            self._writer.close()
        finally:
            self._reader.close()

    # Reading

    def find(self, key: str) -> Attempt | None:
        """The newest usable attempt with this key (`attempt.request_key`), also one that is still queued.

        Copies of it that were taken from the record (purpose "cached") do not count as attempts here.

        Raises:
            RecordDamaged: there is one, but its texts are not what they were.
        """
        return self._writer.queued(key) or self._reader.find(key)

    def latencies(self, member: str, model: str, endpoint: str, limit: int = 200) -> list[float]:
        """Seconds that this member's last usable attempts took, newest first."""
        return self._reader.latencies(member, model, endpoint, limit)

    def events_of(self, key: str) -> tuple[Event, ...]:
        """The events of the newest complete run that was started with this key; none without one.

        Raises:
            RecordDamaged: a text of that run is missing or altered.
        """
        text = self._reader.texts()
        return tuple(event_from(body, text) for body in self._reader.events_of(key))

    def runs(self, limit: int = 20) -> list[RunSummary]:
        """The last runs, newest first."""
        return [self._summary(start) for start in self._reader.starts(limit)]

    def run(self, run: str) -> StoredRun:
        """One run with everything that belongs to it, in order.

        `run` is an id, the beginning of one if no other run begins like that, or "last".

        Raises:
            RecordError: no such run, or several.
            RecordDamaged: a text of the run is missing or altered.
        """
        bodies = [body for _, _, body in self._reader.entries(self._reader.run_id(run))]
        start = next(body for body in bodies if body["type"] == "start")
        end = next((body for body in reversed(bodies) if body["type"] == "end"), None)
        started, seconds, status = _span(start, bodies[-1], end)
        text = self._reader.texts()
        return StoredRun(
            id=start["run"],
            task=start["task"],
            committee=start["committee"],
            seed=start["seed"],
            version=start["version"],
            status=status,
            started=started,
            seconds=seconds,
            payload=json.loads(text(start["payload"])),
            plan=json.loads(text(start["plan"])),
            attempts=tuple(attempt_from(body, text) for body in bodies if body["type"] == "attempt"),
            events=tuple(event_from(body, text) for body in bodies if body["type"] == "event"),
            result=text(end["result"]) if end else None,
            outcome=text(end["outcome"]) if end else None,
        )

    def verify(self) -> Verification:
        """Walk the whole chain: every entry, every text."""
        return self._reader.verify()

    def export(self, run: str) -> Iterator[str]:
        """One run as lines of JSON in ASCII, with full texts: the start, attempts, events, the end.

        `seq` and `hash` say which entry of the record a line is. Raises as `run` does.
        """
        entries = self._reader.entries(self._reader.run_id(run))
        text = self._reader.texts()
        return (
            json.dumps({"seq": seq, "hash": digest, **readable(body, text)}) for seq, digest, body in entries
        )

    def _summary(self, start: Body) -> RunSummary:
        sql = "SELECT cost_usd FROM entry WHERE run = ? AND type = 'attempt' AND purpose <> 'cached'"
        costs = [cost for (cost,) in self._reader.rows(sql, start["run"])]
        known = [Decimal(cost) for cost in costs if cost is not None]
        sql = "SELECT body FROM entry WHERE run = ? ORDER BY seq DESC LIMIT 1"
        last = json.loads(self._reader.rows(sql, start["run"])[0][0])
        sql = "SELECT body FROM entry WHERE run = ? AND type = 'end' ORDER BY seq DESC LIMIT 1"
        ends = self._reader.rows(sql, start["run"])
        started, seconds, status = _span(start, last, json.loads(ends[0][0]) if ends else None)
        return RunSummary(
            id=start["run"],
            task=start["task"],
            committee=start["committee"],
            status=status,
            started=started,
            seconds=seconds,
            calls=len(costs),
            cost=sum(known, Decimal(0)) if known or not costs else None,
        )


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def _span(start: Body, last: Body, end: Body | None) -> tuple[float, float, str]:
    """When a run started, its seconds so far, and its status, from its first, last and end entry."""
    started = start["at"]
    if end is not None:
        return started, end["at"] - started, end["status"]
    until = last["started"] + last["seconds"] if last["type"] == "attempt" else last["at"]
    alive = is_alive(start["process"])
    if alive is None:
        alive = time.time() - until < _SILENCE
    return started, max(0.0, until - started), "running" if alive else "interrupted"

"""Deliveries that came while no server was up: GitHub tries each once, and is asked to send them again.

Each is asked for once, by whichever process: who writes its id down first asks. What a server refused (4xx)
was not missed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from moa_engine.errors import MoaError
from review_bot.github.client import Refused
from review_bot.github.exchange import readable
from review_bot.server.app_auth import AppAuth
from review_bot.server.database import Database, deliveries, reason, redelivered
from review_bot.server.deliveries import LISTENED

#: Seconds between two looks, and for how long GitHub knows its deliveries.
_EVERY, _KNOWN = 3600.0, 3 * 86400.0

#: Deliveries that are looked at, and asked for, at a time.
_MOST_LOOKED_AT, _MOST_ASKED_FOR = 5000, 200

Say = Callable[[str], None]


class Missed:
    """Asks for what was missed."""

    def __init__(self, database: Database, app: AppAuth, say: Say) -> None:
        self._database = database
        self._insert = postgresql if database.engine.dialect.name == "postgresql" else sqlite
        self._app = app
        self._say = say

    def looking(self, stop: threading.Event) -> None:
        """Look at once and then now and then, until `stop`."""
        while not stop.is_set():
            try:
                if count := self.ask():
                    self._say(f"{count} deliveries that no server took are asked for again")
            except SQLAlchemyError as error:
                self._say(f"missed deliveries are not known: {reason(error)}")
            except MoaError as error:  # GitHub may be there the next time
                self._say(f"missed deliveries are not known: {error.message}")
            stop.wait(_EVERY)

    def ask(self) -> int:
        """Ask for what was missed; how many deliveries that were."""
        asked = 0
        for guid, id in self._failed().items():
            if asked == _MOST_ASKED_FOR:
                break
            if not self._is_first(guid):
                continue
            try:
                self._app.redeliver(id)
            except Refused:  # GitHub does not have it any more
                continue
            except MoaError:
                with self._database.writing() as connection:
                    connection.execute(delete(redelivered).where(redelivered.c.id == guid))
                raise
            asked += 1
        return asked

    def _failed(self) -> dict[str, int]:
        """The newest try of each that no server took and that is not in the inbox; the oldest one first."""
        tries: dict[str, int] = {}
        taken: set[str] = set()
        with readable("GET /app/hook/deliveries"):
            for one in self._recent():
                guid, status = str(one["guid"]), int(one["status_code"])
                if 200 <= status < 500:
                    taken.add(guid)
                elif one["event"] in LISTENED:
                    tries.setdefault(guid, int(one["id"]))
        known = select(deliveries.c.id).where(deliveries.c.id.in_(tries))
        with self._database.reading() as connection:
            taken |= set(connection.scalars(known))
        return {guid: tries[guid] for guid in reversed(tries) if guid not in taken}

    def _recent(self) -> Iterator[Mapping[str, Any]]:
        since = time.time() - _KNOWN
        for number, one in enumerate(self._app.hook_deliveries()):
            at = datetime.fromisoformat(one["delivered_at"]).timestamp()
            if number == _MOST_LOOKED_AT or at < since:
                return
            yield one

    def _is_first(self, guid: str) -> bool:
        new = self._insert.insert(redelivered).values(id=guid, at=time.time()).on_conflict_do_nothing()
        with self._database.writing() as connection:
            return connection.scalar(new.returning(redelivered.c.id)) is not None

"""What GitHub could not deliver is asked for again: once, and only what no server took."""

import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from review_bot.github.client import Unreachable
from review_bot.server.app_auth import AppAuth
from review_bot.server.database import Database, deliveries
from review_bot.server.missed import Missed
from tests.review_bot.github.fake_github import Clock, FakeGithub
from tests.review_bot.gitrepo import GitRepo


def test_what_no_server_took_is_asked_for_once(database_url: str, tmp_path: Path) -> None:
    GitRepo(tmp_path / "shop.git", "--bare")
    database, clock = Database.open(database_url), Clock()
    with FakeGithub(tmp_path / "shop.git") as fake:
        app = fake.apps.create()

        def tried(guid: str, status: int, hours: float = 1, event: str = "pull_request") -> int:
            at = datetime.fromtimestamp(time.time() - hours * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            facts = {"guid": guid, "status_code": status, "event": event, "delivered_at": at}
            app.hook_log.append({"id": 100 + len(app.hook_log), **facts})
            return 99 + len(app.hook_log)

        tried("taken-the-second-time", 202)
        newest = tried("missed-twice", 502)
        tried("taken-the-second-time", 502, 2)
        tried("missed-twice", 0, 2)
        tried("refused", 403, 3)
        tried("asks-for-nothing", 502, 3, "star")
        tried("in-the-inbox", 504, 4)  # the answer was lost
        oldest = tried("a-comment", 503, 71, "issue_comment")
        tried("long-ago", 502, 73)
        with database.writing() as connection:
            row = {"id": "in-the-inbox", "received": 0, "wish": {}, "state": "new"}
            connection.execute(insert(deliveries), row)

        def missed() -> Missed:
            auth = AppAuth(str(app.id), app.private_key, fake.url, sleep=clock.sleep)
            return Missed(database, auth, print)

        fake.break_next("POST /attempts$", 502)
        with pytest.raises(Exception, match="502"):
            missed().ask()  # GitHub is not there; the next time it may be
        assert missed().ask() == 2
        assert app.asked_again == [oldest, newest]
        assert missed().ask() == 0
        assert len(app.asked_again) == 2

        fake.break_next("GET /app/hook/deliveries$", 500, times=9)
        with pytest.raises(Unreachable):
            missed().ask()
    database.close()

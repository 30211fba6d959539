"""`moa bench run --servers`: real servers run the cases, share them, and lose none when one is killed."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from moa_engine.cli import main
from review_bot.bench.cases import read_cases
from review_bot.server.child import Start
from review_bot.server.database import Database, bench_jobs, kept_answers
from review_bot.server.serving import Working
from review_bot.server.settings import ServerSettings
from tests.review_bot.bench.test_bench_command import MODULES, SMALL, accuser, text_of
from tests.review_bot.commands import environment
from tests.review_bot.gitrepo import GitRepo
from tests.review_bot.server.working import Tokens, until
from tests.scripted_endpoint import ScriptedEndpoint

PROCESS = [sys.executable, "-m", "review_bot.server.bench_process"]

CONFIG = """
layers = 1
attempts = 1
[stragglers]
hedge = false
[review]
reviewers = ["hygiene"]
[committees.two]
layers = 1
[committees.two.members.accuser]
model = "accuser"
base_url = "BASE"
price = { input = 1.0, output = 10.0 }
[committees.two.members.other]
model = "other"
base_url = "OTHER"
price = { input = 1.0, output = 10.0 }
"""


class Asked(list[tuple[str, str]]):
    """What models were asked: which one, and the change that it was shown."""

    def twice(self) -> int:
        return sum(count - 1 for count in Counter(self).values())


class World:
    """A server for each model, so that one can be held; the operator's settings."""

    def __init__(self, folder: Path, accuser: str, other: str, asked: Asked) -> None:
        self.folder, self.asked = folder, asked
        self.go = threading.Event()
        self.held: Callable[[str], bool] = lambda _: len(asked) > 2  #: which model waits for that
        self.config = folder / "operator.toml"
        self.config.write_text(CONFIG.replace("BASE", accuser).replace("OTHER", other))


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in environment(tmp_path).items():
        if name.startswith("MOA_"):
            monkeypatch.setenv(name, value)
    asked = Asked()

    def answer(request: Any) -> str:
        asked.append((request["model"], text_of(request)))
        if world.held(request["model"]):
            world.go.wait(60)
        return accuser(request)

    repo = GitRepo(tmp_path / "project")
    repo.commit(MODULES)
    monkeypatch.chdir(repo.folder)
    with ScriptedEndpoint(answer) as one, ScriptedEndpoint(answer) as other:
        world = World(tmp_path, one.base_url, other.base_url, asked)
        assert main(["bench", "cases", *SMALL, "--output", "cases.json"]) == 0
        yield world
        world.go.set()


def bench(world: World, url: str, *more: str) -> int:
    given = ("--committee", "two", "--config", str(world.config), "--servers", url)
    return main(["bench", "run", "cases.json", *given, *more])


def command(world: World, url: str) -> subprocess.Popen[str]:
    """The same in a process, which can have a Ctrl-C."""
    given = ("--committee", "two", "--config", str(world.config), "--servers", url)
    return subprocess.Popen(
        [sys.executable, "-m", "moa_engine.cli", "bench", "run", "cases.json", *given],
        env=environment(world.folder), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def rows(url: str) -> dict[str, Any]:
    database = Database.open(url)
    with database.reading() as connection:
        found = {row.id: row for row in connection.execute(select(bench_jobs))}
    database.close()
    return found


def states(url: str) -> Counter[str]:
    return Counter(row.state for row in rows(url).values())


def panels(file: str = "moa-bench.json") -> dict[str, Any]:
    data = json.loads(Path(file).read_text())
    return {panel["name"]: panel for panel in data["panels"]}


def test_a_server_runs_the_cases_and_the_result_is_that_of_a_run_here(
    world: World, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{world.folder / 'server.sqlite'}"
    assert bench(world, url, "--plan") == 2
    assert "there is no server's database" in capsys.readouterr().err
    Database.open(url).close()  # as a server leaves it
    assert bench(world, str(world.folder), "--plan") == 0  # the server's --data
    assert re.search(r"1 +accuser +3 ", capsys.readouterr().out)
    assert bench(world, url, "--budget", "0.0001") == 2
    assert "more than the budget" in capsys.readouterr().err
    assert not rows(url)

    # Interrupted, it leaves the jobs alone.
    waiting = command(world, url)
    try:
        until(lambda: states(url) == {"queued": 3})
        stack.enter_context(Server(url, world.folder / "one", world.config))
        until(lambda: states(url)["done"] == 1 and len(world.asked) == 4)
        waiting.send_signal(signal.SIGINT)
        _, said = waiting.communicate(timeout=60)
    finally:
        waiting.kill()
    assert waiting.returncode == 3, said
    assert "no server works on this database" in said
    assert "the servers go on" in said
    assert "1 of 3 cases are done" in said

    # The same command goes on with them, and a third time there is nothing to do.
    world.go.set()
    assert bench(world, url) == 0
    done = capsys.readouterr()
    assert "3 of 3" in done.err
    assert bench(world, url) == 0
    assert "9 calls, 9 of them in the record" in capsys.readouterr().err
    assert len(rows(url)) == 3
    assert len(world.asked) == 6
    assert world.asked.twice() == 0
    served = panels()
    assert {case["hunk"] for case in served["accuser"]["verdicts"]} == {
        hunk.id for _, hunk in read_cases(Path("cases.json")).hunks
    }

    # What is recorded is a run like any other: nobody is asked by studies of it, nor by the same run here.
    config = ("--committee", "two", "--config", str(world.config))
    assert main(["bench", "ablate", "proposers", "cases.json", *config]) == 0
    assert main(["bench", "run", "cases.json", *config, "--output", "here.json"]) == 0
    assert len(world.asked) == 6
    for name, panel in panels("here.json").items():
        for key in ("calls", "cost_usd", "tokens_in", "tokens_out", "failed", "members"):
            assert panel[key] == served[name][key], (name, key)
        bare = [{**verdict, "run": ""} for verdict in panel["verdicts"]]
        assert bare == [{**verdict, "run": ""} for verdict in served[name]["verdicts"]]


def test_another_committee_is_refused_with_the_reason(
    world: World, stack: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{world.folder / 'server.sqlite'}"
    other = world.folder / "other.toml"
    other.write_text(world.config.read_text().replace('model = "other"', 'model = "cheaper"'))
    fewer = ("--planted", "2", "--clean", "1", "--no-witness", "--output", "cases.json")
    assert main(["bench", "cases", *fewer]) == 0
    stack.enter_context(Server(url, world.folder / "one", other))
    world.go.set()
    assert bench(world, url) == 4
    said = capsys.readouterr().err
    assert 'is not that of the command: member other: model is "other" there and "cheaper" here' in said
    other.write_text(world.config.read_text().replace("committees.two", "committees.three"))
    assert bench(world, url) == 4
    assert "'two'" in capsys.readouterr().err
    assert states(url) == {"failed": 4}
    assert not world.asked
    other.write_text(world.config.read_text())
    assert bench(world, url) == 0
    assert world.asked.twice() == 0


def test_servers_share_the_cases_and_one_that_is_killed_loses_none(
    world: World, postgres_url: str, stack: ExitStack
) -> None:
    world.held = lambda model: model == "other"
    servers = [
        stack.enter_context(Server(postgres_url, world.folder / name, world.config)) for name in ("a", "b")
    ]
    waiting = command(world, postgres_url)
    try:
        until(lambda: len({row.executor for row in running(postgres_url)}) == 2)
        until(lambda: kept(postgres_url) == {"accuser": 2})
        until(lambda: "other" in dict(world.asked))
        servers[0].process.kill()  # one member has answered, the other one is being asked
        servers[0].process.wait()
        world.go.set()
        _, said = waiting.communicate(timeout=120)
    finally:
        waiting.kill()
    assert waiting.returncode == 0, said
    found = rows(postgres_url).values()
    assert sorted((row.state, row.attempts) for row in found) == [("done", 1), ("done", 1), ("done", 2)]
    assert kept(postgres_url) == {"accuser": 3, "other": 3}
    assert len(world.asked) <= 6 + 1
    assert Counter(model for model, _ in world.asked)["accuser"] == 3
    hunks = Counter(hunk.id for _, hunk in read_cases(Path("cases.json")).hunks)
    for panel in panels().values():
        assert Counter(one["hunk"] for one in panel["verdicts"]) == hunks


def running(url: str) -> list[Any]:
    return [row for row in rows(url).values() if row.state == "running"]


def kept(url: str) -> Counter[str]:
    """How many answers there are of each model."""
    database = Database.open(url)
    with database.reading() as connection:
        found = connection.scalars(select(kept_answers.c.attempt)).all()
    database.close()
    return Counter(attempt["member"] for attempt in found if attempt["model"])


class Server:
    """A server's working side in a process of its own, killed at the end."""

    def __init__(self, url: str, folder: Path, config: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.review_bot.server.test_bench_on_servers", url, folder, config],
            cwd=Path(__file__).parents[3], env=environment(config.parent), stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> Server:
        assert self.process.stdout
        assert self.process.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def serve(url: str, folder: Path, config: Path) -> None:
    """What such a process does."""
    folder.mkdir()
    told = {"database": url, "record": str(folder / "record.sqlite"), "config": str(config)}
    queue = url if url.startswith("postgresql") else f"sqlite:///{folder / 'queue.sqlite'}"
    start = Start(PROCESS, lambda _: told, folder / "scratch", 0)
    settings = ServerSettings(repositories=["*"], silent_seconds=4.0)
    say = partial(print, file=sys.stderr, flush=True)
    Working(Database.open(url), queue, settings, start, Tokens(), say, start).start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    serve(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))

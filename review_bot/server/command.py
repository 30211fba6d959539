"""`review-bot serve`: everything is checked and named before the first delivery is taken.

The main thread waits for signals. The web side goes on taking deliveries while the reviews of a server that
is to stop come to their end: what GitHub cannot deliver, it does not deliver again.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError
from review_bot.command import REVIEWED
from review_bot.server.log import hear, tell

if TYPE_CHECKING:
    from review_bot.server.configured import Given

#: What the process of a job runs.
_REVIEW = ("-m", "review_bot.server.review_process")
_BENCH = ("-m", "review_bot.server.bench_process")


def run(args: argparse.Namespace) -> int:
    """Run the command until it is told to stop; the exit code.

    Raises:
        ConfigError: the settings are not good, or something is not installed; nothing was started.
        MoaError: a database or the web side cannot be used.
    """
    try:
        return _create_app(args) if args.create_app else _serve(args)
    except ImportError as error:
        raise ConfigError(
            f"what the server needs is not installed ({error.name})", hint='pip install "pytest-moa[server]"'
        ) from error


def _create_app(args: argparse.Namespace) -> int:
    from review_bot.server.configured import github_settings
    from review_bot.server.manifest import NewApp, create_app

    given = _given(args)
    new = NewApp(args.url or "", args.org or "", given.server_url, given.api_url, github_settings(given))
    create_app(new, given.data, tell, port=args.port)
    return REVIEWED


def _serve(args: argparse.Namespace) -> int:
    from review_bot.server import metrics, pages
    from review_bot.server.allocator import share_arenas
    from review_bot.server.app import application
    from review_bot.server.child import Start
    from review_bot.server.configured import configured, login_of
    from review_bot.server.database import Database
    from review_bot.server.inbox import Inbox
    from review_bot.server.listening import Listening, bound, url_of
    from review_bot.server.missed import Missed
    from review_bot.server.scratch import Scratch
    from review_bot.server.serving import Working
    from review_bot.server.tokens import InstallationTokens

    share_arenas()  # before there are threads
    given = _given(args)
    found = configured(given)
    app = found.app()
    login = login_of(app)
    settings = found.settings
    with ExitStack() as ends:
        socket = ends.enter_context(bound(args.host, args.port))
        database = Database.open(given.database_url)
        ends.callback(database.close)
        scratch = Scratch(given.data / "scratch")
        ends.callback(scratch.remove)
        hear()
        start = Start([sys.executable, *_REVIEW], found.told, scratch.folder, settings.niceness)
        bench = Start([sys.executable, *_BENCH], found.told_of_bench, scratch.folder, settings.niceness)
        tokens = InstallationTokens(app)
        working = Working(database, given.queue_url, settings, start, tokens, tell, bench)
        routes = [
            *pages.routes(database, working.queue, found.access, server_url=given.server_url),
            *metrics.routes(database, found.access, public=settings.public_metrics),
        ]
        web = application(found.rules, Inbox(database), database, working.alive, routes)
        listening = Listening(web, socket)
        for line in found.lines():
            tell(line)
        if not login:
            tell(f"{given.api_url} cannot be reached now: whether it knows the App is not known")
        stop = _signals()
        working.start()
        listening.start()
        if settings.redeliver:
            missed = Missed(database, app, tell)
            threading.Thread(target=missed.looking, args=(stop,), name="missed", daemon=True).start()
        where = url_of(socket)
        if found.access.on:
            tell(f"page: {where}/")
        tell(f"serving{f' as {login}' if login else ''} at {where} (deliveries: {where}/webhook)")
        stop.wait()
        if working.running:
            tell(
                f"stopping: waits up to {settings.grace_seconds:.0f} s for {working.running} reviews; "
                "a second signal ends it at once"
            )
        working.stop(settings.grace_seconds)
        listening.stop()
    tell("stopped")
    return REVIEWED


def _given(args: argparse.Namespace) -> Given:
    from platformdirs import user_state_path

    from review_bot.server.configured import Given

    data = (args.data or user_state_path("moa", appauthor=False) / "server").absolute()
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(f"the folder {data} cannot be made: {error.strerror}", hint="see --data") from error
    flags = {"server.jobs": args.jobs} if args.jobs is not None else {}
    config = args.config.absolute() if args.config else None
    database = args.database or os.environ.get("DATABASE_URL", "")
    return Given(data, config, flags, database, dict(os.environ))


def _signals() -> threading.Event:
    """An event that the first SIGTERM or Ctrl-C sets; the second one ends the process.

    That is safe at any time: all that matters is in the databases, and reviews end with their server.
    """
    stop = threading.Event()

    def handle(number: int, _frame: object) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)
    return stop

"""The working side of a process of the server: dispatcher, queue, workers and heart, started and stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable

from review_bot.server.bench_rows import NoTokens
from review_bot.server.child import Start, Tokens
from review_bot.server.database import Database, bench_jobs
from review_bot.server.dispatching import Dispatcher
from review_bot.server.executors import Executors
from review_bot.server.queue import ReviewQueue
from review_bot.server.retention import Retention
from review_bot.server.settings import ServerSettings
from review_bot.server.workers import Limits, Worker

Say = Callable[[str], None]

#: Seconds that processes have for being stopped, and the queue's threads for seeing that.
_STOPPING = 20.0


class Working:
    """Everything that turns deliveries into reviews. There is one in a process."""

    def __init__(
        self,
        database: Database,
        queue_url: str,
        settings: ServerSettings,
        start: Start,
        tokens: Tokens,
        say: Say,
        bench: Start,
    ) -> None:
        """`start` is of reviews' processes, `bench` of those that run a bench's cases."""
        limits = Limits(settings.job_seconds, settings.attempts)
        self._say = say
        self._worker = Worker(database, start, tokens, limits, say)
        self._bench = Worker(database, bench, NoTokens(), limits, say, bench_jobs)
        self.queue = ReviewQueue(database, queue_url, settings.jobs, self._worker.work, self._bench.work)
        self._executors = Executors(database, self.queue, settings.silent_seconds, say)
        self._dispatcher = Dispatcher(database, self.queue, settings.reviews_per_hour, say)
        self._retention = Retention(database, self.queue, settings.keep_days, say)
        self._stop = threading.Event()
        self._end = threading.Event()
        self._living = threading.Thread(target=self._live, name="living", daemon=True)
        self._dispatching = threading.Thread(target=self._dispatch, name="dispatching", daemon=True)
        self._retaining = threading.Thread(target=self._retain, name="retaining", daemon=True)

    @property
    def running(self) -> int:
        """How many reviews, and cases of a bench, are being made here."""
        return self._worker.running + self._bench.running

    def start(self) -> None:
        """Begin to work, also on what was left by others.

        Raises:
            DatabaseFailed: a database cannot be used.
        """
        self.queue.start(self._executors.register())
        self.queue.enqueue_missing()
        self._living.start()
        self._dispatching.start()
        self._retaining.start()

    def stop(self, seconds: float) -> None:
        """Take nothing more, wait so long for what is being done, and leave the rest for others."""
        self._stop.set()
        self._dispatching.join()
        self._retaining.join()
        leave = threading.Timer(seconds, self._leave)
        leave.daemon = True
        leave.start()
        self.queue.stop(seconds + _STOPPING)
        leave.cancel()
        self._end.set()  # until here others must not take us for dead
        self._living.join()
        self._executors.leave()

    def alive(self) -> bool:
        """Whether somebody here works on what is delivered."""
        return self.queue.alive() and self._dispatching.is_alive() and self._living.is_alive()

    def _live(self) -> None:
        self._executors.living(self._end, self._lost)

    def _dispatch(self) -> None:
        self._dispatcher.dispatching(self._stop)

    def _retain(self) -> None:
        self._retention.retaining(self._stop)

    def _leave(self) -> None:
        self._worker.leave()
        self._bench.leave()

    def _lost(self) -> None:
        """Others took us for dead, as if this machine had slept: what they took is theirs."""
        self._say("this process was silent for too long, and its jobs were given to others; it starts anew")
        self._leave()
        self.queue.stop(_STOPPING)
        self._worker.come_back()
        self._bench.come_back()
        self.queue.start(self._executors.register())

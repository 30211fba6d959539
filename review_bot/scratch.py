"""Both sides of a change on disk, made when a tool first asks for them, gone with the review."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from pathlib import Path

from review_bot.change import Change, Trees


class ScratchTrees:
    """`ReviewSubject.trees`: writes both sides once, into a folder that goes when this object does."""

    def __init__(self, repository: Path | None, change: Change, *, everything: bool = False) -> None:
        self._everything = everything  #: every file, and not only what Python tools read
        self._repository = repository
        self._change = change
        self._lock = threading.Lock()
        self._made: Trees | None = None

    def __call__(self) -> Trees:
        """The trees, from any thread.

        Raises:
            ConfigError: git refuses the repository, or its objects cannot be read.
        """
        from review_bot.trees import materialise

        with self._lock:
            if self._made is None:
                folder = Path(tempfile.mkdtemp(prefix="review-bot-"))
                weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
                self._made = materialise(self._repository, self._change, folder, everything=self._everything)
            return self._made

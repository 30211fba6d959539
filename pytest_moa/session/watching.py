"""The part of the plug-in that sits where tests run: in the session itself, or in each xdist worker."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from pytest_moa.session.recording import Recorder

#: Under this name targets travel to the workers of pytest-xdist, and what they saw comes back.
KEY = "moa"


class Watching:
    """Records what tests do with the targets."""

    def __init__(self, config: pytest.Config, recorder: Recorder) -> None:
        self._root = config.rootpath
        self._recorder = recorder
        self._output: dict[str, Any] | None = getattr(config, "workeroutput", None)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_finish(self) -> None:
        """By now the test files have imported what they test."""
        self._recorder.install()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Everything between here is this test's, fixtures included."""
        path = item.path
        file = path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else path.as_posix()
        with self._recorder.test(item.nodeid, file, left_out=is_left_out(item)):
            return (yield)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note the outcome."""
        self._recorder.finished(report.nodeid, failed=report.failed, seconds=report.duration)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self) -> None:
        """Let the targets be as they were, and a worker hand in what it saw."""
        self._recorder.uninstall()
        if self._output is not None:
            self._output[KEY] = self._recorder.result().dumps()


def is_left_out(item: pytest.Item) -> bool:
    """Whether a test or a class around it is marked `moa(skip=True)`."""
    return any(marker.kwargs.get("skip") for marker in item.iter_markers("moa"))

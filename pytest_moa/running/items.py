"""Running one item in a child, and what became of it, as our own plug-in sees its reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import pytest

Outcome = Literal["passed", "failed", "skipped"]

#: Characters of a failure's message that are kept.
_MESSAGE: Final = 600


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of one item. `message` is the first line of the failure and what explains it."""

    outcome: Outcome
    seconds: float
    message: str = ""
    error: str = ""  #: name of the exception's type


class Watcher:
    """The plug-in that takes in the reports of the item that runs, subtests' among them."""

    def __init__(self) -> None:
        self.reports: list[pytest.TestReport] = []
        self.uncollected: list[pytest.CollectReport] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if not report.passed:
            self.uncollected.append(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.reports.append(report)

    def run(self, item: pytest.Item, following: pytest.Item | None) -> Ran:
        """Run an item. Fixtures that `following` shares with it stay set up."""
        self.reports.clear()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        seconds = sum(report.duration for report in self.reports)
        for report in self.reports:
            if report.failed:
                return Ran("failed", seconds, *_explained(report))
        called = any(report.when == "call" and report.passed for report in self.reports)
        return Ran("passed" if called else "skipped", seconds)


def silence(config: pytest.Config) -> None:
    """Let pytest's terminal show nothing more. Whoever asks for that plug-in still finds it."""
    if (shown := config.pluginmanager.unregister(name="terminalreporter")) is not None:
        config.pluginmanager.register(_Silent(shown), "terminalreporter")


class _Silent:
    """A plug-in in which pytest finds no hooks, and everybody else what the other one has."""

    def __init__(self, plugin: Any) -> None:
        self._plugin = plugin

    def __getattr__(self, name: str) -> Any:
        return getattr(self._plugin, name)


def followed(items: Sequence[pytest.Item]) -> Iterable[tuple[pytest.Item, pytest.Item | None]]:
    """Each item with the one after it."""
    return zip(items, [*items[1:], None], strict=True)


def fail_fast(config: pytest.Config, items: Iterable[pytest.Item]) -> None:
    """For mutants, where only it counts that a test fails: tracebacks cost most of the time."""
    config.option.tbstyle = "line"
    for item in items:
        item.repr_failure = _named  # type: ignore[method-assign]


def short_messages(config: pytest.Config) -> None:
    """For candidates: people and models read why one fails."""
    config.option.tbstyle = "short"


def _named(excinfo: pytest.ExceptionInfo[BaseException], *_: Any, **__: Any) -> str:
    return f"{excinfo.typename}: {str(excinfo.value)[:_MESSAGE]}"


def _explained(report: pytest.TestReport) -> tuple[str, str]:
    crash = getattr(report.longrepr, "reprcrash", None)
    message = crash.message if crash is not None else str(report.longrepr)
    where = "" if report.when == "call" else f"in {report.when}: "
    return f"{where}{message.strip()}"[:_MESSAGE], message.partition(":")[0].strip()

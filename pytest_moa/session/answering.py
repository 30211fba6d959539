"""What is answered without running a test: the committee's status, reports together, the last run's tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from moa_engine.errors import MoaError
from pytest_moa.session.accepting import accept_all, placed, placing_of
from pytest_moa.session.kept import Kept, keep, kept, last
from pytest_moa.session.reports import merged, read_report
from pytest_moa.session.reviewing import review
from pytest_moa.session.showing import HOW_TO_ACCEPT, show


def answer(config: pytest.Config) -> int:
    """Do what the options ask for.

    Raises:
        pytest.UsageError: it cannot be done; the message says why.
    """
    try:
        if config.getoption("--moa-status"):
            _status(config)
        else:
            with _configured(config) as terminal:
                _apply(config, terminal)
    except MoaError as error:
        raise pytest.UsageError(str(error)) from error
    return 0


def _status(config: pytest.Config) -> None:
    from moa_engine.session import open_session
    from moa_engine.status import status_lines

    with open_session(start=config.rootpath) as session:
        for line in status_lines(session):
            print(line)


def _apply(config: pytest.Config, terminal: TerminalReporter) -> None:
    files = config.getoption("--moa-merge")
    accept, asks = config.getoption("--moa-accept"), config.getoption("--moa-review")
    if accept and asks:
        raise pytest.UsageError("--moa-accept takes all, --moa-review asks for each: give one of them")
    run = _merged(config, terminal, files) if files else last(config)
    if not run.suggestions.suggestions:
        terminal.write_line("moa: there is nothing left to accept")
        return
    try:
        if accept:
            accept_all(config, terminal, run)
        elif asks:
            review(config, terminal, run)
    except KeyboardInterrupt:
        terminal.write_line("")
        terminal.write_line("moa: interrupted; what is not in a file yet is kept: pytest --moa-accept")


def _merged(config: pytest.Config, terminal: TerminalReporter, files: list[str]) -> Kept:
    folder = config.invocation_params.dir
    found = merged([read_report(folder / file) for file in files])
    problems: list[str] = []
    suggestions = placed(placing_of(config), found, {}, problems)
    found = replace(found, suggestions=tuple(suggestions), warnings=(*found.warnings, *problems))
    run = kept(found, config.rootpath)
    is_kept = keep(config, run)
    show(
        terminal,
        found,
        accept=HOW_TO_ACCEPT if is_kept else "",
    )
    return run


@contextmanager
def _configured(config: pytest.Config) -> Iterator[TerminalReporter]:
    """With pytest's cache and terminal, as its own `--markers` and `--fixtures` have them."""
    config._do_configure()
    try:
        terminal: Any = config.pluginmanager.getplugin("terminalreporter")
        yield terminal if terminal is not None else TerminalReporter(config)
    finally:
        config._ensure_unconfigure()

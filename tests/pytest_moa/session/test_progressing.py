"""One line on a terminal, nothing elsewhere."""

from __future__ import annotations

import io

from pytest_moa.session.progressing import progress
from pytest_moa.suggestions import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_each_step_takes_the_place_of_the_one_before_and_nothing_stays() -> None:
    terminal = Terminal()
    with progress(terminal) as observe:
        observe(Progress("executing\x1b[2J candidates", 3, 40, found=2))
        observe(Progress("asking"))
    first, second, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert first.startswith("moa: executing\\x1b[2J candidates 3 of 40, 2 found, ")
    assert second.startswith("moa: asking, ")
    assert last == ""


def test_a_log_gets_nothing() -> None:
    log = io.StringIO()
    with progress(log) as observe:
        observe(Progress("executing"))
    assert log.getvalue() == ""

import io
import os
import re
import select
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

import pytest
from rich.console import Console, Group

from moa_engine.progress import LayerStarted, MemberFinished, MemberStarted, RunStarted
from moa_engine.terminal import Board, progress


def drawn(board: Board, width: int = 60) -> list[str]:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(Group(board.drawn(board.started + 3, width)))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue().splitlines()


def board_at_work() -> Board:
    board = Board()
    for event in (
        RunStarted("r", "review", 5),
        LayerStarted(1, 2, 3),
        MemberStarted("qwen", 1, "a"),
        MemberStarted("qwen", 1, "b"),
        MemberStarted("mistral", 1, "a"),
        MemberStarted("llama", 1, "a"),
        MemberStarted("ruff", 1, ""),
        MemberFinished("qwen", 1, "a", False, 1.2, 0.001),
        MemberFinished("mistral", 1, "a", False, 2.5, 0.002),
        MemberFinished("llama", 1, "a", False, 0.1, 0.0, "refused:\x1b[2J wrong key"),
        MemberFinished("ruff", 1, "", True, 0.0, 0.0),
    ):
        board.observe(event)
    return board


def test_every_member_of_the_layer_has_a_line_that_says_what_it_is_doing() -> None:
    assert drawn(board_at_work()) == [
        "layer 1 of 2, 4 of 5 answers, 3 s, $0.0030",
        "  qwen     thinking 3 s, 1 of 2 done",
        "  mistral  answered in 2.5 s",
        r"  llama    failed: refused:\x1b[2J wrong key",
        "  ruff     from the record",
    ]


def test_lines_are_cut_where_a_narrow_terminal_ends() -> None:
    lines = drawn(board_at_work(), width=24)
    assert len(lines) == 5
    assert all(len(line) <= 24 for line in lines)


def test_a_long_name_hides_nobodys_thinking() -> None:
    board = board_at_work()
    board.observe(MemberStarted("qwen3-coder-480b-a35b-instruct-turbo", 1, ""))
    lines = drawn(board, width=30)
    assert len(lines) == 6
    assert [line for line in lines if "thinking 3 s" in line] == [
        "  qwen         thinking 3 s, …",
        "  qwen3-code…  thinking 3 s",
    ]


def test_a_new_layer_starts_with_empty_seats_and_late_answers_only_cost() -> None:
    board = board_at_work()
    board.observe(LayerStarted(2, 2, 1))
    board.observe(MemberFinished("qwen", 1, "b", False, 9.0, 0.5))
    assert drawn(board) == ["layer 2 of 2, 5 of 5 answers, 3 s, $0.5030"]


def test_one_unknown_cost_makes_the_sum_unknown() -> None:
    board = board_at_work()
    board.observe(MemberFinished("qwen", 1, "b", False, 2.0, None))
    board.observe(MemberFinished("qwen", 1, "c", False, 2.0, 0.1))
    assert drawn(board)[0].endswith("cost unknown")


@contextmanager
def terminal() -> Iterator[tuple[int, TextIO]]:
    """The two ends of a real pseudo-terminal: what it shows, and the stream that a program writes to."""
    shown, given = os.openpty()
    with os.fdopen(given, "w") as stream:
        try:
            yield shown, stream
        finally:
            os.close(shown)


def read_until(shown: int, wanted: bytes) -> bytes:
    seen = b""
    give_up = time.monotonic() + 20
    while wanted not in seen and time.monotonic() < give_up:
        if select.select([shown], [], [], 0.1)[0]:
            seen += os.read(shown, 4096)
    return seen


def test_a_terminal_shows_who_is_thinking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    with terminal() as (shown, stream):
        with progress(stream=stream) as observer:
            observer(LayerStarted(1, 2, 1))
            observer(MemberStarted("qwen", 1, ""))
            seen = read_until(shown, b"thinking")
        assert b"qwen" in seen
        assert b"\x1b[2K" in read_until(shown, b"\x1b[2K"), "the lines are gone at the end"


def test_no_colour_where_it_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    for colour, no_color, painted in (
        (True, "", True),
        (None, "", True),
        (False, "", False),
        (None, "1", False),
    ):
        monkeypatch.setenv("NO_COLOR", no_color)
        with terminal() as (shown, stream), progress(stream=stream, colour=colour) as observer:
            observer(LayerStarted(1, 2, 1))
            observer(MemberStarted("qwen", 1, ""))
            seen = read_until(shown, b"thinking 0 s")
            assert (b"\x1b[36m" in seen) is painted
            assert (re.search(rb"\x1b\[[0-9;]*m", seen) is not None) is painted, "nor bold or dim"


def test_quiet_terminals_and_pipes_show_nothing() -> None:
    pipe = io.StringIO()
    with progress(stream=pipe) as observer:
        observer(MemberStarted("qwen", 1, ""))
    assert pipe.getvalue() == ""
    with terminal() as (shown, stream):
        with progress(stream=stream, quiet=True) as observer:
            observer(MemberStarted("qwen", 1, ""))
        stream.flush()
        assert not select.select([shown], [], [], 0)[0]

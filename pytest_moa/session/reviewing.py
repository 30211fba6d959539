"""One suggestion after the other: its diff, and what the user wants with it."""

from __future__ import annotations

import ast
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter

from moa_engine.printable import printable
from pytest_moa.candidate import Candidate
from pytest_moa.placing.placing import Change
from pytest_moa.placing.source_file import NotPlaced, lines_of, parsed
from pytest_moa.session.accepting import Basket, finish, placed, placing_of
from pytest_moa.session.kept import Kept
from pytest_moa.session.showing import facts_of, voices_of
from pytest_moa.suggestions import Suggestion

_QUESTION = "Write this test? [y]es, [n]o, [e]dit, [s]kip the rest, [q]uit without writing: "


def review(config: pytest.Config, terminal: TerminalReporter, run: Kept) -> None:
    """Ask for each suggestion. Files are written at the end, unless the user quits or presses Ctrl-C."""
    basket = Basket(config, placing_of(config))
    waiting = placed(basket.placing, run.suggestions, {}, basket.refused)
    dropped: list[str] = []
    answer = ""
    with _at_the_terminal(config):
        try:
            for number, suggestion in enumerate(waiting, 1):
                answer = _decide(terminal, basket, suggestion, f"{number} of {len(waiting)}")
                if answer == "n":
                    dropped.append(suggestion.id)
                elif answer in ("s", "q"):
                    break
        except KeyboardInterrupt:
            answer = "q"
            terminal.write_line("")
    if answer == "q":
        terminal.write_line("moa: nothing was written")
    else:
        finish(terminal, run, basket, dropped)


def _decide(terminal: TerminalReporter, basket: Basket, suggestion: Suggestion, number: str) -> str:
    """Show one and ask until there is an answer, "" where it cannot be written. A yes is in the basket."""
    original = suggestion.id
    while True:
        try:
            change = basket.planned(suggestion)
        except NotPlaced as error:
            terminal.write_line(f"moa: {suggestion.candidate.name}: {error}", red=True)
            return ""
        _show(terminal, basket, suggestion, change, number)
        answer = _ask()
        if answer == "y":
            basket.add(suggestion, seen=True)
            if suggestion.id != original:  # the edited test takes the place of the suggested one
                basket.taken[suggestion.file][-1] = replace(suggestion, made_of=(original,))
            return "y"
        if answer != "e":
            return answer
        suggestion = _edited(terminal, suggestion)


def _ask() -> str:
    """The first letter of an answer that is one; the end of the input skips the rest."""
    while True:
        sys.stdout.write(_QUESTION)
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            return "s"
        answer = line.strip().lower()[:1]
        if answer and f"[{answer}]" in _QUESTION:
            return answer


def _show(
    terminal: TerminalReporter, basket: Basket, suggestion: Suggestion, change: Change, number: str
) -> None:
    before = basket.changes.get(suggestion.file)
    shown = change if before is None else replace(change, before=before.after)
    terminal.write_sep("-", number)
    voices = voices_of(suggestion.proposed_by, suggestion.hardened_by, suggestion.disputed_by)
    terminal.write_line("; ".join(filter(None, (facts_of(suggestion), voices))))
    if suggestion.id in change.present:
        terminal.write_line(f"this test is in {suggestion.file} already")
    for line in printable(shown.diff()).splitlines():
        terminal.write_line(line, green=line.startswith("+"), red=line.startswith("-"))


def _edited(terminal: TerminalReporter, suggestion: Suggestion) -> Suggestion:
    """The suggestion as the user's editor left it. It was not executed like that, so it has no facts."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{suggestion.candidate.name}.py")
        path.write_text(suggestion.candidate.module_source(), encoding="utf-8")
        try:
            subprocess.run([*shlex.split(editor), str(path)], check=True)  # noqa: S603 - the user's own editor
            candidate = _candidate(path.read_text(encoding="utf-8"), suggestion.candidate)
        except (OSError, ValueError, subprocess.CalledProcessError, SyntaxError) as error:
            terminal.write_line(f"moa: the edited test is not used: {error}", red=True)
            return suggestion
    if candidate.source == suggestion.candidate.source and candidate.support == suggestion.candidate.support:
        return suggestion
    return replace(suggestion, candidate=candidate, facts=type(suggestion.facts)(), hardened_by=("you",))


def _candidate(text: str, old: Candidate) -> Candidate:
    """An edited module as a candidate: imports, the last test, and the rest as its support.

    Raises:
        SyntaxError, ValueError: it is no module with a test.
    """
    lines = lines_of(text)
    imports: list[str] = []
    blocks: list[tuple[str, str]] = []
    for node in parsed(text).body:
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
        source = "".join(lines[first - 1 : node.end_lineno]).strip("\n")
        if isinstance(node, ast.Import | ast.ImportFrom):
            imports.append(source)
        else:
            blocks.append((getattr(node, "name", ""), source))
    tests = [name for name, _ in blocks if name.lower().startswith("test")]
    if not tests:
        raise ValueError("there is no test in it")
    return replace(
        old,
        name=tests[-1],
        source=next(source for name, source in reversed(blocks) if name == tests[-1]),
        imports=tuple(imports),
        support="\n\n\n".join(source for name, source in blocks if name != tests[-1]),
        case=None,
    )


@contextmanager
def _at_the_terminal(config: pytest.Config) -> Iterator[None]:
    """Without pytest's capturing, so that questions are seen and answers are read."""
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend_global_capture(in_=True)
    try:
        yield
    finally:
        capture.resume_global_capture()

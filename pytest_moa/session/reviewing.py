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
from pytest_moa.session.company import Company, Unknown
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
    with _at_the_terminal(config), Company(config, run.suggestions) as company:
        try:
            for number, suggestion in enumerate(waiting, 1):
                answer = _decide(terminal, basket, company, suggestion, f"{number} of {len(waiting)}")
                if answer == "n":
                    dropped.append(suggestion.id)
                elif answer in ("s", "q"):
                    break
            if answer != "q":
                finish(terminal, run, basket, company, dropped)
        except KeyboardInterrupt:
            answer = "q"
            terminal.write_line("")
    if answer == "q":
        terminal.write_line("moa: nothing was written")


def _decide(
    terminal: TerminalReporter, basket: Basket, company: Company, suggestion: Suggestion, number: str
) -> str:
    """Show one and ask until there is an answer, "" where it cannot be written. A yes is in the basket."""
    original = suggestion.id
    draft = ""
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
        draft = draft or suggestion.candidate.module_source()
        try:
            draft = _edited(draft, suggestion.candidate.name)
            suggestion = _used(terminal, basket, company, suggestion, draft)
            draft = ""
        except (NotPlaced, OSError, ValueError, subprocess.CalledProcessError, SyntaxError) as error:
            terminal.write_line(f"moa: the edited test is not used: {printable(str(error))}", red=True)
            terminal.write_line("moa: [e] goes on editing it; what follows is the test before")


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


def _edited(text: str, name: str) -> str:
    """A test module's text as the user's editor leaves it."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.py")
        path.write_text(text, encoding="utf-8")
        subprocess.run([*shlex.split(editor), str(path)], check=True)  # noqa: S603 - the user's own editor
        return path.read_text(encoding="utf-8")


def _used(
    terminal: TerminalReporter, basket: Basket, company: Company, suggestion: Suggestion, text: str
) -> Suggestion:
    """The suggestion with an edited test, which passes in its file, twice. It has no facts any more.

    Raises:
        SyntaxError, ValueError: it is no module with a test, or it fails; how.
        NotPlaced: it does not fit into the file.
    """
    candidate = _candidate(text, suggestion.candidate)
    if candidate.source == suggestion.candidate.source and candidate.support == suggestion.candidate.support:
        return suggestion
    change = basket.placing.change(suggestion.file, [candidate])
    try:
        for hash_seed in (0, 1):
            for test, message in company.broken_by(change, hash_seed=hash_seed).items():
                again = " when it runs again" if hash_seed else ""
                raise ValueError(f"{test or suggestion.file} fails{again}: {message}")
    except Unknown as error:
        terminal.write_line(f"warning: the edited test was not run: {error}", yellow=True)
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

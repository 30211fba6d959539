"""The terminal section: a short list of tests, each with its facts and names, and one closing line."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from _pytest.terminal import TerminalReporter

from moa_engine.printable import one_line, printable
from pytest_moa.suggestions import Opinion, Suggestion, Suggestions, SuspectedBug

_TITLE = "moa: suggested tests"

HOW_TO_ACCEPT = "accept: pytest --moa-accept, or one by one: pytest --moa-review"


def show(terminal: TerminalReporter, found: Suggestions, *, accept: str) -> None:
    """Write the section. `accept` says how to go on, "" where there is nothing to say."""
    terminal.write_sep("=", _TITLE)
    for warning in found.warnings:
        warn(terminal, warning)
    if found.plan:
        terminal.write_line(printable(found.plan))
        return
    for suggestion in found.suggestions:
        _show_suggestion(terminal, suggestion)
    if found.suspected_bugs:
        terminal.write_line("suspected bugs: these tests fail, and perhaps they are right", red=True)
    for bug in found.suspected_bugs:
        _show_bug(terminal, bug)
    for skipped in found.skipped:
        terminal.write_line(f"skipped {one_line(skipped.target)}: {one_line(skipped.why)}")
    terminal.write_line("; ".join(_closing(found)))
    if found.suggestions and accept:
        terminal.write_line(accept)


def warn(terminal: TerminalReporter, warning: str) -> None:
    """Write a warning; a second line, such as what to do about it, is indented."""
    text = "\n  ".join(line.strip() for line in printable(warning).splitlines())
    terminal.write_line(f"warning: {text}", yellow=True)


def facts_of(suggestion: Suggestion) -> str:
    """What a test adds, in a few words: "+3 branches, kills 5 mutants"."""
    parts = []
    if suggestion.facts.branches:
        parts.append(f"+{_count(len(suggestion.facts.branches), 'branch')}")
    if suggestion.facts.kills:
        parts.append(f"kills {_count(len(suggestion.facts.kills), 'mutant')}")
    return ", ".join(parts)


def voices_of(proposed: tuple[str, ...], hardened: tuple[str, ...], disputed: tuple[str, ...]) -> str:
    """Who said what about a test."""
    said = (("proposed", proposed), ("hardened", hardened), ("disputed", disputed))
    return one_line(", ".join(f"{what} by {' and '.join(names)}" for what, names in said if names))


def _show_suggestion(terminal: TerminalReporter, suggestion: Suggestion) -> None:
    where = one_line(suggestion.file) + (" (new file)" if suggestion.creates else "")
    terminal.write(where, bold=True)
    terminal.write_line(f"  {facts_of(suggestion)}", green=True)
    voices = voices_of(suggestion.proposed_by, suggestion.hardened_by, suggestion.disputed_by)
    terminal.write_line(f"  {voices}")
    _show_opinions(terminal, suggestion.opinions)
    _show_source(terminal, suggestion.source or suggestion.candidate.source)


def _show_bug(terminal: TerminalReporter, bug: SuspectedBug) -> None:
    terminal.write(f"{one_line(bug.candidate.target.replace(':', '.'))}", bold=True)
    terminal.write_line(f"  {one_line(bug.says)}" if bug.says else "")
    terminal.write_line(f"  {voices_of(bug.proposed_by, (), bug.disputed_by)}")
    _show_opinions(terminal, bug.opinions)
    _show_source(terminal, bug.candidate.source)
    for line in printable(bug.message).splitlines()[-3:]:
        terminal.write_line(f"    E   {line}", red=True)
    terminal.write_line("")


def _show_opinions(terminal: TerminalReporter, opinions: tuple[Opinion, ...]) -> None:
    for opinion in opinions:
        if opinion.position == "dispute" and opinion.why:
            terminal.write_line(f"  {one_line(opinion.member)}: {one_line(opinion.why)}")


def _show_source(terminal: TerminalReporter, source: str) -> None:
    text = printable(source).strip("\n")
    if terminal.hasmarkup:
        from pygments import highlight  # type: ignore[import-untyped]  # no types, like the other two
        from pygments.formatters import TerminalFormatter  # type: ignore[import-untyped]
        from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

        text = highlight(text, PythonLexer(), TerminalFormatter()).rstrip("\n")
    terminal.write_line(textwrap.indent(f"\n{text}\n", "    "))


def _closing(found: Suggestions) -> Iterator[str]:
    number = len(found.suggestions)
    stopped = {"interrupted": " (interrupted)", "partial": " (not everything was done)"}.get(found.status, "")
    yield (_count(number, "test") if number else "nothing to suggest") + stopped
    mutants = sum(one.mutants for one in found.targets)
    if mutants:
        before = sum(one.killed_before for one in found.targets)
        after = sum(one.killed_after for one in found.targets)
        yield f"mutants killed: {before} -> {after} of {mutants}"
    if found.members:
        yield _count(len(found.members), "member")
    yield _count(found.calls, "call")
    yield "cost unknown" if found.cost_usd is None else f"${found.cost_usd:.2f}"
    yield f"{found.seconds:.1f} s"
    if found.run:
        yield f"run {one_line(found.run)}"


def _count(number: int, what: str) -> str:
    plural = f"{what}es" if what.endswith("ch") else f"{what}s"
    return f"{number} {what if number == 1 else plural}"

"""A mutation report for a terminal: the score, a table of functions, the survivors as diffs, and notes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from moa_engine.printable import one_line, printable
from pytest_moa.mutation import Mutant
from pytest_moa.mutation_report import FunctionCounts, MutationReport, score_of
from pytest_moa.running.facts import Verdict

#: Tests and functions that a note lists by name.
_LISTED = 5


def as_text(report: MutationReport, *, colour: bool = False) -> str:
    """The report as lines."""
    lines = [*_head(report), *_table(report), *_survivors(report, colour), *_notes(report), _tail(report)]
    return "\n".join(lines) + "\n"


def _head(report: MutationReport) -> Iterator[str]:
    score = report.score
    if score is None:
        yield f"No mutation score: none of {_many(len(report.mutants), 'mutant')} has a verdict"
    else:
        counts = report.counts
        killed = counts["killed"] + counts["timed_out"]
        judged = killed + counts["survived"] + counts["not_covered"]
        yield f"Mutation score {score:.1%}: {killed} of {_many(judged, 'mutant')} killed"
    yield ""


def _table(report: MutationReport) -> Iterator[str]:
    functions = report.functions()
    names = [_short(each, report) for each in functions]
    width = min(max(map(len, names), default=0), 60)
    yield f"{'':{width}}  score  killed  survived  not covered"
    for name, each in zip(names, functions, strict=True):
        score = score_of(each.counts)
        counts = each.counts
        shown = "  -  " if score is None else f"{score:5.0%}"
        killed = counts["killed"] + counts["timed_out"]
        cells = (
            f"{shown}  {killed:6}  {_or_blank(counts['survived']):>8}  {_or_blank(counts['not_covered']):>11}"
        )
        yield f"{name:{width}}  {cells}".rstrip()
    yield ""


def _short(each: FunctionCounts, report: MutationReport) -> str:
    """The function's name; with its path where there are several files."""
    single = len(report.executor.modules) == 1
    return each.name if not single else each.qualname or "(module)"


def _survivors(report: MutationReport, colour: bool) -> Iterator[str]:
    found = [verdict for verdict in report.verdicts if verdict.status == "survived"]
    for (path, qualname), group in groupby(
        found, lambda verdict: (report.path(verdict.mutant), verdict.mutant.qualname)
    ):
        verdicts = list(group)
        name = f"{path}::{qualname}" if qualname else path
        yield f"{name}: {_many(len(verdicts), 'mutant')} survived"
        yield ""
        for verdict in verdicts:
            yield from _diff(report, verdict, colour)
            yield ""


def _diff(report: MutationReport, verdict: Verdict, colour: bool) -> Iterator[str]:
    for line in printable(report.diff(verdict.mutant)).rstrip().splitlines():
        if line.startswith(("--- ", "+++ ")):
            continue
        if line.startswith("@@"):
            yield f"  line {verdict.mutant.line} ({verdict.mutant.id})"
            continue
        code = {"-": "31", "+": "32"}.get(line[:1], "")
        yield f"  \x1b[{code}m{line}\x1b[0m" if colour and code else f"  {line}".rstrip()


def _notes(report: MutationReport) -> Iterator[str]:
    counts = report.counts
    notes: list[str] = []
    if endless := [verdict.mutant for verdict in report.verdicts if verdict.status == "timed_out"]:
        named = _listed([f"{report.path(each)}:{each.line}: {_change(each)}" for each in endless])
        notes.append(f"{_many(len(endless), 'mutant')} did not end in time, which counts as killed: {named}")
    if failing := report.failing:
        named = _listed([f"{test.nodeid}: {one_line(test.message)[:100]}" for test in failing])
        notes.append(f"left out, since they fail without any change: {named}")
    if errors := report.executor.known_tests.errors:
        named = _listed([f"{path}: {_last_line(message)}" for path, message in errors.items()])
        notes.append(f"not collected: {named}")
    for name, why in report.untrusted().items():
        what = name if "::" in name else f"what runs while {name} is imported"
        notes.append(f"no verdicts on {what}: {one_line(why)}")
    if threads := report.executor.threads:
        notes.append(
            f"threads run in the process that is forked ({_listed(threads)}); tests that need them may hang"
        )
    left_out = {**report.skipped, **report.executor.broken}
    notes += [f"left out {path}: {one_line(why)}" for path, why in left_out.items()]
    if counts["unknown"]:
        why = "interrupted" if report.interrupted else "the time was up"
        notes.append(f"{_many(counts['unknown'], 'mutant')} not judged: {why}")
    yield from (f"note: {note}" for note in notes)
    if notes:
        yield ""


def _tail(report: MutationReport) -> str:
    tests = report.executor.known_tests.passing
    sandbox = f"sandbox: {report.executor.mechanism}" if report.executor.confined else "no sandbox"
    mutants = _many(len(report.mutants), "mutant")
    return f"{mutants}, {_many(len(tests), 'test')}, {report.seconds:.1f} s; {sandbox}"


def _last_line(message: str) -> str:
    """Where a traceback says what was wrong."""
    lines = message.strip().splitlines() or [""]
    return one_line(lines[-1].removeprefix("E "))[-100:]


def _change(mutant: Mutant) -> str:
    return one_line(f"{mutant.before} -> {mutant.after or 'nothing'}")[:60]


def _listed(names: list[str]) -> str:
    more = f"; and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return "; ".join(names[:_LISTED]) + more


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _or_blank(count: int) -> str:
    return str(count) if count else ""

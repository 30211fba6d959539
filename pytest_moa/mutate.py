"""The command `moa mutate`: how many mutants the existing tests notice, and which they do not."""

from __future__ import annotations

import argparse
import ast
import json
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError

if TYPE_CHECKING:
    from pytest_moa.mutation import Mutant
    from pytest_moa.mutation_report import MutationReport
    from pytest_moa.project import Project, SourceModule
    from pytest_moa.running.executor import Executor, Progress

#: Exit codes: done, the score is under the mark, interrupted.
OK, UNDER, INTERRUPTED = 0, 1, 130

EPILOG = """\
exit codes:
  0    measured
  1    the score is below --fail-under, or there is none
  2    wrong usage; nothing was run
  4    nothing can be measured: a module cannot be imported, or no test passes
  130  interrupted; what was known by then is shown
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `moa mutate` takes."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("target", metavar="TARGET", help="a file, PATH::function, PATH::Class, or a folder")
    parser.add_argument(
        "--tests", nargs="+", type=Path, default=[], metavar="PATH", help="run these tests only"
    )
    parser.add_argument("--workers", type=_at_least_one, default=_workers(), metavar="N", help="processes")
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="stop after so many, and show what is known"
    )
    parser.add_argument("--fail-under", type=float, metavar="SCORE", help="exit with 1 below this percentage")
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON too; - is standard output")
    parser.add_argument(
        "--unsafe", action="store_true", help="run the tests without a sandbox, with your rights"
    )
    parser.add_argument("--quiet", action="store_true", help="no progress")


def run(args: argparse.Namespace) -> int:
    """Measure and report.

    Raises:
        ConfigError: the target does not exist or cannot be parsed; nothing here can confine.
        CannotMeasure: a module cannot be imported, or no test passes.
    """
    started = time.monotonic()
    if args.json == "-" and args.format == "text":
        args.format = "json"
    report = _measured(args, started)
    report.seconds = time.monotonic() - started
    from pytest_moa.mutation_text import as_text

    written = json.dumps(report.to_json(), ensure_ascii=False, indent=2) + "\n"
    if args.json and args.json != "-":
        Path(args.json).write_text(written, encoding="utf-8")
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    sys.stdout.write(written if args.format == "json" else as_text(report, colour=colour))
    sys.stdout.flush()
    if report.interrupted:
        return INTERRUPTED
    score = report.score
    return UNDER if args.fail_under is not None and (score is None or score * 100 < args.fail_under) else OK


@dataclass
class _Wanted:
    """The mutants to judge, and what had to be left out."""

    modules: list[SourceModule] = field(default_factory=list)
    mutants: list[Mutant] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)  #: path -> why
    may_run_at_import: bool = False  #: whether some function of theirs may


def _measured(args: argparse.Namespace, started: float) -> MutationReport:
    from pytest_moa.sandbox import probe

    if not args.unsafe:  # it is tried in another process, while we import what will be needed
        threading.Thread(target=probe, daemon=True).start()
    from pytest_moa.mutation_report import MutationReport
    from pytest_moa.project import Project
    from pytest_moa.running.executor import CannotMeasure, Executor

    project = Project.find(_path(args.target), args.tests)
    wanted = _wanted(project, args.target)
    if not args.unsafe and not probe().strong:
        raise ConfigError(
            "nothing on this machine can confine the tests while the code under test is changed",
            hint="--unsafe runs them with your rights",
        )
    if not project.test_paths:
        raise CannotMeasure(f"no tests are in {project.root}", hint="--tests says where they are")
    deadline = None if args.seconds is None else started + args.seconds
    with (
        _progress(quiet=args.quiet) as progress,
        Executor(
            project,
            wanted.modules,
            workers=args.workers,
            confined=not args.unsafe,
            deadline=deadline,
            record=wanted.may_run_at_import,
        ) as executor,
    ):
        mutants = [mutant for mutant in wanted.mutants if mutant.module in executor.modules]
        report = MutationReport(project, executor, mutants, wanted.skipped)
        try:
            _judge(executor, mutants, progress)
        except KeyboardInterrupt:
            report.interrupted = True
        return report


def _judge(executor: Executor, mutants: Sequence[Mutant], progress: _Line) -> None:
    from pytest_moa.running.executor import CannotMeasure

    tests = executor.existing(progress.of("tests"))
    if not tests.passing and not executor.late():
        failing = tests.failing
        first = f"; the first: {failing[0].nodeid}: {failing[0].message}" if failing else ""
        errors = "".join(f"; {path}: {message.splitlines()[-1]}" for path, message in tests.errors.items())
        count = f"{len(failing)} of {len(tests.tests)} fail" if tests.tests else "none was found"
        raise CannotMeasure(
            f"no test passes: {count}{first}{errors}",
            hint="they ran in a sandbox, without network and home; --unsafe runs them with your rights",
        )
    executor.kills(None, mutants, progress.of("mutants"))


def _wanted(project: Project, text: str) -> _Wanted:
    """The mutants of a target. In a folder, what cannot be parsed is left out; elsewhere it is an error."""
    from pytest_moa.code.import_time import run_at_import
    from pytest_moa.mutation import mutants_of
    from pytest_moa.project import TargetError

    written, _, qualname = text.partition("::")
    path = _path(text)
    wanted = _Wanted()
    if not path.is_dir() and qualname:
        project.targets(text)  # says it if there is no such function
    for file in project.sources(path) if path.is_dir() else [path]:
        try:
            project.functions(file)
            module = project.module(file)
        except TargetError as error:
            if not path.is_dir():
                raise
            wanted.skipped[project.shown(file)] = error.message
            continue
        source = module.path.read_text(encoding="utf-8")
        found = mutants_of(source, module.name)
        found = [each for each in found if f"{each.qualname}.".startswith(f"{qualname}." if qualname else "")]
        if found:
            wanted.modules.append(module)
            wanted.mutants += found
            wanted.may_run_at_import |= bool(run_at_import(ast.parse(source)))
    if not wanted.mutants:
        why = "".join(f"; {reason}" for reason in wanted.skipped.values())
        raise TargetError(f"{written}: there is nothing in it to change{why}")
    return wanted


def _path(target: str) -> Path:
    from pytest_moa.project import TargetError

    path = Path(target.partition("::")[0])
    if not path.exists():
        raise TargetError(f"{path}: no such file or folder")
    return path.resolve()


def _at_least_one(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more, not {text!r}")
    return int(text)


def _workers() -> int:
    return max(1, min(os.cpu_count() or 1, 8))


@contextmanager
def _progress(*, quiet: bool) -> Iterator[_Line]:
    """A line on stderr that is redrawn in place, and gone at the end; nothing where nobody looks."""
    line = _Line(shown=not quiet and sys.stderr.isatty())
    line.draw("collecting tests")
    try:
        yield line
    finally:
        line.draw("")


class _Line:
    def __init__(self, *, shown: bool) -> None:
        self.shown = shown
        self.drawn = 0.0

    def of(self, what: str) -> Progress:
        """What draws how many of these are done."""

        def draw(done: int, total: int) -> None:
            if time.monotonic() - self.drawn > 0.1:
                self.draw(f"{done} of {total} {what}")

        return draw

    def draw(self, text: str) -> None:
        """Put that text there, now."""
        if self.shown:
            self.drawn = time.monotonic()
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

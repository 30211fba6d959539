"""`moa bench`: measure a committee on cases of which it is known what is wrong in them.

Exit codes: 0 done, 1 --fail-if-worse and it got worse, 2 wrong usage or settings, 3 partial (interrupted,
or a member failed), 4 nothing came of it, 130 interrupted before there was anything.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from moa_engine.options import add_committee_options, flags

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.plan import Plan
    from review_bot.bench.cases import CaseHunk
    from review_bot.bench.equivalent import Witnessed
    from review_bot.bench.running import CaseRun
    from review_bot.settings import ReviewSettings

EFFECTS = {"differs": "differs", "same": "no difference was found", "unknown": "could not be run"}

OK, WORSE, USAGE, PARTIAL, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options and sub-commands of `moa bench`."""
    commands = parser.add_subparsers(title="steps", metavar="STEP", dest="step", required=True)
    cases = commands.add_parser("cases", help="make a case set from a repository or an installed package")
    cases.add_argument(
        "source", nargs="?", default=".", help="a folder, or an installed package (default: .)"
    )
    _add_cases(cases)
    _add_witness(cases)
    cases.add_argument("--output", type=Path, default=Path("moa-cases.json"), metavar="FILE")
    check = commands.add_parser(
        "check", help="run the edits of a case set that nobody has run yet, and mark those that do not count"
    )
    check.add_argument("cases", type=Path, help="a file of `moa bench cases`; it is written again")
    check.add_argument("source", nargs="?", default=".", help="the code it was made of (default: .)")
    check.add_argument(
        "--witness-seconds", type=float, default=30, metavar="N", help="for each edit (default: 30)"
    )
    run = commands.add_parser("run", help="run a committee over a case set: every member by itself")
    run.add_argument("cases", type=Path, help="a file of `moa bench cases`")
    run.add_argument("--output", type=Path, default=Path("moa-bench.json"), metavar="FILE")
    run.add_argument("--quiet", action="store_true", help="no progress")
    add_committee_options(run)


def _add_cases(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("cases")
    group.add_argument("--planted", type=int, default=40, metavar="N", help="planted defects (default: 40)")
    group.add_argument("--clean", type=int, default=20, metavar="N", help="clean hunks (default: 20)")
    group.add_argument("--case-seed", type=int, default=1, metavar="N", help="another choice of edits")


def _add_witness(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-witness", action="store_true", help="do not run the edits to see that each does what it should"
    )
    parser.add_argument(
        "--witness-seconds", type=float, default=30, metavar="N", help="for each edit (default: 30)"
    )


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    return {"cases": _cases, "check": _check, "run": _run}[args.step](args)


def _cases(args: argparse.Namespace) -> int:
    from contextlib import nullcontext

    from review_bot.bench.choosing import chosen
    from review_bot.bench.equivalent import witness
    from review_bot.bench.sources import find_sources

    sources = find_sources(args.source)
    judging = nullcontext() if args.no_witness else witness(sources, seconds=args.witness_seconds)
    with judging as judge:
        if judge is not None:
            say(
                f"runs every edit on inputs that show it, up to {args.witness_seconds:g} s each "
                "(--no-witness leaves that out; Ctrl-C ends it with what there is)"
            )
        cases = chosen(
            sources, planted=args.planted, clean=args.clean, seed=args.case_seed, witness=judge, told=_judged
        )
    cases.write(args.output)
    planted, clean = cases.count("planted"), cases.count("clean")
    say(f"{planted} planted defects and {clean} clean hunks of {cases.source} in {len(cases.cases)} cases")
    if planted < args.planted or clean < args.clean:
        say("that is fewer than wanted: the code has no more functions that are short enough")
    say(f"wrote {args.output}; next: moa bench run {args.output} --plan")
    return OK


def _judged(hunk: CaseHunk, seen: Witnessed) -> None:
    taken = "" if seen.agrees(hunk.kind) else " (does not count)"
    say(f"{hunk.path} {hunk.function}, {hunk.edit}: {seen.words or EFFECTS[seen.effect]}{taken}")


def _check(args: argparse.Namespace) -> int:
    from review_bot.bench.cases import read_cases
    from review_bot.bench.choosing import checked
    from review_bot.bench.equivalent import witness
    from review_bot.bench.sources import find_sources

    cases = read_cases(args.cases)
    with witness(find_sources(args.source), seconds=args.witness_seconds) as judge:
        cases = checked(cases, judge, _judged, lambda cases: cases.write(args.cases))
    say(f"{cases.count('planted')} planted defects and {cases.count('clean')} clean hunks count")
    return OK


def _run(args: argparse.Namespace) -> int:
    from moa_engine.session import open_session
    from moa_engine.terminal import progress
    from review_bot.bench import results
    from review_bot.bench.cases import read_cases
    from review_bot.bench.running import alone, case_tasks, run_cases, whole_plan
    from review_bot.bench.verdicts import committee_panel, member_panels
    from review_bot.command import committee_of

    cases = read_cases(args.cases)
    with open_session(start=Path(), config=args.config, flags=flags(args)) as session:
        settings = cast("ReviewSettings", session.sections["review"])

        def seat() -> Committee:
            return alone(committee_of(session, settings))

        committee = seat()
        with case_tasks(session, settings, cases, committee) as tasks:
            plan = whole_plan(session, tasks, committee)
            if args.plan:
                print(plan.to_text(), end="")
                return OK
            told = Told(len(tasks), quiet=args.quiet)
            told.plan(plan)
            with progress(quiet=args.quiet) as observer:
                runs = run_cases(session, tasks, seat, observer=observer, told=told)
    if not runs:
        say("interrupted before a case was done")
        return INTERRUPTED
    panels = [*member_panels(runs), committee_panel(committee.name or "committee", runs)]
    results.write(args.output, cases, args.cases, panels, seed=session.settings.seed)
    for line in results.in_words(cases, panels):
        print(line)
    say(f"wrote {args.output}")
    if len(runs) < len(cases.cases):
        say(f"{len(runs)} of {len(cases.cases)} cases are done; the same command goes on with the rest")
        return PARTIAL
    return PARTIAL if any(panel["failed"] for panel in panels) else OK


class Told:
    """Says on standard error how far a run is, one line a case: for a terminal and for a log."""

    def __init__(self, cases: int, *, quiet: bool) -> None:
        self._cases, self._quiet = cases, quiet
        self._done = 0
        self._start = time.monotonic()
        self._asked = 0.0  #: seconds of the cases that were not all in the record

    def plan(self, plan: Plan) -> None:
        """What is to come."""
        if not self._quiet:
            low, expected, high = (format_seconds(value) for value in plan.seconds)
            say(
                f"{self._cases} cases, {plan.calls} calls, {plan.in_record} of them in the record; "
                f"about {expected} ({low} to {high})"
            )

    def __call__(self, run: CaseRun) -> None:
        self._done += 1
        if self._quiet:
            return
        outcome = run.outcome
        left = (time.monotonic() - self._start) / self._done * (self._cases - self._done)
        missing = f"; no answer from {', '.join(outcome.missing)}" if outcome.missing else ""
        say(
            f"{run.case.id} of {self._cases}: {outcome.calls} calls, {outcome.cached} from the record, "
            f"{format_seconds(outcome.seconds)}{missing}; about {format_seconds(left)} left"
        )


def format_seconds(seconds: float) -> str:
    """A time, as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def say(message: str) -> None:
    """A message on standard error."""
    from moa_engine.printable import printable

    print(printable(f"moa bench: {message}"), file=sys.stderr)

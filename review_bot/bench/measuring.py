"""The steps that run committees: over a case set, beside an older result, and the whole of it in one go."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from moa_engine.options import flags
from review_bot.bench.telling import Told, say

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.session import Session
    from review_bot.bench.cases import CaseSet
    from review_bot.bench.running import CaseRun, Seating
    from review_bot.settings import ReviewSettings

OK, WORSE, USAGE, PARTIAL, FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130


@contextmanager
def bench_session(args: argparse.Namespace, **more: Any) -> Iterator[tuple[Session, ReviewSettings]]:
    """A session in which every layer waits for everybody, unless the settings say for how long.

    `more` are settings that win over the options; None takes an option back.
    A deadline is for people who wait; of a bench, the answers that came too late would be missing.
    """
    from moa_engine.session import open_session

    given = {name: value for name, value in {**flags(args), **more}.items() if value is not None}
    with open_session(start=args.repo, config=args.config, flags=given) as session:
        yield patient(session), cast("ReviewSettings", session.sections["review"])


def patient(session: Session) -> Session:
    """The session with layers that wait for everybody, unless the settings say for how long."""
    settings = session.settings
    if "layer_deadline" in settings.stragglers.model_fields_set:
        return session
    stragglers = settings.stragglers.model_copy(update={"layer_deadline": 1e6})
    return replace(session, settings=settings.model_copy(update={"stragglers": stragglers}))


def run_over(
    args: argparse.Namespace, session: Session, settings: ReviewSettings, cases: CaseSet, seat: Seating
) -> list[CaseRun] | None:
    """Run a committee over all cases; None when only the plan was wanted."""
    from moa_engine.terminal import progress
    from review_bot.bench.running import case_tasks, run_cases, whole_plan

    committee = seat()
    with case_tasks(session, settings, cases, committee) as tasks:
        plan = whole_plan(session, tasks, committee)
        if args.plan:
            print(plan.to_text(), end="")
            return None
        told = Told(len(tasks), quiet=args.quiet)
        told.plan(plan)
        with progress(quiet=args.quiet) as observer:
            return run_cases(session, tasks, seat, observer=observer, told=told)


def measure(args: argparse.Namespace, cases: CaseSet, file: Path) -> int:
    """Run the committee over a case set, write the result, and say what it is."""
    from review_bot.bench import results
    from review_bot.bench.baselines import offline_panel
    from review_bot.bench.on_servers import run_on_servers
    from review_bot.bench.verdicts import committee_panel, member_panels
    from review_bot.preparing import committee_of

    if args.compare is not None:
        old = results.read_result(args.compare)
    with bench_session(args) as (session, settings):

        def seat() -> Committee:
            return committee_of(session, settings)

        committee = seat()
        if args.servers:
            runs = run_on_servers(args, session, settings, cases, seat)
        else:
            runs = run_over(args, session, settings, cases, seat)
        seed = session.settings.seed
    if runs is None:
        return OK
    if not runs:
        say("interrupted before a case was done; the same command goes on where it was")
        return INTERRUPTED
    more: dict[str, Any] = {"layers": len(committee.layers), "aggregator": ", ".join(committee.aggregators)}
    name = committee.name if committee.name not in committee.members else f"{committee.name} (committee)"
    panels = [*member_panels(runs), committee_panel(name, runs, **more), *offline_panel(committee, runs)]
    result = results.result_of(cases, file, panels, seed=seed, command=command_line())
    results.write(args.output, result)
    for line in results.in_words(result):
        print(line)
    say(f"wrote {args.output}; as a page: moa report {args.output}")
    if args.compare is not None and (code := compare(old, result, fail=args.fail_if_worse)):
        return code
    if args.write:
        write(args, result)
    if len(runs) < len(cases.cases):
        say(f"{len(runs)} of {len(cases.cases)} cases are done; the same command goes on with the rest")
        return PARTIAL
    return PARTIAL if any(panel["failed"] for panel in panels) else OK


def write(args: argparse.Namespace, result: dict[str, Any]) -> None:
    """Write track records where the settings come from: --config, or moa.toml.

    Raises:
        ConfigError: there is nothing to write, or it cannot be written there.
    """
    from review_bot.bench.weights import write_weights

    file = args.config or args.repo / "moa.toml"
    for line in write_weights(result, file):
        say(line)
    say(f"wrote {file}: reviews count voices so from now on, and show each member's track record")


def compare(old: dict[str, Any], new: dict[str, Any], *, fail: bool) -> int:
    """Say what got better and worse; 1 where a committee got worse and that is to fail."""
    from review_bot.bench.comparing import compared, gone, worse

    found = compared(old, new)
    print("\nagainst the older result:")
    for one in found:
        print(f"  {one.words()}")
    for name in gone(old, new):
        print(f"  {name}: is not there any more")
    return WORSE if fail and worse(found) else OK


def command_line() -> str:
    """The command that repeats it, without the paths of this machine, and without what opens a database."""
    words = (Path(word).name if "/" in word and Path(word).is_absolute() else word for word in sys.argv[1:])
    words = (re.sub(r"://[^@]*@", "://***@", word) for word in words)
    return " ".join(["moa", *words])

"""The steps that look into a result: aggregators on its proposals, and committees of other shapes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moa_engine.errors import ConfigError
from review_bot.bench.measuring import OK, PARTIAL, bench_session
from review_bot.bench.telling import Told, say

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.session import Session
    from review_bot.bench.aggregators import Settled, Study
    from review_bot.bench.cases import CaseSet
    from review_bot.settings import ReviewSettings


#: One aggregator's panel, and what it did to the proposals.
Done = tuple[dict[str, Any], dict[str, Any]]


def aggregators(args: argparse.Namespace) -> int:
    """Have each candidate settle the same recorded proposals, and add what comes of it to the result."""
    from review_bot.bench import results
    from review_bot.bench.cases import read_cases

    cases, result = read_cases(args.cases), results.read_result(args.result)
    done = studied(args, cases, result)
    if done is None:
        return OK
    changed = results.with_panels(result, [panel for panel, _ in done], [study for _, study in done])
    results.write(args.result, changed)
    for line in in_words(changed["measures"]["aggregators"]):
        print(line)
    say(f"wrote {args.result}; as a page: moa report {args.result}")
    return PARTIAL if any(panel["failed"] for panel, _ in done) else OK


def studied(args: argparse.Namespace, cases: CaseSet, result: Mapping[str, Any]) -> list[Done] | None:
    """Every candidate aggregator on the result's proposals; None where only the plan was wanted.

    One that was interrupted is left out, and so is everybody after it.
    """
    from review_bot.bench.aggregators import DETERMINISTIC, MAJORITY, settled_by, studies, without_calls
    from review_bot.bench.recorded import recorded_runs
    from review_bot.preparing import committee_of

    with bench_session(args) as (session, settings):
        found = studies(recorded_runs(session, cases, result))
        committee = committee_of(session, settings)
        models = [name for name, member in committee.members.items() if member.reads == "messages"]
        names = list(committee.aggregators) if args.aggregator else models
        if args.plan:
            _plan(session, found, committee, names)
            return None
        done = [without_calls(name, found) for name in (DETERMINISTIC, MAJORITY)]
        for name in names:
            settled = _settled(args, session, settings, found, name)
            if len(settled) < len(found):
                say(f"interrupted: {name} is left out; the same command goes on where it was")
                break
            done.append(settled_by(name, committee.members[name].model, settled))
    return done


def in_words(measured: list[dict[str, Any]]) -> list[str]:
    """The aggregators as a table."""
    columns = ("lone_truth", "lone_truth_kept", "liar_kept", "minority_kept", "order_sensitivity")
    heads = ("truth shown", "truth kept", "lie kept", "minority kept", "order matters")
    width = max(len(one["name"]) for one in measured)
    lines = [f"{'aggregator':{width}}  {'F1':>5}" + "".join(f"  {head:>13}" for head in heads)]
    for one in measured:
        values = [one["score"], *(one[column] for column in columns)]
        shown = ["-" if value is None else f"{value['value']:.2f}" for value in values]
        lines.append(
            f"{one['name']:{width}}  {shown[0]:>5}" + "".join(f"  {value:>13}" for value in shown[1:])
        )
    return lines


def _only(committee: Committee, name: str) -> Committee:
    """That member alone, in the one layer of a study."""
    return replace(committee, members={name: committee.members[name]}, layers=((name,),), aggregators=())


def _plan(session: Session, found: list[Study], committee: Committee, names: list[str]) -> None:
    from moa_engine.session import plan_for
    from review_bot.bench.running import summed

    plans = [
        plan_for(session, task, _only(committee, name))
        for name in names
        for study in found
        for task in study.tasks()
    ]
    if not plans:
        raise ConfigError("there is nothing to ask anybody: no proposals, or no model as aggregator")
    print(summed(plans).to_text(), end="")


def _settled(
    args: argparse.Namespace, session: Session, settings: ReviewSettings, found: list[Study], name: str
) -> list[Settled]:
    """What one member makes of all cases; fewer when it was interrupted."""
    from moa_engine.session import plan_for
    from moa_engine.terminal import progress
    from review_bot.bench.aggregators import Settled
    from review_bot.bench.paid import bill_of, total
    from review_bot.bench.running import run_tasks, summed
    from review_bot.preparing import committee_of

    def seat() -> Committee:
        return _only(committee_of(session, settings), name)

    tasks = [task for study in found for task in study.tasks()]
    told = Told(len(tasks), quiet=args.quiet, what=f"{name} on proposal")
    told.plan(summed([plan_for(session, task, seat()) for task in tasks]))
    with progress(quiet=args.quiet) as observer:
        outcomes = run_tasks(session, [(task, seat) for task in tasks], observer=observer, told=told)
    settled = []
    for number, study in enumerate(found):
        three = outcomes[3 * number : 3 * number + 3]
        if len(three) == 3:
            paid = total([bill_of(session.record, three[0].run)])
            settled.append(Settled(study, paid, (three[0], three[1], three[2])))
    return settled

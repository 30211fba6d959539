"""Committees of other shapes over the same cases, one command each: what does each part bring?

proposers   1 to n members, the best first        from what is recorded
proposer    each member as the only one           from what is recorded
samples     the best member, asked 1 to n times   calls for the samples that are new (Self-MoA)
layers      1 to 3 layers                         calls for the later layers
aggregator  each member as the only aggregator    calls of the aggregators
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from moa_engine.errors import ConfigError
from review_bot.bench.baselines import only
from review_bot.bench.measuring import INTERRUPTED, OK, PARTIAL, bench_session, run_over
from review_bot.bench.telling import say
from review_bot.bench.verdicts import committee_panel

if TYPE_CHECKING:
    from moa_engine.committee import Committee
    from moa_engine.session import Session
    from review_bot.bench.cases import CaseSet
    from review_bot.bench.running import CaseRun
    from review_bot.settings import ReviewSettings

NAMES: Final = ("proposers", "proposer", "samples", "layers", "aggregator")

#: The most layers, as in the paper's own ablation.
_LAYERS: Final = 3

Panel = dict[str, Any]


def ablate(args: argparse.Namespace) -> int:
    """Run one ablation, and add its panels to the result."""
    from review_bot.bench import results
    from review_bot.bench.cases import read_cases

    cases, result = read_cases(args.cases), results.read_result(args.result)
    members = _best_first(result)
    if not members:
        raise ConfigError("the result has no model as a member", hint="ablations need at least one")
    if args.member and args.member not in members:
        raise ConfigError(f"--member {args.member}: the result has no such model: {', '.join(members)}")
    made = _made(args, cases, result, members)
    if made is None:
        return OK
    if not made:
        say("interrupted before anything was done; the same command goes on where it was")
        return INTERRUPTED
    changed = results.with_panels(result, made)
    results.write(args.result, changed)
    for line in _in_words(changed["measures"]["ablations"], args.ablation):
        print(line)
    say(f"wrote {args.result}; as a page: moa report {args.result}")
    return PARTIAL if any(panel["failed"] for panel in made) else OK


def _made(
    args: argparse.Namespace, cases: CaseSet, result: Mapping[str, Any], members: Sequence[str]
) -> list[Panel] | None:
    """The panels; None where only the plan was wanted."""
    match args.ablation:
        case "proposers" | "proposer":
            if args.plan:
                print("no calls: the answers are in the record")
                return None
            return _recorded(args, cases, result, members)
        case "aggregator":
            return _aggregators(args, cases, result)
        case "layers":
            return _layers(args, cases)
    return _samples(args, cases, args.member or members[0])


def _recorded(
    args: argparse.Namespace, cases: CaseSet, result: Mapping[str, Any], members: Sequence[str]
) -> list[Panel]:
    from review_bot.bench.recorded import recorded_runs

    with bench_session(args) as (session, _):
        runs = recorded_runs(session, cases, result)
    if args.ablation == "proposer":
        return [_panel("proposer", name, [only(run, [name]) for run in runs]) for name in members]
    return [
        _panel("proposers", count, [only(run, members[:count]) for run in runs])
        for count in range(1, len(members) + 1)
    ]


def _aggregators(args: argparse.Namespace, cases: CaseSet, result: Mapping[str, Any]) -> list[Panel] | None:
    """The aggregator study's own runs: it asked the same, so what it asked is in the record."""
    from review_bot.bench import studying

    done = studying.studied(args, cases, result)
    if done is None:
        return None
    return [
        {
            **panel,
            "name": f"aggregator: {study['name']}",
            "what": "ablation",
            "ablation": {"name": "aggregator", "value": study["name"]},
        }
        for panel, study in done
    ]


def _layers(args: argparse.Namespace, cases: CaseSet) -> list[Panel] | None:
    """The whole committee in 1 to 3 layers of proposers; then whoever aggregates."""
    panels = []
    for count in range(1, _LAYERS + 1):
        with bench_session(args) as (session, settings):
            seat = _Layered(session, settings, count)
            runs = run_over(args, session, settings, cases, seat)
        if runs is not None and not _whole(runs, cases):
            break
        if runs is not None:
            panels.append(_panel("layers", count, runs, layers=count))
    return None if args.plan else panels


def _samples(args: argparse.Namespace, cases: CaseSet, member: str) -> list[Panel] | None:
    """One member, asked several times, against as many different ones."""
    with bench_session(args) as (session, settings):
        seat = _Sampled(session, settings, member, args.samples)
        runs = run_over(args, session, settings, cases, seat)
    if runs is None:
        return None
    if not _whole(runs, cases):
        return []
    panels = [
        _panel("samples", count, [only(run, [member], count) for run in runs], samples=count)
        for count in range(1, args.samples + 1)
    ]
    last = panels[-1]
    share = {key: last[key] / args.samples for key in ("cost_usd", "seconds") if last[key] is not None}
    for panel in panels[:-1]:  # the bill is that of all samples: a part of them costs its part
        part = {key: round(of * panel["samples"], 6) for key, of in share.items()}
        calls = last["calls"] * panel["samples"] // args.samples
        panel.update(part, calls=calls)
    name = f"{member} x {args.samples}"
    whole = [only(run, [member], args.samples) for run in runs]
    return [*panels, committee_panel(name, whole, what="self-moa", samples=args.samples)]


class _Layered:
    """Seats the committee in so many layers of proposers."""

    def __init__(self, session: Session, settings: ReviewSettings, count: int) -> None:
        self._session, self._settings, self._count = session, settings, count

    def __call__(self) -> Committee:
        from review_bot.preparing import committee_of

        committee = committee_of(self._session, self._settings)
        first = committee.layers[0]
        talkers = tuple(name for name in first if committee.members[name].reads == "messages")
        return replace(committee, layers=(first, *(talkers,) * (self._count - 1)))


class _Sampled:
    """Seats one member alone, asked so many times."""

    def __init__(self, session: Session, settings: ReviewSettings, member: str, samples: int) -> None:
        tables = session.settings.members
        if member not in tables:
            raise ConfigError(
                f"member {member} is in no table [members.{member}], so its samples cannot be set",
                hint="give it one in moa.toml",
            )
        more = {**tables, member: {**tables[member], "samples": samples}}
        changed = session.settings.model_copy(update={"members": more})
        self._session, self._settings, self._member = replace(session, settings=changed), settings, member

    def __call__(self) -> Committee:
        from review_bot.preparing import committee_of

        committee = committee_of(self._session, self._settings)
        members = {self._member: committee.members[self._member]}
        return replace(committee, members=members, layers=((self._member,),), aggregators=())


def _panel(name: str, value: int | str, runs: Sequence[CaseRun], **more: Any) -> Panel:
    ablation = {"name": name, "value": value}
    return committee_panel(f"{name}: {value}", runs, what="ablation", ablation=ablation, **more)


def _whole(runs: Sequence[CaseRun], cases: CaseSet) -> bool:
    return len(runs) == len(cases.cases)


def _best_first(result: Mapping[str, Any]) -> list[str]:
    """The models of the result, by their F1."""
    scores = result["measures"]["scores"]
    models = [panel["name"] for panel in result["panels"] if panel["what"] == "member" and panel.get("model")]
    return sorted(models, key=lambda name: -(scores[name]["f1"] or {"value": 0.0})["value"])


def _in_words(measured: Sequence[Mapping[str, Any]], name: str) -> Iterator[str]:
    for ablation in measured:
        if ablation["name"] != name:
            continue
        for point in ablation["points"]:
            f1 = point["f1"]
            shown = f"{f1['value']:.2f} ({f1['low']:.2f} to {f1['high']:.2f})" if f1 else "-"
            calls = point["price"].get("calls")
            price = f"  {calls:g} calls a case" if calls is not None else ""
            yield f"{name} {point['value']}: F1 {shown}{price}"

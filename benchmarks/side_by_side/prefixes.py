"""What the order of a prompt saves on a real llama.cpp server: our messages beside the reference's order.

Three proposers of one model answer, then refine twice, then it aggregates: three layers as the paper counts,
by the whole engine. Ours puts the question first and the answers of the layer before behind it; the reference
(togethercomputer/MoA) has those answers in the system message, before the question. Both say the same words,
in another order. What was computed and what was taken from the cache is what llama.cpp says in each answer.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from benchmarks.local_models import LLAMA_CPP, MODELS, local_model
from benchmarks.loopback import session
from benchmarks.side_by_side.comparison import Cell, Comparison, Goal, Plot, Point, Spread, Table
from moa_engine.ask import AskTask
from moa_engine.committee import build_committee
from moa_engine.ledger import Ledger
from moa_engine.member import Message
from moa_engine.session import Session, conduct, plan_for
from moa_engine.task import Question

OURS, REFERENCE = "pytest-moa", "reference order"
LAYERS, PROPOSERS = 3, 3
CHANGE = Path(__file__).parents[2] / "examples" / "express.patch"


class ReferenceOrder(AskTask):
    """The same task, asked in the reference's order: answers in the system message, then the question."""

    def _question(self, ledger: Ledger, layer: int) -> Question:
        ours = super()._question(ledger, layer)
        system, user = ours.messages
        answers = user.content.removeprefix(self.question)
        return replace(
            ours, messages=(Message("system", system.content + answers), Message("user", self.question))
        )


ORDERS: dict[str, type[AskTask]] = {OURS: AskTask, REFERENCE: ReferenceOrder}


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked, how many requests the server works on at once, and how long an answer may be."""

    name: str
    question: str
    slots: int
    max_tokens: int


@dataclass(frozen=True, slots=True)
class Run:
    """One run: prompt tokens sent and evaluated in each layer, and what the server took for all of it."""

    sent: dict[int, int]
    evaluated: dict[int, int]
    cpu_seconds: float
    wall_seconds: float


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", choices=MODELS, default="smollm2-135m-instruct")
    parser.add_argument("--seconds", type=float, default=150, help="no second round begins after these")


def measure(options: argparse.Namespace) -> Comparison:
    change = f"What is wrong with this change?\n\n{CHANGE.read_text()}"
    short = "Which three mistakes do programmers make most often with dates?"
    one_slot = [Case("a change, one slot", change, 1, 48), Case("a short question, one slot", short, 1, 48)]
    two_slots = [Case("a change, two slots", change, 2, 48)]
    runs: defaultdict[tuple[str, str], list[Run]] = defaultdict(list)
    deadline = time.monotonic() + options.seconds
    for number, cases in enumerate((one_slot, two_slots, one_slot)):
        if number == 2 and time.monotonic() > deadline:
            break
        with opened(options.model, cases[0]) as (served, pid):
            for case in cases:
                for order, task in ORDERS.items():  # in turn, so that a busy moment hits both
                    runs[case.name, order].append(one_run(served, pid, task, case, number))
    return compared([*one_slot, *two_slots], runs, options.model)


@contextmanager
def opened(model: str, case: Case) -> Iterator[tuple[Session, int]]:
    """A session with the proposers and the aggregator at one server, and that server's process."""
    with local_model(model, slots=case.slots, context=4096) as served:
        member = {
            "model": model,
            "base_url": served.base_url,
            "max_tokens": case.max_tokens,
            "concurrency": case.slots,
            "timeout": 300.0,
        }
        members = {f"m{number}": member for number in range(1, PROPOSERS + 1)}
        patient = {"quorum": 1.0, "hedge": False, "layer_deadline": 900.0}
        with session(served.base_url, members=members, layers=LAYERS, stragglers=patient, seed=1) as engine:
            yield engine, served.pid


def one_run(engine: Session, pid: int, task: type[AskTask], case: Case, number: int) -> Run:
    # What comes first is new in every run, so that nothing is left of the one before.
    question = task(f"{task.__name__} {number}, {case.name}.\n{case.question}")
    committee = build_committee(engine.settings, engine.plugins)
    before = psutil.Process(pid).cpu_times()
    began = time.perf_counter()
    outcome = asyncio.run(conduct(engine, question, committee, plan_for(engine, question, committee)))
    wall = time.perf_counter() - began
    after = psutil.Process(pid).cpu_times()
    if outcome.status != "complete":
        raise RuntimeError(f"{case.name}: {outcome.status}: {outcome.warnings}")
    engine.record.flush()
    sent: defaultdict[int, int] = defaultdict(int)
    evaluated: defaultdict[int, int] = defaultdict(int)
    for attempt in engine.record.run(outcome.run).attempts:
        if attempt.tokens_in is None or attempt.tokens_cached is None:
            raise RuntimeError(f"llama.cpp did not say what it computed: {attempt.error or attempt.raw}")
        sent[attempt.layer] += attempt.tokens_in
        evaluated[attempt.layer] += attempt.tokens_in - attempt.tokens_cached
    cpu = after.user + after.system - before.user - before.system
    return Run(dict(sent), dict(evaluated), cpu, wall)


def compared(cases: list[Case], runs: dict[tuple[str, str], list[Run]], model: str) -> Comparison:
    layers: list[tuple[Cell, ...]] = []
    totals: list[tuple[Cell, ...]] = []
    points: list[Point] = []
    ratios: dict[str, tuple[float, float]] = {}
    for case in cases:
        both = {order: runs[case.name, order] for order in ORDERS}
        for layer in range(1, LAYERS + 1):
            row: list[Cell] = [case.name, layer]
            for taken in both.values():
                sent = Spread.of([run.sent[layer] for run in taken]).median
                evaluated = Spread.of([run.evaluated[layer] for run in taken]).median
                row += [round(sent), round(evaluated), round(evaluated / sent, 3)]
            layers.append(tuple(row))
        for order, taken in both.items():
            upto = [
                [sum(run.evaluated[layer] for layer in range(1, last + 1)) for run in taken]
                for last in range(1, LAYERS + 1)
            ]
            cells = [Spread.of(values) for values in upto]
            cpu = Spread.of([run.cpu_seconds for run in taken])
            wall = Spread.of([run.wall_seconds for run in taken])
            totals.append(
                (case.name, order, *(round(c.median) for c in cells), str(cpu), str(wall), len(taken))
            )
            if case.slots == 1:
                points += [
                    Point(f"{case.name.split(',')[0]}: {order}", float(n), c.median, c.low, c.high)
                    for n, c in enumerate(cells, 1)
                ]
        ratios[case.name] = (
            median_total(both[OURS]) / median_total(both[REFERENCE]),
            Spread.of([run.cpu_seconds for run in both[OURS]]).median
            / Spread.of([run.cpu_seconds for run in both[REFERENCE]]).median,
        )
    long, brief, split = (ratios[case.name] for case in cases)
    return Comparison(
        title="Prefix reuse on a real llama.cpp server",
        summary=(
            f"On a change of {len(CHANGE.read_text().splitlines())} lines our order has the server evaluate "
            f"{long[0]:.2f} of the prompt tokens of the reference's order, for {long[1]:.2f} of its CPU; "
            f"on two slots {split[0]:.2f}, with a short question, shorter than its answers, {brief[0]:.2f}. "
            "In the first layer, where nothing came before, our order gains nothing, and what is new in a "
            "layer is evaluated in either order."
        ),
        tables=(
            Table(
                "Prompt tokens of each layer (median): sent, evaluated, and their share",
                (
                    *("case", "layer", "ours: sent", "evaluated", "share"),
                    *("reference: sent", "evaluated", "share"),
                ),
                tuple(layers),
                note=f"{PROPOSERS} proposers in each of two layers, one aggregator in the third. Within a "
                "layer all proposers are sent the same bytes, so either order evaluates them once a slot.",
            ),
            Table(
                "A committee of one, two and three layers: prompt tokens evaluated until then; the whole run",
                ("case", "order", "1 layer", "2 layers", "3 layers", "CPU s", "wall s", "runs"),
                tuple(totals),
                note="CPU is the server's, prompts and answers: median (smallest to largest).",
            ),
        ),
        plots=(
            Plot(
                name="evaluated",
                kind="lines",
                title="Prompt tokens that llama.cpp evaluates",
                points=tuple(points),
                x="layers",
                y="tokens evaluated",
                alt="Tokens evaluated by layers: ours grows by what is new, the reference by all of it",
            ),
        ),
        goals=(
            Goal(
                "prompt tokens evaluated on a change in three layers, over the reference order",
                f"{long[0]:.2f}",
                "fewer",
                long[0] < 1,
            ),
        ),
        versions={
            "pytest-moa": version("pytest-moa"),
            "llama.cpp": LLAMA_CPP,
            model: f"sha256 {MODELS[model].sha256[:12]}",
        },
    )


def median_total(taken: list[Run]) -> float:
    return Spread.of([sum(run.evaluated.values()) for run in taken]).median

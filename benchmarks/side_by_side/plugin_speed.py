"""What `plugin` tells of speed: an unused plug-in, candidates and mutants a second."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from benchmarks.mutants import COSMIC_RAY, COSMIC_RAY_MUTANTS, MUTMUT
from benchmarks.side_by_side.comparison import Absent, Goal, Point, Spread, Table
from benchmarks.side_by_side.generators import OURS


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the comparison, as it is told."""

    sentence: str = ""
    tables: tuple[Table, ...] = ()
    goals: tuple[Goal, ...] = ()
    rates: tuple[Point, ...] = ()
    scores: tuple[Point, ...] = ()
    absent: tuple[Absent, ...] = ()


def at_least(what: str, value: float, goal: float, unit: str = "x") -> Goal:
    return Goal(what, f"{value:.3g}{unit}", f"{goal:g}{unit}", value >= goal)


def startup_part(unused: dict[str, Any]) -> Part:
    over = unused["ours over an empty one"]
    what = "CPU of a session of one test that does not use it, over an empty plug-in"
    return Part(goals=(Goal(what, f"{over} ms", "5 ms", over <= unused["goal"]),))


def candidates_part(ran: dict[str, Any]) -> Part:
    peers = ("pytest FILE", "CoverUp")
    rates = {
        name if name.startswith(peers) else f"{OURS}, {name}": Spread.of(some)
        for name, some in ran["candidates/s"].items()
    }
    fastest = next(iter(rates.values())).median
    table = Table(
        f"Candidates: {ran['what']}",
        ("way", "candidates/s", "times slower than once with branches"),
        tuple((name, str(rate), round(fastest / rate.median, 1)) for name, rate in rates.items()),
        "`pytest FILE` measures nothing, CoverUp's command branches, pytest-moa branches in the sandbox. "
        "Judged: all that a candidate must survive (another order, hash seed and day, without the target, "
        "among the project's tests).",
    )
    once, whole = ran["once, over pytest FILE"], ran["judged, over pytest FILE"]
    over_coverup = ran["once, over CoverUp's command"]
    return Part(
        f"A candidate runs once {once}x as fast as by `pytest FILE` and {over_coverup}x as fast as by "
        f"CoverUp's command; the whole judgement, several runs of each, {whole}x as one `pytest FILE`.",
        (table,),
        (
            at_least("candidates, each once, over `python -m pytest FILE` each", once, 12),
            at_least("the whole judgement of each over one `python -m pytest FILE` each", whole, 12),
            at_least("candidates, each once, over CoverUp's command", over_coverup, 18),
        ),
        tuple(
            Point("candidates/s", name, rate.median, rate.low, rate.high)
            for name, rate in rates.items()
            if "start" not in name
        ),
    )


def mutants_part(mutated: dict[str, Any]) -> Part:
    count = mutated["mutants"]
    rates = {
        OURS: Spread.of(mutated["moa mutate, mutants/s"]),
        **{
            who: Spread.of(some)
            for key, some in mutated.items()
            for who in (MUTMUT, COSMIC_RAY)
            if key.startswith(f"{who}, mutants/s")
        },
    }
    runs = {OURS: count["moa"], MUTMUT: count["mutmut"], COSMIC_RAY: count["cosmic-ray"]}
    verdicts = {
        OURS: "-",
        MUTMUT: _equal(mutated["agreement"], count["in both"]),
        COSMIC_RAY: _equal(mutated["agreement with cosmic-ray"], count["in both with cosmic-ray"]),
    }
    fastest = rates[OURS].median
    note = (
        "Whole commands. Verdicts are compared where both tools change the same lines to the same; "
        "pytest-moa's mutants are counted. "
        f"cosmic-ray runs a sample of {COSMIC_RAY_MUTANTS} mutants a round, another one each time."
    )
    if mutated["differing"]:
        note += " Differing: " + "; ".join(mutated["differing"]) + "."
    table = Table(
        f"Mutants: {mutated['what']}",
        ("tool", "mutants/s", "times slower", "different mutants", "verdicts as ours"),
        tuple(
            (who, str(rate), round(fastest / rate.median, 1), runs[who], verdicts[who])
            for who, rate in rates.items()
        ),
        note,
    )
    return Part(
        f"Mutants go {mutated['over mutmut']}x as fast as by mutmut and {mutated['over cosmic-ray']}x as "
        f"fast as by cosmic-ray; {verdicts[MUTMUT]} and {verdicts[COSMIC_RAY]} verdicts are the same.",
        (table,),
        (
            at_least("mutants over mutmut", mutated["over mutmut"], 5),
            at_least("mutants over cosmic-ray", mutated["over cosmic-ray"], 50),
            at_least("verdicts as mutmut's", 100 * (mutated["agreement"] or 0), 99, " %"),
        ),
        tuple(
            Point("mutants/s", f"{who}, mutants", rate.median, rate.low, rate.high)
            for who, rate in rates.items()
        ),
    )


def _equal(share: float | None, both: int) -> str:
    return "0 of 0" if share is None else f"{round(share * both)} of {both}"

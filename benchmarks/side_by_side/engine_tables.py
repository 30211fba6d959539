"""What the engine's comparison shows of its measurements."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.engine import CRITICAL_PATH, percentiles
from benchmarks.side_by_side.comparison import Cell, Goal, Plot, Point, Spread, Table
from benchmarks.side_by_side.engine_systems import BARE, LIMIT, OURS, OURS_HTTPX, PER_CALL


@dataclass
class Measured:
    """All that was measured of one system."""

    versions: dict[str, str] = field(default_factory=dict)
    start_seconds: list[float] = field(default_factory=list)
    start_cpu: list[float] = field(default_factory=list)
    start_mb: list[float] = field(default_factory=list)
    import_cpu: list[float] = field(default_factory=list)
    single: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    cpu_calls: int = 0
    cpu_mb: float = 0.0
    lognormal: list[float] = field(default_factory=list)
    stuck: list[float] = field(default_factory=list)
    calls: dict[str, float | None] = field(default_factory=dict)
    faults: dict[bool, tuple[int, list[float]]] = field(default_factory=dict)  #: by `resilient`
    verified: list[bool | None] = field(default_factory=list)


All = Mapping[str, Measured]


def tables(measured: All) -> tuple[Table, ...]:
    return (_runs(measured), _cpu(measured), _stragglers(measured), _faults(measured))


def _runs(measured: All) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, one in measured.items():
        path = Spread.of([seconds / CRITICAL_PATH for seconds in one.single])
        rows.append(
            (
                name,
                f"{path.median:.3f} ({path.low:.3f} to {path.high:.3f})",
                f"{Spread.of(one.start_seconds).median:.2f}",
                f"{Spread.of(one.start_cpu).median:.2f}",
                f"{Spread.of(one.import_cpu).median:.2f}",
                round(Spread.of(one.start_mb).median),
            )
        )
    return Table(
        "One run of 6+6+1 calls, each answered after 200 ms",
        (
            "system",
            "wall over the critical path of 600 ms, warm: median (range)",
            "fresh process: wall, s",
            "CPU, s",
            "of it importing, s",
            "peak memory, MB",
        ),
        tuple(rows),
        f"Ranges of {len(measured[LIMIT].single)} runs, in turn; fresh processes: medians of "
        f"{len(measured[LIMIT].start_cpu)}, the interpreter's start and a driver of 0.1 s CPU included. Only "
        "pytest-moa also masks secrets, looks into its cache and writes a record. optillm makes its own run: "
        "three calls one after the other, of one model, the first for three answers.",
    )


def _cpu(measured: All) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, one in measured.items():
        used = Spread.of(one.cpu_us)
        rows.append(
            (
                name,
                f"{used.median:,.0f} ({used.low:,.0f} to {used.high:,.0f})",
                _two_digits(_over_bare(measured, one)),
                one.cpu_calls,
                round(one.cpu_mb),
            )
        )
    return Table(
        "CPU of a call: 200 at once, no latency, 1 kB of prompt",
        ("system", "µs: median (range)", f"over {BARE}", "calls a round", "peak memory, MB"),
        tuple(rows),
        f"{len(measured[OURS].cpu_us)} rounds; ratios are between the best ones, as neighbours on a machine "
        "only ever add. Slower systems make fewer calls, to end in time. pytest-moa masks, looks into its "
        "cache, validates a JSON answer and writes a record.",
    )


def _over_bare(measured: All, one: Measured) -> float | None:
    """CPU of a call over that of the bare transport, where that could be run."""
    return min(one.cpu_us) / min(measured[BARE].cpu_us) if BARE in measured else None


def _two_digits(ratio: float | None) -> str:
    return "-" if ratio is None else f"{ratio:.2f}"


def _stragglers(measured: All) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, one in measured.items():
        if not one.lognormal:
            continue
        cells: list[Cell] = [name]
        for seconds in (one.lognormal, one.stuck):
            cells.extend([*(f"{value:.2f}" for value in percentiles(seconds).values()), len(seconds)])
        rows.append((*cells, one.calls.get("lognormal")))
    return Table(
        "Slow calls: seconds of a run",
        (
            "system",
            *("lognormal p50", "p95", "p99", "runs"),
            *("5 % stuck p50", "p95", "p99", "runs"),
            "calls a run, lognormal",
        ),
        tuple(rows),
        "Lognormal: median 200 ms, sigma 0.8. Stuck: 5 % of calls take 5 s, the others 200 ms. All systems "
        "at the same time, each with 5 to 20 runs at once. Peers wait for all of a layer, as none has "
        "another way; pytest-moa closes a layer when enough have answered, and asks a late member once more.",
    )


def _faults(measured: All) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, one in measured.items():
        if not one.faults:
            continue
        cells: list[Cell] = [name]
        for resilient in (False, True):
            valid, seconds = one.faults[resilient]
            share = f"{100 * valid / len(seconds):.1f} %"
            cells.extend([share, f"{valid} of {len(seconds)}", f"{percentiles(seconds)['p50']:.2f}"])
        rows.append(tuple(cells))
    return Table(
        "30 % of calls fail (500, 429, reset, hang, garbage, cut off, wrong, empty): runs with an answer",
        ("system", "as it comes", "runs", "p50, s", "with all its means", "runs", "p50, s"),
        tuple(rows),
        "Each attempt may take 2 s (defaults are 5 s to 100 minutes), a run 30 s; the rest as it comes. "
        "All its means: five retries (openai, litellm, optillm; httpx: of connecting only), a fallback model "
        "(litellm), a second aggregator (pytest-moa); and around all peers but optillm a committee that goes "
        "on with the answers it got and asks a second aggregator, which their users would have to write. "
        "An answer is any text that is not empty.",
    )


def plots(measured: All) -> tuple[Plot, ...]:
    added = {name: [100 * (s / CRITICAL_PATH - 1) for s in one.single] for name, one in measured.items()}
    slow = tuple(
        Point(series, name, percentiles(seconds)["p95"])
        for name, one in measured.items()
        for series, seconds in (("lognormal latency", one.lognormal), ("5 % stuck", one.stuck))
        if seconds
    )
    return (
        _bars("makespan", "What a system adds to a run's critical path", "%", added),
        _bars(
            "cpu", "CPU of a call, 200 at once", "µs", {name: one.cpu_us for name, one in measured.items()}
        ),
        Plot("slow", "bars", "95th percentile of a run with slow calls", slow, "", "s", "p95 by system"),
    )


def _bars(name: str, title: str, unit: str, values: Mapping[str, Sequence[float]]) -> Plot:
    """Bars of all but a client per call: beside it nobody could tell the others apart."""
    spreads = {system: Spread.of(repeated) for system, repeated in values.items()}
    if (beyond := spreads.pop(PER_CALL, None)) is not None:
        title += f" (not drawn: {PER_CALL}, {beyond.median:,.0f} {unit})"
    points = [Point("", system, one.median, one.low, one.high) for system, one in spreads.items()]
    return Plot(name, "bars", title, tuple(points), x="", y=unit, alt=f"{title}, by system")


def goals(measured: All) -> tuple[Goal, ...]:
    ours, limit = measured[OURS], measured[LIMIT]
    found = [_goal("6+6+1 calls at 200 ms, wall over the critical path", _makespan(ours), 1.03)]
    found.append(_goal(f"CPU of a call over {BARE}", _over_bare(measured, ours), 1.6))
    for what, mine, base, asked in (
        ("lognormal latency", ours.lognormal, limit.lognormal, {"p95": 0.55, "p99": 0.45}),
        ("5 % of calls stuck for 5 s", ours.stuck, limit.stuck, {"p95": 0.2}),
    ):
        ratios = {p: percentiles(mine)[p] / percentiles(base)[p] for p in asked}
        found.extend(_goal(f"{what}: {p} over waiting for all", ratios[p], asked[p]) for p in asked)
    valid = sum(valid for valid, _ in ours.faults.values())
    runs = sum(len(seconds) for _, seconds in ours.faults.values())
    record = "the record verifies" if all(ours.verified) else "the record does not verify"
    met = valid == runs and all(ours.verified)
    found.append(Goal("30 % of calls fail: runs with an answer", f"{valid} of {runs}; {record}", "all", met))
    return tuple(found)


def _makespan(one: Measured) -> float:
    return Spread.of(one.single).median / CRITICAL_PATH


def _goal(what: str, value: float | None, asked: float) -> Goal:
    if value is None:
        return Goal(what, f"{BARE} could not be run", f"at most {asked}", None)
    return Goal(what, f"{value:.3f}", f"at most {asked}", round(value, 3) <= asked)


def summary(measured: All) -> str:
    """How we do, and where we lose."""
    ours, limit = measured[OURS], measured[LIMIT]
    slow = [
        percentiles(mine)["p95"] / percentiles(base)["p95"]
        for mine, base in ((ours.lognormal, limit.lognormal), (ours.stuck, limit.stuck))
    ]
    sentences = [
        f"pytest-moa takes {_makespan(ours):.3f} of a run's critical path (by hand: {_makespan(limit):.3f}) "
        f"and {_two_digits(_over_bare(measured, ours))} times the CPU of its bare transport; "
        f"where calls are slow or stuck its p95 is {slow[0]:.2f} and {slow[1]:.2f} of waiting for "
        f"all; with 30 % of calls failing {100 * _valid(ours, False):.0f} % of its runs have an answer."
    ]
    peers = {name: one for name, one in measured.items() if name not in (OURS, OURS_HTTPX, LIMIT)}
    lost: dict[str, list[str]] = {}
    for what, figure in _COMPARED.items():
        mine = figure(ours)
        assert mine is not None
        for name, one in peers.items():
            if (theirs := figure(one)) is not None and theirs < mine:
                lost.setdefault(what, []).append(name)
    sentences.extend(f"Better {what}: {', '.join(names)}." for what, names in lost.items())
    won = [what for what in _COMPARED if what not in lost]
    return " ".join([*sentences, f"No peer is better {'; '.join(won)}." if won else ""]).strip()


def _valid(one: Measured, resilient: bool) -> float:
    valid, seconds = one.faults[resilient]
    return valid / len(seconds)


#: What is compared, and its figure (the smaller, the better; None where a system has no part in it).
_COMPARED: dict[str, Callable[[Measured], float | None]] = {
    "in a warm run's wall": _makespan,
    "in the CPU of a call": lambda one: min(one.cpu_us),
    "in the CPU of one run in a fresh process": lambda one: Spread.of(one.start_cpu).median,
    "in the memory of one run": lambda one: Spread.of(one.start_mb).median,
    "with lognormal latencies (p95)": lambda one: _p95(one.lognormal),
    "with stuck calls (p95)": lambda one: _p95(one.stuck),
    "with failing calls, as it comes": lambda one: -_valid(one, False) if one.faults else None,
    "with failing calls, by all its means": lambda one: -_valid(one, True) if one.faults else None,
}


def _p95(seconds: list[float]) -> float | None:
    return percentiles(seconds)["p95"] if seconds else None

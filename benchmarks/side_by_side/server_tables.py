"""What `server` measured, as tables, plots and goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.side_by_side.comparison import Absent, Cell, Comparison, Goal, Plot, Point, Spread, Table
from benchmarks.side_by_side.server_answers import ASKED, GOAL, RATES, SECONDS, Answers
from benchmarks.side_by_side.server_recovery import LATENCY, LONGEST, OPENED, SHORT, Recovery

STAGES = ("healthy", "continued", "interrupted", "all_done")


def told(
    answers: Sequence[Answers],
    recoveries: Mapping[str, Sequence[Recovery]],
    rounds: int,
    absent: Sequence[Absent],
    versions: dict[str, str],
) -> Comparison:
    return Comparison(
        title="The server, side by side",
        summary=_summary(answers, recoveries),
        tables=(_answered(answers), _by_rate(answers), _recovered(recoveries, rounds)),
        plots=(_rates(answers), _seconds(recoveries)),
        goals=tuple(_goals(answers, recoveries)),
        absent=tuple(absent),
        versions=versions,
    )


def _summary(answers: Sequence[Answers], recoveries: Mapping[str, Sequence[Recovery]]) -> str:
    ours = [one for one in answers if one.serving.system.ours]
    limits = [one for one in answers if one.serving.system.name.startswith("limit")]
    peers = [one for one in answers if one not in ours and one not in limits]

    def at(them: Sequence[Answers]) -> str:
        return ", ".join(f"{one.greatest or 'less than ' + str(RATES[0])}" for one in them)

    said = (
        f"With p99 below {GOAL * 1000:.0f} ms pytest-moa answers {at(ours)} deliveries a second "
        f"({', '.join(_short(one) for one in ours)}), while it reviews; the limits, which only keep them, "
        f"{at(limits)} (of {RATES[-1]} that were tried at most). "
        f"At {ASKED} a second half of the answers take at most {_medians(ours)} ms, where the limits take "
        f"{_medians(limits)} ms."
    )
    for one in peers:
        said += f" {one.serving.system.name} answers {at([one])}."
    counts = []
    for name, them in recoveries.items():
        if them:
            reviewed = sum(one.reviewed for one in them)
            counts.append(f"{name} {reviewed} of {sum(one.accepted for one in them)}")
    return f"{said} Reviews made of what was accepted before `kill -9`: {'; '.join(counts)}."


def _medians(them: Sequence[Answers]) -> str:
    steps = [one.steps.get(ASKED) for one in them]
    return ", ".join(
        f"{Spread.of([s['p50'] for s in step]).median * 1000:.0f}" if step else "-" for step in steps
    )


def _short(answers: Answers) -> str:
    return answers.serving.system.name.removeprefix("pytest-moa, ")


def _answered(answers: Sequence[Answers]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in answers:
        steps = one.steps.get(ASKED, [])
        times = [_ms([step[key] for step in steps]) for key in ("p50", "p95", "p99")]
        rest = round(one.rest, 1) if one.serving.system.ours else None
        rows.append(
            (one.serving.system.name, one.greatest, *times, len(one.all), one.lost, one.doubled, rest)
        )
    return Table(
        f"Answers to deliveries, {SECONDS} s at each rate, all in turn",
        (
            "server", f"greatest rate with p99 below {GOAL * 1000:.0f} ms, 1/s", f"p50 at {ASKED}/s, ms",
            "p95", "p99", "deliveries in all", "accepted, in no final state", "commits reviewed twice",
            "worked on the rest for s",
        ),
        tuple(rows),
        "Median of two times (smallest to largest). An answer counts from when its delivery was due; a rate "
        "with one that failed or took more than 10 s, when GitHub gives up, is missed, and higher ones are "
        "not tried. Accepted by pytest-moa is what is committed to its database; pr-agent and the first "
        "limit hold it in memory. The rates that were tried: " + ", ".join(map(str, RATES)) + ".",
    )  # fmt: skip


def _by_rate(answers: Sequence[Answers]) -> Table:
    rows = [
        (
            one.serving.system.name,
            *(
                _ms([step["p99"] for step in one.steps[rate]]) if rate in one.steps else None
                for rate in RATES
            ),
        )
        for one in answers
    ]
    columns = ("server", *(f"{rate}/s" for rate in RATES))
    left = [f"{one.serving.system.name} at {one.left_out[0]}/s and above" for one in answers if one.left_out]
    late = f" There was no time for {', '.join(left)}." if left else ""
    return Table(
        "p99 of the answer by rate, ms",
        columns,
        tuple(rows),
        f"-: not tried, since a lower one was missed.{late}",
    )


def _recovered(recoveries: Mapping[str, Sequence[Recovery]], rounds: int) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, them in recoveries.items():
        times = [_seconds_of(them, stage) for stage in STAGES]
        accepted = sum(one.accepted for one in them)
        reviewed = f"{sum(one.reviewed for one in them)} of {accepted}"
        rows.append((name, *times, reviewed, sum(one.doubled for one in them), len(them)))
    return Table(
        "Killed by SIGKILL at its work and started again",
        (
            "server", "well again, s", "a model is asked again", "interrupted reviews are posted",
            "all are posted", "reviews made of accepted", "pull requests with two", "times",
        ),
        tuple(rows),
        f"Seconds from the kill. {OPENED} pull requests are opened; models take {LATENCY:.0f} s, and the "
        "kill comes one second after the first call. Of two processes one is killed, and the other takes its "
        "jobs over. Every server makes all of these reviews where nobody kills it (pr-agent: tried by hand). "
        f"Asked for: {rounds} times each. Never: not within {LONGEST:.0f} s after the restart, of pr-agent, "
        f"which asks no model any more, {SHORT:.0f} s.",
    )  # fmt: skip


def _rates(answers: Sequence[Answers]) -> Plot:
    points = [
        Point(one.serving.system.name, rate, *_values([step["p99"] * 1000 for step in steps]))
        for one in answers
        for rate, steps in one.steps.items()
    ]
    return Plot(
        "answers", "lines", "Answer to a delivery, 99th percentile", tuple(points), "deliveries a second",
        "milliseconds", "99th percentile of the answer by rate of deliveries, a line for each server",
        log_x=True, log_y=True,
    )  # fmt: skip


def _seconds(recoveries: Mapping[str, Sequence[Recovery]]) -> Plot:
    names = {"healthy": "well again", "interrupted": "interrupted reviews are posted"}
    points = [
        Point(said, name, *_values(values))
        for name, them in recoveries.items()
        for stage, said in names.items()
        if (values := [getattr(one, stage) for one in them if getattr(one, stage) is not None])
    ]
    return Plot(
        "recovery", "bars", "After kill -9", tuple(points), "", "seconds",
        "Seconds after kill -9 until a server is well, and until interrupted reviews are posted",
    )  # fmt: skip


def _goals(answers: Sequence[Answers], recoveries: Mapping[str, Sequence[Recovery]]) -> list[Goal]:
    goals = []
    for one in answers:
        if not one.serving.system.ours:
            continue
        steps = one.steps.get(ASKED, [])
        worst = max((step["p99"] for step in steps), default=None)
        goals.append(
            Goal(
                f"p99 of the answer at {ASKED} deliveries a second, {_short(one)}",
                "not reached in the time" if worst is None else f"{worst * 1000:.0f} ms at worst",
                f"{GOAL * 1000:.0f} ms",
                None if worst is None else worst < GOAL,
            )
        )
    ours = [one for one in answers if one.serving.system.ours]
    accepted = sum(status == 202 for one in ours for _, _, status, _, _ in one.all)
    lost = sum(one.lost or 0 for one in ours)
    goals.append(Goal("accepted deliveries without a final state", f"{lost} of {accepted:,}", "0", lost == 0))
    killed = [one for name, them in recoveries.items() if name.startswith("pytest-moa") for one in them]
    if killed:
        wanted = sum(one.accepted for one in killed)
        made = sum(one.reviewed for one in killed)
        twice = sum(one.doubled for one in killed)
        goals.append(
            Goal(
                "reviews made of what was accepted before `kill -9`",
                f"{made} of {wanted}; {twice} twice",
                "all, once",
                made == wanted and not twice,
            )
        )
    return goals


def _seconds_of(them: Sequence[Recovery], stage: str) -> str:
    values = [getattr(one, stage) for one in them]
    if not values:
        return "not measured: no time left"
    reached = [value for value in values if value is not None]
    return str(Spread.of(reached)) if len(reached) == len(values) else "never"


def _ms(seconds: Sequence[float]) -> str | None:
    if not seconds:
        return None
    middle, low, high = (f"{value * 1000:,.0f}" for value in _values(seconds))
    return middle if len(seconds) == 1 else f"{middle} ({low} to {high})"


def _values(values: Sequence[float]) -> tuple[float, float, float]:
    spread = Spread.of(values)
    return spread.median, spread.low, spread.high

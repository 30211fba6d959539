"""The plots of a report: scores with their intervals, quality against price, ablations, the dendrogram."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from review_bot.page.drawing import INK, LINE, OTHER, POINT, QUIET, drawn, label

if TYPE_CHECKING:
    from markupsafe import Markup

#: Shapes that say what a panel is, filled and hollow: circle, square, triangle, diamond.
_FILLED: Final = {"member": 16, "committee": 15, "self-moa": 17, "offline": 18}
_HOLLOW: Final = {"member": 1, "committee": 0, "self-moa": 2, "offline": 5}

#: A row of a plot with names down its side, and what its axis takes, in pixels.
ROW, AXIS = 24, 48


@dataclass(frozen=True, slots=True)
class Scored:
    """Something with a score: a panel, or a point of an ablation."""

    name: str
    what: str
    value: float
    low: float
    high: float
    price: float = 0.0
    best: bool = False  #: nothing is better for less

    @classmethod
    def of(cls, name: str, what: str, estimate: Mapping[str, float], **more: Any) -> Scored:
        """From an estimate of a result file."""
        return cls(name, what, estimate["value"], estimate["low"], estimate["high"], **more)


def intervals(rows: Sequence[Scored], identifier: str, title: str, axis: str) -> Markup:
    """A line for each: the score, and the interval around it."""
    from lets_plot import (
        aes,
        geom_point,
        geom_segment,
        ggplot,
        scale_x_continuous,
        scale_y_continuous,
        xlab,
        ylab,
    )

    places = list(range(len(rows), 0, -1))
    data = {
        "x": [one.value for one in rows],
        "y": places,
        "low": [one.low for one in rows],
        "high": [one.high for one in rows],
    }
    plot = ggplot(data) + geom_segment(aes(x="low", xend="high", y="y", yend="y"), color=LINE, size=1.4)
    plot += geom_point(aes("x", "y"), color=POINT, size=4)
    plot += scale_y_continuous(
        breaks=places, labels=[label(one.name) for one in rows], limits=[0.4, len(rows) + 0.6]
    )
    plot += scale_x_continuous(limits=[0, 1], breaks=[0, 0.25, 0.5, 0.75, 1])
    told = "; ".join(f"{one.name} {one.value:.2f}, {one.low:.2f} to {one.high:.2f}" for one in rows)
    return drawn(plot + xlab(axis) + ylab(""), identifier, title, told, AXIS + ROW * len(rows))


def against_price(rows: Sequence[Scored], identifier: str, title: str, axis: str) -> Markup:
    """Quality against a price: filled is what nothing beats for less, joined by a step line."""
    from lets_plot import (
        aes,
        geom_point,
        geom_segment,
        geom_step,
        geom_text_repel,
        ggplot,
        scale_x_continuous,
        scale_y_continuous,
        xlab,
        ylab,
    )

    data = {
        "x": [one.price for one in rows],
        "y": [one.value for one in rows],
        "low": [one.low for one in rows],
        "high": [one.high for one in rows],
        "name": [label(one.name) for one in rows],
    }
    best = sorted((one for one in rows if one.best), key=lambda one: (one.price, one.value))
    most = max((one.price for one in rows), default=0.0) or 1.0
    plot = ggplot(data)
    if best:
        steps = {
            "x": [*(one.price for one in best), most * 1.1],
            "y": [*(one.value for one in best), best[-1].value],
        }
        plot += geom_step(aes("x", "y"), data=steps, color=OTHER, linetype="dashed", size=0.9)
    plot += geom_segment(aes(x="x", xend="x", y="low", yend="high"), color=QUIET, size=0.9)
    for one in rows:
        kinds = _FILLED if one.best else _HOLLOW
        shape = kinds.get(one.what, kinds["committee"])
        plot += geom_point(
            aes("x", "y"),
            data={"x": [one.price], "y": [one.value]},
            shape=shape,
            color=POINT,
            size=4,
            stroke=1.4,
        )
    plot += geom_text_repel(
        aes("x", "y", label="name"),
        color=INK,
        size=5.6,
        seed=1,
        segment_size=0.3,
        segment_color=QUIET,
        point_padding=6,
        box_padding=4,
    )
    top = min(1.0, math.ceil(4 * max([0.25, *(one.high for one in rows)])) / 4)
    plot += scale_y_continuous(limits=[0, top], breaks=[0, 0.25, 0.5, 0.75, 1])
    plot += scale_x_continuous(limits=[0 - most * 0.04, most * 1.12])
    told = "; ".join(
        f"{one.name}: F1 {one.value:.2f} ({one.low:.2f} to {one.high:.2f}) for {one.price:.4g}"
        for one in rows
    )
    return drawn(plot + xlab(axis) + ylab("F1"), identifier, title, told, 320)


def over_values(rows: Sequence[tuple[float, Scored]], identifier: str, title: str, axis: str) -> Markup:
    """F1 over a number that was varied."""
    from lets_plot import (
        aes,
        geom_line,
        geom_point,
        geom_segment,
        ggplot,
        scale_x_continuous,
        scale_y_continuous,
        xlab,
        ylab,
    )

    data = {
        "x": [value for value, _ in rows],
        "y": [one.value for _, one in rows],
        "low": [one.low for _, one in rows],
        "high": [one.high for _, one in rows],
    }
    values = sorted({value for value, _ in rows})
    plot = ggplot(data) + geom_segment(aes(x="x", xend="x", y="low", yend="high"), color=LINE, size=1.2)
    plot += geom_line(aes("x", "y"), color=POINT, size=0.8)
    plot += geom_point(aes("x", "y"), color=POINT, size=4)
    plot += scale_y_continuous(limits=[0, 1], breaks=[0, 0.25, 0.5, 0.75, 1])
    plot += scale_x_continuous(breaks=values, limits=[values[0] - 0.3, values[-1] + 0.3], format="d")
    told = "; ".join(
        f"{value:g}: F1 {one.value:.2f} ({one.low:.2f} to {one.high:.2f})" for value, one in rows
    )
    return drawn(plot + xlab(axis) + ylab("F1"), identifier, title, told, 260)


def dendrogram(
    members: Sequence[str], merges: Sequence[Mapping[str, Any]], identifier: str, title: str
) -> Markup:
    """Which members err alike: joined the further left, the more."""
    from lets_plot import (
        aes,
        geom_segment,
        geom_vline,
        ggplot,
        scale_x_continuous,
        scale_y_continuous,
        xlab,
        ylab,
    )

    leaves = _leaves(len(members), merges)
    place: dict[int, tuple[float, float]] = {leaf: (0.0, len(leaves) - at) for at, leaf in enumerate(leaves)}
    lines: list[tuple[float, float, float, float]] = []
    for number, merge in enumerate(merges):
        far = max(0.0, merge["distance"])
        (a, up), (b, down) = place[merge["left"]], place[merge["right"]]
        lines += [(a, far, up, up), (b, far, down, down), (far, far, up, down)]
        place[len(members) + number] = (far, (up + down) / 2)
    most = max([1.0, *(line[1] for line in lines)])
    data = dict(zip(("x", "xend", "y", "yend"), map(list, zip(*lines, strict=True)), strict=True))
    plot = ggplot(data) + geom_vline(xintercept=1, color=QUIET, linetype="dashed", size=0.7)
    plot += geom_segment(aes(x="x", xend="xend", y="y", yend="yend"), color=POINT, size=1.3)
    names = [label(members[leaf]) for leaf in leaves]
    plot += scale_y_continuous(
        breaks=list(range(len(leaves), 0, -1)), labels=names, limits=[0.4, len(leaves) + 0.6]
    )
    plot += scale_x_continuous(limits=[0, most * 1.05])
    told = "; ".join(f"{', '.join(merge['members'])} join at {merge['distance']:.2f}" for merge in merges)
    axis = "1 \N{MINUS SIGN} phi: 0 fail as one, 1 unrelated"
    return drawn(plot + xlab(axis) + ylab(""), identifier, title, told, AXIS + ROW * max(2, len(leaves)))


def _leaves(members: int, merges: Sequence[Mapping[str, Any]]) -> list[int]:
    """The members in an order in which no two lines cross."""

    def below(group: int) -> list[int]:
        if group < members:
            return [group]
        merge = merges[group - members]
        return below(merge["left"]) + below(merge["right"])

    return below(members + len(merges) - 1)

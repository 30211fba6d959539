"""The page's charts: small SVG that needs no script, takes the page's colours and the width there is.

Lengths along the x axis are shares of the width, so that words keep their size on a phone. Each chart has
a title and a description for who cannot see it; the pages give the same figures as a table.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from moa_engine.printable import one_line

#: Height of the plot of columns, of the words under it, and of a row of the other charts.
_PLOT, _FOOT, _ROW = 210, 22, 42


@dataclass(frozen=True, slots=True)
class Column:
    """A column. `label` stands under it, `told` in its tooltip."""

    label: str
    value: float
    told: str


@dataclass(frozen=True, slots=True)
class Reach:
    """A row with a usual and a high value."""

    label: str
    usual: float
    high: float
    told: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time in a row of a timeline. `kind` is the class that gives it a colour."""

    start: float
    end: float
    kind: str
    told: str


def columns(id: str, title: str, about: str, given: Sequence[Column], unit: str = "{}") -> Markup:
    """Columns next to each other, the last one emphasised; `unit` formats the values at the lines."""
    top = _nice(max((column.value for column in given), default=0))
    step = 100 / max(len(given), 1)
    every = math.ceil(len(given) / 7)
    marks = [_line(share, unit.format(_short(top * share))) for share in (0.5, 1.0)]
    for number, column in enumerate(given):
        height = column.value / top * (_PLOT - 18)
        height = max(height, 2.0) if column.value else 0.0
        last = number == len(given) - 1
        marks.append(
            Markup(
                '<rect class="{}" x="{:.2f}%" width="{:.2f}%" y="{:.1f}" height="{:.1f}" rx="2">'
                "<title>{}</title></rect>"
            ).format(
                "column now" if last else "column",
                number * step + step * 0.15,
                step * 0.7,
                _PLOT - height,
                height,
                one_line(column.told),
            )
        )
        if (len(given) - 1 - number) % every == 0:
            marks.append(
                Markup('<text x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
                    number * step + step / 2, _PLOT + 16, one_line(column.label)
                )
            )
    marks.append(Markup('<line class="axis" x1="0" x2="100%" y1="{0}" y2="{0}"></line>').format(_PLOT + 0.5))
    return _svg(id, title, about, _PLOT + _FOOT, marks)


def reaches(id: str, title: str, about: str, given: Sequence[Reach]) -> Markup:
    """One row for each: a bar to its usual value, a paler one on to its high value."""
    top = max((row.high for row in given), default=0) or 1.0
    marks = []
    for number, row in enumerate(given):
        y = number * _ROW
        marks += [
            _words(row.label, row.told, y),
            _bar("track", 0, 100, y),
            _bar("high", 0, row.high / top * 100, y),
            _bar("usual", 0, row.usual / top * 100, y),
        ]
    return _svg(id, title, about, len(given) * _ROW, marks)


def timeline(
    id: str, title: str, about: str, rows: Sequence[tuple[str, str, Sequence[Stretch]]], length: float
) -> Markup:
    """One row for each (label, words at its end, stretches), from 0 to `length`."""
    marks = []
    for number, (label, told, stretches) in enumerate(rows):
        y = number * _ROW
        marks += [_words(label, told, y), _bar("track", 0, 100, y)]
        for stretch in stretches:
            start = min(max(stretch.start / length * 100, 0), 99.5) if length else 0.0
            width = (stretch.end - stretch.start) / length * 100 if length else 100.0
            marks.append(
                _bar(stretch.kind, start, min(max(width, 0.5), 100 - start), y, one_line(stretch.told))
            )
    return _svg(id, title, about, len(rows) * _ROW, marks)


def _svg(id: str, title: str, about: str, height: int, marks: Sequence[Markup]) -> Markup:
    return Markup(
        '<svg class="chart" width="100%" height="{1}" role="img" aria-labelledby="{0}-title {0}-about">'
        '<title id="{0}-title">{2}</title><desc id="{0}-about">{3}</desc>{4}</svg>'
    ).format(id, height, one_line(title), one_line(about), Markup("").join(marks))


def _line(share: float, label: str) -> Markup:
    y = _PLOT - share * (_PLOT - 18)
    return Markup(
        '<line class="grid" x1="0" x2="100%" y1="{0:.1f}" y2="{0:.1f}"></line>'
        '<text x="0" y="{1:.1f}">{2}</text>'
    ).format(y, y - 4, label)


def _words(label: str, told: str, y: int) -> Markup:
    return Markup(
        '<text class="name" x="0" y="{0}">{1}</text><text x="100%" y="{0}" text-anchor="end">{2}</text>'
    ).format(y + 14, _cut(one_line(label)), _cut(one_line(told)))


def _bar(kind: str, start: float, width: float, y: int, told: str = "") -> Markup:
    tooltip = Markup("<title>{}</title>").format(told) if told else ""
    return Markup('<rect class="{}" x="{:.2f}%" width="{:.2f}%" y="{}" height="8" rx="2">{}</rect>').format(
        kind, start, width, y + 21, tooltip
    )


def _cut(text: str, longest: int = 22) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


#: Times a power of ten, what a scale may end at.
_STEPS = (1, 1.2, 1.6, 2, 2.4, 3, 4, 5, 6, 8, 10)


def _nice(value: float) -> float:
    """The next value that looks well at a line; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(factor * power for factor in _STEPS if factor * power >= value * 0.999999))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"

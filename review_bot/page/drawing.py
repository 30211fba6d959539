"""A plot of lets-plot as a part of a page: colours that follow the page's scheme, a title and a description.

lets-plot takes links, formulas and styles from labels; so labels lose what could begin one, and of the
drawing only shapes and text are kept.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from moa_engine.printable import one_line, printable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from markupsafe import Markup

#: Stand for the page's colours in a plot: `--plot-1` and so on in style.css.
POINT: Final = "#010101"
LINE: Final = "#010102"
INK: Final = "#010103"
GRID: Final = "#010104"
QUIET: Final = "#010105"
OTHER: Final = "#010106"

#: A plot is made as wide as a phone, and may be shown half as wide again.
WIDTH = 380

_SHAPES = {"g", "line", "path", "circle", "rect", "text", "tspan", "polyline"}
_KEPT = {
    "transform", "x", "y", "x1", "x2", "y1", "y2", "dx", "dy", "cx", "cy", "r", "d", "points",
    "width", "height", "text-anchor", "stroke-width", "stroke-dasharray", "stroke-opacity", "fill-opacity",
}  # fmt: skip

#: What begins links, formulas and entities in labels, and what looks like it.
_HARMLESS = str.maketrans({"<": "\u2039", ">": "\u203a", "\\": "\u2216", "&": "+"})

_LONG = re.compile(r"-?\d+\.\d{2,}(?:[eE][-+]?\d+)?")
_SENTINEL = re.compile(r"rgb\(1,1,([1-6])\)|#01010([1-6])")

#: Characters of a label; the whole name stands in the table beside the plot.
LONGEST = 22


def label(text: str) -> str:
    """A name as a label of a plot."""
    shown = one_line(text).translate(_HARMLESS)
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "\N{HORIZONTAL ELLIPSIS}"


def theme() -> Any:
    """How all plots look."""
    from lets_plot import element_blank, element_line, element_text, theme, theme_minimal

    return theme_minimal() + theme(
        legend_position="none",
        text=element_text(color=INK),
        axis_text=element_text(color=INK, size=11),
        axis_title=element_text(color=INK, size=12),
        panel_grid_major=element_line(color=GRID, size=0.8),
        panel_grid_minor=element_blank(),
        plot_background=element_blank(),
        panel_background=element_blank(),
        axis_ticks=element_blank(),
    )


def drawn(plot: Any, identifier: str, title: str, description: str, height: int) -> Markup:
    """The plot as an SVG element with `identifier` before its own ids."""
    from xml.etree.ElementTree import Element, fromstring, tostring

    from lets_plot import ggsize
    from markupsafe import Markup

    source = (plot + theme() + ggsize(WIDTH, height)).to_svg()
    found = fromstring(source)  # noqa: S314 (made in this process, from labels without markup)
    told_by = {"aria-labelledby": f"{identifier}-title", "aria-describedby": f"{identifier}-text"}
    svg = Element("svg", {"viewBox": f"0 0 {WIDTH} {height}", "role": "img", **told_by})
    for tag, name, text in (("title", "title", title), ("desc", "text", description)):
        told = Element(tag, {"id": f"{identifier}-{name}"})
        told.text = printable(text)
        svg.append(told)
    for part in found:
        if (kept := _kept(part)) is not None:
            svg.append(kept)
    return Markup(tostring(svg, encoding="unicode", short_empty_elements=False))  # noqa: S704 (escaped by tostring)


def _kept(part: Element) -> Element | None:
    from xml.etree.ElementTree import Element

    name = part.tag.rpartition("}")[2]
    if name not in _SHAPES:
        return None
    made = Element(name)
    for key, value in part.attrib.items():
        if key in _KEPT:
            made.set(key, _LONG.sub(_short, value).strip())
        elif key in ("fill", "stroke"):
            made.set(key, _colour(value))
    if name == "text":
        size = re.search(r"font-size:([\d.]+)px", part.get("style", ""))
        made.set("font-size", size[1] if size else "11")
        made.set("fill", "var(--plot-3)")
    if name in ("text", "tspan") and part.text and part.text.strip():
        made.text = printable(part.text)
    for inner in part:
        if (kept := _kept(inner)) is not None:
            made.append(kept)
    return None if name == "g" and not len(made) else made


def _short(number: re.Match[str]) -> str:
    return f"{float(number[0]):.1f}".removesuffix(".0")


def _colour(value: str) -> str:
    """The page's colour that a sentinel stands for; whatever else there is, is not painted."""
    found = _SENTINEL.fullmatch(value)
    return f"var(--plot-{found[1] or found[2]})" if found else "none"

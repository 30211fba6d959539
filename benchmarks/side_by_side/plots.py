"""The plots of a comparison, as SVG files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Okabe and Ito's colours, which most colour-blind readers tell apart.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999"]


def drawn(plot: Mapping[str, Any]) -> str:
    """The SVG of one plot of a comparison's JSON."""
    from lets_plot import (
        LetsPlot,
        aes,
        coord_flip,
        element_rect,
        geom_bar,
        geom_errorbar,
        geom_line,
        geom_point,
        ggplot,
        ggsize,
        ggtitle,
        labs,
        position_dodge,
        scale_color_manual,
        scale_fill_manual,
        scale_x_discrete,
        scale_x_log10,
        scale_y_log10,
        theme,
        theme_minimal,
    )

    LetsPlot.setup_html(no_js=True)
    points = plot["points"]
    series = list(dict.fromkeys(one["series"] for one in points))
    data = {key: [one[key] for one in points] for key in ("series", "x", "y", "low", "high")}
    base = ggplot(data, aes(x="x", y="y")) + ggtitle(plot["title"]) + theme_minimal()
    base += theme(plot_background=element_rect(fill="white", color="white"))
    colours = {"values": COLOURS, "breaks": series, "name": ""}
    if plot["kind"] == "bars":
        names = list(dict.fromkeys(one["x"] for one in points))
        beside = position_dodge(0.7)
        base += geom_bar(aes(fill="series"), stat="identity", position=beside, width=0.7)
        base += scale_fill_manual(**colours) + scale_x_discrete(limits=names[::-1]) + coord_flip()
        spread = geom_errorbar(
            aes(ymin="low", ymax="high", group="series"), width=0.2, position=beside, color="#555555"
        )
        height = 90 + 26 * len(points)
    else:
        base += geom_line(aes(color="series"), size=1) + geom_point(aes(color="series"), size=3)
        base += scale_color_manual(**colours)
        spread = geom_errorbar(aes(ymin="low", ymax="high", color="series"), width=0)
        height = 360
    if any(one["low"] is not None for one in points):
        base += spread
    if plot["log_x"]:
        base += scale_x_log10()
    if plot["log_y"]:
        base += scale_y_log10()
    base += labs(x=plot["x"], y=plot["y"]) + ggsize(720, height)
    if len(series) == 1:
        base += theme(legend_position="none")
    return str(base.to_svg())

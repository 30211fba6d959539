"""A comparison becomes a section of a document, replaced in place, with plots as SVG."""

import xml.etree.ElementTree as ET

from benchmarks.side_by_side.comparison import Absent, Comparison, Goal, Plot, Point, Spread, Table
from benchmarks.side_by_side.plots import drawn
from benchmarks.side_by_side.sections import placed, section

COMPARISON = Comparison(
    title="Speed",
    summary="We lose to `other`.",
    tables=(
        Table(
            "Runs",
            ("system", "seconds", "runs"),
            (("a|b", str(Spread.of([1, 2, 4])), 1234.5), ("c", None, 7)),
            "Note.",
        ),
    ),
    plots=(
        Plot(
            "bars",
            "bars",
            "Bars",
            (Point("", "a", 1, 0.5, 2), Point("", "c", 3)),
            x="",
            y="s",
            alt="of two systems",
        ),
        Plot(
            "lines",
            "lines",
            "Lines",
            (Point("a", 10, 1), Point("a", 100, 2), Point("c", 10, 3)),
            x="lines",
            y="s",
            alt="by size",
            log_x=True,
            log_y=True,
        ),
    ),
    goals=(Goal("quick", "2 s", "at most 1 s", False), Goal("small", "no room here", "1 MB", None)),
    absent=(Absent("missing", "needs Python 4"),),
    versions={"other": "1.2"},
)


def test_a_comparison_becomes_a_section_that_is_replaced_in_place() -> None:
    made = COMPARISON.as_json() | {"command": "make bench-x", "seconds": 90.0, "machine": "2 cores"}
    before = "# Benchmarks\n\nBy hand.\n\n<!-- bench x -->\nold\n<!-- end of bench x -->\n\nMore by hand.\n"

    after = placed(before, "x", section("x", made))

    assert "| a\\|b | 2 (1 to 4) | 1,234 |" in after
    assert "| quick | 2 s | at most 1 s | **missed** |" in after
    assert "missing (needs Python 4)" in after
    assert "![of two systems](measured/x-bars.svg)" in after
    assert "\nold\n" not in after
    assert after.startswith("# Benchmarks\n\nBy hand.\n")
    assert after.endswith("\n\nMore by hand.\n")
    assert placed(after, "x", section("x", made)) == after
    assert placed("# Other\n", "x", "text") == "# Other\n\n<!-- bench x -->\ntext\n<!-- end of bench x -->\n"


def test_plots_are_drawn_as_svg_with_their_names() -> None:
    for plot in COMPARISON.as_json()["plots"]:
        root = ET.fromstring(drawn(plot))
        assert root.tag.endswith("svg")
        assert plot["title"] in "".join(root.itertext())

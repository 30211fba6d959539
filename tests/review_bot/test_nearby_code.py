"""The code that an aggregator is shown: near the findings, however long the hunk is."""

from __future__ import annotations

import re

from moa_engine.ledger import Item
from moa_engine.tokens import TokenEstimator
from review_bot.anchors import Anchors, Place
from review_bot.finding import Finding
from review_bot.nearby_code import NearbyCode
from tests.review_bot.sample_change import change

LINES = 4_000
CHANGE = change(
    {"long.py": "".join(f"old_{n} = {n}\n" for n in range(1, LINES + 1)), "short.py": "a = 1\n"},
    {"long.py": "".join(f"new_{n} = {n}\n" for n in range(1, LINES + 1)), "short.py": "a = 2\n"},
)
ANCHORS = Anchors(CHANGE)


def item(place: Place) -> Item:
    finding = Finding(
        path=place.path,
        side=place.side,
        start_line=place.start_line,
        line=place.line,
        severity="major",
        category="bug",
        title="Wrong",
    )
    return Item("a1b2c3d4", "qwen", 1, finding)


def shown(*places: Place, room: int = 6_000) -> str:
    near = NearbyCode(CHANGE, ANCHORS, TokenEstimator().estimate)
    return near.shown([item(place) for place in places], room)


def test_of_a_rewritten_file_the_lines_around_a_finding_are_shown() -> None:
    text = shown(Place("long.py", "RIGHT", 3_000, 3_002))
    assert "+new_3000 = 3000\n+new_3001 = 3001\n" in text
    assert "new_2900" not in text
    assert "short.py" not in text
    [numbers] = re.findall(r"^@@ -(\d+),(\d+) \+(\d+),(\d+) @@", text, re.MULTILINE)
    assert f"+new_{numbers[2]} = " in text.split("@@\n")[1].split("\n")[0]


def test_a_finding_about_removed_lines_is_looked_for_among_them() -> None:
    text = shown(Place("long.py", "LEFT", 3_000, 3_000))
    assert "-old_3000 = 3000\n" in text
    assert "+new" not in text


def test_findings_near_each_other_share_their_lines() -> None:
    text = shown(Place("long.py", "RIGHT", 10, 10), Place("long.py", "RIGHT", 40, 40), Place("short.py"))
    assert text.count("+new_25 = 25") == 1
    assert text.index("=== long.py") < text.index("=== short.py")
    assert "-a = 1\n+a = 2" in text


def test_of_a_whole_file_what_fits_is_shown() -> None:
    text = shown(Place("long.py"), room=500)
    assert "-old_1 = 1\n" in text
    assert text.endswith("(the rest does not fit)")
    assert TokenEstimator().estimate(text) <= 520

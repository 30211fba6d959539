from __future__ import annotations

import pytest

from review_bot.anchors import Anchors, Place
from review_bot.change import Change, ChangedFile, Hunk
from review_bot.suggestions import replacement

HEAD = """\
import os
import sys


def mean(items):
    total = 0
    for item in items:
        total += item
    return total / len(items)


def low(items):
    if not items:
        return None
    return min(items)


def high(items):
    if not items:
        return None
    return max(items)


def untouched(items):
    return sorted(items)[len(items) // 2]
"""

HUNK = Hunk(
    1,
    9,
    1,
    9,
    "",
    " import os\n"
    "+import sys\n"
    " \n"
    " \n"
    " def mean(items):\n"
    "-    total = sum(items)\n"
    "-    return total / max(len(items), 1)\n"
    "+    total = 0\n"
    "+    for item in items:\n"
    "+        total += item\n"
    "+    return total / len(items)\n",
)
TWINS = Hunk(
    10,
    5,
    12,
    9,
    "",
    " def low(items):\n"
    "+    if not items:\n"
    "+        return None\n"
    "     return min(items)\n"
    " \n"
    " \n"
    " def high(items):\n"
    "+    if not items:\n"
    "+        return None\n",
)

STATS = ChangedFile("src/pkg/stats.py", "modified", (HUNK, TWINS), head_text=HEAD)
RENAMED = ChangedFile("src/pkg/new_name.py", "renamed", (), old_path="src/pkg/old_name.py")
OTHER = ChangedFile(
    "src/other/stats.py",
    "added",
    (Hunk(0, 0, 1, 2, "", "+def mode(items):\n+    return max(set(items), key=items.count)\n"),),
)
CHANGE = Change("base", "head", (STATS, RENAMED, OTHER))
ANCHORS = Anchors(CHANGE)


@pytest.mark.parametrize(
    ("quote", "lines"),
    [
        ("    return total / len(items)", (9, 9)),
        ("return total/len(items)", (9, 9)),
        ("+    return total / len(items)", (9, 9)),
        ("9:     return total / len(items)", (9, 9)),
        ("+ 9 |     return total / len(items)", (9, 9)),
        ("```python\n    return total / len(items)\n```", (9, 9)),
        ("`return total / len(items)`", (9, 9)),
        ("The line `return total / len(items)` divides by zero", (9, 9)),
        ("total / len(items)", (9, 9)),
        ("return total / len(items)  # may be 0", (9, 9)),
        ("    for item in items:\n        total += item", (7, 8)),
        ("+    for item in items:\n+        total += item\n+    return total / len(items)", (7, 9)),
        ("-    total = sum(items)\n+    total = 0", (6, 6)),
        ("def mean(items):\n    total = 0", (5, 6)),
        ("def mean(items):\n    ...\n    return total / len(items)", (5, 9)),
        ("total += item\n" * 1_000, (8, 8)),
        ("import os", (1, 1)),
        ("    return sorted(items)[len(items) // 2]", (25, 25)),
    ],
)
def test_a_quote_is_found_at_head(quote: str, lines: tuple[int, int]) -> None:
    assert ANCHORS.locate("src/pkg/stats.py", quote) == Place("src/pkg/stats.py", "RIGHT", *lines)


@pytest.mark.parametrize(
    ("quote", "lines"),
    [
        ("    return total / max(len(items), 1)", (6, 6)),
        ("-    total = sum(items)", (5, 5)),
        ("-    total = sum(items)\n-    return total / max(len(items), 1)", (5, 6)),
    ],
)
def test_removed_lines_are_found_at_base(quote: str, lines: tuple[int, int]) -> None:
    assert ANCHORS.locate("src/pkg/stats.py", quote) == Place("src/pkg/stats.py", "LEFT", *lines)


@pytest.mark.parametrize(
    "quote",
    [
        "",
        "return None",  # twice
        "    if not items:\n        return None",  # twice
        "items",  # everywhere
        "there is no such line in the whole file",
        "if total == 0: return None",  # holds a line of the file, but is mostly something else
        "x" * 10_000,
        "\0",
    ],
)
def test_what_is_not_found_or_found_twice_is_about_the_file(quote: str) -> None:
    assert ANCHORS.locate("src/pkg/stats.py", quote) == Place("src/pkg/stats.py")


def test_a_second_line_tells_twins_apart() -> None:
    assert ANCHORS.locate("src/pkg/stats.py", "def high(items):\n    if not items:") == Place(
        "src/pkg/stats.py", "RIGHT", 18, 19
    )


def test_indentation_tells_twins_apart() -> None:
    nested = Hunk(1, 0, 1, 3, "", "+if a:\n+    run(a)\n+run(a)\n")
    anchors = Anchors(Change("", "", (ChangedFile("a.py", "added", (nested,)),)))
    assert anchors.locate("a.py", "    run(a)") == Place("a.py", "RIGHT", 2, 2)
    assert anchors.locate("a.py", "run(a)") == Place("a.py", "RIGHT", 3, 3)
    assert anchors.locate("a.py", "  run(a)") == Place("a.py")


def test_a_quote_does_not_reach_from_one_hunk_into_the_next() -> None:
    bare = Anchors(Change("", "", (ChangedFile("a.py", "modified", (HUNK, TWINS)),)))
    assert bare.locate("a.py", "    return total / len(items)\ndef low(items):") == Place("a.py")


@pytest.mark.parametrize(
    "path",
    [
        "src/pkg/stats.py",
        "a/src/pkg/stats.py",
        "b/src/pkg/stats.py",
        "./src/pkg/stats.py",
        "pkg/stats.py",
        "project/src/pkg/stats.py",
        "src\\pkg\\stats.py",
        "`src/pkg/stats.py`",
        "src/pkg/stats.py:9",
        "src/pkg/stats.py:8-9",
        "stats.py",  # two files end so; the quote decides
        "lib/wrong.py",
        "",
        "../../etc/passwd",
    ],
)
def test_a_path_may_be_abbreviated_or_wrong(path: str) -> None:
    assert ANCHORS.locate(path, "    return total / len(items)") == Place("src/pkg/stats.py", "RIGHT", 9, 9)


@pytest.mark.parametrize(
    "path",
    [
        "src/pkg/stats.py",
        "src/pkg/stats.py (modified)",
        "=== src/pkg/stats.py (modified, mode 100644 to 100755)",
        "src/pkg/stats.py (renamed from lib/(old).py)",
    ],
)
def test_what_stands_around_a_path_in_the_prompt_does_no_harm(path: str) -> None:
    assert ANCHORS.locate(path, "no such line") == Place("src/pkg/stats.py")


def test_a_path_is_first_of_all_what_it_is() -> None:
    files = [ChangedFile(path, "modified", (HUNK,)) for path in ("(auth)/page (added)", "page", "auth)/page")]
    anchors = Anchors(Change("", "", tuple(files)))
    assert [anchors.locate(file.path, "no such line") for file in files] == [
        Place(file.path) for file in files
    ]


def test_the_old_name_of_a_renamed_file_is_known() -> None:
    assert ANCHORS.locate("src/pkg/old_name.py", "") == Place("src/pkg/new_name.py")


@pytest.mark.parametrize(
    "path", ["", "stats.py", "nowhere.py", "../../etc/passwd", "/etc/passwd", "\0", "%2e%2e/x"]
)
def test_without_a_file_there_is_no_place(path: str) -> None:
    assert ANCHORS.locate(path, "no such line") is None


def test_the_only_file_needs_no_name() -> None:
    alone = Anchors(Change("", "", (OTHER,)))
    assert alone.locate("nowhere.py", "no such line") == Place("src/other/stats.py")


def test_code_at_a_place() -> None:
    assert ANCHORS.code(Place("src/pkg/stats.py", "RIGHT", 8, 9)) == [
        "        total += item",
        "    return total / len(items)",
    ]
    assert ANCHORS.code(Place("src/pkg/stats.py", "LEFT", 6, 6)) == ["    return total / max(len(items), 1)"]
    assert ANCHORS.code(Place("src/pkg/stats.py")) == ANCHORS.code(Place("no.py", "RIGHT", 1, 9)) == []


RETURN = Place("src/pkg/stats.py", "RIGHT", 9, 9)
LINE = "    return total / len(items)"


@pytest.mark.parametrize(
    ("suggestion", "quote", "expected"),
    [
        ("    return total / max(len(items), 1)", LINE, "    return total / max(len(items), 1)"),
        ("```python\n    return 0\n```", LINE, "    return 0"),
        ("```suggestion\n    return 0\n```\n", LINE, "    return 0"),
        ("+    return 0", f"+{LINE}", "    return 0"),
        (f"-{LINE}\n+    return 0", LINE, "    return 0"),
        ("if not items:\n    return 0", LINE.strip(), "    if not items:\n        return 0"),
        ("    if not items:\n        return 0", LINE.strip(), "    if not items:\n        return 0"),
        (LINE, LINE, None),
        ("Check that the list is not empty.", LINE, None),
        ("", LINE, None),
        ("    return 0", f"def mean(items):\n    ...\n{LINE}", None),
    ],
)
def test_suggestions_replace_the_quoted_lines_or_nothing(
    suggestion: str, quote: str, expected: str | None
) -> None:
    assert replacement(suggestion, RETURN, quote, [LINE]) == expected


def test_suggestions_need_lines_at_head() -> None:
    assert replacement("return 0", Place("a.py"), "", []) is None
    assert replacement("return 0", Place("a.py", "LEFT", 1, 1), "return 1", ["return 1"]) is None


def test_prose_can_be_suggested_for_prose() -> None:
    place = Place("README.md", "RIGHT", 1, 1)
    assert (
        replacement("Run the tests first.", place, "Run teh tests.", ["Run teh tests."])
        == "Run the tests first."
    )


def test_a_large_change_with_a_thousand_quotes() -> None:
    body = "".join(f"+value_{n} = compute({n})\n" for n in range(20_000))
    anchors = Anchors(Change("", "", (ChangedFile("big.py", "added", (Hunk(0, 0, 1, 20_000, "", body),)),)))
    for n in range(0, 20_000, 20):
        assert anchors.locate("big.py", f"value_{n} = compute({n})") == Place("big.py", "RIGHT", n + 1, n + 1)

"""Packing a change into units: nothing lost, nothing twice, nothing too large."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review_bot.change import Change, ChangedFile, Hunk
from review_bot.packing import Unit, in_order, pack


def tokens(text: str) -> int:
    return len(text) // 4  # rounds down: parts may count as less than their sum


def hunk(start: int, lines: list[str]) -> Hunk:
    old = sum(line[0] != "+" for line in lines)
    new = sum(line[0] != "-" for line in lines)
    body = "".join(f"{line}\n" for line in lines)
    return Hunk(start if old else start - 1, old, start if new else start - 1, new, "", body)


def change(*files: ChangedFile) -> Change:
    return Change("", "", files)


def shown(units: list[Unit]) -> dict[str, list[str]]:
    """The lines of hunks in the units, by file, in order."""
    found: dict[str, list[str]] = {}
    for unit in units:
        path = ""
        for line in unit.text.split("\n")[:-1]:
            if line.startswith("=== "):
                path = line[4:].rpartition(" (")[0]
                found.setdefault(path, [])
            elif line[:1] in (" ", "+", "-", "\\"):
                found[path].append(line)
    return found


def test_a_small_change_is_one_unit() -> None:
    text = "import os\n\n\ndef f(a):\n    b = 1\n    c = 2\n    return a\n"
    edited = Hunk(6, 1, 6, 1, "def f(a):", "-    c = 1\n+    c = 2\n")
    files = (
        ChangedFile("a.py", "modified", (edited,), head_text=text),
        ChangedFile("new\nname", "renamed", (), "old name", "100644", "100755"),
    )
    [unit], lost = pack(change(*files), tokens, 8000)
    assert lost == []
    assert (unit.name, unit.files) == ("", ("a.py", "new\nname"))
    assert unit.text == (
        "=== a.py (modified)\n"
        "imports:\n"
        "| import os\n"
        "in function f, lines 4 to 7:\n"
        "| def f(a):\n"
        "|     b = 1\n"
        "| ... (the hunk below)\n"
        "|     return a\n"
        "@@ -6,1 +6,1 @@ def f(a):\n"
        "-    c = 1\n"
        "+    c = 2\n"
        "=== new\\nname (renamed from old name, mode 100644 to 100755)\n"
    )


def test_an_empty_change_has_no_units() -> None:
    assert pack(change(), tokens, 100) == ([], [])


def test_a_function_is_shown_once_for_the_hunks_in_it() -> None:
    text = "def f():\n" + "".join(f"    x{number} = 0\n" for number in range(20))
    hunks = tuple(Hunk(line, 1, line, 1, "", "-old\n+    new\n") for line in (5, 15))
    [unit], _ = pack(change(ChangedFile("a.py", "modified", hunks, head_text=text)), tokens, 8000)
    assert unit.text.count("in function f") == 1
    assert unit.text.count("@@ -") == 2


def test_tests_follow_what_they_test() -> None:
    names = [
        "tests/test_cart.py",
        "src/cart.py",
        "src/a.py",
        "src/z.py",
        "web/app.ts",
        "web/app.spec.ts",
        "test_x.py",
    ]
    files = [ChangedFile(name, "mode") for name in names]
    assert [file.path for file in in_order(files)] == [
        "src/a.py",
        "src/cart.py",
        "tests/test_cart.py",
        "src/z.py",
        "test_x.py",
        "web/app.ts",
        "web/app.spec.ts",
    ]
    assert in_order(files) == in_order(files[::-1])


def test_one_oversized_file_does_not_block_the_rest() -> None:
    big = hunk(1, [f"+line {number} {'x' * 40}" for number in range(500)])
    files = [ChangedFile("big.py", "added", (big,)), ChangedFile("small.py", "modified", (hunk(1, ["+x"]),))]
    units, lost = pack(change(*files), tokens, 500)
    assert lost == []
    assert len(units) > 10
    assert units[3].name == f"part 4 of {len(units)}"
    assert all(tokens(unit.text) <= 500 for unit in units)
    assert shown(units) == {
        "big.py": big.body.split("\n")[:-1],
        "small.py": ["+x"],
    }


def test_parts_of_a_hunk_have_their_own_numbers() -> None:
    lines = [" a", "-b", "+B", " c"] * 50
    file = ChangedFile("f.py", "modified", (hunk(10, lines),))
    units, _ = pack(change(file), tokens, 60)
    numbers = {(line.mark, line.old, line.new, line.text) for line in file.hunks[0].lines()}
    found = set()
    for unit in units:
        for header, body in re.findall(r"@@ -(.*?) @@\n((?:[ +-].*\n)*)", unit.text):
            old, new = (tuple(map(int, side.split(","))) for side in header.split(" +"))
            part = Hunk(*old, *new, "", body)
            part_lines = list(part.lines())
            assert sum(line.old is not None for line in part_lines) == old[1]
            assert sum(line.new is not None for line in part_lines) == new[1]
            found |= {(line.mark, line.old, line.new, line.text) for line in part_lines}
    assert found == numbers


def test_context_goes_before_lines_do() -> None:
    text = "def f():\n" + "".join(f"    x{number} = 0\n" for number in range(200))
    file = ChangedFile(
        "a.py", "modified", (Hunk(100, 1, 100, 1, "", "-old\n+    x98 = 0\n"),), head_text=text
    )
    [unit], lost = pack(change(file), tokens, 40)
    assert (shown([unit])["a.py"], lost) == (["-old", "+    x98 = 0"], [])


def test_a_line_that_is_too_long_is_cut_and_it_is_said() -> None:
    file = ChangedFile("a.py", "added", (hunk(1, ["+x = 1", "+" + "y" * 10_000, "+z = 1"]),))
    units, [lost] = pack(change(file), tokens, 200)
    lines = shown(units)["a.py"]
    assert (lines[0], lines[2], set(lines[1][1:])) == ("+x = 1", "+z = 1", {"y"})
    assert re.fullmatch(
        r"a line of 10,00\d characters was cut after \d+: it fits no context window", lost.why
    )
    assert len(lines[1]) > 300


def test_a_window_too_small_for_anything() -> None:
    file = ChangedFile("a_file_with_a_long_name.py", "added", (hunk(1, ["+" + "x" * 90]),))
    units, [lost] = pack(change(file), tokens, 10)
    assert units == []
    assert lost.why == "a part does not fit into a context window of 10 tokens"


def test_no_line_of_a_file_can_pass_for_a_header() -> None:
    evil = "=== other.py (modified)"
    text = f"def f():\n{evil}\r{evil}\n    return 1\n"
    file = ChangedFile(
        f"a.py\n{evil}", "modified", (Hunk(3, 1, 3, 1, evil, f"-{evil}\n+    return 1\n"),), head_text=text
    )
    [unit], _ = pack(change(file), tokens, 4000)
    assert len(re.findall(r"^===", unit.text, re.MULTILINE)) == 1


LINE = st.tuples(st.sampled_from(" +-"), st.text("ab \t\r\u2028@=|", max_size=30)).map("".join)
FILES = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.lists(st.lists(LINE, min_size=1, max_size=25), max_size=4)),
    max_size=5,
    unique_by=lambda file: file[0],
)


@settings(max_examples=60, deadline=None)
@given(files=FILES, window=st.integers(45, 400))
def test_every_line_is_in_exactly_one_unit(files: list[tuple[str, list[list[str]]]], window: int) -> None:
    made = [
        ChangedFile(name, "modified", tuple(hunk(100 * at + 1, lines) for at, lines in enumerate(hunks)))
        for name, hunks in files
    ]
    units, lost = pack(change(*made), tokens, window)
    assert lost == []
    assert all(tokens(unit.text) <= window for unit in units)
    assert shown(units) == {name: [line for lines in hunks for line in lines] for name, hunks in files}
    covered = [
        (piece.path, piece.hunk, number)
        for unit in units
        for piece in unit.pieces
        for number in range(piece.first, piece.stop)
    ]
    assert sorted(covered) == sorted(
        (name, at, number)
        for name, hunks in files
        for at, lines in enumerate(hunks)
        for number in range(len(lines))
    )
    assert pack(change(*made[::-1]), tokens, window) == (units, lost)


@pytest.mark.parametrize(
    "end", ["-x\n\\ No newline at end of file\n+x\n", "+x\n\\ No newline at end of file\n"]
)
def test_the_mark_of_a_missing_newline_stays_with_its_line(end: str) -> None:
    body = "+y\n" * 30 + end
    old = 1 if "-x" in end else 0
    file = ChangedFile("a", "modified", (Hunk(old, old, 1, 31, "", body),))
    units, _ = pack(change(file), tokens, 40)
    assert "".join(line + "\n" for line in shown(units)["a"]) == body
    assert not any(re.search(r"@@\n\\", unit.text) for unit in units)

"""Parsing patches, and applying hunks: pure functions on text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa_engine.errors import ConfigError
from review_bot.change import Hunk
from review_bot.patch import apply_hunks, decode, parse_patch, unquote

ONE = b"""\
diff --git a/src/a.py b/src/a.py
index 1111111..2222222 100644
--- a/src/a.py
+++ b/src/a.py
@@ -1,3 +1,3 @@ def f():
 one
-two
+TWO
 three
"""


def test_a_git_patch() -> None:
    [file] = parse_patch(ONE)
    assert (file.path, file.status, file.old_id, file.new_id) == (
        "src/a.py",
        "modified",
        "1111111",
        "2222222",
    )
    assert (file.old_mode, file.new_mode) == ("100644", "100644")
    assert file.hunks == (Hunk(1, 3, 1, 3, "def f():", " one\n-two\n+TWO\n three\n"),)


@pytest.mark.parametrize(
    "data",
    [
        ONE.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + ONE,
        ONE.decode().encode("utf-16"),
        ONE[:-1],
        ONE + b"\n",
        ONE + b"-- \n2.39.5\n\n",
        ONE.replace(b" a/", b" ").replace(b" b/", b" "),
        ONE.replace(b" a/", b" c/").replace(b" b/", b" w/"),
    ],
    ids=[
        "CRLF",
        "BOM",
        "UTF-16",
        "cut newline",
        "blank line",
        "mail signature",
        "no prefix",
        "mnemonic prefix",
    ],
)
def test_what_editors_mail_and_settings_do_to_a_patch(data: bytes) -> None:
    [file], [plain] = parse_patch(data), parse_patch(ONE)
    assert (file.path, file.hunks) == (plain.path, plain.hunks)


def test_a_patch_of_a_file_with_crlf_keeps_them() -> None:
    data = b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-one\r\n+two\r\n"
    assert parse_patch(data)[0].hunks[0].body == "-one\r\n+two\r\n"


def test_plain_diffs() -> None:
    data = (
        b"Only in old: readme\n"
        b"diff -ru old/a.py new/a.py\n--- old/a.py\t2024-01-01 00:00:00\n+++ new/a.py\t2024-01-01 00:00:00\n"
        b"@@ -1 +1 @@\n-one\n+two\n"
        b"--- /dev/null\n+++ b/sub/new file.py\t\n@@ -0,0 +1 @@\n+x\n"
        b"--- a/gone.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        b"Index: /svn.py\n=====\n--- /svn.py\t(revision 1)\n+++ /svn.py\t(working copy)\n"
        b"@@ -1 +1 @@\n-a\n+b\n"
    )
    assert [(file.path, file.status) for file in parse_patch(data)] == [
        ("new/a.py", "modified"),
        ("sub/new file.py", "added"),
        ("gone.py", "deleted"),
        ("svn.py", "modified"),
    ]


def test_headers_without_hunks() -> None:
    data = b"""\
diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
diff --git a/run b/run
old mode 100644
new mode 100755
diff --git a/x b/x b/x b/x
new file mode 100644
index 0000000..e69de29
diff --git a/pic.png b/pic.png
index 1111111..2222222 100644
GIT binary patch
literal 3
KcmZQzWMl+{0xSR!

literal 0
HcmV?d00001

diff --git "a/\\303\\251\\t\\"" "b/\\303\\251\\t\\""
deleted file mode 100644
index e69de29..0000000
"""
    found = [(file.path, file.old_path, file.status, file.binary) for file in parse_patch(data)]
    assert found == [
        ("new name", "old name", "renamed", False),
        ("run", None, "mode", False),
        ("x b/x", None, "added", False),
        ("pic.png", None, "modified", True),
        ('é\t"', None, "deleted", False),
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"hello\nworld\n", "at line 1: this is no unified diff"),
        (b"\n\nhello\n", "at line 3: this is no unified diff"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "at line 1: this is no unified diff"),
        (ONE[: ONE.index(b"+TWO")], "at line 7: the hunk is shorter than its @@ line says"),
        (ONE.replace(b"+TWO", b"*TWO"), "at line 8: a line of a hunk must start with a space, + or -"),
        (ONE.replace(b"1,3 +1,3", b"1,2 +1,2"), "at line 9: the hunk is longer than its @@ line says"),
        (ONE.replace(b"@@ -1", b"@@ -one"), "at line 5: this @@ line cannot be read"),
        (ONE + b"@@ what @@\n+hidden\n", "at line 10: this @@ line cannot be read"),
        (ONE + b"+hidden\n", "at line 10: the hunk is longer than its @@ line says"),
        (ONE.replace(b"1,3 +1,3", b"1," + b"9" * 5000 + b" +1,3"), "at line 5: "),
        (b"@@ -1 +1 @@\n-a\n+b\n", "at line 1: there is a hunk, but no file before it"),
        (b"diff --cc a.py\nindex 1,2..3\n@@@ -1,1 -1,1 +1,1 @@@\n", "at line 1: this is the combined diff"),
        (ONE.replace(b"src/a.py", b"../../etc/../x"), "at line 1: the path"),
        (ONE.decode().encode("utf-16")[:-1], "looks like UTF-16"),
    ],
)
def test_what_cannot_be_read_is_named_with_its_line(data: bytes, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_patch(data)
    assert message in caught.value.message


def test_an_empty_patch_has_no_files() -> None:
    assert parse_patch(b"") == parse_patch(b"\n \n") == []


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=200)
    | st.lists(st.sampled_from([*ONE.splitlines(keepends=True), b"\0\r", b"\\ x\n", b"--- \n"])).map(b"".join)
)
def test_no_input_breaks_the_parser(data: bytes) -> None:
    try:
        for file in parse_patch(data):
            for hunk in file.hunks:
                numbers = [(line.old, line.new) for line in hunk.lines()]
                assert sum(old is not None for old, _ in numbers) == hunk.old_length
                assert sum(new is not None for _, new in numbers) == hunk.new_length
    except ConfigError as error:
        assert error.message  # noqa: PT017 - either is fine


@given(st.binary())
def test_a_line_is_decoded_alike_in_any_company(data: bytes) -> None:
    assert decode(data).split("\n") == [decode(line) for line in data.split(b"\n")]


def test_unquote() -> None:
    assert unquote(r"caf\303\251 \"a\\b\" \001") == 'café "a\\b" \x01'


def test_hunks_that_do_not_fit() -> None:
    hunks = parse_patch(ONE)[0].hunks
    assert apply_hunks("one\ntwo\nthree\n", hunks) == "one\nTWO\nthree\n"
    assert apply_hunks("one\n2\nthree\n", hunks) is None
    assert apply_hunks("zero\none\ntwo\nthree\n", hunks) is None
    assert apply_hunks("one\n", hunks) is None
    assert apply_hunks("one\ntwo\nthree\n", [*hunks, *hunks]) is None

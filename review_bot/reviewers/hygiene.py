"""The `hygiene` reviewer: what a change in any language should not bring, told from its lines and modes."""

from __future__ import annotations

import asyncio
import posixpath
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from review_bot.change import Change, ChangedFile
from review_bot.finding import Finding, FindingsAnswer, Severity
from review_bot.reviewers.roles import is_prose, is_test
from review_bot.subject import ReviewSubject


@dataclass(frozen=True, slots=True)
class Defect:
    """What is said of one kind of defect; `{}` in the body stands for the character that was found."""

    rule: str
    severity: Severity
    category: str
    title: str
    body: str


CONFLICT = Defect(
    "conflict-marker", "critical", "bug", "A merge conflict was left unresolved",
    "Both versions and the markers between them are in the file.",
)  # fmt: skip
CONFLICT_IN_PROSE = Defect("conflict-marker", "minor", "bug", CONFLICT.title, CONFLICT.body)
HIDDEN_TEXT = Defect(
    "hidden-text", "major", "security", "The line holds text that nobody sees",
    "It starts with {}. Programs and language models read it.",
)  # fmt: skip
BIDI = Defect(
    "bidi", "critical", "security", "The line does not read as it runs",
    "{} changes the order in which it is shown ([Trojan Source](https://trojansource.codes)).",
)  # fmt: skip
INVISIBLE = Defect(
    "invisible", "minor", "bug", "The line holds an invisible character",
    "{} makes names and strings different that look the same.",
)  # fmt: skip
LONE_RETURN = Defect(
    "lone-return", "major", "security", "A carriage return inside the line hides code",
    "Where it counts as a line end, what follows runs as a line of its own.",
)  # fmt: skip
LINK_OUTSIDE = Defect(
    "link-outside", "major", "security", "The link leads out of the repository",
    "Whoever follows it reads or writes files of the machine it is on.",
)  # fmt: skip
LOST_BIT = Defect(
    "lost-executable-bit", "minor", "bug", "The script can no longer be executed",
    "It starts with #! but its executable bit is gone.",
)  # fmt: skip
DEBUGGER = Defect(
    "debugger", "major", "bug", "A debugger call was left in",
    "The program stops here for somebody who is not there.",
)  # fmt: skip
FOCUSED = Defect(
    "focused-test", "major", "tests", "All other tests are switched off",
    "With a focused test the runner leaves out the rest of the file, or of the whole suite.",
)  # fmt: skip

_LINK, _SCRIPT, _PLAIN = "120000", "100755", "100644"  #: modes, as git prints them

#: Characters that reorder what is shown (CVE-2021-42574).
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")

#: Characters that show nothing. Joiners are left out: several scripts and emoji need them.
_INVISIBLE = re.compile("[\u00ad\u115f\u1160\u180e\u200b\u2060-\u2064\u3164\ufeff\uffa0]")

#: Invisible text: tags that belong to no flag, and runs of variation selectors.
_SMUGGLED = re.compile(
    "(?<!\U0001f3f4)(?<![\U000e0020-\U000e007f])[\U000e0000-\U000e007f]|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2}"
)

_LONE_RETURN = re.compile(r"\r(?!$)")
_CONFLICT = re.compile(r"(<{7}|>{7})(?: |\r?$)")

_JAVASCRIPT = frozenset({"js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte"})
_FOCUSED = re.compile(r"\b(?:describe|it|test|context|suite)\.only\s*\(|^\s*(?:fdescribe|fit)\s*\(")
_DEBUGGERS = {
    **dict.fromkeys(_JAVASCRIPT, re.compile(r"^\s*debugger\s*;?\s*$")),
    "rb": re.compile(r"^\s*(?:binding\.(?:pry|irb)|byebug)\b"),
    "php": re.compile(r"^\s*(?:xdebug_break|dd)\s*\("),
}


async def review(subject: ReviewSubject) -> FindingsAnswer:
    """Conflict markers, hidden characters, debugging leftovers, lost modes and escaping links."""
    return FindingsAnswer(findings=await asyncio.to_thread(list, _findings(subject.change)))


def _findings(change: Change) -> Iterator[Finding]:
    lines = [line for file in change.files for hunk in file.hunks for line in hunk.lines()]
    removed = {line.text.strip() for line in lines if line.mark == "-"}
    for file in change.files:
        if file.status == "deleted":
            continue
        added = [
            (line.new, line.text)
            for hunk in file.hunks
            for line in hunk.lines()
            if line.mark == "+" and line.new is not None
        ]
        yield from _in_modes(file, added)
        fresh = [(number, text) for number, text in added if text.strip() not in removed]
        yield from _in_conflicts(file, fresh)
        yield from _in_characters(file, fresh)
        yield from _in_leftovers(file, fresh)


def _in_modes(file: ChangedFile, added: list[tuple[int, str]]) -> Iterator[Finding]:
    if (file.old_mode, file.new_mode) == (_SCRIPT, _PLAIN) and (file.head_text or "").startswith("#!"):
        yield _finding(LOST_BIT, file, None)
    if file.new_mode == _LINK and added:
        number, target = added[0]
        inside = posixpath.normpath(posixpath.join(posixpath.dirname(file.path), target))
        if target.startswith("/") or inside.split("/")[0] == "..":
            yield _finding(LINK_OUTSIDE, file, number)


def _in_conflicts(file: ChangedFile, added: list[tuple[int, str]]) -> Iterator[Finding]:
    markers = [(number, match[1]) for number, text in added if (match := _CONFLICT.match(text))]
    if len({marker for _, marker in markers}) == 2:
        defect = CONFLICT_IN_PROSE if is_prose(file.path) else CONFLICT
        for number, marker in markers:
            if marker.startswith("<"):
                yield _finding(defect, file, number)


def _in_characters(file: ChangedFile, added: list[tuple[int, str]]) -> Iterator[Finding]:
    prose = is_prose(file.path)
    for number, text in added:
        if text.isascii() and "\r" not in text:
            continue
        if found := _SMUGGLED.search(text):
            yield _finding(HIDDEN_TEXT, file, number, found[0])
        if prose:
            continue
        if found := _BIDI.search(text):
            yield _finding(BIDI, file, number, found[0])
        byte_order_mark = number == 1 and text.startswith("\ufeff")
        if found := _INVISIBLE.search(text, 1 if byte_order_mark else 0):
            yield _finding(INVISIBLE, file, number, found[0])
        if _LONE_RETURN.search(text):
            yield _finding(LONE_RETURN, file, number)


def _in_leftovers(file: ChangedFile, added: list[tuple[int, str]]) -> Iterator[Finding]:
    suffix = file.path.rpartition(".")[2].lower()
    patterns = [(_DEBUGGERS[suffix], DEBUGGER)] if suffix in _DEBUGGERS else []
    if suffix in _JAVASCRIPT and is_test(file.path):
        patterns.append((_FOCUSED, FOCUSED))
    for pattern, defect in patterns:
        yield from (_finding(defect, file, number) for number, text in added if pattern.search(text))


def _finding(defect: Defect, file: ChangedFile, line: int | None, found: str = "") -> Finding:
    named = f"U+{ord(found[0]):04X} {unicodedata.name(found[0], '')}".rstrip() if found else ""
    return Finding(
        path=file.path,
        start_line=line,
        line=line,
        severity=defect.severity,
        category=defect.category,
        title=defect.title,
        body=defect.body.replace("{}", named),
        rule=defect.rule,
    )

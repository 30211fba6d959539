"""Whether a finding names a hunk: by its place, and by what it claims. No model judges that.

Only accusations count, on planted and on clean hunks alike: a finding about style, docs or missing tests,
or a nit, says nothing about whether the code is right. So naming everything costs precision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from review_bot.bench.cases import CaseHunk

#: Hunks with their lines at head, by id.
Places = Mapping[str, tuple[CaseHunk, tuple[int, int]]]

#: Lines that a finding may be away from the hunk that it is about.
NEAR: Final = 3

_NO_ACCUSATION: Final = frozenset({"style", "docs", "tests"})

#: Words of which one is in a finding that claims such a defect, by kind. Beginnings of words.
CLAIMS: Final[Mapping[str, str]] = {
    "swapped-arguments": "swap order argument parameter revers transpos wrong mix",
    "dropped-guard": "guard check validat missing remov condition early handl unguard none empty edge",
    "dropped-statement": "missing remov call never los drop no longer delet skip forg",
    "wrong-default": "default",
    "off-by-one": "off-by off by one index bound range last first extra too short long length count wrong",
    "wrong-exception": "exception error rais catch caught except",
    "lost-await": "await corout async",
    "resource-left-open": "clos leak resource handle context with open",
    "injection": "inject eval exec code unsafe saniti escap arbitrar untrust vulnerab secur",
    "wrong-comparison": "compar condition equal greater less invert revers wrong operator boundar off",
    "wrong-condition": "condition invert negat logic and or not wrong revers boolean operator",
    "wrong-operator": "operator arithmetic add subtract multipl divi modul sign wrong sum calculat",
    "wrong-constant": "constant value true false invert wrong return always never boolean",
    "wrong-function": "wrong function method any all min max call instead replac",
    "wrong-loop": "loop break continue iterat stop early infinite end",
    "fix-reverted": "bug regress wrong incorrect break error fail missing revert remov",
}


class Said(Protocol):
    """What is read of a finding."""

    @property
    def path(self) -> str: ...
    @property
    def start_line(self) -> int | None: ...
    @property
    def line(self) -> int | None: ...
    @property
    def severity(self) -> str: ...
    @property
    def category(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def side(self) -> str: ...


def accuses(finding: Said) -> bool:
    """Whether the finding says that something is wrong."""
    return finding.severity != "nit" and finding.category not in _NO_ACCUSATION


def is_near(finding: Said, hunk: CaseHunk, place: tuple[int, int]) -> bool:
    """Whether the finding is about the hunk's lines, `place` at head, or those that it removed."""
    if finding.path != hunk.path or finding.line is None:
        return False
    first, last = place if finding.side == "RIGHT" else (hunk.start, max(hunk.start, hunk.end))
    start = finding.line if finding.start_line is None else finding.start_line
    return start <= last + NEAR and finding.line >= first - NEAR


def claims(finding: Said, hunk: CaseHunk) -> bool:
    """Whether the finding's words fit the defect: its kind's vocabulary, or a symbol that was changed."""
    text = f"{finding.title}\n{finding.body}".lower()
    # A hunk that people judged has no kind of its own: there, the judged finding's longer words count.
    known = CLAIMS.get(hunk.edit) or " ".join(re.findall(r"\w{5,}", hunk.what.lower()))
    if any(re.search(rf"\b{re.escape(word)}", text) for word in known.split()):
        return True
    return any(re.search(rf"(?<!\w){re.escape(symbol)}(?!\w)", text) for symbol in _changed(hunk))


def about(finding: Said, places: Places) -> list[str]:
    """The ids of the hunks that the finding is about.

    That is the nearest one of those that are near. A finding on a file without a line is about the hunks
    of the functions that it names: small models write prose where a line was to be quoted.
    """
    if finding.line is None:
        words = f"{finding.title}\n{finding.body}"
        return [
            id
            for id, (hunk, _) in places.items()
            if hunk.path == finding.path and _names(words, hunk.function)
        ]
    near = [
        (_distance(finding, place), id)
        for id, (hunk, place) in places.items()
        if is_near(finding, hunk, place)
    ]
    return [min(near)[1]] if near else []


def _names(words: str, function: str) -> bool:
    """Whether the words name a function: as code, with a call's bracket, as "the function NAME".

    Names that cannot be a word of prose (with an underscore or a capital inside) count wherever they stand.
    """
    short = function.rpartition(".")[2]
    for name in {function, short}:
        word = re.escape(name)
        shown = rf"[`'\"]{word}(\(\))?[`'\"]|(?<![\w.]){word}\("
        said = rf"\b(function|method)s?\s+{word}(?!\w)|(?<![\w.]){word}\s+(function|method)\b"
        no_prose = "_" in name.strip("_") or name.startswith("__") or re.search(r"[a-z][A-Z.]", name)
        anywhere = rf"|(?<![\w.]){word}(?!\w)" if no_prose else ""
        if re.search(f"{shown}|{said}{anywhere}", words):
            return True
    return False


def _distance(finding: Said, place: tuple[int, int]) -> int:
    line = finding.line or 0
    start = line if finding.start_line is None else finding.start_line
    return max(place[0] - line, start - place[1], 0)


def _changed(hunk: CaseHunk) -> Iterable[str]:
    """Names on only one side of the hunk."""
    names = re.compile(r"[a-z_]\w{2,}")
    before, after = set(names.findall(hunk.before.lower())), set(names.findall(hunk.after.lower()))
    return sorted(before ^ after)

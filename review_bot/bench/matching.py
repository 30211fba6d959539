"""Whether a finding names a hunk: by its place, and by what it claims. No model judges that.

Only accusations count, on planted and on clean hunks alike: a finding about style, docs or missing tests,
or a nit, says nothing about whether the code is right. So naming everything costs precision.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from keyword import iskeyword
from typing import Final, Protocol

from review_bot.bench.cases import CaseHunk

#: Hunks with their lines at head, by id.
Places = Mapping[str, tuple[CaseHunk, tuple[int, int]]]

#: Lines that a finding may be away from the hunk that it is about.
NEAR: Final = 3

_NO_ACCUSATION: Final = frozenset({"style", "docs", "tests"})

#: Beginnings of words and phrases of which one is in a finding that claims such a defect, by kind. Words that
#: any complaint about code has (wrong, function, missing, value) are in none.
CLAIMS: Final[Mapping[str, tuple[str, ...]]] = {
    "swapped-arguments": ("swap", "order", "transpos", "revers", "mixed up", "exchang"),
    "dropped-guard": ("guard", "remov", "validat", "unchecked", "unhandled", "early", "empty", "no longer"),
    "dropped-statement": ("remov", "no longer", "drop", "never", "forg", "skip", "delet"),
    "wrong-default": ("default",),
    "off-by-one": ("off-by", "off by", "one too", "index", "bound", "range", "fencepost"),
    "wrong-exception": ("exception", "catch", "caught", "rais"),
    "lost-await": ("await", "corout", "async"),
    "resource-left-open": ("clos", "leak", "left open", "context manager", "file handle"),
    "injection": ("inject", "eval", "exec", "unsafe", "saniti", "escap", "arbitrar", "untrust", "vulnerab"),
    "wrong-comparison": ("compar", "equal", "greater", "less than", "invert", "boundar", "inclusive"),
    "wrong-condition": ("condition", "invert", "negat", "logic", "boolean", "opposite"),
    "wrong-operator": (
        "operator",
        "arithmetic",
        "addition",
        "subtract",
        "multipl",
        "divi",
        "modulo",
        "sign ",
    ),
    "wrong-constant": ("constant", "true", "false", "invert", "opposite", "boolean"),
    "wrong-function": ("instead of", "replac"),
    "wrong-loop": ("loop", "break", "continue", "iterat", "infinite"),
}

#: Names on a changed line that any sentence about code could have.
_PROSE: Final = frozenset(
    {"self", "return", "none", "true", "false", "value", "values", "result", "error", "text"}
)


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
    """Whether the finding's words fit the defect: its kind's vocabulary, or a name that was changed.

    A defect from history has no kind of its own: there, longer words of what is known about it count.
    """
    text = f"{finding.title}\n{finding.body}".lower()
    known = CLAIMS.get(hunk.edit)
    if known is None:
        known = tuple(re.findall(r"\w{5,}", hunk.what.removeprefix("taken back:").lower()))
    if any(re.search(rf"\b{re.escape(word)}", text) for word in known):
        return True
    return any(_is_named(symbol, text) for symbol in _changed(hunk))


def _is_named(symbol: str, text: str) -> bool:
    """Whether a name stands in the text; a short one, which may be a word, only as code."""
    word = re.escape(symbol)
    as_code = rf"[`'\"]{word}(\(\))?[`'\"]|(?<!\w){word}\("
    return bool(re.search(as_code if len(symbol) < 5 else rf"{as_code}|(?<!\w){word}(?!\w)", text))


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
    """Names on only one side of the hunk, but for the function's own."""
    names = re.compile(r"[a-z_]\w{2,}")
    before, after = set(names.findall(hunk.before.lower())), set(names.findall(hunk.after.lower()))
    own = hunk.function.lower().split(".")
    return sorted(name for name in (before ^ after) - _PROSE - {*own} if not iskeyword(name))

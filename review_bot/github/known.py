"""Which findings have been said before, so that nothing is said twice.

A finding's id is a fingerprint of path, code and claim, without lines: for tools, whose claim is a rule and
who look at everything every time, that settles it. Models put the same claim in other words each time, and
are asked about what changed only. So their findings also keep a hash of the place, its length, and hashes of
the title's words: the same code with half of the words in common is the same finding, and one that nobody
repeats stands for as long as its code does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from review_bot.anchors import Anchors, Place
from review_bot.change import Change, ChangedFile, Side
from review_bot.finding import ReportedFinding

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]{4,}")

#: Letters of a word that count, and words that are kept.
_STEM, _MOST = 5, 12

#: Lines of a place that is looked for again; who names more means the file.
_LONGEST = 200


def fingerprint(finding: ReportedFinding, anchors: Anchors) -> str:
    """The finding's id; behind it, for what no tool says, its place and its words."""
    if finding.rule:
        return finding.id
    code = anchors.code(Place(finding.path, finding.side, finding.start_line, finding.line))
    place = _place(finding.side, finding.path, code)
    words = dict.fromkeys(word[:_STEM].casefold() for word in _WORD.findall(_CAMEL.sub(" ", finding.title)))
    hashes = sorted(_hash(word, 4) for word in list(words)[:_MOST])
    return f"{finding.id}/{place}/{len(code)}/{'.'.join(hashes)}"


def id_of(print_: str) -> str:
    """The id of the finding that a fingerprint is of."""
    return print_.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Told:
    """Findings of this review, by whether they were said before. `kept` has the old fingerprints."""

    new: tuple[ReportedFinding, ...] = ()
    again: tuple[ReportedFinding, ...] = ()
    kept: tuple[str, ...] = ()
    prints: dict[str, str] = field(default_factory=dict)  #: of the new ones, by id


def told_before(findings: Sequence[ReportedFinding], anchors: Anchors, known: Iterable[str]) -> Told:
    """Tell new findings from those that `known` fingerprints stand for; each of these stands for one."""
    left = dict.fromkeys(known)
    prints = {finding.id: fingerprint(finding, anchors) for finding in findings}
    found: dict[str, str] = {}
    for how in (_same, _alike):
        for id, print_ in prints.items():
            if id not in found and (old := next((old for old in left if how(old, print_)), None)):
                found[id] = old
                del left[old]
    new = tuple(finding for finding in findings if finding.id not in found)
    return Told(
        new,
        tuple(finding for finding in findings if finding.id in found),
        tuple(found.values()),
        {finding.id: prints[finding.id] for finding in new},
    )


def standing(known: Iterable[str], change: Change, *, tools_failed: bool = False) -> tuple[str, ...]:
    """Those of the fingerprints, of findings that nobody has repeated, that still apply to the change.

    What a tool does not repeat is gone, unless the tools could not look (`tools_failed`).
    """
    parts = [(print_, print_.split("/")) for print_ in known]
    lengths = {int(about[2]) for _, about in parts if len(about) == 4 and about[2].isdecimal()}
    places = set(_places(change, {length for length in lengths if length <= _LONGEST}))
    return tuple(
        print_ for print_, about in parts if (about[1] in places if len(about) == 4 else tools_failed)
    )


def _places(change: Change, lengths: Set[int]) -> Iterator[str]:
    """The places of these lengths at head, and among what hunks show of base."""
    for file in change.files:
        for side, lines in _sides(file):
            bare = ["".join(line.split()) for line in lines]
            for length in lengths:
                for start in range(len(bare) - length + 1) if length else (0,):
                    yield _place(side, file.path, bare[start : start + length])


def _sides(file: ChangedFile) -> Iterator[tuple[Side, Sequence[str]]]:
    for hunk in file.hunks:
        yield "LEFT", [line.text for line in hunk.lines() if line.mark != "+"]
    if file.head_text is not None:
        yield "RIGHT", file.head_text.split("\n")
        return
    for hunk in file.hunks:
        yield "RIGHT", [line.text for line in hunk.lines() if line.mark != "-"]
    if not file.hunks:
        yield "RIGHT", ()


def _place(side: Side, path: str, code: Sequence[str]) -> str:
    return _hash("\0".join((side, path, "".join("".join(code).split()))), 8)


def _same(one: str, other: str) -> bool:
    return id_of(one) == id_of(other)


def _alike(one: str, other: str) -> bool:
    first, second = one.split("/"), other.split("/")
    if len(first) != 4 or len(second) != 4 or first[1] != second[1]:
        return False
    words, others = set(first[3].split(".")), set(second[3].split("."))
    return 2 * len(words & others) >= min(len(words), len(others))


def _hash(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:digits]

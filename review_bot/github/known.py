"""Which findings have been said before, so that nothing is said twice.

A finding's id is a fingerprint of path, code and claim, without lines: for tools, whose claim is a rule and
who look at everything every time, that settles it. Models put the same claim in other words each time, and
are asked about what changed only. So their findings also keep a hash of the place, its length, and hashes of
the title's words: the same code with half of the words in common is the same finding, and one that nobody
repeats stands for as long as its code does.

What is kept of a finding: `id/severity`, and for what no tool says `id/severity/place/lines/words`. The
severity is a letter, or `-` for what is not confirmed: what nobody repeats must still fail a build.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from typing import Literal

from review_bot.anchors import Anchors, Place
from review_bot.change import Change, ChangedFile, Side
from review_bot.finding import SEVERITIES, ReportedFinding, Severity

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[^\W\d_]{4,}")

_LETTERS: dict[Severity, str] = {"critical": "c", "major": "j", "minor": "m", "nit": "n"}

#: Letters of a word that count, and words that are kept.
_STEM, _MOST = 5, 12

#: Lines of a place that is looked for again; who names more means the file.
_LONGEST = 200


def fingerprint(finding: ReportedFinding, anchors: Anchors) -> str:
    """What to keep of a finding."""
    short = f"{finding.id}/{_letter(finding)}"
    if finding.rule:
        return short
    code = anchors.code(Place(finding.path, finding.side, finding.start_line, finding.line))
    words = dict.fromkeys(word[:_STEM].casefold() for word in _WORD.findall(_CAMEL.sub(" ", finding.title)))
    hashes = sorted(_hash(word, 4) for word in list(words)[:_MOST])
    return f"{short}/{_place(finding.side, finding.path, code)}/{len(code)}/{'.'.join(hashes)}"


def id_of(kept: str) -> str:
    """The id of the finding that this was kept of."""
    return kept.partition("/")[0]


def fails(kept: str, fail_on: Severity | Literal["never"]) -> bool:
    """Whether what this was kept of is confirmed, and at least so severe."""
    letter = kept.split("/")[1] if "/" in kept else "-"
    severe = SEVERITIES[: SEVERITIES.index(fail_on) + 1] if fail_on != "never" else ()
    return any(_LETTERS[severity] == letter for severity in severe)


@dataclass(frozen=True, slots=True)
class Told:
    """Findings of this review, by whether they were said before."""

    new: tuple[tuple[ReportedFinding, str], ...] = ()  #: with what to keep of each
    again: tuple[tuple[ReportedFinding, str], ...] = ()  #: with what was kept, and how severe it is now
    known: tuple[str, ...] = ()  #: what `again` was known by


def told_before(findings: Sequence[ReportedFinding], anchors: Anchors, known: Iterable[str]) -> Told:
    """Tell new findings from those that were kept (`known`); each of these stands for one finding."""
    left = dict.fromkeys(known)
    now = {finding.id: fingerprint(finding, anchors) for finding in findings}
    found: dict[str, str] = {}
    for how in (_same, _alike):
        for id, kept in now.items():
            if id not in found and (old := next((old for old in left if how(old, kept)), None)):
                found[id] = old
                del left[old]
    return Told(
        tuple((finding, now[finding.id]) for finding in findings if finding.id not in found),
        tuple((finding, _updated(found[finding.id], finding)) for finding in findings if finding.id in found),
        tuple(found.values()),
    )


def standing(known: Iterable[str], change: Change, *, tools_failed: bool = False) -> tuple[str, ...]:
    """What was kept, of findings that nobody has repeated, that still applies to the change.

    What a tool does not repeat is gone, unless the tools could not look (`tools_failed`).
    """
    parts = [(kept, kept.split("/")) for kept in known]
    lengths = {int(about[3]) for _, about in parts if len(about) == 5 and about[3].isdecimal()}
    places = set(_places(change, {length for length in lengths if length <= _LONGEST}))
    return tuple(kept for kept, about in parts if (about[2] in places if len(about) == 5 else tools_failed))


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
    if len(first) != 5 or len(second) != 5 or first[2] != second[2]:
        return False
    words, others = set(first[4].split(".")), set(second[4].split("."))
    return 2 * len(words & others) >= min(len(words), len(others))


def _letter(finding: ReportedFinding) -> str:
    return _LETTERS[finding.severity] if finding.standing == "confirmed" else "-"


def _updated(kept: str, finding: ReportedFinding) -> str:
    return "/".join([id_of(kept), _letter(finding), *kept.split("/")[2:]])


def _hash(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:digits]

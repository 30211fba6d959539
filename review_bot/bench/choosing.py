"""Which of all possible edits become the cases: kinds in turn, each function once, the same for one seed."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from review_bot.bench.cases import CaseHunk, CaseSet, Kind, digest_of, grouped
from review_bot.bench.clean_edits import clean_in
from review_bot.bench.code_edit import CodeEdit
from review_bot.bench.planted import planted_in
from review_bot.bench.sources import Sources

#: Hunks of one case, and lines between two of one file: git must not print them as one hunk.
PER_CASE, APART = 5, 12

#: A place where an edit could be: path and function.
_Spot = tuple[str, str]


def chosen(
    sources: Sources,
    *,
    planted: int,
    clean: int,
    seed: int,
    more: Sequence[CaseHunk] = (),
    per_case: int = PER_CASE,
) -> CaseSet:
    """A case set of as many hunks, or of what the sources have where they have less.

    `more` are hunks from elsewhere (history), whose texts are among the sources' already.
    """
    order = random.Random(seed)  # noqa: S311 - chooses examples, nothing secret
    defects: defaultdict[str, list[tuple[_Spot, CodeEdit]]] = defaultdict(list)
    edits: defaultdict[str, list[tuple[_Spot, CodeEdit]]] = defaultdict(list)
    for path, text in sources.texts.items():
        for function, edit in planted_in(text, sources.module(path)):
            defects[edit.name].append(((path, function), edit))
        for function, edit in clean_in(text):
            edits[edit.name].append(((path, function), edit))
    used: set[_Spot] = set()
    hunks = [
        *_hunks("planted", _in_turn(defects, planted, used, order)),
        *_hunks("clean", _in_turn(edits, clean, used, order)),
        *more,
    ]
    order.shuffle(hunks)
    files = {path: digest_of(text) for path, text in sources.texts.items()}
    cases = grouped(hunks, files, per_case=per_case, apart=APART)
    needed = {digest for case in cases for digest in case.files.values()}
    texts = {digest_of(text): text for text in sources.texts.values() if digest_of(text) in needed}
    return CaseSet(sources.name, seed, cases, texts)


def _in_turn(
    found: Mapping[str, list[tuple[_Spot, CodeEdit]]], count: int, used: set[_Spot], order: random.Random
) -> Iterator[tuple[_Spot, CodeEdit]]:
    """Edits of all kinds in turn, the rarest first in each round; every function is edited once."""
    waiting = {name: list(found[name]) for name in sorted(found, key=lambda name: (len(found[name]), name))}
    for edits in waiting.values():
        order.shuffle(edits)
    left = count
    while left and any(waiting.values()):
        for edits in waiting.values():
            edit = next(_unused(edits, used), None)
            if edit is not None and left:
                used.add(edit[0])
                left -= 1
                yield edit


def _unused(edits: list[tuple[_Spot, CodeEdit]], used: set[_Spot]) -> Iterator[tuple[_Spot, CodeEdit]]:
    while edits:
        spot, edit = edits.pop()
        if spot not in used:
            yield spot, edit


def _hunks(kind: Kind, edits: Iterable[tuple[_Spot, CodeEdit]]) -> Iterator[CaseHunk]:
    for (path, function), edit in edits:
        parts = (kind, path, function, edit.name, edit.before, edit.after, str(edit.start))
        yield CaseHunk(
            id=hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10],
            kind=kind,
            defect=edit.name if kind != "clean" else None,
            edit=edit.name,
            path=path,
            function=function,
            start=edit.start,
            end=edit.end,
            before=edit.before,
            after=edit.after,
            what=edit.what,
        )

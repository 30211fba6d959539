"""Which of all possible edits become the cases: kinds in turn, each function once, the same for one seed."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import islice

from review_bot.bench.cases import CaseHunk, CaseSet, Kind, digest_of, grouped
from review_bot.bench.clean_edits import clean_in
from review_bot.bench.code_edit import CodeEdit
from review_bot.bench.equivalent import Effect, Witness, Witnessed
from review_bot.bench.history import history_of
from review_bot.bench.planted import planted_in
from review_bot.bench.sources import Sources

#: Hunks of one case, and lines between two of one file: git must not print them as one hunk.
PER_CASE, APART = 5, 12

#: A place where an edit could be: path and function.
_Spot = tuple[str, str]

Edits = Mapping[str, list[tuple[_Spot, CodeEdit]]]

#: Why a hunk does not count, by what running it showed.
UNSURE: Mapping[Effect, str] = {
    "same": "no input was found on which the defect shows",
    "differs": "it is meant to change nothing, and does",
}


def chosen(
    sources: Sources,
    *,
    planted: int,
    clean: int,
    seed: int,
    history: int = 0,
    witness: Witness | None = None,
    told: Callable[[CaseHunk, Witnessed], None] = lambda *_: None,
) -> CaseSet:
    """A case set of as many hunks, or of what the sources have where they have less.

    `history` is how many fixes of the log are taken back, with half as many refactorings as clean hunks.
    A `witness` judges every edit before it is taken: those that are not what they are said to be stay
    away, and others are taken for them. `told` hears of each. Ctrl-C ends that with what there is.
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
    hunks: list[CaseHunk] = []
    fixes, refactorings = _past(sources) if history else ({}, {})
    wanted: tuple[tuple[Kind, Edits, int], ...] = (
        ("history", fixes, history),
        ("clean", refactorings, history // 2),
        ("planted", defects, planted),
        ("clean", edits, clean),
    )
    try:
        for kind, found, count in wanted:
            judged = _judged(kind, _in_turn(found, used, order), sources, witness, told)
            hunks += islice(judged, count)
    except KeyboardInterrupt:
        if not hunks:
            raise
    order.shuffle(hunks)
    files = {path: digest_of(text) for path, text in sources.texts.items()}
    cases = grouped(hunks, files, per_case=PER_CASE, apart=APART)
    needed = {digest for case in cases for digest in case.files.values()}
    texts = {digest_of(text): text for text in sources.texts.values() if digest_of(text) in needed}
    return CaseSet(sources.name, seed, cases, texts)


def _past(sources: Sources) -> tuple[Edits, Edits]:
    """Fixes taken back and refactorings, from the log."""
    found: tuple[list[tuple[_Spot, CodeEdit]], list[tuple[_Spot, CodeEdit]]] = ([], [])
    for is_fix, past in history_of(sources):
        found[not is_fix].append(((past.path, past.function), past.edit))
    return {"fix-reverted": found[0]}, {"refactoring": found[1]}


def _judged(
    kind: Kind,
    edits: Iterable[tuple[_Spot, CodeEdit]],
    sources: Sources,
    witness: Witness | None,
    told: Callable[[CaseHunk, Witnessed], None],
) -> Iterator[CaseHunk]:
    """The edits as hunks, those that running refutes left out."""
    for hunk in _hunks(kind, edits):
        if witness is None:
            yield hunk
            continue
        seen = witness(hunk.path, hunk.edited(sources.texts[hunk.path]), hunk.function)
        told(hunk, seen)
        if seen.agrees(kind):
            yield replace(hunk, witness=seen.words)


def checked(
    cases: CaseSet,
    witness: Witness,
    told: Callable[[CaseHunk, Witnessed], None],
    done: Callable[[CaseSet], None],
) -> CaseSet:
    """The case set with hunks marked as unsure where running both versions refutes what is said of them.

    `done` gets the set after every hunk, so that nothing is lost when it is interrupted.
    """
    for number, case in enumerate(cases.cases):
        for place, hunk in enumerate(case.hunks):
            if hunk.unsure or hunk.witness:
                continue
            seen = witness(hunk.path, hunk.edited(cases.texts[case.files[hunk.path]]), hunk.function)
            told(hunk, seen)
            unsure = "" if seen.agrees(hunk.kind) else UNSURE[seen.effect]
            marked = replace(hunk, witness=seen.words, unsure=unsure)
            hunks = (*cases.cases[number].hunks[:place], marked, *cases.cases[number].hunks[place + 1 :])
            changed = replace(cases.cases[number], hunks=hunks)
            cases = replace(cases, cases=(*cases.cases[:number], changed, *cases.cases[number + 1 :]))
            done(cases)
    return cases


def _in_turn(found: Edits, used: set[_Spot], order: random.Random) -> Iterator[tuple[_Spot, CodeEdit]]:
    """Edits of all kinds in turn, the rarest first in each round; every function is edited once."""
    waiting = {name: list(found[name]) for name in sorted(found, key=lambda name: (len(found[name]), name))}
    for edits in waiting.values():
        order.shuffle(edits)
    while any(waiting.values()):
        for edits in waiting.values():
            edit = next(_unused(edits, used), None)
            if edit is not None:
                used.add(edit[0])
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

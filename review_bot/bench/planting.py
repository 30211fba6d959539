"""What is put among recorded proposals for a study: one truth that only one voice tells, and one lie."""

from __future__ import annotations

from dataclasses import dataclass, replace

from moa_engine.ledger import Item, Ledger, item_id
from review_bot.bench.cases import CaseHunk
from review_bot.bench.matching import Places, about, accuses
from review_bot.bench.running import CaseRun
from review_bot.bench.study_task import PLANTED
from review_bot.finding import Finding


@dataclass(frozen=True, slots=True)
class Planted:
    """The ledger with what was planted, and the ids of that; "" where there was no place for it."""

    ledger: Ledger
    truth: str
    lie: str


def planted(run: CaseRun, proposals: Ledger) -> Planted:
    """A truth about the first defect that nobody named, and a lie about the first clean hunk left alone."""
    places = run.case.places()
    hunks = {hunk.id: (hunk, places[hunk.id]) for hunk in run.case.hunks}
    spoken_of = _spoken_of(proposals, hunks)
    silent = [hunk for hunk in run.case.hunks if hunk.id not in spoken_of and not hunk.unsure]
    defect = next((hunk for hunk in silent if hunk.kind != "clean"), None)
    clean = next((hunk for hunk in silent if hunk.kind == "clean"), None)
    truth = _item(_truth(defect, places[defect.id])) if defect else None
    lie = _item(_lie(clean, places[clean.id])) if clean else None
    added = [item for item in (truth, lie) if item is not None]
    ledger = replace(proposals, items=(*proposals.items, *added))
    return Planted(ledger, truth.id if truth else "", lie.id if lie else "")


def _spoken_of(ledger: Ledger, hunks: Places) -> set[str]:
    said = [item.body for item in ledger.items if isinstance(item.body, Finding)]
    return {id for finding in said if accuses(finding) for id in about(finding, hunks)}


def _truth(hunk: CaseHunk, place: tuple[int, int]) -> Finding:
    title = f"{(hunk.defect or hunk.edit).replace('-', ' ').capitalize()} in {hunk.function}"
    shown = f" For example {hunk.witness}." if hunk.witness else ""
    return _finding(hunk, place, title, f"{hunk.what.capitalize()}, which changes what it does.{shown}")


def _lie(hunk: CaseHunk, place: tuple[int, int]) -> Finding:
    return _finding(
        hunk,
        place,
        f"Wrong result from {hunk.function}",
        "After this edit the function certainly returns a wrong value for empty input; before, it did not.",
    )


def _finding(hunk: CaseHunk, place: tuple[int, int], title: str, body: str) -> Finding:
    return Finding(
        path=hunk.path,
        start_line=place[0],
        line=place[1],
        severity="major",
        category="bug",
        title=title,
        body=body,
    )


def _item(finding: Finding) -> Item:
    return Item(item_id(PLANTED, 1, 0, "", 0, finding), PLANTED, 1, finding)

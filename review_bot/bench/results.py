"""The result file: who named what, in one JSON file that can be committed, compared and shown as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from review_bot.bench.cases import CaseSet, write_json
from review_bot.bench.running import now

FORMAT: Final = "moa-bench-1"

Panel = Mapping[str, Any]


def results_of(cases: CaseSet, file: Path, panels: Sequence[Panel], *, seed: int | None) -> dict[str, Any]:
    """What the file holds. Hunks by which nobody is judged are listed apart."""
    places = {id: place for case in cases.cases for id, place in case.places().items()}
    hunks = [
        {
            "id": hunk.id,
            "case": case.id,
            "kind": hunk.kind,
            "defect": hunk.defect,
            "edit": hunk.edit,
            "path": hunk.path,
            "function": hunk.function,
            "start": places[hunk.id][0],
            "end": places[hunk.id][1],
            "before": hunk.before,
            "after": hunk.after,
            "what": hunk.what,
            "unsure": hunk.unsure,
        }
        for case, hunk in cases.hunks
    ]
    return {
        "format": FORMAT,
        "made": {"version": version("pytest-moa"), "when": now(), "seed": seed},
        "cases": {"file": file.name, "digest": cases.digest, "source": cases.source, "hunks": hunks},
        "panels": [dict(panel) for panel in panels],
    }


def write(output: Path, cases: CaseSet, file: Path, panels: Sequence[Panel], *, seed: int | None) -> None:
    """Write the result file.

    Raises:
        ConfigError: it cannot be written.
    """
    write_json(output, results_of(cases, file, panels, seed=seed))


def in_words(cases: CaseSet, panels: Sequence[Panel]) -> Iterator[str]:
    """The counts of each panel, as a table for people."""
    counted = {hunk.id: hunk for _, hunk in cases.hunks if not hunk.unsure}
    width = max(len(panel["name"]) for panel in panels)
    yield f"{'':{width}}  named  by place  of defects  accused  of clean"
    for panel in panels:
        verdicts = [one for one in panel["verdicts"] if one["hunk"] in counted]
        bad = [one for one in verdicts if counted[one["hunk"]].kind != "clean"]
        good = [one for one in verdicts if counted[one["hunk"]].kind == "clean"]
        named, placed = (sum(one[key] for one in bad) for key in ("named", "by_place"))
        accused = sum(one["accused"] for one in good)
        failed = f"  no answer in {len(panel['failed'])} cases" if panel["failed"] else ""
        counts = f"{named:5}  {placed:8}  {len(bad):10}  {accused:7}  {len(good):8}"
        yield f"{panel['name']:{width}}  {counts}{failed}"

"""Cases from what people thought of findings: thumbs and dismissals, as the record has them.

A finding that somebody called useful is a defect at its place; one that was dismissed says that the hunk is
clean. What nobody judged in the same files is shown, and counts for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from moa_engine.errors import RecordError
from review_bot.bench.cases import Case, CaseHunk, CaseSet, digest_of
from review_bot.bench.matching import NEAR
from review_bot.change import ChangedFile, Hunk, change_from_json
from review_bot.github.labels import EVENT

if TYPE_CHECKING:
    from moa_engine.record import Record

#: Runs of the record that are looked through, the newest first.
_RUNS = 1000

#: The kind of edit of a hunk that somebody judged.
LABELLED = "labelled"


def with_labels(cases: CaseSet, record: Record) -> CaseSet:
    """The case set with a case for every reviewed change of which a finding was judged by somebody."""
    more, texts = [], dict(cases.texts)
    for number, (run, labels) in enumerate(_labels(record).items(), 1):
        try:
            stored = record.run(run)
        except RecordError:  # the finding was told by a run of another record
            continue
        if stored.task == "review" and stored.result is not None:
            found = _case(f"label-{number:02d}", stored.payload, json.loads(stored.result), labels)
            if found is not None:
                case, of = found
                more.append(case)
                texts.update(of)
    return replace(cases, cases=(*cases.cases, *more), texts=texts)


def _labels(record: Record) -> dict[str, dict[str, bool]]:
    """By run and finding, whether it was useful: the last word counts."""
    found: dict[str, dict[str, bool]] = {}
    for summary in reversed(record.runs(_RUNS)):
        for event in record.run(summary.id).events:
            if event.kind == EVENT:
                found.setdefault(event.data["run"], {})[event.data["finding"]] = event.data["useful"]
    return found


def _case(
    id: str, payload: Mapping[str, Any], result: Mapping[str, Any], labels: Mapping[str, bool]
) -> tuple[Case, dict[str, str]] | None:
    change = change_from_json(payload["task"]["change"])
    judged = [(finding, labels[finding["id"]]) for finding in result["findings"] if finding["id"] in labels]
    hunks: list[CaseHunk] = []
    files: dict[str, str] = {}
    texts: dict[str, str] = {}
    for file in change.files:
        about = [(finding, useful) for finding, useful in judged if finding["path"] == file.path]
        if (
            not about
            or file.status != "modified"
            or file.base_text is None
            or file.old_path not in (None, file.path)
        ):
            continue
        files[file.path] = digest_of(file.base_text)
        texts[files[file.path]] = file.base_text
        hunks += [_hunk(id, file, hunk, about) for hunk in file.hunks]
    if not any(not hunk.unsure for hunk in hunks):
        return None
    case = Case(id, change.title, files, tuple(hunks))
    return (case, texts) if _fits(case, texts, change.files) else None


def _hunk(case: str, file: ChangedFile, hunk: Hunk, about: list[tuple[dict[str, Any], bool]]) -> CaseHunk:
    """The hunk without its surroundings, judged by the finding that is nearest to it."""
    lines = list(hunk.lines())
    changed = [number for number, line in enumerate(lines) if line.mark != " "]
    part = lines[changed[0] : changed[-1] + 1]
    before = "".join(f"{line.text}\n" for line in part if line.mark != "+")
    after = "".join(f"{line.text}\n" for line in part if line.mark != "-")
    start = hunk.old_start + sum(line.mark != "+" for line in lines[: changed[0]])
    if not hunk.old_length:
        start += 1  # git names the line before where nothing was
    near = [
        (finding, useful)
        for finding, useful in about
        if finding["line"] is not None
        and hunk.new_start - NEAR <= finding["line"] <= hunk.new_start + hunk.new_length + NEAR
    ]
    finding, useful = near[0] if near else ({"title": "nobody judged it", "category": ""}, False)
    return CaseHunk(
        id=digest_of(f"{case} {file.path} {start} {before} {after}")[:10],
        kind="history" if useful else "clean",
        defect=(finding["category"] or LABELLED) if useful else None,
        edit=LABELLED,
        path=file.path,
        function=hunk.heading,
        start=start,
        end=start + sum(line.mark != "+" for line in part) - 1,
        before=before,
        after=after,
        what=finding["title"],
        unsure="" if near else "nobody judged it",
    )


def _fits(case: Case, texts: Mapping[str, str], files: tuple[ChangedFile, ...]) -> bool:
    """Whether the hunks make of base what the change made of it: not where a file lacks its last line end."""
    heads = {file.path: file.head_text for file in files}
    return all(case.head(path, texts[digest]) == heads[path] for path, digest in case.files.items())

"""The `ruff` reviewer: bugs, holes and traps in the changed Python files that their base did not have.

Both sides of all changed files are written into one scratch folder under names of our own, so that
one run of ruff serves both, no path of the change reaches the file system, and no configuration but
the one given here applies.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from moa_engine.errors import Refused
from review_bot.change import Change, ChangedFile
from review_bot.finding import Finding, FindingsAnswer
from review_bot.reviewers.novelty import LineMap, Observation, line_maps, new_at_head
from review_bot.reviewers.roles import has_lone_returns, is_python, is_shipped, is_test
from review_bot.reviewers.ruff_rules import AT_A_DISTANCE, FAMILIES, NOT_IN_INIT, NOT_SHIPPED, RULES
from review_bot.reviewers.tool import ToolFailed, run_tool
from review_bot.subject import ReviewSubject

#: The newest syntax: what the project supports is not ruff's to judge here.
TARGET = "py314"


@dataclass(frozen=True, slots=True)
class _Source:
    """One side of one file, and where it was written."""

    file: ChangedFile
    side: str  #: "base" or "head"
    path: str  #: at that side
    text: str


@dataclass(frozen=True, slots=True)
class _Detail:
    """What else ruff says of a finding."""

    last: int  #: its last line
    link: str
    edits: tuple[dict[str, Any], ...]  #: its fix, if ruff calls it safe


async def review(subject: ReviewSubject) -> FindingsAnswer:
    """Findings of ruff that are new at head.

    Raises:
        Refused: ruff is not installed.
        ToolFailed: ruff crashed.
    """
    sources = list(_sources(subject.change))
    if not any(source.side == "head" for source in sources):
        return FindingsAnswer(note="no Python file is changed")
    try:
        from ruff import find_ruff_bin  # type: ignore[import-untyped]  # the wheel has no py.typed

        binary = find_ruff_bin()
    except (ImportError, FileNotFoundError) as error:
        raise Refused(
            "ruff is not installed", hint="pip install ruff, or leave it out of reviewers"
        ) from error
    with tempfile.TemporaryDirectory(prefix="moa-ruff-") as folder:
        names = _write(sources, Path(folder))
        ran = await run_tool(
            [
                *(binary, "check", "--isolated", "--no-cache", "--quiet", "--output-format", "json-lines"),
                *("--no-respect-gitignore", "--config", "exclude=[]"),
                *("--target-version", TARGET, "--select", ",".join(FAMILIES), "."),
            ],
            folder=Path(folder),
            expected=(0, 1),
        )
    try:
        base, head = _observations(ran.stdout, names)
    except (ValueError, KeyError, TypeError) as error:
        raise ToolFailed(f"ruff's output cannot be read: {error!r}") from error
    maps = line_maps(subject.change)
    new = new_at_head(subject.change, base, head, maps)
    texts = {source.path: source.text.split("\n") for source in sources if source.side == "head"}
    first = {one.path: one for one in reversed(new) if one.rule == "invalid-syntax"}  # others follow from it
    new = [one for one in new if one.rule != "invalid-syntax" or one is first[one.path]]
    bare = {(one.path, one.line) for one in new if one.rule in ("S110", "S112")}
    findings = [
        _finding(one, maps[one.path], texts[one.path])
        for one in new
        if _counts(one, maps[one.path], texts[one.path])
        and not (one.rule == "E722" and (one.path, one.line) in bare)
    ]
    return FindingsAnswer(findings=findings)


def _sources(change: Change) -> Iterator[_Source]:
    for file in change.files:
        if file.head_text is not None and is_python(file.path) and not has_lone_returns(file.head_text):
            yield _Source(file, "head", file.path, file.head_text)
            if file.base_text is not None:
                yield _Source(file, "base", file.old_path or file.path, file.base_text)


def _write(sources: list[_Source], folder: Path) -> dict[str, _Source]:
    """Write the sources, keyed by their path in the folder; ruff looks at `__init__` and the suffix."""
    names = {}
    for number, source in enumerate(sources):
        path = PurePosixPath(source.path)
        stem = "__init__" if path.stem == "__init__" else "module"
        target = folder / str(number) / f"{stem}{path.suffix}"
        target.parent.mkdir()
        target.write_text(source.text, encoding="utf-8", errors="replace", newline="")
        names[f"{number}/{target.name}"] = source
    return names


def _observations(output: bytes, names: dict[str, _Source]) -> tuple[list[Observation[_Detail]], ...]:
    """What ruff says of base and of head, as far as it is reported."""
    sides: dict[str, list[Observation[_Detail]]] = {"base": [], "head": []}
    for line in filter(None, output.split(b"\n")):
        found = json.loads(line)
        rule = found["code"]
        if rule not in RULES:
            continue
        source = names["/".join(Path(found["filename"]).parts[-2:])]
        fix = found["fix"] or {}
        edits = fix["edits"] if fix.get("applicability") == "safe" else ()
        link = f"[{rule} {found['name']}]({found['url']})" if found["url"] else ""
        detail = _Detail(int(found["end_location"]["row"]), link, tuple(edits))
        row = int(found["location"]["row"])
        sides[source.side].append(Observation(source.path, row, rule, str(found["message"]), detail))
    return sides["base"], sides["head"]


def _counts(one: Observation[_Detail], lines: LineMap, text: list[str]) -> bool:
    """Whether a new finding touches the change and is worth a reader's time where it is."""
    rule = RULES[one.rule]
    if is_test(one.path) and (rule.category == "security" or _is_to_raise(one, text)):
        return False
    if not is_shipped(one.path) and one.rule in NOT_SHIPPED:
        return False
    if is_test(one.path) and one.rule == "F811" and "`test" not in one.message:  # a fixture is a parameter
        return False
    if one.path.endswith("__init__.py") and one.rule in NOT_IN_INIT:
        return False
    if "seems safe" in one.message:  # a constant command line
        return False
    return one.rule in AT_A_DISTANCE or _added_line(one, lines) is not None


def _is_to_raise(one: Observation[_Detail], text: list[str]) -> bool:
    """Whether a comparison without effect stands in a `with`: in a test, one that says that it raises."""
    if one.rule != "B015":
        return False
    depth = _indent(text[one.line - 1])
    above = (line for line in reversed(text[: one.line - 1]) if line.strip() and _indent(line) < depth)
    return next(above, "").lstrip().startswith("with ")


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _added_line(one: Observation[_Detail], lines: LineMap) -> int | None:
    return next((line for line in range(one.line, one.detail.last + 1) if line in lines.added), None)


def _finding(one: Observation[_Detail], lines: LineMap, text: list[str]) -> Finding:
    rule = RULES[one.rule]
    line = _added_line(one, lines)
    body = rule.why
    if line is None:
        body += " The change touches other lines of this file; this one follows from it."
    if one.detail.link:
        body += f"\n\n{one.detail.link}"
    finding = Finding(
        path=one.path,
        start_line=line or one.line,
        line=line or one.line,
        severity=rule.severity,
        category=rule.category,
        title=one.message.rstrip("."),
        body=body,
        rule=one.rule,
    )
    span = range(one.line, one.detail.last + 1)
    if one.detail.edits and all(number in lines.added for number in span):
        fixed = _fixed([text[number - 1] for number in span], one.line, one.detail.edits)
        if fixed is not None:
            place = {"start_line": one.line, "line": one.detail.last}
            return finding.model_copy(update={**place, "suggestion": fixed})
    return finding


def _fixed(lines: list[str], first: int, edits: tuple[dict[str, Any], ...]) -> str | None:
    """The lines, of which the first has this number, after the edits; None if these go beyond them."""
    block = "\n".join(line.removesuffix("\r") for line in lines) + "\n"
    starts = [0, *(at + 1 for at, char in enumerate(block) if char == "\n")]
    spans = []
    for edit in edits:
        ends = [(edit[end]["row"], edit[end]["column"]) for end in ("location", "end_location")]
        if not all((first, 1) <= end <= (first + len(lines), 1) for end in ends):
            return None
        spans.append(([starts[row - first] + column - 1 for row, column in ends], edit["content"]))
    for (start, end), content in sorted(spans, reverse=True):
        block = block[:start] + content + block[end:]
    return block.removesuffix("\n")

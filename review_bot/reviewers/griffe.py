"""The `griffe` reviewer: public Python API that callers at base used and that head no longer offers."""

from __future__ import annotations

import asyncio
import importlib.util
import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from moa_engine.errors import Refused
from review_bot.change import Change, ChangedFile
from review_bot.finding import Finding, FindingsAnswer, Severity
from review_bot.reviewers.interface import changed_names_of
from review_bot.reviewers.novelty import LineMap, line_maps
from review_bot.reviewers.roles import is_shipped
from review_bot.reviewers.tool import ToolFailed, run_tool
from review_bot.subject import ReviewSubject

_WORKER = "review_bot.reviewers.griffe_worker"
_MILDER: dict[Severity, Severity] = {"critical": "major", "major": "minor", "minor": "nit", "nit": "nit"}
_MOST_SINGLE, _MOST_NAMED = 3, 10
_UNSEEN = frozenset(
    {"__del__", "__repr__", "__str__"}
)  #: nobody misses them: `object` has one, or needs none
_SHOWN = 60  #: characters of a default value

Break = dict[str, Any]  #: a `griffe_worker.Break`


async def review(subject: ReviewSubject) -> FindingsAnswer:
    """Breaks of public API, one finding per function, class, attribute or module.

    Raises:
        Refused: griffe is not installed.
        ToolFailed: griffe failed.
    """
    pairs = [(file, pair) for file in subject.change.files if any(pair := _paths(file))]
    before = [file for file, (base, _) in pairs if base]
    if not any(map(changed_names_of, before)):
        return FindingsAnswer(note="nothing that others may import is removed or declared otherwise")
    changed = [pair for _, pair in pairs]
    if importlib.util.find_spec("griffe") is None:
        raise Refused("griffe is not installed", hint="pip install griffelib, or leave it out of reviewers")
    trees = await asyncio.to_thread(subject.trees)
    if trees.base is None or trees.head is None:
        return FindingsAnswer(note=trees.extra.get("why", "the rest of the package is not known"))
    ran = await run_tool(
        [sys.executable, "-I", "-m", _WORKER],
        folder=Path(trees.head),
        stdin=json.dumps({"base": trees.base, "head": trees.head, "changed": changed}).encode(),
    )
    try:
        breaks: list[Break] = json.loads(ran.stdout)
    except ValueError as error:
        raise ToolFailed(f"griffe's output cannot be read: {error}") from error
    return FindingsAnswer(findings=list(_findings(subject.change, breaks)))


def _paths(file: ChangedFile) -> tuple[str | None, str | None]:
    """The paths at base and at head of a module that others may import."""
    old = None if file.status in ("added", "copied") else file.old_path or file.path
    new = None if file.status == "deleted" else file.path
    base, head = (path if path and path.endswith(".py") and is_shipped(path) else None for path in (old, new))
    return base, head


def _findings(change: Change, breaks: Iterable[Break]) -> Iterator[Finding]:
    maps = line_maps(change)
    at_base = {file.old_path or file.path: file for file in change.files if file.status != "copied"}
    worth = [one for one in breaks if _worth_saying(one)]
    swept = {path for path, number in Counter(map(_swept, worth)).items() if path and number > _MOST_SINGLE}
    for path in sorted(swept):
        yield _many(at_base[path], [one for one in worth if _swept(one) == path])
    worth = [one for one in worth if _swept(one) not in swept]
    for _, group in itertools.groupby(worth, key=lambda one: (one["path"], one["line"], one["object"])):
        same = list(group)
        first = same[0]
        file = at_base[first["path"]] if first["removed"] else change.file(first["path"])
        if file is not None:
            yield _finding(file, maps[file.path], same)


def _swept(one: Break) -> str:
    """The file, for names that went and that nobody offered on purpose; else ""."""
    return one["path"] if one["removed"] and not one["exported"] else ""


def _many(file: ChangedFile, gone: list[Break]) -> Finding:
    """One finding for many names that went from one file."""
    named = ", ".join(f"`{one['object']}`" for one in gone[:_MOST_NAMED])
    more = f" and {len(gone) - _MOST_NAMED} more" if len(gone) > _MOST_NAMED else ""
    return Finding(
        path=file.path,
        side="LEFT",
        severity="minor",
        category="api",
        title=f"{len(gone)} public names of this file were removed",
        body=f"{named}{more}. Code elsewhere that relies on them breaks.",
        rule="object-removed",
    )


def _worth_saying(one: Break) -> bool:
    if one["kind"] == "OBJECT_CHANGED_KIND" and "module" in (one["old"], one["new"]):
        return False  # a function and a module of one name: which one is seen depends on what was imported
    if one["kind"] == "RETURN_CHANGED_TYPE":  # a missing annotation breaks no caller; types are ty's part
        return False
    if one["removed"] and one["object"].rpartition(".")[2] in _UNSEEN:
        return False
    return not (one["kind"] == "PARAMETER_CHANGED_DEFAULT" and one["parameter"].startswith("_"))


def _finding(file: ChangedFile, lines: LineMap, same: list[Break]) -> Finding:
    first = same[0]
    sentences = list(_sentences(same))
    severity = min((_severity(one) for one in same), key=("critical", "major", "minor", "nit").index)
    if len(sentences) == 1:
        title, body = sentences[0], ""
    else:
        title = f"`{first['object']}` can no longer be used as before"
        body = "".join(f"- {sentence}\n" for sentence in sentences) + "\n"
    if first["what"] == "module" and file.status == "renamed":
        body += f"The file is now `{file.path}`; a module with the old name could import from it. "
    line = _line(first, lines)
    return Finding(
        path=file.path,
        side="LEFT" if first["removed"] else "RIGHT",
        start_line=line,
        line=line,
        severity=severity if first["exported"] else _MILDER[severity],
        category="api",
        title=title,
        body=body + "Code elsewhere that relies on it breaks or changes its meaning.",
        rule="/".join(sorted({one["kind"].lower().replace("_", "-") for one in same})),
    )


def _line(one: Break, lines: LineMap) -> int | None:
    """The line to point at: the definition's first line that the change touched, else its first one."""
    if one["what"] == "module":
        return None
    touched = lines.removed if one["removed"] else lines.added
    span = range(one["line"], one["end_line"] + 1)
    return one["line"] if one["line"] in touched else next((n for n in span if n in touched), one["line"])


def _severity(one: Break) -> Severity:
    if one["kind"] in ("PARAMETER_CHANGED_DEFAULT", "CLASS_REMOVED_BASE"):
        return "minor"
    if one["kind"] == "OBJECT_CHANGED_KIND" and {one["old"], one["new"]} == {"function", "class"}:
        return "minor"  # both can be called
    return "major"


def _sentences(same: list[Break]) -> Iterator[str]:
    """What broke, each in a sentence; a parameter that another one stands in for is one sentence."""
    removed = [one for one in same if one["kind"] == "PARAMETER_REMOVED"]
    added = [one for one in same if one["kind"] == "PARAMETER_ADDED_REQUIRED"]
    replaced = len(removed) == len(added) == 1
    for one in same:
        name, parameter = f"`{one['object']}`", f"`{one['parameter']}`"
        old, new = _code(one["old"]), _code(one["new"])
        match one["kind"]:
            case "PARAMETER_REMOVED" if replaced:
                yield f"Parameter {parameter} of {name} was replaced by `{added[0]['parameter']}`"
            case "PARAMETER_ADDED_REQUIRED" if replaced:
                pass
            case "PARAMETER_REMOVED":
                yield f"Parameter {parameter} of {name} was removed"
            case "PARAMETER_ADDED_REQUIRED":
                yield f"{name} has a new parameter {parameter} without a default"
            case "PARAMETER_CHANGED_REQUIRED":
                yield f"Parameter {parameter} of {name} has lost its default"
            case "PARAMETER_MOVED":
                yield f"Parameter {parameter} of {name} has another position"
            case "PARAMETER_CHANGED_KIND":
                yield f"Parameter {parameter} of {name} can no longer be passed by position and by name alike"
            case "PARAMETER_CHANGED_DEFAULT":
                yield f"The default of {parameter} of {name} is {new} instead of {old}"
            case "OBJECT_CHANGED_KIND":
                yield f"{name} is no longer a {one['old']} but another kind of object: {one['new']}"
            case "CLASS_REMOVED_BASE":
                yield f"{name} has lost a base class: {old} became {new}"
            case "OBJECT_REMOVED" if one["what"] == "import":
                yield f"{name} can no longer be imported"
            case "OBJECT_REMOVED":
                yield f"{one['what'].capitalize()} {name} was removed"
            case other:
                yield f"{name}: {other.lower().replace('_', ' ')}"


def _code(value: str) -> str:
    short = value if len(value) <= _SHOWN else value[: _SHOWN - 1] + "…"
    return f"`{short}`" if value else "nothing"

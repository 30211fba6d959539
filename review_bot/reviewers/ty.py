"""The `ty` reviewer: type errors that base did not have, in changed files and in those that depend on them.

An error on a line that the change did not touch is the most valuable kind: the change broke a caller.
ty runs no code and has no plug-ins; its settings are ours, not those of the change.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moa_engine.errors import Refused
from review_bot.change import Change
from review_bot.finding import Finding, FindingsAnswer
from review_bot.reviewers.modules import mentioning, module_of
from review_bot.reviewers.novelty import LineMap, Observation, line_maps, new_at_head
from review_bot.reviewers.roles import is_python
from review_bot.reviewers.tool import ToolFailed, run_tool
from review_bot.subject import ReviewSubject

#: More dependents than this are not listed one by one: the whole tree is checked.
_MOST_LISTED = 500

#: What is not reported: ruff's part, or a matter of annotations alone.
_LEFT_OUT = frozenset(
    {
        "unresolved-reference",
        "invalid-syntax",
        "invalid-syntax-in-forward-annotation",
        "invalid-implicit-return-in-function-with-stub-body",
    }
)

#: Warnings that are worth it; all errors are.
_WARNINGS = frozenset(
    {"unused-awaitable", "truthiness-test-of-callable", "pydantic-discarded-extra-argument"}
)

#: What goes wrong whenever the line runs; the rest may be a matter of too narrow annotations.
_FAILS = frozenset(
    {
        "abstract-class-instantiation",
        "duplicate-base",
        "import-not-found",
        "inconsistent-mro",
        "index-out-of-bounds",
        "invalid-await",
        "invalid-base",
        "invalid-context-manager",
        "invalid-exception-caught",
        "invalid-raise",
        "missing-argument",
        "missing-attribute",
        "missing-module-member",
        "missing-typed-dict-key",
        "no-matching-overload",
        "not-callable",
        "not-iterable",
        "not-subscriptable",
        "parameter-already-assigned",
        "positional-only-parameter-as-kwarg",
        "too-many-positional-arguments",
        "unknown-argument",
        "unsupported-operator",
        "unused-awaitable",
    }
)

_MODULE = re.compile(r"module `([^`.]+)")


@dataclass(frozen=True, slots=True)
class _Side:
    """What ty is asked at one side."""

    tree: Path
    files: tuple[str, ...]
    roots: tuple[str, ...]  #: import roots besides the two that ty knows


async def review(subject: ReviewSubject) -> FindingsAnswer:
    """Type errors that are new at head.

    Raises:
        Refused: ty is not installed.
        ToolFailed: ty crashed.
    """
    change = subject.change
    if not any(is_python(file.path) for file in change.files):
        return FindingsAnswer(note="no Python file is changed")
    try:
        from ty import find_ty_bin

        binary = find_ty_bin()
    except (ImportError, FileNotFoundError) as error:
        raise Refused("ty is not installed", hint="pip install 'pytest-moa[types]'") from error
    trees = await asyncio.to_thread(subject.trees)
    if trees.base is None or trees.head is None:
        return FindingsAnswer(note="a bare patch does not say what the files around it look like")
    base, head = await asyncio.to_thread(_sides, change, Path(trees.base), Path(trees.head))
    try:
        async with asyncio.TaskGroup() as group:
            before, after = (group.create_task(_check(binary, side)) for side in (base, head))
    except* ToolFailed as failures:
        raise failures.exceptions[0] from None
    maps = line_maps(change)
    new = new_at_head(change, before.result(), after.result(), maps)
    broken = {one.path for one in after.result() if one.rule == "invalid-syntax"}
    return FindingsAnswer(
        findings=[
            _finding(one, maps.get(one.path))
            for one in new
            if one.rule not in _LEFT_OUT and one.path not in broken and _counts(one, maps, head)
        ]
    )


def _sides(change: Change, base: Path, head: Path) -> tuple[_Side, _Side]:
    """The files to check: the changed ones and all that mention them, the same at both sides."""
    changed = [file for file in change.files if is_python(file.path)]
    paths = {path for file in changed for path in (file.path, file.old_path) if path}
    asked = sorted(paths | set(mentioning(head, paths)))
    if len(asked) > _MOST_LISTED:
        asked = ["."]
    made = []
    for tree in (base, head):
        modules = (module_of(tree, path) for path in sorted(paths) if (tree / path).is_file())
        roots = sorted({module.root for module in modules if module} - {"", "src"})
        made.append(_Side(tree, tuple(path for path in asked if (tree / path).exists()), tuple(roots)))
    return made[0], made[1]


async def _check(binary: str, side: _Side) -> list[Observation[dict[str, Any]]]:
    if not side.files:
        return []
    with tempfile.TemporaryDirectory(prefix="moa-ty-") as scratch:
        settings = Path(scratch, "ty.toml")
        settings.touch()
        ran = await run_tool(
            [
                *(binary, "check", "--project", ".", "--config-file", str(settings)),
                *("--python", environment(), "--output-format", "gitlab", "--no-progress"),
                *("--exit-zero", "--no-respect-ignore-files"),
                *(part for root in side.roots for part in ("--extra-search-path", root)),
                *("--", *side.files),
            ],
            folder=side.tree,
        )
    try:
        return [one for found in json.loads(ran.stdout) if (one := _observation(found)) is not None]
    except (ValueError, KeyError, TypeError) as error:
        raise ToolFailed(f"ty's output cannot be read: {error!r}") from error


def environment() -> str:
    """The Python environment in which third-party imports are looked up: the active one, else our own."""
    return os.environ.get("VIRTUAL_ENV") or sys.prefix


def _observation(found: dict[str, Any]) -> Observation[dict[str, Any]] | None:
    rule = str(found["check_name"])
    if found["severity"] in ("minor", "info") and rule not in _WARNINGS:
        return None
    place = found["location"]
    message = str(found["description"]).removeprefix(f"{rule}: ")
    return Observation(place["path"], int(place["positions"]["begin"]["line"]), rule, message, found)


def _counts(one: Observation[dict[str, Any]], maps: dict[str, LineMap], head: _Side) -> bool:
    """Whether a new error is the change's: a package that is not installed here is not."""
    if one.rule != "import-not-found" or one.path not in maps or one.line not in maps[one.path].added:
        return True
    named = _MODULE.search(one.message)
    return named is not None and any(_has(head.tree / root, named[1]) for root in ("", "src", *head.roots))


def _has(root: Path, name: str) -> bool:
    return (root / name).is_dir() or (root / f"{name}.py").is_file()


def _finding(one: Observation[dict[str, Any]], lines: LineMap | None) -> Finding:
    body = ""
    touched = lines is not None and one.line in lines.added
    if not touched:
        where = "this file" if lines is None else "this line"
        body = f"The change does not touch {where}; what it changes elsewhere makes this an error.\n\n"
    return Finding(
        path=one.path,
        start_line=one.line,
        line=one.line,
        severity="major" if one.rule in _FAILS or not touched else "minor",
        category="types",
        title=one.message.rstrip("."),
        body=f"{body}[{one.rule}](https://docs.astral.sh/ty/reference/rules/#{one.rule})",
        rule=one.rule,
    )

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
from review_bot.reviewers.roles import is_python, is_test
from review_bot.reviewers.tool import ToolFailed, run_tool
from review_bot.subject import ReviewSubject

#: When more files than this depend on the change, they are not listed: the whole tree is checked.
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

_SHAKY = re.compile(r"\bUnknown\b|\w[@']\w")
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
        return FindingsAnswer(note=trees.extra.get("why", "the files around it are not known"))
    maps = line_maps(change)
    head = await asyncio.to_thread(_head, change, Path(trees.head))
    after = await _check(binary, head)
    before = await _check(binary, _base(change, Path(trees.base), {one.path for one in after}))
    new = new_at_head(change, before, after, maps)
    broken = {one.path for one in after if one.rule == "invalid-syntax"}
    return FindingsAnswer(
        findings=[
            _finding(one, maps.get(one.path))
            for one in new
            if one.path not in broken and _counts(one, maps, head)
        ]
    )


def _head(change: Change, tree: Path) -> _Side:
    """The changed files and all that mention them."""
    paths = {path for file in change.files for path in (file.path, file.old_path) if path and is_python(path)}
    asked = sorted(paths | set(mentioning(tree, paths)))
    return _side(tree, asked if len(asked) <= _MOST_LISTED else ["."], paths)


def _base(change: Change, tree: Path, paths: set[str]) -> _Side:
    """The same files as they were, so far as head has something to say of them."""
    old = {file.path: file.old_path or file.path for file in change.files}
    asked = {old.get(path, path) for path in paths}
    return _side(tree, sorted(asked), set(old.values()))


def _side(tree: Path, asked: list[str], changed: set[str]) -> _Side:
    modules = (module_of(tree, path) for path in changed if is_python(path) and (tree / path).is_file())
    roots = {module.root for module in modules if module} - {"", "src"}
    return _Side(tree, tuple(path for path in asked if (tree / path).exists()), tuple(sorted(roots)))


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
    """Whether a new error is the change's and to be relied on.

    It is not where a package is missing here (`Unknown`), where type variables are compared (`T@f`,
    `T'return`), and in tests, few of which are annotated, unless the line fails when it runs.
    """
    if one.rule in _LEFT_OUT or _SHAKY.search(one.message):
        return False
    if is_test(one.path) and one.rule not in _FAILS:
        return False
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

"""The `ty` reviewer: type errors that base did not have, in changed files and in those that depend on them.

An error on a line that the change did not touch is the most valuable kind: the change broke a caller.
ty runs no code and has no plug-ins; its settings are ours, not those of the change.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moa_engine.errors import Refused
from review_bot.change import Change
from review_bot.finding import Finding, FindingsAnswer
from review_bot.reviewers.environment import environment
from review_bot.reviewers.interface import changed_names
from review_bot.reviewers.modules import mentioning, module_of
from review_bot.reviewers.novelty import LineMap, Observation, line_maps, new_at_head
from review_bot.reviewers.roles import has_lone_returns, is_python, is_shipped, is_test
from review_bot.reviewers.tool import ToolFailed, run_tool
from review_bot.subject import ReviewSubject

#: When more files than this depend on the change, they are not listed: the whole tree is checked.
_MOST_LISTED = 500

#: Lesser findings of one rule in one file that are listed one by one.
_MOST_ALIKE = 3

#: What is not reported: ruff's part, or a matter of annotations alone.
_LEFT_OUT = frozenset(
    {
        "unresolved-reference",
        "invalid-syntax",
        "invalid-syntax-in-forward-annotation",
        "io",  # Python itself reads files that are not UTF-8, if they say what they are
        "invalid-implicit-return-in-function-with-stub-body",
        "invalid-parameter-default",
        "missing-slot",
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
        "not-callable",
        "parameter-already-assigned",
        "positional-only-parameter-as-kwarg",
        "too-many-positional-arguments",
        "unknown-argument",
        "unused-awaitable",
    }
)

#: A missing foreign package, a type variable, an `__init__` that a decorator or a subclass brings, what
#: any function has though not every callable, and a pattern that is known to match.
_SHAKY = re.compile(
    r"\bUnknown\b|\w[@']\w|`object\.__init__`|in union `Match\["
    r"|has no attribute `__(?:name|qualname|module|doc)__`"
)
_MODULE = re.compile(r"module `([^`.]*)")


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
    base, head = Path(trees.base), Path(trees.head)
    names = changed_names(change)
    seen = await _check(binary, await asyncio.to_thread(_head, change, head, names))
    broken = {one.path for one in seen if one.rule == "invalid-syntax"}
    broken |= {file.path for file in change.files if has_lone_returns(file.head_text or "")}
    own = _own_modules(change, base) | _own_modules(change, head)
    after = [one for one in seen if one.path not in broken and _is_dependable(one, own)]
    maps = line_maps(change)
    after = [one for one in after if _counts(one, maps.get(one.path))]
    if not after:
        return FindingsAnswer()
    before = await _check(binary, _base(change, base, {one.path for one in after}))
    new = new_at_head(change, before, after, maps)
    return FindingsAnswer(findings=_folded([_finding(one, maps.get(one.path)) for one in new]))


def _head(change: Change, tree: Path, names: set[str]) -> _Side:
    """The changed files, and all that mention one of the names."""
    paths = {file.path for file in change.files if is_python(file.path)}
    asked = sorted(paths | set(mentioning(tree, names)))
    return _side(tree, asked if len(asked) <= _MOST_LISTED else ["."], paths)


def _base(change: Change, tree: Path, paths: set[str]) -> _Side:
    """Files of which ty has something to say at head, and those that code may have moved from."""
    changed = {file.old_path or file.path for file in change.files if is_python(file.old_path or file.path)}
    return _side(tree, sorted(changed | paths), changed)


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
                *("--exit-zero", "--no-respect-ignore-files", "--python-platform", "all"),
                *(part for root in side.roots for part in ("--extra-search-path", root)),
                *("--", *side.files),
            ],
            folder=side.tree,
        )
    try:
        return [one for found in json.loads(ran.stdout) if (one := _observation(found)) is not None]
    except (ValueError, KeyError, TypeError) as error:
        raise ToolFailed(f"ty's output cannot be read: {error!r}") from error


def _observation(found: dict[str, Any]) -> Observation[dict[str, Any]] | None:
    rule = str(found["check_name"])
    if found["severity"] in ("minor", "info") and rule not in _WARNINGS:
        return None
    place = found["location"]
    message = str(found["description"]).removeprefix(f"{rule}: ")
    return Observation(place["path"], int(place["positions"]["begin"]["line"]), rule, message, found)


def _own_modules(change: Change, tree: Path) -> set[str]:
    """Names of the top packages and modules of the import roots that the change touches."""
    roots = {"", "src", *_side(tree, [], {file.path for file in change.files}).roots}
    return {entry.stem for root in roots if (tree / root).is_dir() for entry in (tree / root).iterdir()}


def _folded(findings: list[Finding]) -> list[Finding]:
    """The findings; many lesser ones of one rule in one file become one that names the lines."""
    alike: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.severity == "minor":
            alike[finding.path, finding.rule].append(finding)
    folded = []
    for finding in findings:
        same = alike[finding.path, finding.rule]
        if finding.severity != "minor" or len(same) <= _MOST_ALIKE:
            folded.append(finding)
        elif finding is same[0]:
            others = ", ".join(str(other.line) for other in same[1:])
            body = f"The same goes, in other words, for these lines: {others}.\n\n{finding.body}"
            folded.append(finding.model_copy(update={"body": body}))
    return folded


def _is_dependable(one: Observation[dict[str, Any]], own: set[str]) -> bool:
    """Whether an error says something of the code rather than of ty or of this machine."""
    if one.rule in _LEFT_OUT or _SHAKY.search(one.message):
        return False
    if one.rule == "import-not-found":
        named = _MODULE.search(one.message)
        return named is not None and named[1] in own | {""}
    return True


def _counts(one: Observation[dict[str, Any]], lines: LineMap | None) -> bool:
    """Whether an error is worth a reader's time where it stands.

    What fails when it runs is, anywhere: a change can break a caller that it does not touch. The rest
    is, on touched lines of code that is shipped. Tests call what they test wrongly on purpose, and
    what else is wrong with one shows when it runs, except that a coroutine nobody awaits lets it pass.
    """
    touched = lines is not None and one.line in lines.added
    if touched and is_test(one.path):
        return one.rule == "unused-awaitable"
    return one.rule in _FAILS or (touched and is_shipped(one.path))


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
        severity="major" if one.rule in _FAILS else "minor",
        category="types",
        title=one.message.rstrip("."),
        body=f"{body}[{one.rule}](https://docs.astral.sh/ty/reference/rules/#{one.rule})",
        rule=one.rule,
    )

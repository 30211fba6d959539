"""The `tests` reviewer: Python tests that a change takes away or weakens while it changes what they test.

It parses in the event loop's thread, like `interface`, and for the same reason.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from review_bot.change import ChangedFile, Side
from review_bot.finding import Finding, FindingsAnswer, Severity
from review_bot.reviewers.novelty import LineMap, line_maps
from review_bot.reviewers.roles import is_python, is_test
from review_bot.subject import ReviewSubject

_CHECKS = re.compile(r"assert|^(?:raises|fail|check|verify|expect|should)|^_?(?:check|verify)_")
_WARNS = frozenset({"warns", "deprecated_call"})  # a check, but one that may go when nothing warns any more
_SKIPS = frozenset({"skip", "skipTest", "xfail", "expectedFailure"})  # skipif and the like have a condition
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class _Test:
    """One test function at one side."""

    name: str  #: with its class: `TestX.test_y`
    line: int  #: of its `def`
    checks: bool  #: it asserts something
    skipped: bool
    names: frozenset[str]  #: every name and attribute in it

    @property
    def bare(self) -> str:
        return self.name.rpartition(".")[2]


async def review(subject: ReviewSubject) -> FindingsAnswer:
    """Tests that are gone, switched off, or no longer assert anything."""
    change = subject.change
    test_files = [file for file in change.files if is_python(file.path) and is_test(file.path)]
    sources = [file for file in change.files if is_python(file.path) and not is_test(file.path)]
    if not any(file.base_text is not None for file in test_files):
        return FindingsAnswer(note="no Python test that was there before is changed")
    maps = line_maps(change)
    both = [(file, _tests(file.base_text), _tests(file.head_text)) for file in test_files]
    findings: list[Finding] = []
    for file, before, after in both:
        if before is None or after is None:
            continue  # Python cannot parse it: ruff says so
        findings += _weakened(file, before, after)
        if any(source.base_text != source.head_text for source in sources):
            elsewhere = {test.bare for _, _, tests in both for test in tests or ()}
            findings += _gone(file, before, after, elsewhere, _vanished(sources), maps[file.path])
    return FindingsAnswer(findings=findings)


def _tests(text: str | None) -> list[_Test] | None:
    """The tests of a file, in order; None if Python cannot parse it."""
    if text is None:
        return []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return list(_functions(tree.body, ""))


def _functions(body: list[ast.stmt], prefix: str) -> Iterator[_Test]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{prefix}{node.name}.")
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield _described(node, prefix)


def _described(node: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str) -> _Test:
    names: set[str] = set()
    checks = False
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name):
            names.add(inner.id)
        elif isinstance(inner, ast.Attribute):
            names.add(inner.attr)
        elif isinstance(inner, ast.Assert):
            checks = checks or not isinstance(inner.test, ast.Constant)
        if isinstance(inner, ast.Call):
            called = inner.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            checks = checks or _CHECKS.search(name) is not None
    return _Test(f"{prefix}{node.name}", node.lineno, checks, _is_off(node), frozenset(names))


def _is_off(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a decorator, or a call outside of any `if`, switches it off without a condition."""
    calls = [statement.value for statement in node.body if isinstance(statement, ast.Expr)]
    for one in (*node.decorator_list, *(call for call in calls if isinstance(call, ast.Call))):
        called = one.func if isinstance(one, ast.Call) else one
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        conditional = (
            name == "xfail" and isinstance(one, ast.Call) and bool(one.args) and one in node.decorator_list
        )
        if name in _SKIPS and not conditional:
            return True
    return False


def _weakened(file: ChangedFile, before: list[_Test], after: list[_Test]) -> Iterator[Finding]:
    known = {test.name: test for test in before}
    for test in after:
        old = known.get(test.name)
        if old is None:
            continue
        if old.checks and not test.checks and test.names.isdisjoint(_WARNS):
            yield _finding(
                file, test.line, "major", "checks-nothing", f"`{test.bare}` no longer checks anything",
                "It asserted something before. Now it passes as long as nothing raises.",
            )  # fmt: skip
        if test.skipped and not old.skipped:
            yield _finding(
                file, test.line, "minor", "switched-off", f"`{test.bare}` is switched off",
                "It ran before. Say in its reason what has to happen before it runs again.",
            )  # fmt: skip


def _gone(
    file: ChangedFile,
    before: list[_Test],
    after: list[_Test],
    elsewhere: set[str],
    vanished: frozenset[str],
    lines: LineMap,
) -> Iterator[Finding]:
    """Tests whose subject is still there and that no other test took the place of."""
    gone = [test for test in before if test.bare not in elsewhere and test.names.isdisjoint(vanished)]
    fresh = {test.name for test in after} - {test.name for test in before}
    if len(gone) <= len(fresh):
        return
    if len(gone) == 1:
        what = f"`{gone[0].bare}` was removed"
        body = "What it tests is still there, and no other test took its place."
    else:
        what = f"{len(gone)} tests were removed"
        named = ", ".join(f"`{test.bare}`" for test in gone[:_MOST_NAMED])
        more = f" and {len(gone) - _MOST_NAMED} more" if len(gone) > _MOST_NAMED else ""
        body = f"{named}{more}: what they test is still there, and no other test took their place."
    line = next((test.line for test in gone if test.line in lines.removed), None)
    title = f"{what} while the code changed"
    yield _finding(file, line, "minor", "removed-tests", title, body, side="LEFT")


def _vanished(sources: list[ChangedFile]) -> frozenset[str]:
    """Names of functions and classes that the change removed from the code."""
    return _defined([file.base_text for file in sources]) - _defined([file.head_text for file in sources])


def _defined(texts: list[str | None]) -> frozenset[str]:
    found: set[str] = set()
    for text in texts:
        found.update(re.findall(r"^\s*(?:async\s+def|def|class)\s+(\w+)", text or "", re.MULTILINE))
    return frozenset(found)


def _finding(
    file: ChangedFile,
    line: int | None,
    severity: Severity,
    rule: str,
    title: str,
    body: str,
    *,
    side: Side = "RIGHT",
) -> Finding:
    return Finding(
        path=file.path,
        side=side,
        start_line=line,
        line=line,
        severity=severity,
        category="tests",
        title=title,
        body=body,
        rule=rule,
    )

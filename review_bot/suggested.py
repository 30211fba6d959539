"""Tests that `pytest --moa` suggested for this change, as part of a review: read from its report.

Nothing is run here: the report says what each test showed when it was. Where a test goes is taken from the
report as well, but only if the file at head is still the one that the report has seen.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from moa_engine.errors import ConfigError, MoaError
from moa_engine.printable import one_line

if TYPE_CHECKING:
    from pytest_moa.placing.placing import Change as Placed
    from pytest_moa.suggestions import Suggestion, Suggestions
    from review_bot.change import Change, Trees


class Edit(BaseModel):
    """Lines of a file at head, both included, and the text that replaces them (no newline at its end)."""

    model_config = ConfigDict(frozen=True)

    start_line: int
    line: int
    text: str


class SuggestedTest(BaseModel):
    """A test worth adding, with what it showed when it was run."""

    model_config = ConfigDict(frozen=True)

    id: str
    target: str = Field(description="module:qualname of the function that it tests")
    path: str = Field(description="the test file that it goes into")
    creates: bool = Field(description="whether that file does not exist at head")
    says: str = Field(description="the behaviour that it holds")
    test: str = Field(description="its source, as it will stand in the file")
    edits: list[Edit] = Field(description="what adding it alone does to the file; none for a new file")
    kills: int = Field(description="mutants that it kills and no test at head does")
    branches: int = Field(description="branches that it takes and no test at head does")
    proposed_by: list[str]
    hardened_by: list[str]
    disputed_by: list[str]


class SuggestedTests(BaseModel):
    """All of them, and what adding all of them does, as one patch for `git apply`."""

    model_config = ConfigDict(frozen=True)

    tests: list[SuggestedTest] = Field(default_factory=list)
    patch: str = ""
    notes: list[str] = Field(default_factory=list, description="which have no place at head, and why")


def read_suggested(report: Path, change: Change, trees: Trees, mask: Callable[[str], str]) -> SuggestedTests:
    """The tests of a report of `pytest --moa --moa-report FILE`, each with its place at head.

    Raises:
        ConfigError: the report is none, or head's files are not known.
    """
    from pytest_moa.suggestions import Suggestions

    try:
        found = Suggestions.from_json(report.read_bytes())
    except OSError as error:
        raise ConfigError(f"--suggestions {report} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise ConfigError(
            f"--suggestions {report} is no report of pytest --moa: {one_line(str(error).splitlines()[0])}",
            hint="pytest --moa --moa-report FILE writes one",
        ) from error
    if trees.head is None:
        raise ConfigError(f"--suggestions needs the files at head: {trees.extra.get('why', 'not known')}")
    return _placed(found, Path(trees.head), _folder(found, change, Path(trees.head)), mask)


def _folder(found: Suggestions, change: Change, head: Path) -> str:
    """The folder, in the repository, that pytest ran in: "" for its root, else with a slash at its end."""
    targets = {outcome.target.path for outcome in found.targets}
    changed = [file.path for file in change.files]
    folders = {path.removesuffix(target) for path in changed for target in targets if path.endswith(target)}
    fitting = [one for one in folders if all((head / one / target).is_file() for target in targets)]
    return min((one for one in fitting if not one or one.endswith("/")), key=len, default="")


def _placed(found: Suggestions, head: Path, folder: str, mask: Callable[[str], str]) -> SuggestedTests:
    from pytest_moa.placing.placing import Placing
    from pytest_moa.placing.test_files import TestTree
    from pytest_moa.placing.writing import digest

    placing = Placing(TestTree(head / folder))
    tests: list[SuggestedTest] = []
    notes: list[str] = []
    together: dict[str, Placed] = {}
    for one in found.suggestions:
        try:
            alone = placing.change(one.file, [one.candidate])
            if digest(alone.before) != one.file_digest:
                raise ConfigError("the file at head is not the one that it was suggested for")
            together[one.file] = placing.change(one.file, [one.candidate], together.get(one.file))
        except MoaError as error:
            notes.append(one_line(mask(f"{one.candidate.name} for {one.file or 'no file'}: {error}")))
        else:
            tests.append(_test(one, alone, folder, mask))
    patch = "".join(placed.diff(folder) for placed in together.values())
    return SuggestedTests(tests=tests, patch=mask(patch), notes=notes)


def _test(one: Suggestion, placed: Placed, folder: str, mask: Callable[[str], str]) -> SuggestedTest:
    return SuggestedTest(
        id=one.id,
        target=one.candidate.target,
        path=f"{folder}{one.file}",
        creates=placed.before is None,
        says=mask(one.says or one.candidate.says),
        test=mask(placed.added.get(one.id, one.candidate.source)),
        edits=[edit.model_copy(update={"text": mask(edit.text)}) for edit in _edits(placed)],
        kills=len(one.facts.kills),
        branches=len(one.facts.branches),
        proposed_by=list(one.proposed_by),
        hardened_by=list(one.hardened_by),
        disputed_by=list(one.disputed_by),
    )


def _edits(placed: Placed) -> Iterator[Edit]:
    """What differs, as replacements of whole lines: an insertion goes with the line before it."""
    if not placed.before:
        return
    before, after = (side.decode(errors="replace").splitlines() for side in (placed.before, placed.after))
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    for kind, start, end, new_start, new_end in matcher.get_opcodes():
        if kind == "equal":
            continue
        if start == end and start > 0:
            start, new_start = start - 1, new_start - 1
        elif start == end:
            end, new_end = end + 1, new_end + 1
        yield Edit(start_line=start + 1, line=end, text="\n".join(after[new_start:new_end]))

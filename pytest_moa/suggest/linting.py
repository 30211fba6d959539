"""The chosen tests before the project's linter: what does not pass gives its place to the next best."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_moa.placing.linting import Linter
from pytest_moa.placing.placing import Placing
from pytest_moa.placing.test_files import TestTree
from pytest_moa.suggest.arranging import content_key
from pytest_moa.suggestions import Suggestion, Suggestions

if TYPE_CHECKING:
    from pytest_moa.candidate import Candidate
    from pytest_moa.suggest.task import SuggestTask
    from pytest_moa.suggestions import SuggestRequest

#: How often others are chosen in the place of what did not pass.
_ROUNDS = 4


def linter_of(request: SuggestRequest) -> Linter:
    """Checks tests of a request's targets, in the files where they are likely to be placed."""
    project = request.project
    folders = [
        path.relative_to(request.root).as_posix()
        for path in project.test_paths
        if path.is_dir() and path.is_relative_to(request.root)
    ]
    reaching: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for test in request.existing:
        for name in test.reached:
            reaching[name][test.file] += 1
    return Linter(
        Placing(TestTree(request.root, folders=tuple(folders)), project.python_path),
        {f"{one.module}:{one.qualname}": one for one in request.targets},
        reaching,
    )


def linted(result: Suggestions, task: SuggestTask, linter: Linter) -> Suggestions:
    """The result with tests that pass the linter, as its safe fixes leave them.

    What does not pass is among the candidates with the linter's words. Of a table, the rows go that do not
    pass alone; all, if each does.
    """
    for _ in range(_ROUNDS):
        checked = linter.linted([one.candidate for one in result.suggestions])
        if not checked.complaints:
            return _with_fixes(result, checked.fixed)
        by_id = {one.id: one.candidate for one in result.candidates}
        for suggestion in result.suggestions:
            if why := checked.complaints.get(suggestion.id):
                left_out = _guilty(suggestion, why, by_id, linter)
                task.gaps.left_out.update({content_key(by_id[name]): said for name, said in left_out.items()})
        warnings = result.warnings
        again = task.conclude_again()
        result = replace(again, warnings=tuple(dict.fromkeys((*warnings, *again.warnings))))
    checked = linter.linted([one.candidate for one in result.suggestions])
    kept = tuple(one for one in result.suggestions if one.id not in checked.complaints)
    return _with_fixes(replace(result, suggestions=kept), checked.fixed)


def _guilty(
    suggestion: Suggestion, why: str, by_id: Mapping[str, Candidate], linter: Linter
) -> Mapping[str, str]:
    """Ids of the parts that keep a test from passing, and the linter's words."""
    parts = [by_id[name] for name in suggestion.made_of]
    alone = linter.linted(parts).complaints if len(parts) > 1 else {}
    return alone or dict.fromkeys(suggestion.made_of, why)


def _with_fixes(result: Suggestions, fixed: Mapping[str, Candidate]) -> Suggestions:
    """The result with these tests in the place of those with the ids."""
    suggestions = tuple(
        replace(one, candidate=fixed.get(one.id, one.candidate)) for one in result.suggestions
    )
    candidates = result.candidates
    for old, new in fixed.items():
        candidates = tuple(replace(one, fate=one.fate.replace(old, new.id)) for one in candidates)
    return replace(result, suggestions=suggestions, candidates=candidates)

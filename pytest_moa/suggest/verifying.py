"""The chosen tests once more, as they will be written: executed, and their own kills counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_moa.mutation import Mutant
from pytest_moa.suggest.conclusion import outcomes
from pytest_moa.suggestions import Facts, Observer, Progress, Suggestion, Suggestions

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor
    from pytest_moa.suggest.task import SuggestTask


def verified(
    result: Suggestions, task: SuggestTask, executor: Executor, mutants: Sequence[Mutant], tell: Observer
) -> Suggestions:
    """The result with the arranged tests' own facts.

    One that does not hold as it was arranged is replaced by its parts, which did; where there is no
    time to execute a test again, the facts of its parts stand.
    """

    def told(says: str) -> Callable[[int, int], None]:
        return lambda done, of: tell(Progress(says, done, of, len(result.suggestions)))

    by_id = {one.id: one for one in result.candidates}
    until, executor.deadline = executor.deadline, None  # a check that is cut short says nothing
    suggestions = list(result.suggestions)
    warnings = list(result.warnings)
    for _ in range(2):  # the second time for parts that take the place of a test that did not hold
        executor.check([one.candidate for one in suggestions], told("executing the chosen tests"))
        kept: list[Suggestion] = []
        for suggestion in suggestions:
            facts = executor.facts.get(suggestion.id)
            if facts is None or facts.status == "passes":
                kept.append(suggestion)
                continue
            parts = [by_id[name] for name in suggestion.made_of if name in by_id and name != suggestion.id]
            warnings.append(
                f"{suggestion.candidate.name}: {facts.status} as it was arranged, so its parts stand"
            )
            kept += [
                replace(
                    suggestion,
                    candidate=part.candidate,
                    made_of=(part.id,),
                    facts=Facts(
                        tuple(sorted(set(part.branches) & set(suggestion.facts.branches))),
                        tuple(sorted(set(part.kills) & set(suggestion.facts.kills))),
                        part.seconds,
                    ),
                )
                for part in parts
            ]
        changed = [one.id for one in kept] != [one.id for one in suggestions]
        suggestions = kept
        if not changed:
            break
    executor.deadline = until
    by_mutant = {mutant.id: mutant for mutant in mutants}
    measured = [_measured(one, by_mutant, task, executor, told) for one in suggestions]
    return replace(
        result,
        suggestions=tuple(measured),
        targets=tuple(outcomes(task.briefs, measured)),
        warnings=tuple(warnings),
    )


def _measured(
    suggestion: Suggestion,
    mutants: Mapping[str, Mutant],
    task: SuggestTask,
    executor: Executor,
    told: Callable[[str], Callable[[int, int], None]],
) -> Suggestion:
    """The suggestion with what it kills itself, of what its parts did.

    A single test is the code that was measured, under another name.
    """
    if len(suggestion.made_of) == 1 or executor.late():
        return suggestion
    wanted = [mutants[name] for name in suggestion.facts.kills]
    executor.kills([suggestion.candidate], wanted, told("running mutants once more"))
    facts = executor.facts.get(suggestion.id)
    if facts is None or executor.late():
        return suggestion
    branches = task.gaps.new_branches(suggestion.candidate, facts.branches)
    return replace(
        suggestion,
        facts=Facts(
            tuple(sorted(branch.partition(" ")[2] for branch in branches)),
            tuple(sorted(task.gaps.new_kills(facts.kills))),
            round(facts.seconds, 4),
        ),
    )

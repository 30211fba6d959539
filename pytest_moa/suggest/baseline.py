"""What existing tests reach and kill, before anything is proposed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_moa.mutation import Mutant, mutants_of
from pytest_moa.suggest.brief import Brief
from pytest_moa.suggest.gathering import Gathering, sources_of
from pytest_moa.suggestions import Observer, Progress, Skipped, SuggestRequest
from pytest_moa.target import Target

if TYPE_CHECKING:
    from pytest_moa.running.executor import Executor
    from pytest_moa.running.facts import ExistingTests


@dataclass(frozen=True, slots=True)
class Baseline:
    """The targets as they stand. `open_mutants` are those that no existing test kills."""

    briefs: tuple[Brief, ...]
    open_mutants: tuple[Mutant, ...]
    skipped: tuple[Skipped, ...]
    warnings: tuple[str, ...]

    @classmethod
    def measured(cls, request: SuggestRequest, executor: Executor, until: float, tell: Observer) -> Baseline:
        """Run existing tests, then the mutants of all targets under them, as far as the time allows."""

        def told(says: str) -> Callable[[int, int], None]:
            return lambda done, of: tell(Progress(says, done, of))

        executor.deadline = until
        existing = executor.existing(told("running existing tests"))
        targets: list[Target] = []
        skipped: list[Skipped] = []
        for target in request.targets:
            why = _why_not(target, existing, executor)
            if why:
                skipped.append(Skipped(target.name, why))
            else:
                targets.append(target)
        sources = sources_of(targets, request.project)
        wanted = {(target.module, target.qualname) for target in targets}
        mutants = [
            mutant
            for name, source in sources.items()
            for mutant in mutants_of(source.text, name)
            if (mutant.module, mutant.qualname) in wanted
        ]
        verdicts = executor.kills(None, mutants, told("running mutants under existing tests")).verdicts
        killed = frozenset(mutant.id for mutant in mutants if verdicts[mutant.id].killed)
        gathering = Gathering(request.project, request.existing)
        briefs = [
            gathering.brief(
                target,
                sources[target.module],
                branches=executor.branches[target.module].get(target.qualname, frozenset()),
                reached=_reached(target, request, existing),
                mutants=[
                    mutant
                    for mutant in mutants
                    if (mutant.module, mutant.qualname) == (target.module, target.qualname)
                ],
                killed=killed,
            )
            for target in targets
        ]
        unknown = sum(verdicts[mutant.id].status == "unknown" for mutant in mutants)
        warnings = [f"{unknown} mutants were not run under existing tests in time, and count as surviving"]
        return cls(
            tuple(briefs),
            tuple(mutant for mutant in mutants if mutant.id not in killed),
            tuple(skipped),
            tuple(warnings if unknown else ()),
        )


def _why_not(target: Target, existing: ExistingTests, executor: Executor) -> str:
    """Why nothing can be said about a target, "" if something can."""
    branches = executor.branches[target.module].get(target.qualname)
    if branches is None:
        return "its function is not found in the module as it was imported"
    for test in existing.failing:
        if branches & test.reached.get(target.module, frozenset()):
            return f"a test that covers it fails as it is: {test.nodeid}"
    return ""


def _reached(target: Target, request: SuggestRequest, existing: ExistingTests) -> frozenset[str]:
    """The branches that existing tests take: in this run, or in the user's session."""
    here = frozenset[str]().union(
        *(test.reached.get(target.module, frozenset()) for test in existing.passing)
    )
    return here | frozenset(request.recorded.reached.get(target.name, ()))

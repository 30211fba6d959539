"""From what a session showed to what the suggestion run is asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

import pytest

from pytest_moa.project import Project
from pytest_moa.session.coverage_data import Measured
from pytest_moa.session.options import Options
from pytest_moa.session.recording import Recording
from pytest_moa.session.targets import ranked
from pytest_moa.suggestions import Effort, ReachingTest, Recorded, Skipped, SuggestRequest
from pytest_moa.target import Target

#: Tests that are named when a target is skipped for them.
_NAMED = 2


def request_of(
    config: pytest.Config,
    options: Options,
    effort: Effort,
    project: Project,
    targets: list[Target],
    seen: Recording,
) -> tuple[SuggestRequest, list[Skipped]]:
    """What to ask, and which targets are left out of it."""
    root = config.rootpath
    measured = Measured.of(config)
    by_context = {} if measured is None else measured.reaching(root, targets)
    kept, skipped = _tested_soundly(targets, seen, by_context)
    names = {target.name for target in kept}
    reached: defaultdict[str, set[str]] = defaultdict(set)
    for by_target in seen.reached.values():
        for name, ids in by_target.items():
            reached[name] |= ids
    request = SuggestRequest(
        root=root,
        project=project,
        targets=ranked(kept, seen.branches, reached),
        recorded=Recorded(
            calls=tuple(call for call in seen.calls if call.target in names),
            branches={name: tuple(sorted(ids)) for name, ids in seen.branches.items() if name in names},
            reached={name: tuple(sorted(ids)) for name, ids in reached.items() if name in names},
            coverage={} if measured is None else measured.missed_lines(root, kept),
        ),
        existing=tuple(_existing(seen, names, by_context)),
        max=effort.max,
        seconds=effort.seconds,
        committee=options.committee,
        budget=options.budget,
        workers=effort.workers,
        unsafe=options.unsafe,
        plan=options.plan,
        proposers={
            name: propose
            for brought in config.hook.pytest_moa_proposers(config=config)
            for name, propose in brought.items()
        },
    )
    return request, skipped


def reaching_files(request: SuggestRequest) -> dict[str, dict[str, int]]:
    """How many tests of each file reach each target, by `Target.name` and file."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for test in request.existing:
        for name in test.reached:
            counts[name][test.file] += 1
    return {name: dict(files) for name, files in counts.items()}


def _tested_soundly(
    targets: list[Target], seen: Recording, by_context: Mapping[str, set[str]]
) -> tuple[list[Target], list[Skipped]]:
    """The targets that no failing test and no test marked `moa(skip=True)` reaches."""
    kept: list[Target] = []
    skipped: list[Skipped] = []
    for target in targets:
        tests = {test for test, reached in seen.reached.items() if target.name in reached}
        tests |= by_context.get(target.name, set())
        if marked := sorted(tests & seen.left_out):
            skipped.append(Skipped(target.name, f"{marked[0]} is marked moa(skip=True)"))
        elif failed := sorted(tests & seen.failed):
            more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
            why = f"suite already fails: {', '.join(failed[:_NAMED])}{more}"
            skipped.append(Skipped(target.name, why))
        else:
            kept.append(target)
    return kept, skipped


def _existing(seen: Recording, names: set[str], by_context: Mapping[str, set[str]]) -> list[ReachingTest]:
    found = []
    tests = {*seen.reached, *(test for tests in by_context.values() for test in tests)}
    for test in sorted(tests - seen.failed - seen.left_out):
        reached = {
            name: tuple(sorted(ids)) for name, ids in seen.reached.get(test, {}).items() if name in names
        }
        for name in names:
            if test in by_context.get(name, ()):
                reached.setdefault(name, ())
        if reached:
            file = seen.files.get(test, test.partition("::")[0])
            found.append(ReachingTest(test, file, reached, seen.seconds.get(test, 0.0)))
    return found

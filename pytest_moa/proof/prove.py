"""Compare two versions of a project by running both: the entry of the proof."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from moa_engine.errors import MoaError
from pytest_moa.code import Probes
from pytest_moa.proof.behaviour import BehaviourChange, Proof, Searched, Side, Status, identity
from pytest_moa.proof.campaign import Campaign, Failures
from pytest_moa.proof.changes import ChangedFunction, Entry
from pytest_moa.proof.clock import Clock
from pytest_moa.proof.gathering import Comparison, compared, differing_files, is_source
from pytest_moa.proof.hunting import MOST_TRIED, Hunt
from pytest_moa.proof.kept import change_name
from pytest_moa.proof.questions import OpenQuestion, questions_of
from pytest_moa.proof.replaying import Replayer, tree_of
from pytest_moa.proof.sighting import UNDECLARED, Note
from pytest_moa.proof.snippet import Snippet
from pytest_moa.proof.texts import shortened
from pytest_moa.sandbox import probe

__all__ = [
    "OpenQuestion",
    "ProofUnavailable",
    "ProposedCalls",
    "Sides",
    "open_questions",
    "prove",
    "replay",
]


class ProofUnavailable(MoaError):
    """Nothing can be run: no sandbox works here, or no Python has changed."""


@dataclass(frozen=True, slots=True)
class Sides:
    """The two versions, as plain folders that nobody else changes meanwhile."""

    base: Path
    head: Path


@dataclass(frozen=True, slots=True)
class ProposedCalls:
    """Calls that somebody proposes to try: source of statements whose last one is looked at."""

    function: str  #: "package.module:Class.method"
    calls: tuple[str, ...]
    by: str  #: the proposer's name, for the record


def prove(
    sides: Sides,
    changed: Sequence[str] | None,
    *,
    functions: Sequence[str] | None = None,
    seconds: float = 60,
    workers: int = 2,
    unsafe: bool = False,
    calls: Sequence[ProposedCalls] = (),
    progress: Callable[[str], None] | None = None,
    found: Callable[[BehaviourChange], None] | None = None,
    stop: threading.Event | None = None,
) -> Proof:
    """Search inputs on which head behaves otherwise than base.

    `changed` are paths relative to the trees (None: every Python file that differs); `functions`, as
    "package.module:Class.method", limits the search to those. `unsafe` runs the code also where no
    sandbox works. `found` hears of each change as soon as it is proved, in this thread. A part of the
    `seconds` is kept for proving what was seen. What was found when they are over, or `stop` is set, is
    returned; `notes` say what was seen and could not be proved by then.

    Raises:
        ProofUnavailable: no sandbox works here and not `unsafe`, or no Python file has changed.
    """
    began = time.monotonic()
    confined = _confined(unsafe)
    base, head = tree_of(sides.base), tree_of(sides.head)
    paths = changed if changed is not None else differing_files(base.root, head.root)
    sources = [path for path in paths if is_source(path)]
    if not sources:
        raise ProofUnavailable("no Python code has changed", hint="tests and other files are not compared")
    comparison = compared(base, head, sources)
    if functions is not None:
        comparison.changed = _limited(comparison, functions)
    clock = Clock(began + seconds, stop or threading.Event())
    tell = found or (lambda _: None)
    with Replayer(base, head, confined=confined, workers=workers, clock=clock) as replayer:
        hunt = Hunt(comparison.changed, replayer, clock, progress or (lambda _: None), tell)
        campaign = Campaign(base, head, comparison, hunt, confined=confined, workers=workers)
        campaign.run(_proposed(calls))
    imports = _import_changes(comparison, campaign.failures)
    for change in imports:
        tell(change)
    return Proof(
        (*imports, *sorted(hunt.kept.found, key=lambda one: -one.rank)),
        tuple(_searched(hunt, comparison, campaign.failures)),
        probe().name if confined else "none",
        round(time.monotonic() - began, 2),
        (*campaign.notes, *_notes(hunt, comparison)),
    )


def _confined(unsafe: bool) -> bool:
    if probe().layers:
        return True
    if not unsafe:
        raise ProofUnavailable(
            "no sandbox works on this machine, so no code under review is run",
            hint="--prove=unsafe runs it without one",
        )
    return False


def _limited(comparison: Comparison, functions: Sequence[str]) -> list[ChangedFunction]:
    found = [one for one in comparison.changed if one.name in functions]
    for name in set(functions) - {one.name for one in found}:
        module, _, qualname = name.partition(":")
        found += [one for one in comparison.changed if any(entry.name == name for entry in one.entries)]
        if not any(module == one.module for one in comparison.changed):
            raise ProofUnavailable(f"{name}: its module has not changed")
        path = next(one.path for one in comparison.changed if one.module == module)
        found.append(
            ChangedFunction(
                path, module, qualname, "affected", (1,), True, entries=(Entry(module, qualname),)
            )
        )
    return list({one.name: one for one in found}.values())


def _proposed(calls: Sequence[ProposedCalls]) -> list[Snippet]:
    return [
        Snippet(source, one.function.partition(":")[0], one.function, (one.by,))
        for one in calls
        for source in one.calls
        if _parses(source)
    ]


def _parses(source: str) -> bool:
    try:
        compile(source, "<proposed>", "exec")
    except (SyntaxError, ValueError):
        return False
    return bool(source.strip())


def _import_changes(comparison: Comparison, failures: Failures) -> list[BehaviourChange]:
    """Modules that can be imported at one side only."""
    found = []
    for module in comparison.sources:
        was, now = (failures.base.get(module, ""), failures.head.get(module, ""))
        both = module in comparison.base_modules and module in comparison.head_modules
        if not both or bool(was) == bool(now):
            continue
        sides = [
            Side("not_importable", shortened(one)) if one else Side("returned", "") for one in (was, now)
        ]
        line = next((one.lines[0] for one in comparison.changed if one.module == module), 1)
        path = next((one.path for one in comparison.changed if one.module == module), module)
        text = f"import {module}"
        found.append(
            BehaviourChange(
                id=identity(module, "", text, sides[0], sides[1], "import"),
                path=path,
                module=module,
                qualname="",
                line=line,
                input=text,
                base=sides[0],
                head=sides[1],
                differs="import",
                test="",
                found_by=("import",),
                rank=100 if now else 30,
            )
        )
    return found


def _searched(hunt: Hunt, comparison: Comparison, failures: Failures) -> list[Searched]:
    found = []
    for one in hunt.changed.values():
        tally = hunt.tallies[one.name]
        status: Status = "no difference found"
        why = one.why
        if any(change_name(change) == one.name for change in hunt.kept.found):
            status = "differs"
        elif broken := failures.base.get(one.module) or failures.head.get(one.module):
            status, why = "not comparable", f"cannot be imported: {shortened(broken, 120)}"
        elif one.kind == "removed":
            status, why = "not comparable", "it is not there at head"
        elif one.kind == "added":
            status, why = (
                ("not comparable", "it is not there at base") if not tally.executions else (status, why)
            )
        elif not tally.executions:
            status = "not searched"
            why = "no public caller was found" if not one.entries else "the time was over"
        elif tally.refused > tally.executions / 2:
            status, why = "not comparable", "it needs the network, or something else outside of the sandbox"
        branches, unreached = _branches(one, tally.reached, comparison)
        found.append(
            Searched(
                one.path,
                one.qualname,
                status,
                why,
                tally.executions,
                round(tally.seconds, 2),
                branches,
                one.module,
                unreached,
                tuple(shortened(source, 300) for source in list(tally.tried)[:MOST_TRIED]),
            )
        )
    return found


def _branches(
    function: ChangedFunction, reached: Collection[str], comparison: Comparison
) -> tuple[str, tuple[str, ...]]:
    """How many of a function's branches at base were reached, and the source lines of the others."""
    path = comparison.base_modules.get(function.module)
    if path is None:
        return "", ()
    text = path.read_text(encoding="utf-8")
    every = Probes.of(text, str(path), {function.qualname}).by_function.get(function.qualname, frozenset())
    if not every:
        return "", ()
    missed = [branch for branch in every if f"{function.module} {branch}" not in reached]
    lines = text.splitlines()
    shown = {
        int(branch.partition(":")[0]): f"{lines[int(branch.partition(':')[0]) - 1].strip()}  # {branch}"
        for branch in sorted(missed, key=lambda one: int(one.partition(":")[0]))
    }
    return f"{len(every) - len(missed)} of {len(every)} branches reached", tuple(shown.values())[:12]


def _notes(hunt: Hunt, comparison: Comparison) -> list[str]:
    notes = [f"{path}: {why}" for path, why in comparison.unreadable.items()]
    if hunt.pending:
        seen = [shortened(one.snippet.source, 80) for one in hunt.pending]
        notes.append(f"the time was over before these differences could be proved: {'; '.join(seen[:5])}")
        if len(seen) > 5:
            notes[-1] += f"; and {len(seen) - 5} more"
    if hunt.kept.found:
        del hunt.notes[UNDECLARED]  # it explains why nothing is shown
    return [*notes, *(_counted(count, what) for what, count in hunt.notes.most_common(8))]


def _counted(count: int, what: Note) -> str:
    return f"{count} {what.one if count == 1 else what.many}"


def replay(test: str, sides: Sides, *, unsafe: bool = False, workers: int = 2) -> tuple[bool, bool]:
    """Whether a test passes on base and on head: three times of three, each in a fresh process.

    Raises:
        ProofUnavailable: no sandbox works here and not `unsafe`.
    """
    confined = _confined(unsafe)
    trees = tree_of(sides.base), tree_of(sides.head)
    with Replayer(*trees, confined=confined, workers=workers) as replayer:
        return replayer.whole(test)


def open_questions(sides: Sides, proof: Proof) -> tuple[OpenQuestion, ...]:
    """What proposers of calls need to know of the functions for which no difference was found."""
    return questions_of(sides.base, sides.head, proof)

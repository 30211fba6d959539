"""What `plugin` measures and tells of suites: each generator's, for the same modules, judged the same way."""

from __future__ import annotations

import statistics
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.local_models import local_model
from benchmarks.peers import NoPython
from benchmarks.side_by_side import generators
from benchmarks.side_by_side.comparison import Absent, Cell, Goal, Point, Table
from benchmarks.side_by_side.generators import COVERUP, HYPOTHESIS, MAX_TOKENS, OURS, PYNGUIN, Written
from benchmarks.side_by_side.plugin_speed import Part, at_least
from benchmarks.suites import Module, Suite, environment, unpacked

MUTANTS, RERUNS = 24, 4
WITH_MODEL, WITHOUT = f"{OURS} with the model", f"{OURS} without a model"

Generate = Callable[[Module, Path, dict[str, str]], Written]


@dataclass(frozen=True, slots=True)
class Judged:
    """One generator's suite for one module; no `figures` where it could not run, `written` says why."""

    generator: str
    module: Module
    written: Written
    figures: dict[str, Any] | None

    @property
    def score(self) -> float:
        """The share of mutants that its kept tests kill."""
        if not self.figures:
            return 0.0
        return float(self.figures["killed"] / max(1, self.judged_mutants))

    @property
    def judged_mutants(self) -> int:
        return int(self.figures["mutants"]) if self.figures else 0


def in_equal_time(modules: Sequence[Module], search: float, ends: float) -> list[Judged]:
    """Pynguin, which takes what it takes for that search; ours in that time; the ghostwriter at once."""
    suites = []
    for module in modules:

        def pynguin(module: Module, root: Path, environ: dict[str, str]) -> Written:
            return generators.by_pynguin(module, root, environ, search)

        first = judged(PYNGUIN, module, pynguin, ends)
        took = first.written.seconds if first.figures else 2 * search
        suites += [ours(OURS, module, took, {}, ends), first]
        suites.append(judged(f"{HYPOTHESIS} ghostwriter", module, generators.by_ghostwriter, ends))
    return suites


def with_model(module: Module, model: str, seconds: float, ends: float) -> list[Judged]:
    """Ours with the model, CoverUp for as long as that took, and ours without the model for as long."""
    with local_model(model) as served, tempfile.TemporaryDirectory() as folder:
        # The model is waited for beside the search; what it wrote is executed in the rest of the time.
        variables = generators.moa_toml(Path(folder), served, round(0.75 * seconds))
        with_it = ours(WITH_MODEL, module, seconds, variables, ends)
        took = with_it.written.seconds if with_it.figures else seconds

        def coverup(module: Module, root: Path, environ: dict[str, str]) -> Written:
            return generators.by_coverup(module, root, environ, served, took)

        peer = judged(f"{COVERUP} with the model", module, coverup, ends)
    return [with_it, peer, ours(WITHOUT, module, took, {}, ends)]


def ours(name: str, module: Module, seconds: float, variables: dict[str, str], ends: float) -> Judged:
    def moa(module: Module, root: Path, environ: dict[str, str]) -> Written:
        return generators.by_moa(module, root, {**environ, **variables}, seconds)

    return judged(name, module, moa, ends)


def judged(generator: str, module: Module, generate: Generate, ends: float) -> Judged:
    """Let it write, then judge; mutants that the time `ends` leaves no room for are not counted."""
    with tempfile.TemporaryDirectory() as scratch:
        root = unpacked(module, Path(scratch))
        environ = environment(module, root)
        try:
            written = generate(module, root, environ)
        except (OSError, subprocess.SubprocessError, NoPython) as problem:
            return Judged(generator, module, Written(0, str(problem)), None)
        suite = Suite.of(module, root, environ)
        figures = {
            "kept": suite.kept,
            "broken": suite.broken,
            "lines": sum(len(file.read_text().splitlines()) for file in suite.files),
            "branches": suite.branches(),
            "lint": suite.lint(),
            "flaky": suite.flaky(RERUNS),
            **suite.against_mutants(MUTANTS, ends),
        }
        return Judged(generator, module, written, figures)


def alone_part(suites: list[Judged]) -> Part:
    """What the generators without a model wrote."""
    note = (
        f"{OURS} has as long as Pynguin took, and suggests at most ten tests, as by default. Kept are tests "
        "that pass on the module as it is, expected failures included; the others are broken and left out. "
        f"Flaky: of {RERUNS} reruns in other orders and under other hash seeds. Lint: findings of ruff's E, "
        "F and I. The ghostwriter is instant, and writes no assertion where it knows no property: its tests "
        "are for a person to finish."
    )
    goals = []
    mine = [one for one in suites if one.generator == OURS and one.figures]
    if mine:
        score = 100 * statistics.mean(one.score for one in mine)
        took = " and ".join(f"{one.written.seconds:.0f}" for one in mine)
        goals.append(at_least(f"mutants killed, no model; asked in 60 s, here {took} s", score, 80, " %"))
        faults = sum(one.figures[key] for one in mine if one.figures for key in ("broken", "flaky", "lint"))
        goals.append(Goal("broken tests, flaky reruns and lint findings", str(faults), "0", faults == 0))
    return _part("Suites written in equal time, no model", suites, note, goals, "Without a model, most")


def model_part(suites: list[Judged]) -> Part:
    """What was written with a local model, and without it in the same time."""
    note = (
        f"Answers of at most {MAX_TOKENS} tokens for both; CoverUp has no option for it, so a driver sets "
        f"it. CoverUp has as long as {OURS} took with the model, and is then interrupted. One run on one "
        "module: a mutant is four points."
    )
    what = "what a small local model adds in equal time, on one module"
    by_name = {one.generator: one for one in suites if one.figures}
    with_it, without = by_name[WITH_MODEL], by_name[WITHOUT]
    if with_it.judged_mutants == without.judged_mutants:
        points = 100 * (with_it.score - without.score)
        goal = Goal(what, f"{points:+.1f} points", "+5 points", points >= 5)
    else:
        goal = Goal(what, "the time ended before all mutants were run", "+5 points", None)
    return _part("Suites written with a local model", suites, note, [goal], "With one, most")


def _part(title: str, suites: list[Judged], note: str, goals: list[Goal], begin: str) -> Part:
    columns = ("module", "generator", "seconds", "mutants killed", "branches taken", "tests kept")
    rows: list[tuple[Cell, ...]] = []
    for one in suites:
        if figures := one.figures:
            killed = f"{figures['killed']} of {figures['mutants']}"
            row = (one.module.name, one.generator, round(one.written.seconds), killed)
            rest = (figures[key] for key in ("kept", "broken", "flaky", "lint", "lines"))
            rows.append((*row, f"{figures['branches']:.0%}", *rest, one.written.note or "-"))
    firsts = []
    for module in dict.fromkeys(one.module for one in suites):
        scores = [one for one in suites if one.module == module]
        best = max(one.score for one in scores)
        names = " and ".join(one.generator for one in scores if one.score == best)
        firsts.append(f"{names} on {module.name} ({best:.0%})")
    return Part(
        f"{begin} mutants were killed by {', '.join(firsts)}.",
        (Table(title, (*columns, "broken", "flaky", "lint", "lines", "said"), tuple(rows), note),),
        tuple(goals),
        scores=tuple(
            Point(one.module.name, f"{one.generator}, {one.module.package}", round(100 * one.score, 1))
            for one in suites
            if one.figures
        ),
        absent=tuple(Absent(one.generator, one.written.note) for one in suites if not one.figures),
    )

"""The search: programs that reach new branches, and then programs that tell mutants from the original."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pytest_moa.code import Probes
from pytest_moa.search.callers import Callers, is_private
from pytest_moa.search.clocks import Clocks
from pytest_moa.search.execution import Facts, Key, Run, Runner, drop_unstable
from pytest_moa.search.following import Following, is_on_the_way
from pytest_moa.search.generation import Generator
from pytest_moa.search.guard import Guard
from pytest_moa.search.program import Program
from pytest_moa.search.rivals import Rivals
from pytest_moa.search.surface import Callee, Surface
from pytest_moa.search.taste import Taste, is_readable, size_of
from pytest_moa.search.variation import Variation

#: Programs remembered for each branch.
MOST_PER_GATE = 16
#: The weight of callees that do not reach what is wanted: they may make arguments.
BESIDE = 0.05
#: The share of functions and objects that are used once more, besides those that reach new branches.
FOLLOWED = 0.5
#: Living mutants that a program which takes no new branch is run against.
MOST_AT_ONCE = 60
#: A mutant that survived more programs than this is run against ever fewer: most such are equivalent.
PATIENT = 100
#: Seconds that the original may take; slower programs make slow tests.
SLOW = 0.08
#: Required parameters of private functions that others reach, if they are called by themselves.
MOST_REQUIRED = 4
#: The share of programs with arguments of another kind than declared that are tried all the same.
DARING = 0.08
#: Characters of a result that are read with ease.
LONG = 40
#: Charges for tests that a reader likes less: of private functions, of errors that nobody raises on purpose.
PRIVATE, ACCIDENTAL = 150, 300
_HOPELESS = (
    "RecursionError",
    "MemoryError",
    "NameError",
    "UnboundLocalError",
    "SyntaxError",
    "IndentationError",
    "ModuleNotFoundError",  # what is installed is no property of the code
)


@dataclass(slots=True, eq=False)
class Known:
    """A program that was run: its repeatable facts, the branches it takes and the mutants it kills."""

    program: Program
    facts: Facts
    hits: frozenset[str]
    raised: bool
    accidental: bool
    seconds: float
    kills: set[str] = field(default_factory=set)
    unfit: set[str] = field(default_factory=set)  #: mutants that it tells apart, but no test can
    cost: float = 0.0  #: how little a reader would like it


class Hunt:
    """One search over one module, in this process."""

    def __init__(
        self,
        surface: Surface,
        generator: Generator,
        runner: Runner,
        probes: Probes,
        rivals: Rivals,
        rng: random.Random,
        guard: Guard | None = None,
    ) -> None:
        self.surface = surface
        self.generator = generator
        self.runner = runner
        self.probes = probes
        self.rivals = rivals
        self.rng = rng
        self.guard = guard or Guard()
        self.variation = Variation(generator)
        self.following = Following(surface, rng)
        self.clocks = Clocks(surface.module)
        self.taste = Taste(surface)
        generator.clocks = self.clocks.read
        self.has_public = any(one.public for one in surface.callees.values())
        self.aims: frozenset[str] | None = None  #: callees that reach what is wanted; None: all
        self.callers = Callers(surface)
        self.private_too = False  #: whether private functions that others reach are called by themselves
        self.hits: set[str] = set()
        self.killers: list[Known] = []
        self.by_gate: dict[str, list[Known]] = defaultdict(list)
        self.tried = 0
        self.executed = 0
        self._survived: dict[str, int] = defaultdict(int)  # programs, by mutant
        self._tries: dict[str, int] = defaultdict(int)  # by mutant
        self._drawn = 0
        self._fruitless: dict[str, int] = defaultdict(int)  # by callee
        self._seen: set[str] = set()

    def consider(self, program: Program | None) -> Known | None:
        """Run a program; remember it if it reaches or kills what nothing before did."""
        if program is None or not program.steps or program.source in self._seen:
            return None
        self._seen.add(program.source)
        misfit = self.is_misfit(program)
        if misfit and self.rng.random() >= DARING:
            return None
        self.tried += 1
        found = self.run_original(program)
        if found is None:
            return None
        program, run, hits, seconds = found
        accident = run.raised is not None and not run.deliberate
        if accident and self.is_inner(program.target):
            return None  # what callers never do
        if accident and not misfit:
            values = {step.name: value for step, value in zip(program.steps, run.values, strict=False)}
            misfit = self.taste.misfit(program, self._callees_in(program), values)
        if misfit and (run.raised is None or accident):
            return None  # nobody promises what happens then
        self._learn(program, run)
        fresh = hits - self.hits
        if run.raised is None and (fresh or is_on_the_way(program) or self.rng.random() < FOLLOWED):
            self.consider(self.following.program(program, run.values[-1]))
        telling = {
            name
            for name in self._reached(hits, thorough=bool(fresh) or self._is_new())
            if self.tells(program, run.facts, name, seconds)
        }
        if not telling and not fresh:
            self._fruitless[program.target] += 1
            self._keep(program, run, hits, seconds, chance=0.05)
            return None
        facts = self.stable(program, run.facts)
        if len(facts) < len(run.facts):
            held = self.clocks.held(program)
            if held is not None:
                self.consider(held)
            telling = {name for name in telling if self.tells(program, facts, name, seconds)}
        self.hits |= fresh
        known = self._known(program, run, facts, hits, seconds)
        self._keep_known(known)
        self.generator.credit(program)
        if telling and facts:
            known.kills = telling
            self.rivals.live -= telling
            self.killers.append(known)
            self._fruitless[program.target] = 0
        return known

    def run_original(self, program: Program) -> tuple[Program, Run, frozenset[str], float] | None:
        """Run with the original code, generators wrapped, cut after an error. None if that is of no use."""
        self.guard.running(f"\0{program.source}")
        for _ in range(3):
            self.probes.clear()
            began = time.process_time()
            run = self.runner.run(program)
            seconds = time.process_time() - began
            self.executed += 1
            if run.timed_out or run.leaks or seconds > SLOW:
                return None
            if run.raised is not None:
                if run.facts["raised", "type"][1] in _HOPELESS or not run.inside:
                    return None
                program = replace(program, steps=program.steps[: run.raised + 1])
                break
            if not run.wraps:
                break
            for index, wrap in run.wraps.items():
                program = program.with_step(index, replace(program.steps[index], wrap=wrap))
        else:
            return None
        if program.steps[-1].role == "world":
            return None
        run.facts = {key: seen for key, seen in run.facts.items() if is_readable(seen)}
        return program, run, frozenset(self.probes.hits), seconds

    def _known(self, program: Program, run: Run, facts: Facts, hits: frozenset[str], seconds: float) -> Known:
        accidental = run.raised is not None and not run.deliberate
        cost = self.cost_of(program) + ACCIDENTAL * accidental
        result = facts.get((len(program.steps) - 1, "{}"))  # what is asserted is to be read, too
        cost += max(0, size_of(result) - LONG)
        return Known(program, facts, hits, run.raised is not None, accidental, seconds, cost=cost)

    def cost_of(self, program: Program) -> float:
        """How little a reader would like a program."""
        callees = self._callees_in(program)
        aimed = callees[-1]
        private = self.has_public and aimed is not None and not aimed.public
        return self.taste.cost(program, callees) + PRIVATE * private

    def is_misfit(self, program: Program) -> bool:
        """Whether an argument is of another kind than declared."""
        return self.taste.misfit(program, self._callees_in(program))

    def _callees_in(self, program: Program) -> list[Callee | None]:
        return [self.generator.callee_of(step, program) for step in program.steps]

    def stable(self, program: Program, facts: Facts) -> Facts:
        """The facts that a second run repeats, also at another time and in a module of another name."""
        facts = drop_unstable(facts, self.runner.run(program).facts)
        with self.clocks.shifted():
            self.runner.name = "others"
            try:
                return drop_unstable(facts, self.runner.run(program).facts)
            finally:
                self.runner.name = "tests"

    def tells(self, program: Program, facts: Facts, name: str, seconds: float) -> bool:
        """Whether the program's facts differ under a mutant."""
        return bool(self.telling(program, facts, name, seconds))

    def telling(self, program: Program, facts: Facts, name: str, seconds: float) -> set[Key]:
        """The facts that differ under a mutant."""
        self.executed += 1
        self.guard.running(f"{name}\0{program.source}")
        with self.rivals.swapped(name):
            other = self.runner.run(program, seconds=min(self.runner.seconds, 0.05 + 20 * seconds))
        if other.facts == facts:
            return set()
        if other.timed_out:
            self.rivals.endless.add(name)
            return set(facts)
        return {key for key in facts if other.facts.get(key) != facts[key]}

    def _is_new(self) -> bool:
        """Whether texts of the code were used for the first time since this was asked last."""
        before, self._drawn = self._drawn, self.generator.drawn
        return self._drawn > before

    def _reached(self, hits: frozenset[str], *, thorough: bool) -> list[str]:
        """Living mutants to try. There can be hundreds of one constant: not all of them each time."""
        found = [name for name in self.rivals.reached(hits) if name in self.rivals.live]
        if not thorough:
            chance, survived = self.rng.random, self._survived
            found = [
                name for name in found if survived[name] < PATIENT or chance() < PATIENT / survived[name]
            ]
            found = self.rng.sample(found, MOST_AT_ONCE) if len(found) > MOST_AT_ONCE else found
        for name in found:
            self._survived[name] += 1
        return found

    def _learn(self, program: Program, run: Run) -> None:
        for step, value in zip(program.steps, run.values, strict=False):
            if run.raised is not None:
                break
            if step.role == "given" and step.callee in self.surface.classes:
                made = self.generator.made[step.callee]
                if step.arguments not in made and len(made) < 12:
                    made.append(step.arguments)
                    made.sort(key=lambda arguments: sum(len(one.value.source) for one in arguments))
            elif step.role == "when" and self.generator.wants_result(value):
                if len(self.stable(program, run.facts)) < len(run.facts):
                    return
                self.generator.note_result(value)

    def _keep(self, program: Program, run: Run, hits: frozenset[str], seconds: float, chance: float) -> None:
        waiting = any(len(self.by_gate[gate]) < 4 for gate in hits)
        if waiting or self.rng.random() < chance:
            self._keep_known(self._known(program, run, run.facts, hits, seconds))

    def _keep_known(self, known: Known) -> None:
        for gate in known.hits:
            kept = self.by_gate[gate]
            if len(kept) < MOST_PER_GATE:
                kept.append(known)
            else:
                kept[self.rng.randrange(len(kept))] = known

    def safe_point(self) -> None:
        """A place to go on from when what comes next hangs; then without the mutant or program that hung."""
        hung = self.guard.safe_point()
        if hung is None:
            return
        name, _, source = hung.partition("\0")
        self.rng.seed(f"{hung} {self.tried}")
        if name:
            self.rivals.forget(name)
        self._seen.add(source)

    def next_program(self) -> Program | None:
        """The next program to try: near to one that reaches a living mutant, or a new one."""
        rng = self.rng
        if rng.random() < 0.6:
            names = self._some_live()
            if names:
                name = min(names, key=lambda one: self._tries[one])
                self._tries[name] += 1
                near = [
                    known for gate in sorted(self.rivals.gates[name]) for known in self.by_gate.get(gate, ())
                ]
                if near:
                    base = min(rng.sample(near, min(rng.choice((1, 2)), len(near))), key=lambda one: one.cost)
                    changed = self.variation.neighbour(base.program)
                    if changed is not None and rng.random() < 0.3:
                        changed = self.variation.neighbour(changed) or changed
                    return changed
                owner = self.rivals.mutants[name].qualname
                callee = self._callee_for(owner)
                if callee is not None and rng.random() < 0.7:
                    return self.generator.program(callee)
        callee = self._some_callee()
        return self.generator.program(callee) if callee else None

    def _some_live(self) -> Sequence[str]:
        live = [name for name in self.rivals.gates if name in self.rivals.live]
        return self.rng.sample(live, min(6, len(live)))

    def is_inner(self, target: str) -> bool:
        """Whether a program aims at something private that public callees lead to."""
        aimed = self.surface.callees.get(target)
        return aimed is not None and not aimed.public and target not in self.callers.alone

    def is_callable(self, callee: Callee) -> bool:
        """Whether a callee is called by itself: private ones if nothing else leads to them, or at the end."""
        few = sum(1 for one in callee.parameters if one.required) <= MOST_REQUIRED
        return callee.public or (self.private_too and few) or callee.qualname in self.callers.alone

    def _callee_for(self, qualname: str) -> Callee | None:
        callees = self.surface.callees
        owner, _, _ = qualname.rpartition(".")
        found = callees.get(qualname) or callees.get(f"{owner}()")
        if found is not None and self.is_callable(found):
            return found
        leading = sorted(self.callers.public_for(qualname))
        return callees[self.rng.choice(leading)] if leading else None

    def _some_callee(self) -> Callee | None:
        callees = [one for one in self.surface.callees.values() if self.is_callable(one)]
        if not callees:
            return None
        live: dict[str, float] = defaultdict(float)
        for name in self.rivals.live:
            live[self.rivals.mutants[name].qualname] += 1
        for qualname, count in list(live.items()):
            leading = self.callers.public_for(qualname) if is_private(qualname) else ()
            for one in leading:
                live[one] += count / len(leading)
        weights = []
        for callee in callees:
            own = live[callee.qualname]
            own += live[f"{callee.owner}.__init__"] * (callee.kind == "constructor")
            base = 1.0 if self.aims is None or callee.qualname in self.aims else BESIDE
            base = base if callee.public or callee.qualname in self.callers.alone else 0.001
            weights.append((base + own) / (1 + self._fruitless[callee.qualname] / 200))
        return self.rng.choices(callees, weights)[0]

    def pool(self, most: int = 160) -> list[Known]:
        """Remembered programs of all branches, each once, the readable first."""
        found = dict.fromkeys(known for kept in self.by_gate.values() for known in kept)
        ordered = sorted(dict.fromkeys([*self.killers, *found]), key=lambda known: known.cost)
        return ordered[:most]


def progress(hunt: Hunt) -> dict[str, Any]:
    """How far the search is."""
    return {
        "programs": hunt.tried,
        "executions": hunt.executed,
        "branches": len(hunt.hits),
        "mutants": len(hunt.rivals.mutants),
        "live": len(hunt.rivals.live),
    }

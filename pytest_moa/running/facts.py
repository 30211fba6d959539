"""What running tests showed: about existing tests, mutants and candidates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_moa.mutation import Mutant

#: "not_covered": no test reaches it; "untrusted": its function's tests fail without any change too;
#: "unknown": the time was up before.
MutantStatus = Literal["killed", "timed_out", "survived", "not_covered", "untrusted", "unknown"]

CandidateStatus = Literal["passes", "fails", "flaky", "broken", "unsafe", "vacuous", "slow"]


@dataclass(frozen=True, slots=True)
class ExistingTest:
    """A test of the project. `reached` holds the branches that it took, by module."""

    nodeid: str
    file: str  #: absolute path
    outcome: Literal["passed", "failed", "skipped"]
    seconds: float
    message: str = ""
    reached: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ExistingTests:
    """The project's tests in the order in which they ran, and the files that could not be collected."""

    tests: tuple[ExistingTest, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)  #: path -> why

    @property
    def failing(self) -> tuple[ExistingTest, ...]:
        """Tests that fail on the code as it is."""
        return tuple(test for test in self.tests if test.outcome == "failed")

    @property
    def passing(self) -> tuple[ExistingTest, ...]:
        """Tests that can kill a mutant."""
        return tuple(test for test in self.tests if test.outcome == "passed")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a mutant. `killers` are node ids (only the first that killed) or ids of candidates."""

    mutant: Mutant
    status: MutantStatus
    killers: tuple[str, ...] = ()
    message: str = ""
    seconds: float = 0.0

    @property
    def killed(self) -> bool:
        """Whether something noticed it; a mutant that never ends is noticed."""
        return self.status in ("killed", "timed_out")


@dataclass(frozen=True, slots=True)
class Kills:
    """Verdicts by mutant id. `untrusted` says, by (module, qualname), why a function's are not given."""

    verdicts: Mapping[str, Verdict]
    untrusted: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def killers(self) -> dict[str, list[str]]:
        """Who killed which mutant, for every mutant that was judged."""
        return {name: list(each.killers) for name, each in self.verdicts.items()}


@dataclass(frozen=True, slots=True)
class CandidateFacts:
    """What executing a candidate showed. `branches` are those that it takes in its target's module."""

    status: CandidateStatus
    message: str = ""
    branches: tuple[str, ...] = ()
    seconds: float = 0.0
    kills: tuple[str, ...] = ()  #: ids of mutants, once `Executor.kills` was asked

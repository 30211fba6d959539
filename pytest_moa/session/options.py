"""The `--moa*` options of one session, checked."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    targets: tuple[str, ...]
    all: bool
    base: str | None
    max: int | None  #: None: as configured, like the next one
    seconds: float | None
    committee: str | None
    budget: float | None
    plan: bool
    unsafe: bool
    accept: bool
    review: bool
    report: Path | None
    fail_under: float | None  #: percent

    @classmethod
    def of(cls, config: pytest.Config) -> Options:
        """The options of a session.

        Raises:
            pytest.UsageError: one has no sense.
        """
        get = config.getoption
        report = get("--moa-report")
        options = cls(
            targets=tuple(get("--moa-target")),
            all=get("--moa-all"),
            base=get("--moa-base"),
            max=get("--moa-max"),
            seconds=get("--moa-seconds"),
            committee=get("--moa-committee"),
            budget=get("--moa-budget"),
            plan=get("--moa-plan"),
            unsafe=get("--moa-unsafe"),
            accept=get("--moa-accept"),
            review=get("--moa-review"),
            report=config.invocation_params.dir / report if report else None,
            fail_under=get("--moa-fail-under"),
        )
        options._check()
        return options

    def _check(self) -> None:
        if self.max is not None and self.max < 1:
            raise pytest.UsageError(f"--moa-max: {self.max} is less than one suggestion")
        if self.seconds is not None and not self.seconds > 0:
            raise pytest.UsageError(f"--moa-seconds: {self.seconds:g} is no time")
        if self.budget is not None and not self.budget >= 0:
            raise pytest.UsageError(f"--moa-budget: {self.budget:g} is no sum of money")
        if self.fail_under is not None and not 0 <= self.fail_under <= 100:
            raise pytest.UsageError(f"--moa-fail-under: {self.fail_under:g} is no percentage")
        if self.accept and self.review:
            raise pytest.UsageError("--moa-accept takes all, --moa-review asks for each: give one of them")
        named = [name for name, given in (("--moa-all", self.all), ("--moa-target", self.targets)) if given]
        if self.base is not None and named:
            raise pytest.UsageError(f"--moa-base says what changed, {named[0]} does not ask what changed")
        if self.report is not None and not os.access(self.report.parent, os.W_OK):
            raise pytest.UsageError(f"--moa-report: nothing can be written into {self.report.parent}")

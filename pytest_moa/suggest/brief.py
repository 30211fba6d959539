"""What is known of a target before anybody proposes a test: its code, its users, its gaps.

Briefs are made once, before the run (`briefs_of`), masked, and kept in the record with the task.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pytest_moa.target import Target

Mask = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no existing test kills; `diff` is the changed line before and after."""

    id: str
    line: int
    diff: str


@dataclass(frozen=True, slots=True)
class Brief:
    """One target.

    `signatures` are parameters of what its tests call, `self` left out, by name: functions, classes for
    their constructors. `around` is what its module has that it uses: imports, constants, helpers, its
    class's head. `callers` are lines that call it, `style` are tests of the project nearest to it.
    `branches` and `mutants` are all ids there are; `reached` and `killed` those that existing tests
    reach and kill.
    """

    target: Target
    source: str
    module_names: tuple[str, ...]
    signatures: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    around: str = ""
    callers: tuple[str, ...] = ()
    style: str = ""
    branches: tuple[str, ...] = ()
    reached: tuple[str, ...] = ()
    mutants: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    survivors: tuple[Survivor, ...] = ()

    @property
    def id(self) -> str:
        """The target as candidates name it."""
        return f"{self.target.module}:{self.target.qualname}"

    @property
    def uncovered(self) -> list[str]:
        """The branches that no existing test takes, in words."""
        missing = [branch for branch in self.branches if branch not in set(self.reached)]
        return [self.in_words(branch) for branch in sorted(missing, key=_line_of)]

    def in_words(self, branch: str) -> str:
        """A branch as people say it: "line 12: `if x > 0:` true"."""
        place, _, what = branch.partition(" ")
        line = _line_of(branch)
        lines = self.source.splitlines()
        inside = line - self.target.first_line
        code = lines[inside].strip() if 0 <= inside < len(lines) else ""
        outcome = re.sub(r"^(if|while|for|elif|enter)\s*", "", what) or what
        return f"line {line}: `{code}` {outcome}" if code else f"{place} {what}"

    def masked(self, mask: Mask) -> Brief:
        """The brief with secrets masked in every text."""
        return replace(
            self,
            source=mask(self.source),
            around=mask(self.around),
            callers=tuple(map(mask, self.callers)),
            style=mask(self.style),
            survivors=tuple(replace(one, diff=mask(one.diff)) for one in self.survivors),
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON data; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Brief:
        """What `to_json` wrote."""
        texts = ("module_names", "callers", "branches", "reached", "mutants", "killed")
        return cls(
            **{
                **data,
                **{name: tuple(data[name]) for name in texts},
                "target": Target(**data["target"]),
                "signatures": {name: tuple(names) for name, names in data["signatures"].items()},
                "survivors": tuple(Survivor(**one) for one in data["survivors"]),
            }
        )


def _line_of(branch: str) -> int:
    found = re.match(r"\d+", branch)
    return int(found[0]) if found else 0

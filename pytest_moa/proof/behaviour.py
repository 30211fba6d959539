"""What a comparison of two versions found: changes of behaviour, and where was looked for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Outcome = Literal["returned", "raised", "timed_out", "crashed", "not_importable"]
Differs = Literal["result", "exception", "arguments", "output", "warnings", "import", "time"]
Status = Literal["differs", "no difference found", "not comparable", "not searched"]

#: Ranks, the worst first: a reader begins at the highest.
RAISES, OTHER, WORSE, TEXT_ONLY = 90, 40, 35, 10
#: Base refused the input too, only by accident: a TypeError that nobody meant.
ACCIDENT = 5


@dataclass(frozen=True, slots=True)
class Side:
    """What one version did with an input.

    `text` is the source or repr of what it returned, or "ValueError: message"; short, without addresses.
    `arguments` says what became of arguments and objects, where the versions differ in that.
    """

    outcome: Outcome
    text: str = ""
    stdout: str = ""
    warnings: tuple[str, ...] = ()
    arguments: str = ""

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Side:
        """The side that `asdict` wrote."""
        return cls(**{**data, "warnings": tuple(data.get("warnings", ()))})


@dataclass(frozen=True, slots=True)
class BehaviourChange:
    """An input on which the two versions differ.

    `id` is what `identity` gives. `path`, `line` (at head) and `qualname` say which changed function it
    was searched for. `input` is source: a call or a short program. `test` is a whole pytest module that
    passes on base and fails on head; "" only where `differs` is "import". `found_by` names proposers.
    `rank` is higher for what is more likely a regression.
    """

    id: str
    path: str
    module: str
    qualname: str
    line: int
    input: str
    base: Side
    head: Side
    differs: Differs
    test: str
    found_by: tuple[str, ...] = ()
    rank: int = OTHER

    def to_json(self) -> dict[str, Any]:
        """As JSON data; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BehaviourChange:
        """The change that `to_json` wrote."""
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        known.update(base=Side.from_json(data["base"]), head=Side.from_json(data["head"]))
        return cls(**{**known, "found_by": tuple(data.get("found_by", ()))})


def identity(module: str, qualname: str, input: str, base: Side, head: Side, differs: Differs) -> str:
    """Eight hex digits over an input and what both sides did; the same in every run that finds it."""
    told = [module, qualname, input, base.text, head.text, differs]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Searched:
    """What became of one changed function. `why` is for people.

    `branches` is such as "5 of 6 branches reached", "" where that is not known; `unreached` are the source
    lines of the others, at base. `tried` are some of the inputs, as source.
    """

    path: str
    qualname: str
    status: Status
    why: str = ""
    executions: int = 0  #: programs that were run on both sides
    seconds: float = 0.0
    branches: str = ""
    module: str = ""
    unreached: tuple[str, ...] = ()
    tried: tuple[str, ...] = ()

    @property
    def function(self) -> str:
        """As "package.module:Class.method"."""
        return f"{self.module}:{self.qualname}"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Searched:
        """What `asdict` wrote."""
        lists = {name: tuple(data.get(name, ())) for name in ("unreached", "tried")}
        return cls(**{**data, **lists})


@dataclass(frozen=True, slots=True)
class Proof:
    """All that a comparison found. `mechanism` confined the code; `notes` are sentences for people."""

    changes: tuple[BehaviourChange, ...] = ()
    searched: tuple[Searched, ...] = ()
    mechanism: str = ""
    seconds: float = 0.0
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As JSON data; `from_json` reads it back."""
        return {
            "changes": [change.to_json() for change in self.changes],
            "searched": [asdict(one) for one in self.searched],
            "mechanism": self.mechanism,
            "seconds": self.seconds,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Proof:
        """The proof that `to_json` wrote."""
        return cls(
            changes=tuple(BehaviourChange.from_json(one) for one in data["changes"]),
            searched=tuple(Searched.from_json(one) for one in data["searched"]),
            mechanism=data["mechanism"],
            seconds=data["seconds"],
            notes=tuple(data["notes"]),
        )

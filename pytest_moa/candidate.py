"""A proposed test: one test function with all that it needs, before and after it was executed.

No pydantic here: candidates are also made inside warm processes, which import nothing heavy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Case:
    """A candidate that calls one thing and looks at what comes back, taken apart.

    `setup` are statements before the call, `call` is the call's source, and the outcome is either a
    value ("returns": `expected` is its source) or an exception ("raises": `expected` is the source of
    its type, `match` a text that its message contains, "" for any). Cases that differ in nothing but
    their arguments can become one parametrised test.
    """

    callee: str  #: source of what is called, such as "slugify" or "signer.unsign"
    arguments: tuple[tuple[str, str], ...]  #: (keyword or "", source) in order
    outcome: Literal["returns", "raises"]
    expected: str
    match: str = ""
    setup: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()  #: statements after it, such as "assert stack.size == 1"

    @property
    def call(self) -> str:
        """The call as source."""
        written = (f"{name}={source}" if name else source for name, source in self.arguments)
        return f"{self.callee}({', '.join(written)})"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One test function. `source` is all of it, decorators included, at column 0.

    `imports` are single import statements; `support` is source of fixtures, classes or functions that
    the test needs and that no import brings. `says` is the behaviour in a few words.
    """

    target: str  #: "module:qualname"
    name: str  #: of the test function
    source: str
    imports: tuple[str, ...] = ()
    support: str = ""
    says: str = ""
    case: Case | None = None

    @property
    def id(self) -> str:
        """Eight hex digits over what the test does; the same test proposed twice has one id."""
        text = json.dumps([self.target, self.source, self.imports, self.support])
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def module_source(self) -> str:
        """A test module with nothing but this test."""
        parts = ["\n".join(self.imports), self.support.strip("\n"), self.source.strip("\n")]
        return "\n\n\n".join(part for part in parts if part) + "\n"

    def to_json(self) -> dict[str, Any]:
        """As JSON data; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Candidate:
        """The candidate that `to_json` wrote, in this or in another process."""
        case = data.get("case")
        return cls(
            target=data["target"],
            name=data["name"],
            source=data["source"],
            imports=tuple(data.get("imports", ())),
            support=data.get("support", ""),
            says=data.get("says", ""),
            case=None
            if case is None
            else Case(
                callee=case["callee"],
                arguments=tuple((name, source) for name, source in case["arguments"]),
                outcome=case["outcome"],
                expected=case["expected"],
                match=case.get("match", ""),
                setup=tuple(case.get("setup", ())),
                checks=tuple(case.get("checks", ())),
            ),
        )

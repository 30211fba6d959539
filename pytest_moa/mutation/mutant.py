"""A mutant: one small change of a module's source, written as the replacement of one piece of its text."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from pytest_moa.code.text import Text, lines_of, text_of

#: Where a mutant acts: in a function that runs after the import, or already while the module is imported.
Scope = Literal["function", "definition"]

#: Lines above and below a change in its diff.
_CONTEXT: Final = 2


@dataclass(frozen=True, slots=True)
class Edit:
    """A replacement by index, before it has a name."""

    start: int
    end: int
    after: str
    operator: str
    qualname: str  #: "" for code of the module itself
    scope: Scope


@dataclass(frozen=True, slots=True)
class Mutant:
    """Lines count from 1, columns from 0 in characters; they say where the replaced text is."""

    id: str
    module: str
    qualname: str  #: of the function, or else of the class, that holds the place; "" for the module
    scope: Scope
    operator: str
    line: int
    column: int
    end_line: int
    end_column: int
    before: str
    after: str

    def to_json(self) -> dict[str, Any]:
        """As JSON data."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Mutant:
        """The mutant that `to_json` wrote."""
        return cls(**data)


def named(edits: Iterable[Edit], text: Text, module: str) -> list[Mutant]:
    """The edits as mutants, in their order.

    An id is made of module, qualname, operator, both texts and how many equal edits came before in that
    function: edits elsewhere, also above it, leave it as it is.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    mutants = []
    for edit in edits:
        before = text.source[edit.start : edit.end]
        what = (module, edit.qualname, edit.operator, before, edit.after)
        seen[what] += 1
        digest = hashlib.sha256("\0".join([*what, str(seen[what])]).encode()).hexdigest()
        line, column = text.place(edit.start)
        end_line, end_column = text.place(edit.end)
        mutants.append(
            Mutant(
                id=digest[:10],
                module=module,
                qualname=edit.qualname,
                scope=edit.scope,
                operator=edit.operator,
                line=line,
                column=column,
                end_line=end_line,
                end_column=end_column,
                before=before,
                after=edit.after,
            )
        )
    return mutants


def mutated_source(source: str, mutant: Mutant) -> str:
    """The module's source with that one change.

    Raises:
        ValueError: the mutant was made for another source.
    """
    text = text_of(source)
    start = text.index(mutant.line, mutant.column)
    end = text.index(mutant.end_line, mutant.end_column)
    if source[start:end] != mutant.before:
        raise ValueError(f"mutant {mutant.id} does not fit: {mutant.module} has changed since it was made")
    return source[:start] + mutant.after + source[end:]


def mutant_diff(source: str, mutant: Mutant, path: str) -> str:
    """The change as a unified diff with two lines of context."""
    from difflib import unified_diff

    before, after = lines_of(source), lines_of(mutated_source(source, mutant))
    # Nothing differs above and below: there is no need to compare it.
    above, below = max(0, mutant.line - 1 - _CONTEXT), len(before) - mutant.end_line - _CONTEXT
    before, after = before[above : len(before) - below], after[above : len(after) - below]
    lines = unified_diff(before, after, f"a/{path}", f"b/{path}", n=_CONTEXT)
    moved = (_moved(line, above) if line.startswith("@@") else line for line in lines)
    return "".join(line if line.endswith("\n") else line + "\n" for line in moved)


def _moved(header: str, down: int) -> str:
    """A hunk's header with its two line numbers so many lines further down."""
    return re.sub(r"([-+])(\d+)", lambda number: f"{number[1]}{int(number[2]) + down}", header)

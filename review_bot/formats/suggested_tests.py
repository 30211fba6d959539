"""Suggested tests in the sentences that the formats for people share: plain lines, as in `wording`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_engine.printable import one_line
from review_bot.formats.wording import counted

if TYPE_CHECKING:
    from review_bot.suggested import SuggestedTest

HEADING = "Suggested tests"

#: What the heading says of them.
ABOUT = "each was run on head and passes; none is in the change"


def place(test: SuggestedTest) -> str:
    """ "tests/test_price.py (new file)"."""
    return one_line(test.path + (" (new file)" if test.creates else ""))


def facts(test: SuggestedTest) -> str:
    """ "kills 3 mutants, takes 1 branch that no test does; proposed by search"."""
    earned = []
    if test.kills:
        earned.append(f"kills {counted(test.kills, 'mutant')}")
    if test.branches:
        earned.append(f"takes {test.branches} {'branch' if test.branches == 1 else 'branches'}")
    parts = [f"{', '.join(earned)} that no test does"] if earned else []
    said = {"proposed": test.proposed_by, "hardened": test.hardened_by, "disputed": test.disputed_by}
    parts += [f"{role} by {', '.join(names)}" for role, names in said.items() if names]
    return one_line("; ".join(parts))

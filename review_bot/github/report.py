"""A review's outcome made ready for being posted: everything of it that others wrote is safe to render."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from review_bot.masking import Mask

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.change import Change
    from review_bot.finding import Review


@dataclass(frozen=True, slots=True)
class Report:
    """What is to be posted: made by `report`. `mask` is asked once more about every finished text."""

    outcome: Outcome[Review]
    change: Change
    mask: Mask


def report(outcome: Outcome[Review], mask: Mask) -> Report:
    """The outcome of a `ReviewTask` without secrets, and without texts that would fill a page.

    `mask` is the run's `Redactor.mask`; teach it GitHub's token and all keys (`learn`) before.
    """
    raise NotImplementedError

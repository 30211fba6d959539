"""The hard cap on what a run may spend: every call reserves its worst case before it is sent."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any

from moa_engine.errors import BudgetExceeded
from moa_engine.prices import cost, dollars

if TYPE_CHECKING:
    from moa_engine.config import Price

#: By how much an estimated number of input tokens is raised for the worst case. The densest of 294
#: Python files had 1.70 characters per token where the estimator assumes 3.5.
INPUT_SAFETY = 2.1

#: Tokens that an endpoint may add to a request: the chat template and the schema of the answer.
ENVELOPE = 1000

#: Tokens of an answer to which no limit is set: what the largest models can write at most.
LONGEST_ANSWER = 131_072


def most_input(estimate: int) -> int:
    """The most input tokens that a request estimated at `estimate` tokens can turn out to have."""
    return ceil(estimate * INPUT_SAFETY) + ENVELOPE


def answer_limit(parameters: Mapping[str, Any]) -> int:
    """The most tokens that an answer can have, from the parameters that are sent with the request."""
    limits = (parameters.get("max_completion_tokens"), parameters.get("max_tokens"))
    return next((limit for limit in limits if isinstance(limit, int)), LONGEST_ANSWER)


def worst_cost(price: Price, prompt_tokens: int, max_tokens: int | None) -> Decimal:
    """USD that one call can cost at most, from the estimated tokens of its prompt.

    `max_tokens` is the limit that is sent with the request; None counts as `LONGEST_ANSWER`.
    """
    return cost(price, most_input(prompt_tokens), LONGEST_ANSWER if max_tokens is None else max_tokens)


class Reservation:
    """Money set aside for one call. The first of `settle` and `release` decides; more do nothing."""

    def __init__(self, budget: Budget, worst: Decimal) -> None:
        self.worst = worst
        self._budget = budget
        self._open = True

    def settle(self, actual: Decimal | None) -> None:
        """The call was sent and cost `actual`; None when nobody knows, which spends all of it."""
        self._close(self.worst if actual is None else actual)

    def release(self) -> None:
        """Nothing was sent."""
        self._close(Decimal(0))

    def _close(self, spent: Decimal) -> None:
        with self._budget._lock:
            if self._open:
                self._open = False
                self._budget._reserved -= self.worst
                self._budget._spent += spent


class Budget:
    """What one run may spend, in USD; shared by all members, retries, hedges and repairs.

    Without a limit it only counts. As long as no call costs more than was reserved for it, `spent`
    cannot exceed `limit`.
    """

    def __init__(self, limit: Decimal | None = None) -> None:
        self.limit = limit
        self._spent = Decimal(0)
        self._reserved = Decimal(0)
        self._lock = threading.Lock()

    @property
    def spent(self) -> Decimal:
        """USD of the calls that are over."""
        return self._spent

    @property
    def reserved(self) -> Decimal:
        """USD set aside for the calls that are under way."""
        return self._reserved

    @property
    def left(self) -> Decimal | None:
        """USD that a new call may reserve; None without a limit."""
        return None if self.limit is None else self.limit - self._spent - self._reserved

    def reserve(self, worst: Decimal) -> Reservation:
        """Set aside what a call can cost at most, before it is sent.

        Raises:
            BudgetExceeded: that is more than is left.
        """
        if worst < 0:
            raise ValueError("a call cannot cost less than nothing")
        with self._lock:
            left = self.left
            if left is not None and worst > left:
                raise BudgetExceeded(
                    f"the next call could cost {dollars(worst)}, more than is left of the budget: "
                    f"{dollars(self.limit)} less {dollars(self._spent)} spent "
                    f"and {dollars(self._reserved)} reserved for calls under way",
                    hint="raise the budget, lower the members' max_tokens, or take fewer members or layers",
                )
            self._reserved += worst
            return Reservation(self, worst)

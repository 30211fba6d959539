"""Estimates, prices and lists as sentences say them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from review_bot.page.text import number, percent, percents, span

Estimate = Mapping[str, float]

#: What is paid with: its name, and that of an axis.
UNITS = {
    "cost_usd": ("money", "USD a case"),
    "seconds": ("time", "seconds a case"),
    "calls": ("calls", "calls a case"),
}


def price(kind: str, value: float) -> str:
    """A price of one case."""
    if kind == "cost_usd":
        return f"${value:.4f}" if value < 0.1 else f"${value:.2f}"
    return f"{value:.3g} s" if kind == "seconds" else f"{value:.3g} {'call' if value == 1 else 'calls'}"


def times(best: Sequence[Mapping[str, Any]], unit: str) -> str:
    """ "4.2 times the money"."""
    first, last = best[0]["price"], best[-1]["price"]
    if not first:
        return f"{unit} where the first takes none"
    return f"{last / first:.3g} times the {unit}" if last > 1.1 * first else f"about the same {unit}"


def estimate(found: Estimate | None) -> str:
    """ "0.42 (0.31 to 0.58)"."""
    return f"{number(found['value'])} ({span(found)})" if found else "not known"


def signed(found: Estimate | None) -> str:
    """A difference: "+0.12 (-0.03 to 0.27)"."""
    if not found:
        return "not known"
    plus = "+" if round(found["value"], 2) > 0 else ""
    return f"{plus}{estimate(found)}"


def share(found: Estimate | None) -> str:
    """ "67 % (40 to 86 %)"."""
    return f"{percent(found['value'])} ({percents(found)})" if found else "not known"


def names_of(names: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))

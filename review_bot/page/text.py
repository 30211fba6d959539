"""Words and figures as pages show them: filters of the templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moa_engine.printable import printable
from review_bot.formats.links import spelled_out
from review_bot.formats.wording import counted, money

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["counted", "duration", "money", "number", "percent", "percents", "prose", "span"]

_CODE = re.compile(r"\n*```[^\n`]*\n(.*?)\n?```\n*|`([^`\n]+)`", re.DOTALL)

MINUS = "\N{MINUS SIGN}"


def prose(text: str) -> Markup:
    """What a member wrote: paragraphs as they are, and code that it marked as code. Nothing else."""
    from markupsafe import Markup, escape

    text = spelled_out(printable(text.strip()))
    made = Markup()
    end = 0
    for found in _CODE.finditer(text):
        made += escape(text[end : found.start()])
        block, inline = found.groups()
        if inline is None:
            made += Markup('<code class="block">{}</code>').format(block)
        else:
            made += Markup("<code>{}</code>").format(inline)
        end = found.end()
    return made + escape(text[end:])


def expandtabs(line: str) -> str:
    """Code with its tabs as blanks, since a line's number stands before it."""
    return line.expandtabs(4)


def number(value: float | None, digits: int = 2) -> str:
    """A figure, or a dash where there is none."""
    if value is None:
        return "\N{EN DASH}"
    shown = f"{value:.{digits}f}"
    if float(shown) == 0:
        shown = shown.lstrip("-")
    return shown.replace("-", MINUS)


def span(estimate: Mapping[str, Any] | None, digits: int = 2) -> str:
    """ "0.31 to 0.58": where 95 of 100 studies would have it."""
    if not estimate or estimate.get("low") is None or estimate.get("high") is None:
        return ""
    return f"{number(estimate['low'], digits)} to {number(estimate['high'], digits)}"


def percent(value: float | None) -> str:
    """ "42 %", or a dash."""
    return "\N{EN DASH}" if value is None else f"{100 * value:.0f}\N{NO-BREAK SPACE}%"


def percents(estimate: Mapping[str, Any]) -> str:
    """ "31 to 58 %"."""
    low, high = (f"{100 * estimate[end]:.0f}" for end in ("low", "high"))
    return f"{low} to {high}\N{NO-BREAK SPACE}%"


def duration(seconds: float | None) -> str:
    """A time, as people say it."""
    if seconds is None:
        return "\N{EN DASH}"
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"

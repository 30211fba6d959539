"""A review's outcome, written out: one module for each format, all pure functions.

Each module is imported only when its format is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast, get_args

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.finding import Review
    from review_bot.review_task import ReviewTask

Format = Literal["text", "json", "sarif", "rdjson", "markdown", "html"]
FORMATS: tuple[Format, ...] = get_args(Format)

#: Columns of text output where no terminal says otherwise.
WIDTH = 100


def render(outcome: Outcome[Review], format: str, *, width: int = WIDTH, colour: bool = False) -> str:
    """The outcome of a `ReviewTask` in one of `FORMATS`, ended by a newline.

    `width` (columns, 20 at least) and `colour` (ANSI) are for "text" alone.

    Raises:
        ValueError: no such format.
        PageMissing: what "html" is made with is not installed.
    """
    change = cast("ReviewTask", outcome.task).change
    match format:
        case "text":
            from review_bot.formats import as_text

            return as_text.render(outcome, change, width=width, colour=colour)
        case "json":
            from review_bot.formats import as_json

            return as_json.render(outcome, change)
        case "sarif":
            from review_bot.formats import as_sarif

            return as_sarif.render(outcome, change)
        case "rdjson":
            from review_bot.formats import as_rdjson

            return as_rdjson.render(outcome, change)
        case "markdown":
            from review_bot.formats import as_markdown

            return as_markdown.render(outcome, change)
        case "html":
            from review_bot.page import review_page

            return review_page.render(outcome, change)
    raise ValueError(f"no such format: {format!r}; known are {', '.join(FORMATS)}")

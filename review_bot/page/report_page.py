"""A report: results of `moa bench`, and runs of the record, on one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from review_bot.page.rendering import render_page


def render(parts: Sequence[Mapping[str, Any]]) -> str:
    """One HTML document with these parts, ended by a newline.

    Raises:
        PageMissing: jinja2 is not installed.
    """
    bench = any(part["kind"] != "runs" for part in parts)
    title = "What this committee is worth" if bench else "What this committee did"
    return render_page("report.html", title=title, parts_shown=parts, version=version("pytest-moa"))

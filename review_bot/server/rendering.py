"""Templates of the page: every text in them is made harmless, whoever wrote it.

Model output, titles, names of branches and files, errors of endpoints: all of it is escaped as HTML by
Jinja, and before that made `printable`, so that nothing hides or turns around what is read.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import quote, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from moa_engine.printable import printable
from review_bot.formats.links import spelled_out
from review_bot.formats.wording import counted, money

_CODE = re.compile(r"```[\w+-]*\n(?P<block>.*?)(?:\n```|\Z)|`(?P<span>[^`\n]+)`", re.DOTALL)
_REPOSITORY = re.compile(r"[A-Za-z0-9._-]+/[A-Za-z0-9._-]+")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


class Links:
    """Addresses on the one GitHub server that is configured; "" where something is not what it must be."""

    def __init__(self, server_url: str) -> None:
        ok = urlsplit(server_url).scheme in ("http", "https")
        self._server = server_url.rstrip("/") if ok else ""

    def pull(self, repository: str, number: int) -> str:
        """The pull request."""
        return self._in(repository, f"pull/{number}") if number else ""

    def commit(self, repository: str, head: str) -> str:
        """A commit."""
        return self._in(repository, f"commit/{head}") if _COMMIT.fullmatch(head) else ""

    def line(self, repository: str, commit: str, path: str, line: int | None) -> str:
        """A line of a file in a commit."""
        if not _COMMIT.fullmatch(commit) or not path.isprintable() or ".." in path.split("/"):
            return ""
        return self._in(repository, f"blob/{commit}/{quote(path)}" + (f"#L{line}" if line else ""))

    def _in(self, repository: str, rest: str) -> str:
        known = self._server and _REPOSITORY.fullmatch(repository)
        return f"{self._server}/{repository}/{rest}" if known else ""


@cache
def environment() -> Environment:
    """The templates."""
    made = Environment(
        loader=PackageLoader("review_bot.server"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(money=money, seconds=seconds, moment=moment, prose=prose, path=_segment)
    made.globals.update(counted=counted, asset=asset)
    return made


def render(template: str, **values: Any) -> str:
    """A page. `now` must be among the values of pages that say how long ago something was."""
    return environment().get_template(template).render(**values)


def static(name: str) -> bytes | None:
    """A file of the folder `static`; None for any other name."""
    return _static_files().get(name)


def asset(name: str) -> str:
    """The address of a static file, another one whenever its content is another."""
    return f"/static/{name}?{hashlib.sha256(_static_files()[name]).hexdigest()[:12]}"


@cache
def _static_files() -> dict[str, bytes]:
    folder = resources.files("review_bot.server") / "static"
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file()}


def _harmless(value: Any) -> Any:
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _segment(text: str) -> str:
    """One part of a path."""
    return quote(text, safe="")


def seconds(value: float | None) -> str:
    """ "42 ms", "0.42 s", "12.3 s", "4 min 12 s", "3 h 20 min", "2 d 4 h"."""
    if value is None:
        return "—"
    if value < 0.1:
        return f"{value * 1000:.0f} ms"
    if value < 1:
        return f"{value:.2f} s"
    if value < 60:
        return f"{value:.1f} s"
    whole = round(value)
    for unit, smaller, size, part in (("d", "h", 86_400, 3600), ("h", "min", 3600, 60), ("min", "s", 60, 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // part} {smaller}"
    return f"{whole} s"


def moment(value: float | None, now: float | None = None) -> Markup:
    """A time (UTC); with `now`, how long ago it was, with the time itself in its tooltip."""
    if value is None:
        return Markup("—")
    at = datetime.fromtimestamp(value, UTC)
    full = f"{at:%Y-%m-%d %H:%M} UTC"
    shown = full if now is None else _ago(now - value)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.isoformat(timespec="seconds"), full, shown
    )


def _ago(past: float) -> str:
    whole = abs(round(past))
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if whole >= size:
            return f"{whole // size} {unit} ago" if past > 0 else f"in {whole // size} {unit}"
    if past < 0:
        return f"in {whole} s" if whole else "now"
    return "just now" if whole < 10 else f"{whole} s ago"


def prose(text: str) -> Markup:
    """What a member wrote, with its code as code; nothing else of Markdown becomes anything."""
    return Markup("").join(_pieces(spelled_out(printable(text.strip()))))


def _pieces(text: str) -> Iterator[Markup]:
    end = 0
    for found in _CODE.finditer(text):
        yield escape(text[end : found.start()])
        end = found.end()
        if found["span"] is not None:
            yield Markup("<code>{}</code>").format(found["span"])
        else:
            yield Markup("<pre>{}</pre>").format(found["block"])
            end += text[end : end + 1] == "\n"
    yield escape(text[end:])

"""Templates filled in: everything foreign escaped, and a file that refers to nothing outside of itself.

Each page forbids itself the network, scripts and any style but its own (Content-Security-Policy), so what
models wrote could do nothing even where escaping had a hole.
"""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from moa_engine.errors import ConfigError
from moa_engine.printable import printable

if TYPE_CHECKING:
    from jinja2 import Environment


class PageMissing(ConfigError):
    """What pages are made with is not installed."""


def render_page(template: str, **values: Any) -> str:
    """One page as text, ended by a newline.

    Raises:
        PageMissing: jinja2 is not installed.
    """
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    from markupsafe import Markup

    page = _environment().get_template(template).render(style=Markup(style), style_digest=digest, **values)  # noqa: S704 (our own file)
    return page.rstrip("\n") + "\n"


def check_installed(*, plots: bool = False) -> None:
    """Refuse before anything is spent on what could not be shown.

    Raises:
        PageMissing: jinja2 is not installed, or lets-plot where there are to be `plots`.
    """
    from importlib.util import find_spec

    needed = {"jinja2": "jinja2"} | ({"lets_plot": "lets-plot"} if plots else {})
    for module, name in needed.items():
        if find_spec(module) is None:
            what = "pages need" if module == "jinja2" else "plots need"
            raise PageMissing(
                f"{what} {name}, which is not installed", hint="pip install 'pytest-moa[report]'"
            )


@cache
def _style() -> str:
    # The text of a style element is taken as it is; white space around it would be part of its digest.
    return (files("review_bot.page") / "templates" / "style.css").read_text("utf-8").strip()


@cache
def _environment() -> Environment:
    check_installed()
    import jinja2

    from review_bot.page import text

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("review_bot.page"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_visible,
    )
    environment.filters |= {
        "expandtabs": text.expandtabs,
        "prose": text.prose,
        "money": text.money,
        "span": text.span,
        "number": text.number,
        "percent": text.percent,
        "percents": text.percents,
        "duration": text.duration,
        "counted": text.counted,
    }
    return environment


def _visible(value: Any) -> Any:
    """What a template shows: control characters, and letters that hide, as escapes."""
    return printable(value) if type(value) is str else value  # Markup has been here

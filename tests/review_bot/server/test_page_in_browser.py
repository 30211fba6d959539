"""The page in a real browser: nothing refused or broken, readable in both schemes and on a phone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert

from review_bot.server.database import run_records
from tests.review_bot.browser import TOO_PALE, browser
from tests.review_bot.server.page_server import PASSWORD, Page, page
from tests.review_bot.server.sample_history import FAILED, STORED, fill

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from playwright.sync_api import Page as Tab

__all__ = ["browser"]

RUN = f"/runs/{STORED.id}"
WIDE = "/runs/wide"
PATHS = ("/", "/runs", "/members", RUN, WIDE, "/runs/none")

#: What sticks out at the right although nothing around it can be scrolled.
OUTSIDE = """() => [...document.querySelectorAll("body *")]
  .filter(one => !one.closest(".scroll, .hidden") && one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    folder: Path = tmp_path_factory.mktemp("page")
    with page(f"sqlite:///{folder / 'server.sqlite'}") as served:
        fill(served.database, time.time())
        _add_run_with_long_words(served)
        yield served


@pytest.fixture
def tab(browser: Browser, shown: Page) -> Iterator[Callable[..., Tab]]:
    """Opens tabs; at the end, nothing may have gone wrong in any."""
    contexts, wrong = [], []

    def opened(path: str = "/?still=1", width: int = 1200, **options: Any) -> Tab:
        context = browser.new_context(
            viewport={"width": width, "height": 800},
            http_credentials={"username": "ops", "password": PASSWORD},
            **options,
        )
        contexts.append(context)
        new = context.new_page()
        new.on("console", lambda said: wrong.append(said.text) if "404" not in said.text else None)
        new.on("pageerror", lambda error: wrong.append(str(error)))
        new.on("requestfailed", lambda request: wrong.append(_why(request)) if _why(request) else None)
        new.on(
            "request",
            lambda request: None if request.url.startswith(shown.url) else wrong.append(request.url),
        )
        new.goto(shown.url + path)
        return new

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def _add_run_with_long_words(shown: Page) -> None:
    """A run in which every word of somebody else's is far wider than a phone."""
    with shown.database.writing() as connection:
        row = connection.execute(run_records.select().where(run_records.c.run == STORED.id)).one()
        document = json.loads(json.dumps(row.document))
        for one in (*document["review"]["findings"], *(item["body"] for item in document["items"])):
            one.update(
                title="w" * 400, body="w" * 900 + "\n```\n" + "c" * 900 + "\n```", path="p/" * 200 + "x.py"
            )
        for one in document["attempts"]:
            one.update(member="m" * 200, model="o" * 200, text="t" * 900)
        document["pull"] = dict.fromkeys(document["pull"], "q" * 300)
        document["review"]["warnings"] = ["z" * 500]
        values = {**row._mapping, "run": "wide", "document": document, "job": "", "started": row.started - 1}
        connection.execute(insert(run_records), values)


def _why(request: Any) -> str:
    """Why something was not loaded; "" where the browser had gone on to another page."""
    failure = request.failure or ""
    return "" if "ERR_ABORTED" in failure else f"{request.url}: {failure}"


def _all_open(tab: Tab) -> None:
    tab.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_can_be_read(tab: Callable[..., Tab], shown: Page, scheme: str) -> None:
    one = tab(color_scheme=scheme)
    for path in PATHS:
        one.goto(shown.url + path)
        _all_open(one)
        assert one.evaluate(TOO_PALE) == [], path
    light = one.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(245, 246, 248)"
    assert light == (scheme == "light")


def test_nothing_is_wider_than_a_phone(tab: Callable[..., Tab], shown: Page) -> None:
    one = tab(width=360)
    for path in PATHS:
        one.goto(shown.url + path)
        _all_open(one)
        assert one.evaluate("document.documentElement.scrollWidth") <= 360, path
        assert one.evaluate(OUTSIDE) == [], path
    one.emulate_media(media="print")
    assert one.evaluate(OUTSIDE) == []


def test_a_failed_review_is_run_again_by_its_button(tab: Callable[..., Tab], shown: Page) -> None:
    one = tab()
    one.get_by_role("button", name="Run again: ada/parcels#209").click()
    one.get_by_role("status").wait_for()
    assert one.get_by_role("status").inner_text() == "The review is queued again."
    assert shown.queue.again == [FAILED]


def test_from_the_overview_to_what_a_member_wrote(tab: Callable[..., Tab]) -> None:
    one = tab()
    one.get_by_role("link", name="Price parcels by started kilograms").click()
    one.get_by_role("link", name="Who said what").click()
    part = one.locator("details.part", has_text="devstral-medium-2").first
    part.locator("summary", has_text="What it wrote").click()
    assert "Express doubles the weight" in part.locator("pre").first.inner_text()
    part.get_by_role("link", name="disputed in finding 5d20fe118b94").first.click()
    assert one.url.endswith("#f-5d20fe118b94")
    assert one.locator("#f-5d20fe118b94").is_visible()


def test_charts_speak_to_who_cannot_see_them(tab: Callable[..., Tab]) -> None:
    one = tab()
    assert "in 14 days; today $" in one.get_by_role("img", name="Cost by day").locator("desc").inner_html()
    assert "opus: " in one.get_by_role("img", name="Seconds of an answer").locator("desc").inner_html()
    one.get_by_text("As a table", exact=True).click()
    assert one.locator("details.table tbody tr").count() == 14

"""The pages in a real browser: nothing is loaded, nothing is cut off, everything can be read and reached."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from review_bot.formats import render as render_review
from review_bot.page.bench_page import bench_part
from review_bot.page.report_page import render
from tests.review_bot.browser import TOO_PALE, browser
from tests.review_bot.page.results import result
from tests.review_bot.page.reviews import proved

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["browser"]

PAGES = ("review", "bench")

#: What sticks out of the window, without what scrolls inside.
SIZES = "() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    (folder / "review.html").write_text(render_review(proved(), "html"), "utf-8")
    long = result(members=("qwen2.5-coder-0.5b-instruct", "smollm2", "llama", "mistral", "ruff", "ty"))
    (folder / "bench.html").write_text(render([bench_part(long, "moa-bench.json", "part1")]), "utf-8")
    return folder


@pytest.fixture
def opened(browser: Browser, files: Path) -> Iterator[Opened]:
    opened = Opened(browser, files)
    yield opened
    opened.close()


class Opened:
    """Opens a page as a reader has it; `asked` is what it tried to load, `told` what the console said."""

    def __init__(self, browser: Browser, files: Path) -> None:
        self._browser, self.files = browser, files
        self._pages: list[Page] = []
        self.asked: list[str] = []
        self.told: list[str] = []

    def __call__(self, name: str, width: int = 1100, scheme: str = "light") -> Page:
        page = self._browser.new_page(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        self._pages.append(page)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.told.append(message.text))
        page.goto((self.files / f"{name}.html").as_uri())
        return page

    def close(self) -> None:
        for page in self._pages:
            page.close()


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_loaded_and_nothing_is_complained_about(opened: Opened, name: str) -> None:
    opened(name)
    assert opened.asked == [(opened.files / f"{name}.html").as_uri()]
    assert opened.told == []  # the page's own policy would complain of any style or script


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_shows_it_without_scrolling_sideways(opened: Opened, name: str, tmp_path: Path) -> None:
    page = opened(name, width=360)
    assert page.evaluate(SIZES) == [360, 360]
    for fold in page.locator("main > details, main section > details").all():
        fold.evaluate("fold => fold.open = true")
    assert page.evaluate(SIZES) == [360, 360]
    page.screenshot(path=tmp_path / f"{name}-phone.png", full_page=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_all_text_has_contrast_in_both_schemes(
    opened: Opened, name: str, scheme: str, tmp_path: Path
) -> None:
    page = opened(name, scheme=scheme)
    page.evaluate("() => document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert page.evaluate(TOO_PALE) == []
    page.evaluate("() => document.querySelector('h1').style.setProperty('color', 'var(--line)')")
    assert len(page.evaluate(TOO_PALE)) == 1  # so the check above sees what it shall
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
    page.screenshot(path=tmp_path / f"{name}-{scheme}.png", full_page=True)


@pytest.mark.parametrize("name", PAGES)
def test_paper_has_no_closed_folds_and_the_light_colours(opened: Opened, name: str) -> None:
    page = opened(name, width=720, scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate(SIZES) == [720, 720]
    heights = page.evaluate(
        "() => [...document.querySelectorAll('details:not(.screen):not(.screen *) > .inside')]"
        ".map(one => one.getBoundingClientRect().height)"
    )
    assert heights
    assert min(heights) > 10
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("name", PAGES)
def test_it_can_be_read_by_keyboard_alone(opened: Opened, name: str) -> None:
    page = opened(name, width=360)
    page.keyboard.press("Tab")
    assert page.evaluate("() => document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]
    page.keyboard.press("Enter")
    assert page.evaluate("() => document.activeElement.id") == "main"
    unreachable = (
        "() => [...document.querySelectorAll('.scroll, .frame')]"
        ".filter(one => one.scrollWidth > one.clientWidth && (one.tabIndex !== 0 || !one.ariaLabel)).length"
    )
    assert page.evaluate(unreachable) == 0
    fold = page.locator("details").first
    fold.locator("> summary").focus()
    page.keyboard.press("Enter")
    assert fold.evaluate("fold => fold.open")


@pytest.mark.parametrize("name", PAGES)
def test_headings_make_an_outline(opened: Opened, name: str) -> None:
    page = opened(name)
    page.evaluate("() => document.querySelectorAll('details').forEach(fold => fold.open = true)")
    levels = [
        int(one[1])
        for one in page.evaluate(
            "() => [...document.querySelectorAll('h1, h2, h3, h4')].map(one => one.tagName)"
        )
    ]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_screen_readers_get_names_for_tables_and_plots(opened: Opened) -> None:
    page = opened("bench")
    assert page.get_by_role("heading", name="What this committee is worth", level=1).count() == 1
    assert page.get_by_role("table", name="Correlation (phi) of two members' errors").count() == 1
    assert page.get_by_role("region", name="Scores").count() == 1
    plot = page.get_by_role("img", name="F1 by place and claim, with 95 % intervals", exact=True)
    assert plot.count() == 1
    described = plot.evaluate(
        "one => document.getElementById(one.getAttribute('aria-describedby')).textContent"
    )
    assert "committee 0." in described


def test_a_glance_leads_to_the_finding(opened: Opened) -> None:
    page = opened("review")
    page.get_by_role("link", name="Shell command built from a request parameter").click()
    assert page.url.endswith("#finding-aaaa0001")
    assert page.locator("#finding-aaaa0001").bounding_box()["y"] < 100  # type: ignore[index]


def test_what_matters_is_on_the_first_screen(opened: Opened) -> None:
    page = opened("review")
    page.set_viewport_size({"width": 1100, "height": 900})
    for words in ("2 confirmed", "Shell command built from a request parameter", "No answer from llama"):
        box = page.get_by_text(words).first.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] < 900

"""Pages become pictures: by a real browser, larger than they are shown, and small as files."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Page

MOST_BYTES = 150_000

#: Colours of a picture, the most frequent ones: grounds and lines keep theirs, edges of letters need few.
_COLOURS = 80


@contextmanager
def camera(width: int, *, scale: float = 2, **more: Any) -> Iterator[Page]:
    """A window of this machine's browser, so wide, in light colours, on a screen with dots for `scale`."""
    from playwright.sync_api import sync_playwright

    programs = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, programs)), args=["--no-sandbox"]
        )
        yield browser.new_page(
            viewport={"width": width, "height": 700}, device_scale_factor=scale, color_scheme="light", **more
        )
        browser.close()


def of_text(html: str, path: Path, *, scale: float = 2) -> None:
    """A picture of the figure in a page that is given as text."""
    with camera(900, scale=scale) as page:
        page.set_content(html)
        keep(page.locator("figure").screenshot(), path)


def of_top(page: Page, path: Path, height: int) -> None:
    """A picture of a page from its top, so high."""
    width = page.viewport_size["width"]  # type: ignore[index]
    full = page.evaluate("document.documentElement.scrollHeight")
    clip = {"x": 0, "y": 0, "width": width, "height": min(height, full)}
    keep(page.screenshot(full_page=True, clip=clip), path)


def keep(screenshot: bytes, path: Path) -> None:
    """Write it with few colours.

    Raises:
        ValueError: it is too large all the same.
    """
    picture = Image.open(io.BytesIO(screenshot)).convert("RGB")
    found = sorted(picture.getcolors(picture.width * picture.height), reverse=True)[:_COLOURS]
    palette = Image.new("P", (1, 1))
    palette.putpalette([part for _, colour in found for part in colour])
    picture = picture.quantize(palette=palette, dither=Image.Dither.NONE)
    picture.save(path, optimize=True)
    size = path.stat().st_size
    print(f"{path.name}: {picture.width} x {picture.height}, {size / 1000:.0f} kB")
    if size > MOST_BYTES:
        raise ValueError(f"{path} has {size} bytes; {MOST_BYTES} at most")

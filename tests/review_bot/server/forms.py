"""A browser, as far as its user only follows forms and links."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx


class Form(HTMLParser):
    """The form of a page, and its links."""

    def __init__(self, page: httpx.Response) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.links: list[str] = []
        self.feed(page.text)
        self.action = str(page.url.join(self.action))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert found["method"] == "post"
            self.action = found["action"]
        elif tag == "input":
            self.fields[found["name"]] = found["value"]
        elif tag == "a":
            self.links.append(found["href"])


def submit(browser: httpx.Client, page: httpx.Response, **said: str) -> httpx.Response:
    """Press the button."""
    assert page.status_code == 200, page.text
    form = Form(page)
    return browser.post(form.action, data={**form.fields, **said})

"""A page taken apart, to see what is in it and what is not."""

from __future__ import annotations

from html.parser import HTMLParser

#: Elements that show and do nothing else.
SHOWN = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "main",
        "footer",
        "section",
        "article",
        "nav",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "h4",
        "p",
        "ul",
        "ol",
        "li",
        "dl",
        "dt",
        "dd",
        "div",
        "pre",
        "br",
        "details",
        "summary",
    ),
    *("a", "b", "strong", "i", "em", "small", "code", "span"),
    *("table", "caption", "thead", "tbody", "tr", "th", "td", "figure", "figcaption"),
    *("svg", "g", "line", "path", "circle", "rect", "text", "tspan", "desc", "polyline"),
}
INLINE = {"a", "b", "strong", "i", "em", "small", "code"}
VOID = {"meta", "br"}

#: Attributes that can refer to something.
REFERRING = {"src", "href", "srcset", "action", "formaction", "data", "poster", "background", "ping", "cite"}


class Page(HTMLParser):
    """Elements, attributes and text of a page; `unbalanced` tells what was not closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.words: list[str] = []
        self.style: list[str] = []
        self.unbalanced: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        self.unbalanced += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "br":
            self.words.append(" ")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        else:
            self.unbalanced.append(f"/{tag}")
        if tag not in INLINE:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        (self.style if self._open[-1:] == ["style"] else self.words).append(data)

    def handle_comment(self, data: str) -> None:
        self.unbalanced.append(f"<!--{data}-->")

    @property
    def text(self) -> str:
        return " ".join("".join(self.words).split())


def harmless(html: str) -> Page:
    """The page, after seeing that nothing in it runs, loads or leads elsewhere."""
    page = Page(html)
    assert page.tags <= SHOWN
    assert page.unbalanced == []
    for tag, name, value in page.attributes:
        assert not name.startswith("on"), (tag, name)
        assert name not in ("style", "xmlns:xlink"), (tag, name, value)
        if name in REFERRING:
            assert value.startswith("#"), (tag, name, value)
    policy = next(value for tag, name, value in page.attributes if (tag, name) == ("meta", "content"))
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    style = "".join(page.style)
    assert not any(word in style for word in ("url(", "@import", "@font-face", "http"))
    identifiers = [value for _, name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))
    targets = {value[1:] for _, name, value in page.attributes if name == "href"}
    assert targets <= set(identifiers)
    return page

"""What GitHub would make of a text that we post, as far as an independent parser can tell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

#: The HTML that we write ourselves.
OURS = re.compile(
    r"(?:<!-- pytest-moa \{[^<>]*\} -->|</?details>|<summary>[^<>]*(?:<code>git apply</code>)?</summary>"
    r"|<br>|</?sub>|\s)*"
)

#: What GitHub acts upon in plain text: mentions, references, bare URLs.
ACTIVE = re.compile(r"@\w|\w#\d|(?<!\w)#\d|\bGH-\d|://|www\.", re.IGNORECASE)


def tokens(markdown: str) -> Iterator[Token]:
    for token in PARSER.parse(markdown):
        yield token
        yield from token.children or ()


def structure(markdown: str) -> list[str]:
    """The kinds of blocks, in order."""
    return [token.type for token in PARSER.parse(markdown)]


def prose(markdown: str) -> str:
    """The text outside of code, as a reader sees it."""
    return "\n".join(
        "".join(child.content for child in token.children or () if child.type != "code_inline")
        for token in PARSER.parse(markdown)
    )


def fences(markdown: str, language: str) -> list[str]:
    """What stands in the fences of a language."""
    return [token.content for token in tokens(markdown) if token.type == "fence" and token.info == language]


def assert_harmless(markdown: str, *, committable: int = 0) -> None:
    """Only our own HTML, no link, no image, no mention, nothing hidden, as many suggestions as allowed."""
    for token in tokens(markdown):
        assert token.type not in ("link_open", "image"), token
        if token.type.startswith("html"):
            assert OURS.fullmatch(token.content), token.content
        if token.type == "fence":
            assert token.info in ("", "diff", "python", "suggestion", "js"), token.info
    assert not ACTIVE.search(prose(markdown))
    assert len(fences(markdown, "suggestion")) <= committable
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]", markdown
    )
    assert not re.search("[\u3164\u2800\U000e0000-\U000e01ef\ud800-\udfff]", markdown)

"""Markdown's links, for readers who shall see where one leads before they go there."""

from __future__ import annotations

import re

_LINK = re.compile(r"\[([^\[\]\n]+)\]\((https?://[^\s()]+)\)")


def spelled_out(text: str) -> str:
    """ "words: address" instead of a link, which is not hidden behind its words."""
    return _LINK.sub(r"\1: \2", text)

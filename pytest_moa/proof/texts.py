"""Texts in which two runs differ by nature: addresses, paths of trees."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")
_IDENTITY = re.compile(r"\b[0-9]{12,16}\b")


def masked(text: str) -> str:
    """A text without addresses."""
    return _IDENTITY.sub("ID", _ADDRESS.sub("0x...", text))


def shortened(text: str, longest: int = 300) -> str:
    """A text for people: masked, its middle left out when it is long."""
    text = masked(text)
    half = longest // 2 - 2
    return text if len(text) <= longest else f"{text[:half]} ... {text[-half:]}"

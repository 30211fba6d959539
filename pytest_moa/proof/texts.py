"""Texts in which two runs differ by nature: addresses, paths of trees."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}")


#: The folder of this process's tree; the other side has another one.
_ROOTS: list[str] = []
_LINE = re.compile(r"\bline [0-9]+")


def hide(root: str) -> None:
    """Leave a folder out of all texts from now on."""
    _ROOTS.append(root.rstrip("/") + "/")
    _ROOTS.append(root.rstrip("/"))


def masked(text: str) -> str:
    """A text without addresses, the tree's own folder, and lines of tracebacks."""
    for root in _ROOTS:
        if root in text:
            text = text.replace(root, "")
    if "line " in text and ".py" in text:
        text = _LINE.sub("line N", text)
    return _ADDRESS.sub("0x...", text) if "0x" in text else text


def shortened(text: str, longest: int = 300) -> str:
    """A text for people: masked, its middle left out when it is long."""
    text = masked(text)
    half = longest // 2 - 2
    return text if len(text) <= longest else f"{text[:half]} ... {text[-half:]}"

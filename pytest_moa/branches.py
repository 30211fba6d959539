"""Which branch a change is made for."""

from __future__ import annotations

from typing import Final

#: Tried in this order when the remote does not say which branch is its default.
DEFAULT_BRANCHES: Final = (
    "origin/main",
    "origin/master",
    "upstream/main",
    "upstream/master",
    "main",
    "master",
    "trunk",
)

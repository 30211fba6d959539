"""Whether a warm process can do what everything here stands on: fork, and fork again in the fork."""

from __future__ import annotations

from typing import Any, Final

from pytest_moa.running.nested import forked

#: What the inner fork tells.
SIGN: Final = "alive"


def alive(state: Any, args: Any) -> list[Any]:
    """Job: fork once more; what that fork told, `[SIGN]` if all is well."""
    del state, args
    return forked(lambda tell: tell(SIGN), 5.0).told

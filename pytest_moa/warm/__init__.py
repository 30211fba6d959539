"""Warm processes: import once, then run every job in a confined fork.

The names below are the public interface; each is imported when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_moa.warm.client import WarmFailed, WarmProcess
    from pytest_moa.warm.ended import Ended

_HOME_OF = {"Ended": "ended", "WarmFailed": "client", "WarmProcess": "client"}

__all__ = ["Ended", "WarmFailed", "WarmProcess"]


def __getattr__(name: str) -> Any:
    # The warm process itself imports this package, and must stay as light as it can.
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)

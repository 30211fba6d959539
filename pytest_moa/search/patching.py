"""A stand-in for pytest's monkeypatch, for programs and for tests on trial."""

from __future__ import annotations

import sys
from typing import Any


class Undo:
    """Stands in for pytest's monkeypatch: `setattr("module.name", value)`, undone after the run."""

    def __init__(self) -> None:
        self._was: list[tuple[Any, str, Any]] = []

    def setattr(self, target: str, value: Any) -> None:
        owner_name, _, name = target.rpartition(".")
        owner = _resolved(owner_name)
        self._was.append((owner, name, getattr(owner, name)))
        setattr(owner, name, value)

    def undo(self) -> None:
        while self._was:
            owner, name, value = self._was.pop()
            setattr(owner, name, value)


def _resolved(dotted: str) -> Any:
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        found: Any = sys.modules.get(".".join(parts[:count]))
        if found is not None:
            for part in parts[count:]:
                found = getattr(found, part)
            return found
    raise AttributeError(dotted)

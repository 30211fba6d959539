"""Suggestions between sessions: in pytest's cache, until they are written or replaced."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from moa_engine.errors import MoaError
from pytest_moa.suggestions import Suggestions

_FILE = "suggestions.json"


class NothingKept(MoaError):
    """There is no last run whose suggestions could be used."""


@dataclass(frozen=True, slots=True)
class Kept:
    """The last run, and the SHA-256 of each target's file when it was made."""

    suggestions: Suggestions
    sources: Mapping[str, str] = field(default_factory=dict)

    def changed(self, root: Path) -> list[str]:
        """The files whose code is another one by now, so that facts may no longer hold."""
        return sorted(path for path, digest in self.sources.items() if _digest(root / path) != digest)


def kept(suggestions: Suggestions, root: Path) -> Kept:
    """These suggestions with their targets' files as they are now."""
    paths = {outcome.target.path for outcome in suggestions.targets}
    return Kept(suggestions, {path: _digest(root / path) for path in sorted(paths)})


def keep(config: pytest.Config, run: Kept) -> bool:
    """Put a run into the cache in place of the one before; False where pytest has no cache."""
    folder = _folder(config)
    if folder is None:
        return False
    text = json.dumps({"run": run.suggestions.to_json(), "sources": dict(run.sources)})
    fresh = folder / f"{_FILE}.new"
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(folder / _FILE)
    except OSError:
        return False
    return True


def last(config: pytest.Config) -> Kept:
    """The last run.

    Raises:
        NothingKept: there is none, pytest has no cache, or the file is damaged.
    """
    folder = _folder(config)
    if folder is None:
        raise NothingKept(
            "suggestions are kept in pytest's cache, which is switched off (-p no:cacheprovider)",
            hint="Accept in the run that suggests: pytest --moa --moa-accept",
        )
    try:
        data: Any = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        return Kept(Suggestions.from_json(json.dumps(data["run"])), dict(data["sources"]))
    except FileNotFoundError as error:
        raise NothingKept("nothing was suggested yet", hint="Run pytest --moa first.") from error
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise NothingKept(
            f"the suggestions in {folder / _FILE} cannot be read", hint="Run pytest --moa again."
        ) from error


def _folder(config: pytest.Config) -> Path | None:
    cache = getattr(config, "cache", None)
    try:
        return None if cache is None else Path(cache.mkdir("moa"))
    except OSError:  # a read-only tree
        return None


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""

"""What a repository under review may set for its reviews, in its base revision; all else is the operator's.

Who sits on the committee, where models are, keys, prices and budgets are none of its business: the operator
pays, and the same server reviews for others, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from moa_engine.config_sources import Source, find_files, read_file

#: The keys of `[tool.moa]` that count; of a table those that are listed.
_ALLOWED: Mapping[str, frozenset[str] | None] = {
    "guidelines": None,
    "review": frozenset({"include", "exclude", "max_file_bytes", "fail_on"}),
    "github": frozenset({"event", "max_inline", "drafts", "skip_labels"}),
}


def base_settings(folder: Path) -> list[Source]:
    """The sources in a folder with the base revision's settings, without what it must not set.

    Raises:
        ConfigError: a file cannot be read.
    """
    return [Source(_allowed(source.data), source.where) for source in map(read_file, find_files(folder))]


def _allowed(data: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, inside in _ALLOWED.items():
        value = data.get(key)
        if inside is None:
            if value is not None:
                found[key] = value
        elif isinstance(value, dict):
            found[key] = {name: item for name, item in value.items() if name in inside}
    return found

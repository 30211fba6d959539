"""JSON values whose strings are well-formed Unicode, which a path from git need not be."""

from __future__ import annotations

from typing import Any


def well_formed(value: Any) -> Any:
    """`value`, a tree of dicts, lists and scalars, with every lone surrogate as U+FFFD."""
    if isinstance(value, str):
        if value.isascii():
            return value
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {well_formed(key): well_formed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [well_formed(item) for item in value]
    return value

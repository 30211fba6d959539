"""GitHub's own description of the request bodies that the bot sends, from its published OpenAPI document.

What that document leaves open (unknown properties) is closed here: a misspelt property is a mistake.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

_BODIES: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text("utf-8"))["bodies"]


def _closed(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {key: _closed(part) for key, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        parts.setdefault("additionalProperties", False)
    return parts


def _pattern(operation: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation)))


_CHECKED = [
    (_pattern(operation), jsonschema.Draft202012Validator(_closed(schema)))
    for operation, schema in _BODIES.items()
]


def faults(method: str, path: str, body: object) -> list[str] | None:
    """What is wrong with a request's body; None for an operation that we know no schema of."""
    for pattern, validator in _CHECKED:
        if pattern.fullmatch(f"{method} {path}"):
            return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
    return None

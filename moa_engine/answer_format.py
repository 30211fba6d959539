"""How a JSON answer is asked for: by a schema, by JSON mode, or in words.

`response_format` as in https://platform.openai.com/docs/guides/structured-outputs; endpoints know
`json_schema`, only `json_object`, or none of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

Structured = Literal["schema", "json_object", "text"]

#: What to try when an endpoint refuses the key.
WEAKER: Mapping[Structured, Structured] = {"schema": "json_object", "json_object": "text"}


def response_format(schema: Mapping[str, Any], name: str, structured: Structured) -> dict[str, Any] | None:
    """The request's `response_format`; None where the endpoint knows none."""
    if structured == "text":
        return None
    if structured == "json_object":
        return {"type": "json_object"}
    wanted: dict[str, Any] = {"name": re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64] or "answer"}
    if (strict := _strict(schema)) is not None:
        wanted |= {"schema": strict, "strict": True}
    else:
        wanted["schema"] = schema
    return {"type": "json_schema", "json_schema": wanted}


def response_format_json(schema: Mapping[str, Any], name: str, structured: Structured) -> str:
    """`response_format` as JSON, "" for None; written once per schema, by the schema's identity."""
    key = (id(schema), name, structured)
    known = _written.get(key)
    if known is None or known[0] is not schema:
        if len(_written) >= 256:
            _written.clear()
        wanted = response_format(schema, name, structured)
        known = _written[key] = (schema, "" if wanted is None else json.dumps(wanted, separators=(",", ":")))
    return known[1]


def in_words(schema: Mapping[str, Any]) -> str:
    """What is added to the last message where `response_format` does not carry the schema."""
    text = json.dumps(schema, separators=(",", ":"), ensure_ascii=False)
    return (
        f"\n\nAnswer with one JSON object and nothing else. It must be valid under this JSON Schema:\n{text}"
    )


_written: dict[tuple[int, str, str], tuple[Mapping[str, Any], str]] = {}


def _strict(schema: Mapping[str, Any]) -> dict[str, Any] | None:
    """The schema as OpenAI's strict mode wants it; None where it cannot be said that way.

    All properties are required, nothing else is allowed, a reference stands alone, and there are no
    defaults: an optional field is then answered with its empty value.
    """
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            inner = {name: _strict(node) for name, node in value.items()}
            if None in inner.values():
                return None
            result[key] = inner
        elif key in ("anyOf", "oneOf", "allOf"):
            choices = [_strict(node) for node in value]
            if None in choices:
                return None
            result[key] = choices
        elif key == "items" and isinstance(value, Mapping):
            if (item := _strict(value)) is None:
                return None
            result[key] = item
        elif key not in ("default", "title"):
            result[key] = value
    if result.get("type") == "object":
        if "properties" not in result or isinstance(result.get("additionalProperties"), Mapping):
            return None  # a mapping with free keys
        result["additionalProperties"] = False
        result["required"] = list(result["properties"])
    return result

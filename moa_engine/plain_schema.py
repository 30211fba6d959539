"""JSON Schemas written by hand: plain types, everything required, nothing else allowed.

That is what OpenAI's strict mode takes (https://platform.openai.com/docs/guides/structured-outputs) and
what llama.cpp turns into a grammar
(https://github.com/ggml-org/llama.cpp/blob/master/grammars/README.md). Keys stand in the order in which a
model should think: where, what, why, and only then how bad.
"""

from __future__ import annotations

from typing import Any

JsonObject = dict[str, Any]

STRING: JsonObject = {"type": "string"}


def object_of(**properties: JsonObject) -> JsonObject:
    """The schema of an object with just these fields, all of them required."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def list_of(items: JsonObject) -> JsonObject:
    """The schema of a list."""
    return {"type": "array", "items": items}


def enum(*values: str) -> JsonObject:
    """The schema of one of these words."""
    return {"type": "string", "enum": list(values)}

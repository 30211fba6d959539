"""The JSON Schema of the configuration, for editors, from the models that check it.

One schema fits both files: `moa.toml` with its keys at the top, and any file with `[tool.moa]`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moa_engine.plugins import config_sections, member_kinds, subject_reading
from moa_engine.presets import preset_members, presets

if TYPE_CHECKING:
    import pluggy
    from pydantic import BaseModel

    from moa_engine.hookspecs import MemberKind

Schema = dict[str, Any]


def config_schema(plugins: pluggy.PluginManager) -> Schema:
    """A JSON Schema (draft 2020-12) with the kinds of members and the sections that plug-ins bring.

    A member that changes one of a preset or of the project needs no key; all others need those of
    their kind.
    """
    from pydantic.json_schema import models_json_schema

    from moa_engine.config import CommitteeSettings, Settings

    kinds, sections = member_kinds(plugins), config_sections(plugins)
    models: list[type[BaseModel]] = [
        Settings,
        CommitteeSettings,
        *(kind.settings for kind in kinds.values()),
        *sections.values(),
    ]
    refs, whole = models_json_schema([(model, "validation") for model in dict.fromkeys(models)])
    defs: dict[str, Schema] = whole["$defs"]

    def named(model: Any) -> str:
        return str(refs[model, "validation"]["$ref"].rpartition("/")[2])

    tables = {name: named(kind.settings) for name, kind in kinds.items()}
    for table in sorted(set(tables.values())):
        defs[_change(table)] = {key: value for key, value in defs[table].items() if key != "required"}
    defs["Member"] = _member(tables)
    defs["MemberChange"] = _member({kind: _change(table) for kind, table in tables.items()}, any_kind=True)

    settings, committee = defs[named(Settings)], defs[named(CommitteeSettings)]
    standing = _standing(kinds, tables)
    changes: Schema = dict.fromkeys(preset_members(), _ref("MemberChange"))
    _name(settings["properties"]["committees"], {}, _ref(named(CommitteeSettings)))
    _name(settings["properties"]["members"], changes | standing, _ref("Member"))
    _name(committee["properties"]["members"], standing, _ref("MemberChange"))
    settings["properties"]["committee"]["examples"] = list(presets())
    settings["properties"] |= {key: _ref(named(model)) for key, model in sections.items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pytest-moa",
        "description": "moa.toml, or [tool.moa] in pyproject.toml",
        "type": "object",
        "if": {"required": ["tool"]},
        "then": {"properties": {"tool": {"type": "object", "properties": {"moa": _ref(named(Settings))}}}},
        "else": _ref(named(Settings)),
        "$defs": defs,
    }


def _name(table: Schema, known: Schema, others: Schema) -> None:
    """Say what the values of a table are, those of known names and all others."""
    (pattern,) = table.pop("patternProperties")
    table |= {"propertyNames": {"pattern": pattern}, "properties": known, "additionalProperties": others}


def _member(tables: Mapping[str, str], *, any_kind: bool = False) -> Schema:
    """A member's table: its `kind` says which keys it has; without one it is a chat member, or any."""
    named = [
        {
            "if": {"required": ["kind"], "properties": {"kind": {"const": kind}}},
            "then": _ref(table),
        }
        for kind, table in tables.items()
    ]
    unnamed = {"anyOf": [_ref(table) for table in dict.fromkeys(tables.values())]}
    otherwise = unnamed if any_kind else _ref(tables["chat"])
    return {
        "type": "object",
        "properties": {"kind": {"enum": list(tables)}},
        "allOf": [*named, {"if": {"not": {"required": ["kind"]}}, "then": otherwise}],
    }


def _standing(kinds: Mapping[str, MemberKind], tables: Mapping[str, str]) -> Schema:
    """Deterministic members by the names of their kinds: these need not say their kind."""
    return {
        kind: {
            "type": "object",
            "if": {"required": ["kind"], "not": {"properties": {"kind": {"const": kind}}}},
            "then": _ref("Member"),
            "else": _ref(tables[kind]),
        }
        for kind in sorted(subject_reading(kinds))
    }


def _change(table: str) -> str:
    return f"{table}Change"


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}

"""The JSON Schema for editors: what the models accept it accepts, and typos it does not."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from moa_engine.config_files import load_settings
from moa_engine.config_schema import config_schema
from moa_engine.discovery import Found, Model, Server, init_text, providers
from moa_engine.errors import ConfigError
from tests.moa_engine.sample_kinds import sample_plugins

GOOD = [
    "",
    """
    layers = 3
    aggregator = ["qwen", "llama"]
    local_only = true
    stragglers = { hedge = false, quorum = 0.66 }
    [members.qwen]
    kind = "chat"
    base_url = "http://localhost:11434/v1"
    model = "qwen2.5-coder:7b"
    api_key_env = "SOME_KEY"
    samples = 1
    price = { input = 0, output = 0 }
    [members.llama]
    model = "llama3"
    temperature = "none"
    options = { top_p = 0.9 }
    """,
    """
    layers = [["a", "b"], ["b"]]
    aggregator = "a"
    [members]
    a = { kind = "talk", voice = "low" }
    b = { kind = "local", path = "model.gguf", threads = 4 }
    """,
    """
    committee = "moa"
    [members.dbrx]
    temperature = 0
    [members.qwen-72b]
    kind = "talk"
    voice = "low"
    """,
    """
    committee = "small"
    [members.a]
    kind = "talk"
    voice = "low"
    [members.lint]
    ignore = ["X"]
    [members.rules]
    kind = "lint"
    enabled = false
    [committees.small]
    layers = 1
    members = { a = { volume = 3 }, lint = { enabled = false }, c = { model = "m" } }
    """,
    """
    [demo]
    depth = 9
    mode = "thorough"
    """,
    init_text(
        Found((Server("ollama", "http://127.0.0.1:1/v1", (Model("qwen3:8b", 4096),)),), providers()),
    ),
]

BAD = {
    "layres = 3": "layres",
    "layers = 'three'": "three",
    "stragglers.hegde = true": "hegde",
    "stragglers.quorum = 2": "2",
    "members.a.modle = 'm'": "modle",
    "members.a = { model = 'm', structured = 'jsn' }": "jsn",
    "members.a = { kind = 'tlak', voice = 'x' }": "tlak",
    "members.a = { kind = 'talk' }": "voice",
    "members.a = { kind = 'talk', voice = 'x', model = 'm' }": "model",
    "members.a = { kind = 'lint', ignroe = [] }": "ignroe",
    "members.lint = { ignroe = [] }": "ignroe",
    "members.dbrx = { temperatur = 0 }": "temperatur",
    "members.'a b' = { model = 'm' }": "a b",
    "committees.c.members.a = { modle = 'm' }": "modle",
    "committees.c.layer = 2": "layer",
    "demo.depht = 3": "depht",
    "demo = { mode = 'slow' }": "slow",
}


@pytest.fixture(scope="module")
def schema() -> Any:
    made = config_schema(sample_plugins())
    jsonschema.Draft202012Validator.check_schema(made)
    return made


def shapes(text: str) -> list[Any]:
    """The same settings as moa.toml, and as pyproject.toml with other tools' tables beside them."""
    data = tomllib.loads(text)
    return [data, {"project": {"name": "x"}, "tool": {"ruff": {"line-length": 3}, "moa": data}}]


@pytest.mark.parametrize("text", GOOD)
def test_good_configurations_validate(schema: Any, text: str, tmp_path: Path) -> None:
    for data in shapes(text):
        jsonschema.validate(data, schema)
    (tmp_path / "moa.toml").write_text(text, encoding="utf-8")
    load_settings(start=tmp_path, environ={}, plugins=sample_plugins())  # the models agree


@pytest.mark.parametrize("text", BAD)
def test_typos_do_not(schema: Any, text: str, tmp_path: Path) -> None:
    for data in shapes(text):
        errors = list(jsonschema.Draft202012Validator(schema).iter_errors(data))
        assert BAD[text] in " ".join(_messages(errors))
    (tmp_path / "moa.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        load_settings(start=tmp_path, environ={}, plugins=sample_plugins())


def _messages(errors: Any) -> list[str]:
    return [message for error in errors for message in (error.message, *_messages(error.context or ()))]


def test_the_schema_describes_every_key(schema: Any) -> None:
    settings = schema["$defs"]["Settings"]["properties"]
    assert settings["committee"]["description"]
    assert "moa-lite" in settings["committee"]["examples"]
    assert settings["demo"] == {"$ref": "#/$defs/DemoSection"}
    assert schema["$defs"]["Member"]["properties"]["kind"]["enum"] == [
        "chat",
        "local",
        "talk",
        "lint",
        "spell",
    ]

"""What is there to work with: model servers on this machine, keys in the environment.

Nothing is asked at import, and nothing but loopback is ever asked: for a hosted provider the name of
a variable is enough. `moa init` writes what was found into a `moa.toml`.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from moa_engine.config_sources import Table, shown
from moa_engine.errors import CallError, ConfigError
from moa_engine.families import family_of

if TYPE_CHECKING:
    from moa_engine._transport import Transport

#: Model servers and the ports they usually have, those that serve one chosen model first.
PORTS: Mapping[str, int] = {"vllm": 8000, "llama.cpp": 8080, "lmstudio": 1234, "ollama": 11434}
PORTS_VARIABLE: Final = "MOA_DISCOVER_PORTS"

#: Ollama cuts longer prompts off without a word unless OLLAMA_CONTEXT_LENGTH says otherwise.
OLLAMA_WINDOW: Final = 4096

#: More local models than this would mostly wait for each other.
MOST_LOCAL: Final = 4

_SECONDS = 2.0
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}")
_NOT_CHAT = re.compile(r"embed|rerank|whisper|\bclip\b|\btts\b|moderation|guard|\bbge\b|minilm|ocr", re.I)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that a server offers. `context_window` is in tokens, None when the server does not say."""

    name: str
    context_window: int | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """A model server on this machine."""

    name: str
    base_url: str
    models: tuple[Model, ...]


@dataclass(frozen=True, slots=True)
class Provider:
    """A hosted provider, a model of it to begin with, and settings that this model needs."""

    name: str
    key: str  #: the environment variable
    base_url: str
    model: str
    models: str  #: the page that lists its models
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, and where was asked ("ollama at 127.0.0.1:11434")."""

    servers: tuple[Server, ...] = ()
    providers: tuple[Provider, ...] = ()
    asked: tuple[str, ...] = ()

    def summary(self) -> str:
        """One line for people."""
        parts = [f"{server.name} with {_count(server.models)}" for server in self.servers]
        parts += [provider.key for provider in self.providers]
        return ", ".join(parts) or "no model server is running here, no key is in the environment"


async def discover(environ: Mapping[str, str], *, seconds: float = _SECONDS) -> Found:
    """Ask the usual ports on loopback, all at once, and look for known keys in the environment.

    `MOA_DISCOVER_PORTS` replaces the ports that are asked. A server that does not answer within
    `seconds`, or not with a list of models, is not there.

    Raises:
        ConfigError: `MOA_DISCOVER_PORTS` cannot be read.
    """
    from moa_engine._transport import Transport

    ports = _ports(environ.get(PORTS_VARIABLE, ""))
    urls = {name: f"http://127.0.0.1:{port}/v1" for name, port in ports}
    transport = Transport()
    try:
        lists = await asyncio.gather(*(_models(transport, name, url, seconds) for name, url in urls.items()))
    finally:
        await transport.aclose()
    return Found(
        tuple(
            Server(name, url, models)
            for (name, url), models in zip(urls.items(), lists, strict=True)
            if models
        ),
        tuple(provider for provider in providers() if environ.get(provider.key)),
        tuple(f"{name} at 127.0.0.1:{port}" for name, port in ports),
    )


@cache
def providers() -> tuple[Provider, ...]:
    """The hosted providers that are known, from `providers.toml`."""
    tables = tomllib.loads(files("moa_engine").joinpath("providers.toml").read_text(encoding="utf-8"))
    return tuple(Provider(name, **table) for name, table in tables.items())


def discover_now(environ: Mapping[str, str] = os.environ) -> Found:
    """`discover` for callers outside of an event loop."""
    return asyncio.run(discover(environ))


def _ports(text: str) -> list[tuple[str, int]]:
    if not text:
        return list(PORTS.items())
    ports = []
    for part in text.split(","):
        name, _, port = part.strip().partition("=")
        if name not in PORTS or not (port.isdecimal() and 0 < int(port) < 65536):
            raise ConfigError(
                f"{PORTS_VARIABLE}: {part.strip()!r} is not understood",
                hint=f"expected NAME=PORT, several with commas between; the names are {', '.join(PORTS)}",
            )
        ports.append((name, int(port)))
    return ports


async def _models(transport: Transport, server: str, base_url: str, seconds: float) -> tuple[Model, ...]:
    """The chat models of a server (https://platform.openai.com/docs/api-reference/models/list)."""
    from pydantic_core import from_json

    from moa_engine.egress import Egress

    try:
        response = await transport.get_json(f"{base_url}/models", {}, seconds, egress=Egress(local_only=True))
        listed = from_json(response.body)["data"] if response.status == 200 else []
        found = [model for entry in listed if (model := _model(server, entry)) is not None]
    except (CallError, ValueError, LookupError, TypeError):  # not there, or something else is
        return ()
    return tuple(dict.fromkeys(found))


def _model(server: str, entry: Any) -> Model | None:
    name = entry["id"]
    if not isinstance(name, str) or not _NAME.fullmatch(name) or _NOT_CHAT.search(name):
        return None
    window = entry.get("max_model_len", OLLAMA_WINDOW if server == "ollama" else None)  # vLLM says it
    return Model(name, window if isinstance(window, int) and window >= 512 else None)


def local_members(found: Found) -> dict[str, Table]:
    """A committee of what runs here: one model of each family, named by it, at most `MOST_LOCAL`.

    Raises:
        ConfigError: nothing runs here.
    """
    members = {name: table for name, (_, table) in _local(found).items()}
    if not members:
        raise ConfigError(
            f"no model server answers on this machine (asked {', '.join(found.asked)})",
            hint=f"start one, or say with {PORTS_VARIABLE} where it listens, such as ollama=11434",
        )
    return members


def _local(found: Found) -> dict[str, tuple[Server, Table]]:
    members: dict[str, tuple[Server, Table]] = {}
    for server in found.servers:
        for model in server.models:
            name = re.sub(r"[^a-z0-9_-]+", "-", family_of(model.name)).strip("-_") or "model"
            if name not in members and len(members) < MOST_LOCAL:
                table: Table = {"base_url": server.base_url, "model": model.name}
                if model.context_window is not None:
                    table["context_window"] = model.context_window
                members[name] = (server, table)
    return members


def write_config(path: Path, found: Found) -> None:
    """Write a configuration of what was found; no key is in it.

    Raises:
        ConfigError: there is a file already, or it cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(init_text(found))
    except FileExistsError:
        raise ConfigError(
            f"{shown(path)} exists already and was left as it is", hint="move it away, or name another file"
        ) from None
    except OSError as error:
        raise ConfigError(f"{shown(path)} cannot be written: {error.strerror}") from error


def init_text(found: Found) -> str:
    """A `moa.toml` of what was found, with what one needs to know to change it."""
    return "\n".join(_init_lines(found)) + "\n"


def _init_lines(found: Found) -> Iterator[str]:
    local = _local(found)
    hosted = {f"{p.name}-api" if p.name in local else p.name: p for p in found.providers}
    names = [*local, *hosted]
    yield "# The committee of this project, by `moa init`. Every key: docs/configuration.md of pytest-moa."
    yield ""
    if not names:
        yield from _NOTHING
        return
    yield f"layers = {2 if len(names) > 1 else 1}  # counts the aggregator; with 3, members see each other"
    yield f"aggregator = {_toml(names[:3])}  # the first that answers"
    if hosted:
        yield "budget = 1.0  # USD that one run may spend"
    for name, (server, table) in local.items():
        yield ""
        yield f"[members.{name}]  # {server.name} on this machine"
        for key, value in table.items():
            ollama = server.name == "ollama" and key == "context_window"
            yield f"{key} = {_toml(value)}{'  # as OLLAMA_CONTEXT_LENGTH there' if ollama else ''}"
    taken = {table["model"] for _, table in local.values()}
    for server in found.servers:
        if others := [model.name for model in server.models if model.name not in taken]:
            yield ""
            yield f"# Also at {server.base_url}: {', '.join(others)}"
    for name, provider in hosted.items():
        yield ""
        yield f"[members.{name}]  # hosted: what it is shown leaves this machine, and it costs money"
        yield f"base_url = {_toml(provider.base_url)}"
        yield f"model = {_toml(provider.model)}  # others: {provider.models}"
        yield f"api_key_env = {_toml(provider.key)}"
        for key, value in provider.settings.items():
            yield f"{key} = {_toml(value)}"


_NOTHING = (
    "# No model server is running on this machine, and the environment holds no key that is known.",
    "# Until there is one, deterministic members work alone. A model is described like this:",
    "#",
    "# [members.qwen]",
    '# base_url = "http://127.0.0.1:11434/v1"',
    '# model = "qwen2.5-coder:7b"',
    '# api_key_env = "NAME_OF_THE_VARIABLE"  # where the endpoint wants a key',
)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(inner)}" for key, inner in value.items()) + " }"
    if isinstance(value, list):
        return f"[{', '.join(_toml(inner) for inner in value)}]"
    return json.dumps(value)  # ASCII strings and numbers are the same in TOML


def _count(models: Iterable[Model]) -> str:
    number = len(tuple(models))
    return f"{number} model{'s' if number != 1 else ''}"

"""What is found on this machine, asked of real servers on loopback, and the file that is written of it."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from moa_engine.committee import build_committee
from moa_engine.config_files import load_settings
from moa_engine.discovery import (
    Found,
    Model,
    Server,
    discover,
    discover_now,
    init_text,
    local_members,
    providers,
    write_config,
)
from moa_engine.errors import ConfigError
from tests.moa_engine.sample_kinds import sample_plugins


@contextmanager
def serving(body: bytes, status: int = 200) -> Iterator[int]:
    """A server that answers every GET of /v1/models with this; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/v1/models"
            self.send_response(status if known else 404)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def listing(*models: str | dict[str, Any]) -> bytes:
    entries = [{"id": model} if isinstance(model, str) else model for model in models]
    return json.dumps({"object": "list", "data": entries}).encode()


@pytest.fixture
def silent() -> Iterator[int]:
    """The port of something that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


@pytest.fixture
def closed() -> int:
    """A port where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def found_at(seconds: float = 5.0, environ: dict[str, str] | None = None, **ports: int) -> Found:
    text = ",".join(f"{name.replace('_', '.')}={port}" for name, port in ports.items())
    return asyncio.run(discover({"MOA_DISCOVER_PORTS": text, **(environ or {})}, seconds=seconds))


def test_servers_are_found_with_their_chat_models(closed: int) -> None:
    vllm = listing({"id": "Qwen/Qwen3-8B", "max_model_len": 40960})
    ollama = listing("qwen3:8b", "nomic-embed-text:latest", "llama3.2:3b")
    with serving(vllm) as first, serving(ollama) as second:
        found = found_at(vllm=first, ollama=second, lmstudio=closed)
        assert found.servers == (
            Server("vllm", f"http://127.0.0.1:{first}/v1", (Model("Qwen/Qwen3-8B", 40960),)),
            Server(
                "ollama",
                f"http://127.0.0.1:{second}/v1",
                (Model("qwen3:8b", 4096), Model("llama3.2:3b", 4096)),
            ),
        )
        assert found.asked[2] == f"lmstudio at 127.0.0.1:{closed}"
        assert found.summary() == "vllm with 1 model, ollama with 2 models"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>It works!</html>", 200),
        (b'{"models": []}', 200),
        (b"[]", 200),
        (b'{"data": 3}', 200),
        (b'{"data": [3, null]}', 200),
        (b'{"data": [{"id": 3}, {"id": "a\\nb = 1"}, {"id": "x\\" ]"}]}', 200),
        (b"\xff\xfe", 200),
        (b"[" * 100_000, 200),
        (listing("qwen3"), 401),
        (b"", 200),
    ],
)
def test_what_is_no_list_of_models_is_no_server(body: bytes, status: int) -> None:
    with serving(body, status) as port:
        assert found_at(llama_cpp=port).servers == ()


def test_a_port_that_never_answers_is_given_up(silent: int) -> None:
    with serving(listing("qwen3")) as port:
        found = found_at(seconds=0.5, vllm=silent, ollama=port)
    assert [server.name for server in found.servers] == ["ollama"]


def test_keys_are_found_by_their_names_and_never_kept(closed: int) -> None:
    environ = {"OPENAI_API_KEY": "sk-secret-value", "GROQ_API_KEY": "", "OTHER_API_KEY": "x"}
    found = found_at(environ=environ, vllm=closed)
    assert [provider.name for provider in found.providers] == ["openai"]
    assert "secret" not in repr(found)
    assert found.summary() == "OPENAI_API_KEY"


@pytest.mark.parametrize("text", ["ollama", "ollama=", "ollama=x", "ollama=0", "ollama=70000", "olama=1"])
def test_ports_that_cannot_be_read_are_an_error(text: str) -> None:
    with pytest.raises(ConfigError, match="MOA_DISCOVER_PORTS: ") as caught:
        discover_now({"MOA_DISCOVER_PORTS": text})
    assert "vllm, llama.cpp, lmstudio, ollama" in caught.value.hint


def test_the_local_preset_looks_for_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with serving(listing("llama3.2:3b")) as port:
        monkeypatch.setenv("MOA_DISCOVER_PORTS", f"ollama={port}")
        plugins = sample_plugins()
        flags = {"committee": "local"}
        loaded = load_settings(start=tmp_path, environ={}, flags=flags, plugins=plugins)
        committee = build_committee(loaded.settings, plugins)
    assert list(committee.members) == ["llama"]
    assert committee.members["llama"].endpoint == f"http://127.0.0.1:{port}"


EVERYTHING = Found(
    (
        Server("vllm", "http://127.0.0.1:8000/v1", (Model("mistralai/Devstral-Small", 32768),)),
        Server("ollama", "http://127.0.0.1:11434/v1", (Model("qwen3:8b", 4096), Model("qwen3:1.7b", 4096))),
    ),
    providers(),
)


@pytest.mark.parametrize("found", [Found(), Found(EVERYTHING.servers[:1]), EVERYTHING])
def test_the_written_file_is_a_valid_configuration(found: Found, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write_config(tmp_path / "moa.toml", found)
    loaded = load_settings(start=tmp_path, environ={}, plugins=sample_plugins())
    members = loaded.settings.members
    assert len(members) == (len(local_members(found)) if found.servers else 0) + len(found.providers)
    assert loaded.settings.layers == 2 if len(members) != 1 else 1
    assert (loaded.settings.budget == 1.0) == bool(found.providers)


def test_the_written_file_says_what_else_is_there_and_names_variables_only() -> None:
    text = init_text(EVERYTHING)
    tables = tomllib.loads(text)["members"]
    assert "# Also at http://127.0.0.1:11434/v1: qwen3:1.7b" in text
    assert tables["qwen"] == {
        "base_url": "http://127.0.0.1:11434/v1",
        "model": "qwen3:8b",
        "context_window": 4096,
    }
    assert tables["openai"]["api_key_env"] == "OPENAI_API_KEY"
    assert tables["mistral"]["base_url"] == "http://127.0.0.1:8000/v1"
    assert tables["mistral-api"]["base_url"] == "https://api.mistral.ai/v1"


def test_an_existing_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "moa.toml"
    path.write_text("seed = 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"moa\.toml exists already and was left as it is"):
        write_config(path, EVERYTHING)
    assert path.read_text(encoding="utf-8") == "seed = 1\n"


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere/moa\.toml cannot be written: No such file"):
        write_config(tmp_path / "nowhere" / "moa.toml", EVERYTHING)

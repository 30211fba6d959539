"""Plug-ins: found by entry points, named when they fail, cheap to load."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from moa_engine.config import ChatSettings, Section
from moa_engine.errors import ConfigError
from moa_engine.hookspecs import MemberKind, hookimpl
from moa_engine.plugins import config_sections, load_plugins, member_kinds, task_types
from tests.moa_engine.sample_kinds import sample_plugins

ROOT = Path(__file__).parents[2]


@pytest.fixture
def installed(tmp_path: Path) -> Callable[[str], str]:
    """Installs a distribution with one plug-in of this source; gives what a new process then says."""

    def install(source: str, script: str = "", **environ: str) -> str:
        (tmp_path / "their_plugin.py").write_text(source, encoding="utf-8")
        info = tmp_path / "their_package-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-package\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text("[moa]\ntheirs = their_plugin\n", "utf-8")
        done = subprocess.run(
            [sys.executable, "-c", f"{_SCRIPT}\n{script}"],
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]), **environ},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    return install


_SCRIPT = """
from moa_engine.errors import ConfigError
from moa_engine.plugins import load_plugins, member_kinds
try:
    print(*member_kinds(load_plugins()))
except ConfigError as error:
    print(error)
"""

_KIND = """
from moa_engine.config import ChatSettings
from moa_engine.hookspecs import MemberKind, hookimpl

@hookimpl
def moa_member_kinds():
    return [MemberKind({name!r}, ChatSettings, print)]
"""


def test_another_distribution_can_bring_a_kind(installed: Callable[..., str]) -> None:
    assert "theirs" in installed(_KIND.format(name="theirs")).split()


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise RuntimeError('out of order')", "cannot be loaded: RuntimeError: out of order"),
        ("import no_such_module", "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"),
        (
            "from moa_engine.hookspecs import hookimpl\n@hookimpl\ndef moa_redact(what): return ()",
            "cannot be loaded: PluginValidationError",
        ),
        (
            "from moa_engine.hookspecs import hookimpl\n@hookimpl\ndef moa_membr_kinds(): return ()",
            "cannot be loaded: PluginValidationError",
        ),
    ],
)
def test_a_broken_plugin_is_named_with_the_way_out(
    installed: Callable[..., str], source: str, said: str
) -> None:
    message = installed(source)
    assert message.startswith(f"the plug-in 'theirs' (their_plugin, from their-package) {said}")
    assert "MOA_NO_PLUGINS=1" in message


def test_a_plugin_that_fails_later_is_named_as_well(installed: Callable[..., str]) -> None:
    source = "from moa_engine.hookspecs import hookimpl\n@hookimpl\ndef moa_member_kinds(): 1 / 0"
    assert installed(source).startswith(
        "the plug-in their_plugin failed in moa_member_kinds: ZeroDivisionError"
    )


def test_one_switch_leaves_out_what_other_distributions_bring(installed: Callable[..., str]) -> None:
    kinds = installed("raise RuntimeError", MOA_NO_PLUGINS="1").split()
    assert {"chat", "local"} <= set(kinds)


def test_loading_imports_no_http_client_and_no_model_runtime(installed: Callable[..., str]) -> None:
    script = (
        "import sys; print([m for m in ('httpx', 'aiohttp', 'git', 'xllamacpp', 'rich') if m in sys.modules])"
    )
    assert installed(_KIND.format(name="theirs"), script).splitlines()[-1] == "[]"


def test_the_built_in_plugin_needs_no_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.metadata

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: ())
    plugins = load_plugins({})
    assert list(member_kinds(plugins)) == ["chat", "local"]
    assert list(task_types(plugins)) == ["ask"]


def test_entry_points_register_each_plugin_once() -> None:
    names = [name for name, _ in load_plugins({}).list_name_plugin()]
    assert names.count("moa_engine.builtin") == 1


def test_two_kinds_of_one_name_are_an_error_that_names_both_plugins() -> None:
    class Rival:
        @hookimpl
        def moa_member_kinds(self) -> Sequence[MemberKind]:
            return [MemberKind("talk", ChatSettings, lambda *_: None)]  # type: ignore[arg-type, return-value]

    plugins = sample_plugins()
    plugins.register(Rival(), name="rival")
    with pytest.raises(ConfigError, match=r"the kind 'talk' comes from two plug-ins: .*, rival"):
        member_kinds(plugins)


@pytest.mark.parametrize("key", ["members", "demo"])
def test_a_section_cannot_take_the_name_of_another_setting(key: str) -> None:
    class Rival:
        @hookimpl
        def moa_config_sections(self) -> dict[str, Any]:
            return {key: Section}

    plugins = sample_plugins()
    plugins.register(Rival(), name="rival")
    with pytest.raises(
        ConfigError, match=f"the plug-in rival brings a section '{key}', which there is already"
    ):
        config_sections(plugins)


_COMMAND = """
from moa_engine.hookspecs import Command, hookimpl

@hookimpl
def moa_commands():
    return [Command("NAME", "greet somebody", lambda p: p.add_argument("who"), run)]

def run(args):
    print("hello", args.who)
    return 3
"""


def test_a_plugin_brings_a_command(installed: Callable[..., str]) -> None:
    script = "from moa_engine.cli import main; print(main(['greet', 'world']))"
    assert installed(_COMMAND.replace("NAME", "greet"), script).endswith("hello world\n3\n")


def test_a_command_that_there_is_already_is_named(installed: Callable[..., str]) -> None:
    script = "import sys; sys.stderr = sys.stdout; from moa_engine.cli import main; print(main(['nothing']))"
    told = installed(_COMMAND.replace("NAME", "ask"), script)
    assert "a plug-in brings a command 'ask', which there is already\n2\n" in told

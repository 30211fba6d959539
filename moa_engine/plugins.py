"""Plug-ins: found by the entry point group `moa`, held by pluggy, asked for what they bring.

The built-in kinds come through the same hooks (`moa_engine.builtin`), with or without entry points.
One that fails is an error that names it: a committee that silently lacks a member or a redactor
would be worse than none.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pluggy

from moa_engine import builtin, hookspecs
from moa_engine.errors import ConfigError
from moa_engine.hookspecs import Command, MemberKind

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from moa_engine.attempt import Attempt
    from moa_engine.config import Section
    from moa_engine.task import Task

GROUP: Final = "moa"
DISTRIBUTION: Final = "pytest-moa"
NO_PLUGINS: Final = "MOA_NO_PLUGINS"


def load_plugins(environ: Mapping[str, str] = os.environ) -> pluggy.PluginManager:
    """All plug-ins, ready to be asked. `MOA_NO_PLUGINS=1` leaves out what other distributions bring.

    Raises:
        ConfigError: a plug-in cannot be imported, or its hooks do not fit the specifications.
    """
    from importlib.metadata import entry_points

    plugins = pluggy.PluginManager(GROUP)
    plugins.add_hookspecs(hookspecs)
    plugins.register(builtin, name=builtin.__name__)
    own_only = environ.get(NO_PLUGINS, "").lower() not in ("", "0", "false")
    for entry in entry_points(group=GROUP):
        if not (own_only and _distribution(entry) != DISTRIBUTION):
            _register(plugins, entry)
    return plugins


def _register(plugins: pluggy.PluginManager, entry: EntryPoint) -> None:
    try:
        plugin = entry.load()
        if not plugins.is_registered(plugin):
            plugins.register(plugin, name=entry.value)
            plugins.check_pending()
    except Exception as error:  # whatever the plug-in's own code raises
        raise ConfigError(
            f"the plug-in {entry.name!r} ({entry.value}, from {_distribution(entry)}) cannot be loaded: "
            f"{type(error).__name__}: {error}",
            hint=f"uninstall or repair it; {NO_PLUGINS}=1 runs without the plug-ins of other distributions",
        ) from error


def _distribution(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else "an unknown distribution"


def member_kinds(plugins: pluggy.PluginManager) -> dict[str, MemberKind]:
    """The kinds of members by name, the built-in ones first.

    Raises:
        ConfigError: a plug-in fails, or two bring a kind of the same name.
    """
    kinds: dict[str, tuple[str, MemberKind]] = {}
    for plugin, brought in _answers(plugins.hook.moa_member_kinds):
        for kind in brought:
            if kind.name in kinds:
                raise ConfigError(
                    f"the kind {kind.name!r} comes from two plug-ins: {kinds[kind.name][0]}, {plugin}"
                )
            kinds[kind.name] = (plugin, kind)
    return {name: kind for name, (_, kind) in kinds.items()}


def subject_reading(kinds: Mapping[str, MemberKind]) -> frozenset[str]:
    """The kinds whose members read the subject instead of messages."""
    return frozenset(name for name, kind in kinds.items() if kind.reads == "subject")


def config_sections(plugins: pluggy.PluginManager) -> dict[str, type[Section]]:
    """The sections of `[tool.moa]` that plug-ins read, by key.

    Raises:
        ConfigError: a plug-in fails, or a section has the name of a setting or of another section.
    """
    from moa_engine.config import Settings

    sections: dict[str, type[Section]] = {}
    for plugin, brought in _answers(plugins.hook.moa_config_sections):
        for key, model in brought.items():
            if key in Settings.model_fields or key in sections:
                raise ConfigError(f"the plug-in {plugin} brings a section {key!r}, which there is already")
            sections[key] = model
    return sections


def task_types(plugins: pluggy.PluginManager) -> dict[str, type[Task[Any]]]:
    """The kinds of tasks by name.

    Raises:
        ConfigError: a plug-in fails.
    """
    return {task.name: task for _, brought in _answers(plugins.hook.moa_tasks) for task in brought}


def commands(plugins: pluggy.PluginManager) -> list[Command]:
    """The commands that plug-ins bring.

    Raises:
        ConfigError: a plug-in fails.
    """
    return [command for _, brought in _answers(plugins.hook.moa_commands) for command in brought]


def generation_observers(plugins: pluggy.PluginManager) -> dict[str, Callable[[Attempt], None]]:
    """What each plug-in that observes generations does with one, by the plug-in's name."""
    hook = plugins.hook.moa_generation
    everybody = plugins.get_plugins()
    watching = {each.plugin_name: everybody - {each.plugin} for each in hook.get_hookimpls()}
    callers = {name: plugins.subset_hook_caller(hook.name, others) for name, others in watching.items()}
    return {name: partial(_tell, caller) for name, caller in callers.items()}


def _tell(hook: pluggy.HookCaller, attempt: Attempt) -> None:
    hook(attempt=attempt)


def _answers(hook: pluggy.HookCaller) -> Iterator[tuple[str, Any]]:
    """What each plug-in answers to a hook without arguments, in the order of registration."""
    for implementation in hook.get_hookimpls():
        try:
            answer = implementation.function()
        except Exception as error:  # whatever the plug-in's own code raises
            raise ConfigError(
                f"the plug-in {implementation.plugin_name} failed in {hook.name}: "
                f"{type(error).__name__}: {error}",
                hint=f"{NO_PLUGINS}=1 runs without the plug-ins of other distributions",
            ) from error
        if answer is not None:
            yield implementation.plugin_name, answer

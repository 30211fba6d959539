"""The settings of a project, from all their sources, checked, with every problem said at once.

In rising precedence: `[tool.moa]` in `pyproject.toml`, `moa.toml` beside it, `MOA_*` variables,
command-line flags. A file that is named (`--config`, `MOA_CONFIG`) replaces the first two.
This is our own code because pydantic-settings costs 0.2 s of import, and its errors name no file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from moa_engine.config import Section, Settings
from moa_engine.config_check import Place, Problem, invalid, literal_keys, refusal, unknown_key, unknown_name
from moa_engine.config_sources import (
    Key,
    Source,
    Table,
    dotted,
    find_files,
    leaves,
    merged,
    read_environment,
    read_file,
    read_flags,
    shown,
)
from moa_engine.errors import ConfigError
from moa_engine.plugins import config_sections, member_kinds, subject_reading
from moa_engine.presets import naming_problems, over, own_member, preset_members, presets, roster_of

if TYPE_CHECKING:
    import pluggy

    from moa_engine.hookspecs import MemberKind


ModelT = TypeVar("ModelT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, the sections that plug-ins read by key, and where each key that is set comes from."""

    settings: Settings
    sections: Mapping[str, Section]
    sources: Mapping[str, str]  #: "members.qwen.model": "moa.toml", "layers": "--layers"
    files: tuple[Path, ...]  #: the files that were read, the weaker first


def load_settings(
    *,
    start: Path,
    config: Path | None = None,
    environ: Mapping[str, str],
    flags: Mapping[str, Any] = MappingProxyType({}),
    above: Sequence[Source] = (),
    plugins: pluggy.PluginManager,
) -> LoadedSettings:
    """Read and check the settings of the project that `start` is in.

    `flags` have dotted keys; a value of None is a flag that was not given. Sources `above` count more
    than files and environment, and less than flags.

    Raises:
        ConfigError: a source cannot be read, or at least one setting is wrong; it names them all.
    """
    kinds, section_types = member_kinds(plugins), config_sections(plugins)
    files = _files(start, config, environ)
    sources = [read_file(path) for path in files]
    named = frozenset(presets())
    sources.append(read_environment(environ, merged(sources, named), {"members": dict(preset_members())}))
    sources += [*above, read_flags(flags)]
    data = merged(sources, named)

    problems = list(literal_keys(data))
    problems += _unknown_keys(data, section_types)
    sections = {
        key: _checked(model, data.get(key, {}), (key,), problems) for key, model in section_types.items()
    }
    settings = _checked(Settings, {k: v for k, v in data.items() if k in Settings.model_fields}, (), problems)
    problems += _member_problems(data, kinds)
    if settings is not None:
        problems += _name_problems(settings, kinds)
    if problems or settings is None:
        raise refusal(_in_order(problems, sources), lambda place: _where(place, sources))
    return LoadedSettings(
        settings,
        {key: section for key, section in sections.items() if section is not None},
        {dotted(key): _source(key, sources).where(key)[0] for key in leaves(data)},
        tuple(files),
    )


def _files(start: Path, config: Path | None, environ: Mapping[str, str]) -> list[Path]:
    named = config or (Path(environ["MOA_CONFIG"]) if environ.get("MOA_CONFIG") else None)
    if named is None:
        return find_files(start)
    if not named.is_file():
        by = "--config" if config else "MOA_CONFIG"
        raise ConfigError(f"{shown(named)}: there is no such file, which {by} names")
    return [named]


def _checked(model: type[ModelT], data: Any, place: Place, problems: list[Problem]) -> ModelT | None:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        problems += invalid(error, model, data, place)
        return None


def _unknown_keys(data: Table, sections: Mapping[str, Any]) -> Iterator[Problem]:
    known = [*Settings.model_fields, *sections]
    for key in data:
        if key not in known:
            yield unknown_key((key,), known)


def _member_problems(data: Table, kinds: Mapping[str, MemberKind]) -> Iterator[Problem]:
    """What is wrong with the tables of members, each checked against its kind's settings."""
    subject_kinds = subject_reading(kinds)
    own: dict[str, Table] = {}
    for name, table in _tables(data, "members"):
        own[name] = own_member(name, table, subject_kinds, data)
        yield from _table_problems(("members", name), own[name], kinds)
    for committee, described in _tables(data, "committees"):
        for name, table in _tables(described, "members"):
            whole = over(own[name], table) if name in own else own_member(name, table, subject_kinds, data)
            if name not in own or table:
                yield from _table_problems(("committees", committee, "members", name), whole, kinds)


def _table_problems(place: Place, table: Table, kinds: Mapping[str, MemberKind]) -> list[Problem]:
    kind = table.get("kind", "chat")
    if not isinstance(kind, str) or kind not in kinds:
        return [unknown_name((*place, "kind"), "kind of member", str(kind), kinds)]
    problems: list[Problem] = []
    _checked(kinds[kind].settings, table, place, problems)
    return problems


def _name_problems(settings: Settings, kinds: Mapping[str, MemberKind]) -> Iterator[Problem]:
    """Names of committees and members that nobody has."""
    if settings.committee is not None and settings.committee not in {*settings.committees, *presets()}:
        known = [*settings.committees, *presets()]
        yield unknown_name(("committee",), "committee", settings.committee, known)
        return
    for name in dict.fromkeys([settings.committee, *settings.committees]):
        preset = presets().get(name or "") if name not in settings.committees else None
        if preset is None or not preset.discover:  # whom discovery finds is not known yet
            chosen = settings.model_copy(update={"committee": name})
            yield from naming_problems(
                roster_of(chosen, subject_reading(kinds)), known=sorted(subject_reading(kinds))
            )


def _tables(data: Table, key: str) -> Iterator[tuple[str, Table]]:
    found = data.get(key)
    for name, table in found.items() if isinstance(found, dict) else ():
        if isinstance(table, dict):
            yield name, table


def _in_order(problems: list[Problem], sources: list[Source]) -> list[Problem]:
    """Source by source and line by line, one for each place: a literal key is no unknown key as well."""
    first: dict[Place, Problem] = {}
    for problem in problems:
        first.setdefault(problem.place, problem)

    def order(problem: Problem) -> tuple[int, int]:
        key = _key(problem.place)
        source = _source(key, sources)
        return sources.index(source), source.where(key)[1]

    return sorted(first.values(), key=order)


def _where(place: Place, sources: list[Source]) -> str:
    key = _key(place)
    name, line = _source(key, sources).where(key)
    return f"{name}:{line}" if line else name


def _source(key: Key, sources: list[Source]) -> Source:
    """The strongest source that has a key; for a missing one the weakest that knows most of it."""
    having = [source for source in sources if source.depth(key) == len(key)]
    return having[-1] if having else max(sources, key=lambda source: source.depth(key))


def _key(place: Place) -> Key:
    return tuple(part for part in place if isinstance(part, str))

"""Where settings come from: `pyproject.toml`, `moa.toml`, the environment, command-line flags.

Each is read into one `Source`: a nested table, and the knowledge of where a key stands in it, so
that every complaint can name the file and the line, the variable or the flag.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from moa_engine.errors import ConfigError

Key = tuple[str, ...]
Table = dict[str, Any]

PREFIX = "MOA_"

#: Variables that start with MOA_ and are no settings, with their meaning.
NOT_SETTINGS: Mapping[str, str] = {
    "MOA_CONFIG": "a file to read instead of the project's own, like --config",
    "MOA_NO_PLUGINS": "1 leaves out the plug-ins of other distributions",
    "MOA_DEBUG": "1 shows the traceback of a fault in the product itself",
    "MOA_DISCOVER_PORTS": "where to look for model servers on this machine, such as ollama=11434,vllm=8000",
}

_LINE = re.compile(r"\(at (?:line (?P<line>\d+)|end of document)[^)]*\)$")


@dataclass(frozen=True, slots=True)
class Source:
    """One source of settings. `where` says in what a key stands, and on which line (0: there is none)."""

    data: Table
    where: Callable[[Key], tuple[str, int]]

    def depth(self, path: Key) -> int:
        """How many parts of a key this source has a value or a table for."""
        here: Any = self.data
        for depth, part in enumerate(path):
            if not isinstance(here, dict) or part not in here:
                return depth
            here = here[part]
        return len(path)


def find_files(start: Path) -> list[Path]:
    """The configuration files of a project, the weaker first: `pyproject.toml`, then `moa.toml`.

    They are in the nearest folder, from `start` upwards, that has a `moa.toml` or a `pyproject.toml`
    with a table `[tool.moa]`. The search ends at the root of a git work tree.

    Raises:
        ConfigError: a `pyproject.toml` on the way cannot be read.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        pyproject, own = folder / "pyproject.toml", folder / "moa.toml"
        found = [pyproject] if pyproject.is_file() and _holds_settings(pyproject) else []
        found += [own] if own.is_file() else []
        if found or (folder / ".git").exists():
            return found
    return []


def read_file(path: Path) -> Source:
    """The settings in one file.

    A `pyproject.toml` holds them in `[tool.moa]`; any other file there or at the top.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or has no settings where they should be.
    """
    text, data = _parse(path)
    table = _table_of(path, data)
    if table is None:
        raise ConfigError(f"{shown(path)}: has no table [tool.moa]")
    root: Key = () if table is data else ("tool", "moa")
    return Source(table, lambda key: (shown(path), _line_of(text, root + key)))


def read_environment(environ: Mapping[str, str], below: Table, known: Table) -> Source:
    """The settings in `MOA_*` variables, two underscores between the parts of a key.

    A part is matched with the names that `below` (weaker sources) and `known` already have, without
    regard to case and to characters that variables cannot have: `MOA_MEMBERS__QWEN_7B__MODEL` is the
    model of a member "qwen-7b". Lists, tables, numbers and booleans are written as in TOML, all else
    is text. An empty variable counts as not set.
    """
    data: Table = {}
    names: dict[Key, str] = {}
    for variable in sorted(environ):
        text = environ[variable]
        if not variable.startswith(PREFIX) or variable in NOT_SETTINGS or not text:
            continue
        path: Key = ()
        for part in variable.removeprefix(PREFIX).split("__"):
            path += (_matching(part, _at(below, path), _at(known, path), _at(data, path)),)
        _put(data, path, _value(text), variable)
        names[path] = variable
    return Source(data, _named(names))


def read_flags(flags: Mapping[str, Any]) -> Source:
    """The settings in command-line flags; keys are dotted, None is a flag that was not given."""
    data: Table = {}
    names: dict[Key, str] = {}
    for key, value in flags.items():
        if value is not None:
            path = tuple(key.split("."))
            names[path] = "--" + path[-1].replace("_", "-")
            _put(data, path, value, names[path])
    return Source(data, _named(names))


def merged(sources: list[Source], presets: frozenset[str]) -> Table:
    """All sources in one table, later ones over earlier ones, tables key by key.

    `layers` and `aggregator` belong to the committee that was chosen beside or before them: a source
    that chooses a preset sets aside those of weaker sources.
    """
    result: Table = {}
    for source in sources:
        own = {*_table(result, "committees"), *_table(source.data, "committees")}
        chosen = source.data.get("committee")
        if isinstance(chosen, str) and chosen in presets and chosen not in own:
            result = {key: value for key, value in result.items() if key not in ("layers", "aggregator")}
        result = overlaid(result, source.data)
    return result


def overlaid(below: Mapping[str, Any], above: Mapping[str, Any]) -> Table:
    """`above` over `below`, tables key by key; neither is changed."""
    result = dict(below)
    for key, value in above.items():
        old = result.get(key)
        result[key] = overlaid(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def leaves(table: Table, path: Key = ()) -> Iterator[Key]:
    """The keys of all values in a table, and of empty tables."""
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def dotted(path: tuple[str | int, ...]) -> str:
    """A key as TOML writes it; places in a list, counted from 0, in brackets."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            text += ("." if text else "") + (part if bare else '"' + part.replace('"', '\\"') + '"')
    return text


def shown(path: Path) -> str:
    """A path for people: relative when it is below the working directory."""
    absolute = path.absolute()
    return str(absolute.relative_to(Path.cwd()) if absolute.is_relative_to(Path.cwd()) else absolute)


def _parse(path: Path) -> tuple[str, Table]:
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        return text, tomllib.loads(text)
    except OSError as error:
        raise ConfigError(f"{shown(path)}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{shown(path)}: is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        found = _LINE.search(str(error))
        line = (found["line"] if found else None) or text.count("\n") + 1
        what = _LINE.sub("", str(error)).strip()
        raise ConfigError(f"{shown(path)}:{line}: is not valid TOML: {what}") from error


def _holds_settings(pyproject: Path) -> bool:
    return _table_of(pyproject, _parse(pyproject)[1]) is not None


def _table_of(path: Path, data: Table) -> Table | None:
    table = _table(data, "tool").get("moa")
    if path.name == "pyproject.toml" or table is not None:
        if table is not None and not isinstance(table, dict):
            raise ConfigError(f"{shown(path)}: tool.moa must be a table")
        if path.name != "pyproject.toml" and len(data) > 1:
            others = ", ".join(sorted(data.keys() - {"tool"}))
            raise ConfigError(
                f"{shown(path)}: has both [tool.moa] and keys beside it ({others}); use one of the two"
            )
        return table
    return data


def _line_of(text: str, path: Key) -> int:
    """The line on which a key, or the nearest table around it, begins.

    Reads statement by statement: a header, or as many lines as make one valid assignment. tomllib
    does not say where it found things.
    """
    best, best_depth = 0, 0
    header: Key = ()
    statement, first = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        if not statement and re.match(r"\s*(#|$)", line):
            continue
        statement, first = statement + line + "\n", first if statement else number
        try:
            keys = tuple(leaves(tomllib.loads(statement)))
        except tomllib.TOMLDecodeError:
            continue
        if re.match(r"\s*\[", statement):
            header, keys = keys[0], ((),)
        for key in keys:
            depth = _shared(header + key, path)
            if depth > best_depth:
                best, best_depth = first, depth
        statement = ""
    return best


def _shared(one: Key, other: Key) -> int:
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _at(table: Table, path: Key) -> Table:
    for part in path:
        table = _table(table, part)
    return table


def _table(table: Table, key: str) -> Table:
    found = table.get(key)
    return found if isinstance(found, dict) else {}


def _matching(part: str, *tables: Table) -> str:
    wanted = part.lower()
    return next((k for table in tables for k in table if re.sub(r"\W", "_", k.lower()) == wanted), wanted)


def _value(text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    simple = len(value) == 1 and isinstance(value["value"], bool | int | float | str | list | dict)
    return value["value"] if simple else text


def _put(data: Table, path: Key, value: Any, name: str) -> None:
    for part in path[:-1]:
        data = data.setdefault(part, {})
        if not isinstance(data, dict):
            raise ConfigError(f"{name}: {part} has a value already and cannot be a table as well")
    data[path[-1]] = value


def _named(names: Mapping[Key, str]) -> Callable[[Key], tuple[str, int]]:
    return lambda path: (names[max(names, key=lambda known: _shared(known, path))], 0)

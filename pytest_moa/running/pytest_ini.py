"""Where pytest finds its settings, without running it: the file, the root, and two of the settings."""

from __future__ import annotations

import configparser
import shlex
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from moa_engine.errors import ConfigError

#: In the order in which pytest looks for them in one folder.
_FILES: Final = (
    "pytest.toml",
    ".pytest.toml",
    "pytest.ini",
    ".pytest.ini",
    "pyproject.toml",
    "tox.ini",
    "setup.cfg",
)
#: These count even when they say nothing about pytest.
_OWN: Final = frozenset({"pytest.toml", ".pytest.toml", "pytest.ini", ".pytest.ini"})


@dataclass(frozen=True, slots=True)
class PytestSettings:
    """`root` is pytest's rootdir; `file` is None where nothing configures pytest."""

    root: Path
    file: Path | None = None
    python_path: tuple[Path, ...] = ()
    test_paths: tuple[Path, ...] = ()
    options: tuple[str, ...] = ()  #: those of `addopts` that decide what is collected and how it runs


def find_settings(start: Path) -> PytestSettings:
    """The settings that pytest would use for what is in `start`, a folder.

    Raises:
        ConfigError: a settings file cannot be read.
    """
    folders = (start, *start.parents)
    for folder in folders:
        for name in _FILES:
            settings = _read(folder / name)
            if settings is not None:
                return PytestSettings(
                    root=folder,
                    file=folder / name,
                    python_path=tuple(folder / path for path in _paths(settings.get("pythonpath"))),
                    test_paths=tuple(_matching(folder, _paths(settings.get("testpaths")))),
                    options=kept_options(_paths(settings.get("addopts"))),
                )
    for marker in ("pyproject.toml", "setup.py", ".git"):
        for folder in folders:
            if (folder / marker).exists():
                return PytestSettings(folder)
    return PytestSettings(start)


#: Options that mean something for single tests in a fork. Others report, measure, repeat, spread or stop.
_KEPT: Final = (
    "--import-mode",
    "--doctest-modules",
    "--doctest-glob",
    "--asyncio-mode",
    "--ds",
    "--dc",
    "--ignore",
    "--ignore-glob",
    "--deselect",
    "--confcutdir",
    "--noconftest",
)
#: The same for options with a value of their own, joined or not.
_KEPT_SHORT: Final = ("-p", "-m", "-k", "-W")


def kept_options(addopts: Sequence[str]) -> tuple[str, ...]:
    """What stays of `addopts`."""
    kept: list[str] = []
    words = iter(addopts)
    for word in words:
        name, joined, _ = word.partition("=")
        if word[:2] in _KEPT_SHORT and not word.startswith("--"):
            kept += [word] if len(word) > 2 else [word, next(words, "")]
        elif name in _KEPT:
            valued = not joined and name not in ("--doctest-modules", "--noconftest")
            kept += [word, next(words, "")] if valued else [word]
    return tuple(kept)


def _read(path: Path) -> dict[str, Any] | None:
    """pytest's section of the file, None without one."""
    if not path.is_file():
        return None
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".toml":
            return _toml_section(path.name, tomllib.loads(text))
        parser = configparser.ConfigParser(interpolation=None, strict=False)
        parser.read_string(text)
    except (OSError, ValueError, configparser.Error) as error:
        raise ConfigError(f"{path} cannot be read: {error}", hint="pytest reads it too; repair it") from error
    section = "tool:pytest" if path.name == "setup.cfg" else "pytest"
    if parser.has_section(section):
        return dict(parser[section])
    return {} if path.name in _OWN else None


def _toml_section(name: str, data: dict[str, Any]) -> dict[str, Any] | None:
    if name in _OWN:
        own: dict[str, Any] = data.get("pytest", {})
        return own
    tables = data.get("tool", {}).get("pytest")
    if not isinstance(tables, dict):
        return None
    section = tables.get("ini_options", tables)
    return section if isinstance(section, dict) else None


def _paths(value: object) -> list[str]:
    if isinstance(value, str):
        return shlex.split(value)
    return [str(path) for path in value] if isinstance(value, list) else []


def _matching(root: Path, patterns: Iterable[str]) -> Iterable[Path]:
    """`testpaths` may be patterns; what does not exist pytest leaves out as well."""
    for pattern in patterns:
        if Path(pattern).is_absolute():
            yield from [Path(pattern)] if Path(pattern).exists() else []
        elif (root / pattern).exists():
            yield (root / pattern).resolve()
        else:
            yield from sorted(root.glob(pattern))

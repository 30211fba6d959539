"""The code that cases are made of: the Python files of a folder, or of an installed package."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Final

from moa_engine.errors import ConfigError

#: Folders and files whose code is no part of what a package does.
_LEFT_OUT: Final = re.compile(
    r"(^|/)(\.[^/]*|tests?|testing|docs?|examples?|benchmarks?|build|dist|node_modules|site-packages|"
    r"v?env|_?vendor(ed)?|test_[^/]*|[^/]*_test\.py|conftest\.py|setup\.py|__main__\.py|_version\.py)(/|$)"
)


@dataclass(frozen=True, slots=True)
class Sources:
    """Texts by path. `name` is what they are, for people; `root` is where the paths begin."""

    name: str
    root: Path
    texts: Mapping[str, str]

    def module(self, path: str) -> str:
        """The dotted name of a file's module."""
        parts = Path(path).with_suffix("").parts
        parts = parts[1:] if parts[:1] in (("src",), ("lib",)) else parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def find_sources(place: str) -> Sources:
    """The sources of a folder or, where there is none of that name, of an installed package.

    Raises:
        ConfigError: there is neither, or no Python file in it.
    """
    folder = Path(place)
    if folder.is_dir():
        root = folder.resolve()
        name = _of_repository(root)
        if (root / "__init__.py").exists():
            root = root.parent
        found = Sources(name, root, dict(_read(root, folder.resolve())))
    else:
        found = _of_package(place)
    if not found.texts:
        raise ConfigError(f"{place} has no Python file that cases could be made of")
    return found


def _of_package(name: str) -> Sources:
    spec = PathFinder.find_spec(name, sys.path) if re.fullmatch(r"\w+", name) else None
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"{name} is no folder, and no package of that name is installed beside moa",
            hint="give the path of a repository or of a package's folder",
        )
    origin = Path(spec.origin)
    if not spec.submodule_search_locations:
        return Sources(_version(name), origin.parent, dict(_read(origin.parent, origin)))
    return Sources(_version(name), origin.parent.parent, dict(_read(origin.parent.parent, origin.parent)))


def _version(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return name


def _of_repository(folder: Path) -> str:
    """The folder's name, with its commit, or the version that was installed there."""
    from review_bot.repository import open_repository

    for info in folder.parent.glob(f"{folder.name}-*.dist-info"):
        return info.name.removesuffix(".dist-info").replace("-", " ")
    try:
        repository = open_repository(folder)
    except ConfigError:
        return folder.name
    head = repository.find("HEAD^{commit}")
    return f"{folder.name} at {head[:12]}" if head else folder.name


def _read(root: Path, top: Path) -> Iterator[tuple[str, str]]:
    for file in [top] if top.is_file() else sorted(top.rglob("*.py")):
        path = file.relative_to(root).as_posix()
        if _LEFT_OUT.search(file.relative_to(top).as_posix()) or not file.is_file():
            continue
        try:
            text = file.read_bytes().decode()
            compile(text, path, "exec", dont_inherit=True)
        except (OSError, ValueError, SyntaxError):  # not for this Python, or no text: nothing to edit
            continue
        yield path, text

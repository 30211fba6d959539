"""Where Python modules live in a tree, and which files mention a name. Nothing is imported or parsed."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

#: Folders that by convention are no packages but hold some.
_ROOTS = ("src", "lib", "python")


@dataclass(frozen=True, slots=True)
class Module:
    """A module: its import root as a path in the tree ("" for the tree), its dotted name in parts."""

    root: str
    parts: tuple[str, ...]


def module_of(tree: Path, path: str) -> Module | None:
    """The module that a file is, None if no dotted name can import it."""
    pure = PurePosixPath(path)
    folders = pure.parts[:-1]
    parts = folders if pure.stem == "__init__" else (*folders, pure.stem)
    top = len(folders)  #: number of leading folders outside the package
    while top > 0 and (tree.joinpath(*folders[:top]) / "__init__.py").is_file():
        top -= 1
    if top == len(folders):  # in no package: a module, perhaps of a namespace package
        top = next((at + 1 for at in reversed(range(top)) if folders[at] in _ROOTS), 0)
    if not parts[top:] or not all(part.isidentifier() for part in parts[top:]):
        return None
    return Module("/".join(folders[:top]), parts[top:])


def mentioning(tree: Path, names: Collection[str]) -> Iterator[str]:
    """Paths of Python files below `tree` in which one of the names occurs as a word."""
    if not names:
        return
    mention = re.compile(rb"\b(?:" + b"|".join(re.escape(name.encode()) for name in sorted(names)) + rb")\b")
    for folder, folders, files in os.walk(tree):
        folders.sort()
        for name in sorted(files):
            if name.endswith((".py", ".pyi")) and mention.search(Path(folder, name).read_bytes()):
                yield Path(folder, name).relative_to(tree).as_posix()

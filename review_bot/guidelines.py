"""The project's own guidelines, always as they stand at the base: a change cannot rewrite its own rules."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from moa_engine.errors import ConfigError
from review_bot.change import Guideline
from review_bot.patch import decode
from review_bot.repository import Repository

#: Read where they exist: at the top, and the first two also in every folder above a changed file.
NESTED = ("AGENTS.md", "CLAUDE.md")
TOP = (*NESTED, ".github/copilot-instructions.md")

#: Characters of one file and of all files that members are shown.
LONGEST = 20_000
LONGEST_IN_ALL = 60_000

_MOST_FOLDERS = 500  #: folders that are looked into; more do not fit on a command line


def read_guidelines(
    repository: Repository, tree: str, changed: Iterable[str], configured: Sequence[str] = ()
) -> tuple[list[Guideline], list[str]]:
    """Guidelines in `tree` (an id), the configured ones first, and sentences about what was left out.

    A guideline that is a symbolic link is not followed; one that only repeats another is left out.

    Raises:
        ConfigError: a configured path leads out of the repository.
    """
    wanted = list(dict.fromkeys([*map(_checked, configured), *TOP, *_nested(changed)]))
    found = _entries(repository, tree, wanted)
    notes = [
        f"the guideline {path} is not in the base revision, so it is not shown to reviewers"
        for path in dict.fromkeys(map(_checked, configured))
        if path not in found
    ]
    present = [path for path in wanted if path in found]
    guidelines: list[Guideline] = []
    left = LONGEST_IN_ALL
    for path, data in zip(present, repository.blobs(found[path] for path in present), strict=True):
        text = decode(data or b"").replace("\r\n", "\n").strip()
        if not text or any(text == other.text for other in guidelines):
            continue
        shown = text[: min(LONGEST, left)]
        if len(shown) < len(text):
            notes.append(f"reviewers see the first {len(shown):,} of {len(text):,} characters of {path}")
        if shown:
            guidelines.append(Guideline(path, shown))
            left -= len(shown)
    return guidelines, notes


def _checked(path: str) -> str:
    parts = PurePosixPath(path.replace(os.sep, "/"))
    if parts.is_absolute() or ".." in parts.parts or not parts.parts:
        raise ConfigError(
            f"[tool.moa] guidelines: {path!r} is not a path inside of the repository",
            hint="Give paths from the repository's top, such as docs/style.md.",
        )
    return str(parts)


def _nested(changed: Iterable[str]) -> Iterator[str]:
    folders = {str(folder) for path in changed for folder in PurePosixPath(path).parents} - {"."}
    for folder in sorted(folders, key=lambda folder: (folder.count("/"), folder))[:_MOST_FOLDERS]:
        for name in NESTED:
            yield f"{folder}/{name}"


def _entries(repository: Repository, tree: str, paths: Sequence[str]) -> dict[str, bytes]:
    """Ids of those paths that are plain files in the tree."""
    listed = repository.run("ls-tree", "-z", "--full-tree", tree, "--", *paths)
    found = {}
    for entry in listed.split(b"\0")[:-1]:
        about, _, path = entry.partition(b"\t")
        mode, kind, id = about.split(b" ")[:3]
        if kind == b"blob" and mode != b"120000":
            found[decode(path)] = id
    return found

"""What the `.gitattributes` of one revision say, and git commands that obey those and no others.

git reads attributes from the working tree, which is the head of most changes: a change could switch off
its own diff there. `git check-attr --source` and `git --attr-source` are younger than gits in use, so the
files of the wanted revision are put into an empty working tree (https://git-scm.com/docs/gitattributes).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from review_bot.repository import Repository

#: Attributes that decide whether a file is reviewed.
NAMES = ("diff", "filter", "linguist-generated", "linguist-vendored")

_LONGEST_NAME = 255


@contextmanager
def attributes_of(repository: Repository, tree: str, paths: Iterable[bytes]) -> Iterator[Repository]:
    """The repository with the attributes that `tree` gives to `paths`, and with no other working tree."""
    folders = sorted(set().union(*(_folders(path) for path in paths)))
    names = (b"%s:%s.gitattributes" % (tree.encode(), folder) for folder in folders)
    with tempfile.TemporaryDirectory(prefix="review-bot-") as scratch:
        top = Path(scratch)
        for folder, content in zip(folders, repository.blobs(names), strict=True):
            if content is not None and _is_plain(folder):
                place = top / os.fsdecode(folder)
                place.mkdir(parents=True, exist_ok=True)
                (place / ".gitattributes").write_bytes(content)
        yield repository.with_environment(
            {
                "GIT_DIR": str(repository.git_dir),
                "GIT_WORK_TREE": scratch,
                "GIT_INDEX_FILE": str(top / "none"),
            },
            folder=top,
        )


def read_attributes(view: Repository, paths: Iterable[bytes]) -> dict[bytes, dict[str, str]]:
    """The attributes in `NAMES` of each path: "set", "unset" or a value; unspecified ones are left out."""
    listed = b"".join(path + b"\0" for path in paths)
    if not listed:
        return {}
    fields = view.run("check-attr", "--stdin", "-z", *NAMES, stdin=listed).split(b"\0")
    found: dict[bytes, dict[str, str]] = {}
    for path, name, value in zip(fields[0::3], fields[1::3], fields[2::3], strict=False):
        if value != b"unspecified":
            found.setdefault(path, {})[name.decode()] = value.decode(errors="replace")
    return found


def _folders(path: bytes) -> Iterator[bytes]:
    """The folders above a path, each with its slash; the top is empty."""
    yield b""
    at = path.find(b"/")
    while at >= 0:
        yield path[: at + 1]
        at = path.find(b"/", at + 1)


def _is_plain(folder: bytes) -> bool:
    parts = folder.split(b"/")[:-1]
    return all(part not in (b"", b".", b"..") and len(part) <= _LONGEST_NAME for part in parts)

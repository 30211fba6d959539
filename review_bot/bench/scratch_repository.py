"""The cases as commits of a scratch repository, so that they are reviewed like everything else.

The commits are the same on every machine: their texts, titles and dates are, and nobody's git settings
count. So prompts are the same too, and what the record knows is not asked again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from moa_engine.errors import ConfigError
from review_bot.bench.cases import Case, CaseSet

_WHO = "moa bench <bench@localhost> 1000000000 +0000"


@contextmanager
def scratch_repository(cases: CaseSet) -> Iterator[tuple[Path, Mapping[str, str]]]:
    """A bare repository with every case, and the range of its two commits by the case's id.

    Raises:
        ConfigError: git is missing, or failed.
    """
    if shutil.which("git") is None:
        raise ConfigError("git is not installed", hint="cases are reviewed as commits of a repository")
    with tempfile.TemporaryDirectory(prefix="moa-bench-", ignore_cleanup_errors=True) as folder:
        repository = Path(folder) / "cases.git"
        _git(
            folder,
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            "--object-format=sha1",
            str(repository),
        )
        stream = b"".join(
            part for number, case in enumerate(cases.cases) for part in _commits(cases, case, number)
        )
        _git(str(repository), "fast-import", "--quiet", "--date-format=raw", stdin=stream)
        ranges = {case.id: f"refs/cases/{number}^!" for number, case in enumerate(cases.cases)}
        yield repository, ranges


def _commits(cases: CaseSet, case: Case, number: int) -> Iterator[bytes]:
    """What `git fast-import` reads: the commit with the case's files, and the one with its edits."""
    ref = f"refs/cases/{number}"
    texts = {path: cases.texts[digest] for path, digest in case.files.items()}
    yield _commit(ref, "The code", texts, ref_is_new=True)
    yield _commit(ref, case.title, {path: case.head(path, text) for path, text in texts.items()})


def _commit(ref: str, title: str, texts: Mapping[str, str], *, ref_is_new: bool = False) -> bytes:
    message = title.encode()
    start = f"reset {ref}\n" if ref_is_new else ""
    head = f"{start}commit {ref}\ncommitter {_WHO}\ndata {len(message)}\n".encode() + message + b"\n"
    files = []
    for path, text in sorted(texts.items()):
        data = text.encode()
        files.append(f"M 100644 inline {path}\ndata {len(data)}\n".encode() + data + b"\n")
    return head + b"".join(files) + b"\n"


def _git(folder: str, *arguments: str, stdin: bytes = b"") -> None:
    nobody = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(  # noqa: S603 - git, with arguments of ours
        ["git", *arguments],  # noqa: S607 - the git of the path, as everywhere
        cwd=folder,
        env=own | nobody,
        input=stdin,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise ConfigError(f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()}")

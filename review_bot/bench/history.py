"""Cases from the log: bug fixes taken back, and refactorings as clean hunks, in the code as it is today.

What a commit changed is looked for in today's files: where its lines are still there, once, the old ones
are put back. So a fix that was written over since gives no case, and all hunks of a set fit together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from moa_engine.errors import ConfigError
from pytest_moa.code.definitions import definitions_of
from review_bot.bench.code_edit import CodeEdit, edit_of
from review_bot.bench.sources import Sources
from review_bot.change import Hunk

FIX: Final = re.compile(
    r"\b(fix(e[sd])?|bug|crash|regress\w*|incorrect\w*|wrong\w*|off.by.one)\b", re.IGNORECASE
)
REFACTORING: Final = re.compile(
    r"\b(refactor\w*|renam\w*|clean.?up|simplif\w*|tidy|reformat\w*|moderni[sz]e\w*)\b", re.IGNORECASE
)

#: Fixes that are no fix of code.
_NO_FIX: Final = re.compile(r"\b(typo|docs?|docstring|lint|ci|test|tests|build|comment)\b", re.IGNORECASE)

#: Commits that are looked at, the newest first.
_MOST: Final = 400

#: Lines of the commit's own surroundings by which a place is found again.
_AROUND: Final = 2


@dataclass(frozen=True, slots=True)
class Past:
    """An edit that takes back what a commit did."""

    path: str
    function: str
    edit: CodeEdit


def history_of(sources: Sources) -> Iterator[tuple[bool, Past]]:
    """Bug fixes taken back (True), and refactorings (False), the newest first.

    Raises:
        ConfigError: the sources are in no repository.
    """
    from review_bot.read_change import read_change
    from review_bot.repository import open_repository

    repository = open_repository(sources.root)
    top = Path(repository.place).resolve()
    inside = sources.root.resolve().relative_to(top).as_posix()
    within = {(path if inside == "." else f"{inside}/{path}"): path for path in sources.texts}
    log = repository.run("log", "--no-merges", f"--max-count={_MOST * 5}", "--format=%H %s", "--", "*.py")
    looked_at = 0
    for line in log.decode(errors="replace").splitlines():
        commit, _, subject = line.partition(" ")
        is_fix = bool(FIX.search(subject)) and not _NO_FIX.search(subject)
        if not is_fix and not REFACTORING.search(subject):
            continue
        looked_at += 1
        if looked_at > _MOST:
            return
        try:
            change = read_change(top, range=f"{commit}^!")
        except ConfigError:  # a shallow clone ends here: its last commit has no parent that is known
            return
        for file in change.files:
            if (path := within.get(file.path)) is None or file.status != "modified":
                continue
            if len(file.hunks) == 1 and (
                past := _taken_back(sources.texts, path, file.hunks[0], is_fix, subject)
            ):
                yield is_fix, past


def _taken_back(texts: Mapping[str, str], path: str, hunk: Hunk, is_fix: bool, subject: str) -> Past | None:
    """The edit that puts the hunk's old lines back, if its new ones are in today's text exactly once."""
    lines = list(hunk.lines())
    changed = [number for number, line in enumerate(lines) if line.mark != " "]
    if not changed:
        return None
    part = lines[max(0, changed[0] - _AROUND) : changed[-1] + 1 + _AROUND]
    new = "".join(f"{line.text}\n" for line in part if line.mark != "-")
    old = "".join(f"{line.text}\n" for line in part if line.mark != "+")
    source = texts[path]
    if f"\n{source}".count(f"\n{new}") != 1:
        return None
    before = f"\n{source}".replace(f"\n{new}", f"\n{old}")[1:]
    name = "fix-reverted" if is_fix else "refactoring"
    edit = edit_of(source, before, name, f"taken back: {subject}")
    if edit is None or not edit.before.strip() + edit.after.strip():
        return None
    inside = definitions_of(source).at(edit.start)
    return None if inside is None else Past(path, inside.qualname, edit)

"""Changes made from two sets of files, for the tests of reviewers."""

from __future__ import annotations

import asyncio
import difflib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from moa_engine.config import Settings
from moa_engine.member import PromptVersion, Request
from review_bot.change import Change, ChangedFile, Hunk, Trees
from review_bot.finding import Finding, FindingsAnswer
from review_bot.reviewers.reviewer import Reviewer
from review_bot.settings import ReviewerSettings
from review_bot.subject import ReviewSubject

_HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def hunks(base: str, head: str, context: int = 3) -> tuple[Hunk, ...]:
    """The hunks between two texts, as git would number them."""
    made: list[Hunk] = []
    sides = (text.removesuffix("\n").split("\n") if text else [] for text in (base, head))
    lines = difflib.unified_diff(*sides, n=context, lineterm="")
    for line in list(lines)[2:]:
        if header := _HEADER.match(line):
            start, length, new_start, new_length = (1 if n is None else int(n) for n in header.groups())
            made.append(Hunk(start, length, new_start, new_length, "", ""))
        else:
            last = made.pop()
            made.append(
                Hunk(
                    last.old_start,
                    last.old_length,
                    last.new_start,
                    last.new_length,
                    "",
                    f"{last.body}{line}\n",
                )
            )
    return tuple(made)


def change(
    base: Mapping[str, str], head: Mapping[str, str], renamed: Mapping[str, str] | None = None
) -> Change:
    """The change from `base` to `head` (path to text); `renamed` maps old paths to new ones."""
    origin = {new: old for old, new in (renamed or {}).items()}
    files = []
    for path in sorted(base.keys() | head.keys()):
        old, new = base.get(origin.get(path, path)), head.get(path)
        if (old == new and path not in origin) or path in origin.values():
            continue
        status = (
            "renamed"
            if path in origin
            else "added"
            if old is None
            else "deleted"
            if new is None
            else "modified"
        )
        files.append(
            ChangedFile(
                path,
                status,
                hunks(old or "", new or ""),
                old_path=origin.get(path),
                base_text=old,
                head_text=new,
            )
        )
    return Change("b" * 40, "c" * 40, tuple(files))


def subject(
    folder: Path,
    base: Mapping[str, str],
    head: Mapping[str, str],
    renamed: Mapping[str, str] | None = None,
) -> ReviewSubject:
    """The change and both trees on disk, below `folder`."""
    for side, files in (("base", base), ("head", head)):
        for path, text in files.items():
            target = folder / side / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8", newline="")
        (folder / side).mkdir(exist_ok=True)
    trees = Trees(str(folder / "base"), str(folder / "head"))
    return ReviewSubject(change(base, head, renamed), folder, lambda: trees)


def answer(kind: str, about: ReviewSubject, **settings: object) -> FindingsAnswer:
    """What the reviewer of this kind answers through the engine's own door."""
    member = Reviewer.of_kind(kind)(kind, ReviewerSettings(kind=kind, **settings), Settings())
    request = Request((), PromptVersion("", ""), subject=about, subject_digest="d")
    return FindingsAnswer(**json.loads(asyncio.run(member.generate(request)).text))


def findings(kind: str, about: ReviewSubject, **settings: object) -> list[Finding]:
    """The findings of `answer`."""
    return answer(kind, about, **settings).findings

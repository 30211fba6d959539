"""A change with its secrets masked, line for line, before anything of it is sent or written down."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from review_bot.change import Change, ChangedFile, Guideline, Hunk

Mask = Callable[[str], str]


def mask_change(change: Change, mask: Mask) -> Change:
    """The change with `mask` applied to every text in it: hunks, whole files, guidelines, messages.

    `mask` keeps the number of lines. It is given whole texts without diff marks, so that it sees secrets
    of several lines; the lines of hunks are those of the masked files where these are known.

    Raises:
        ValueError: `mask` changed the number of lines of a text.
    """
    safe = _counting(mask)
    return replace(
        change,
        files=tuple(_file(file, safe) for file in change.files),
        guidelines=tuple(Guideline(one.path, safe(one.text)) for one in change.guidelines),
        title=safe(change.title),
        description=safe(change.description),
    )


def _counting(mask: Mask) -> Mask:
    def safe(text: str) -> str:
        masked = mask(text)
        if masked.count("\n") != text.count("\n"):
            raise ValueError("the mask changed the number of lines")
        return masked

    return safe


def _file(file: ChangedFile, mask: Mask) -> ChangedFile:
    base = None if file.base_text is None else mask(file.base_text)
    head = None if file.head_text is None else mask(file.head_text)
    old = None if base is None else base.split("\n")
    new = None if head is None else head.split("\n")
    hunks = tuple(_hunk(hunk, old, new, mask) for hunk in file.hunks)
    return replace(file, hunks=hunks, base_text=base, head_text=head)


def _hunk(hunk: Hunk, base: list[str] | None, head: list[str] | None, mask: Mask) -> Hunk:
    marked = hunk.body.split("\n")[:-1]
    old = base and base[hunk.old_start - 1 :]
    new = head and head[hunk.new_start - 1 :]
    if old is None:
        old = mask("\n".join(line[1:] for line in marked if line[:1] in (" ", "-"))).split("\n")
    if new is None:
        new = mask("\n".join(line[1:] for line in marked if line[:1] in (" ", "+"))).split("\n")
    body = "".join(_merged(marked, iter(old), iter(new)))
    return replace(hunk, heading=mask(hunk.heading), body=body)


def _merged(marked: list[str], old: Iterator[str], new: Iterator[str]) -> Iterator[str]:
    for line in marked:
        mark, text = line[:1], line[1:]
        if mark == "+":
            text = next(new)
        elif mark == "-":
            text = next(old)
        elif mark == " ":
            before, after = next(old), next(new)
            text = before if before != text else after  # masked on either side is masked
        yield f"{mark}{text}\n"

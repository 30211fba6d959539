"""Reading a change from a patch file: outside of any repository, or with its texts when one has them."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from moa_engine.errors import ConfigError
from review_bot.change import Change, ChangedFile, Guideline, NotReviewed
from review_bot.patch import FilePatch, apply_hunks, decode, parse_patch
from review_bot.skipped import SkipRules

if TYPE_CHECKING:
    from review_bot.repository import Repository

_SUBMODULE, _LINK = "160000", "120000"


def read_patch(
    repository: Path, source: str, stdin: BinaryIO | None, rules: SkipRules, guidelines: Sequence[str]
) -> Change:
    """The change in a patch file, or in `stdin` when `source` is "-".

    Inside a repository a file's text at base is the blob that the patch names, else the file at HEAD, and
    only if every hunk fits it exactly. `base` is HEAD if that holds for all files, else "". Guidelines and
    attributes come from HEAD.

    Raises:
        ConfigError: the patch cannot be opened or read, or holds several changes of one file.
    """
    from review_bot.repository import inside_repository, open_repository

    data = _read(source, stdin)
    patches = _joined(parse_patch(data))
    title, description = _mail(data)
    if not inside_repository(repository):
        files, skipped = _files(patches, [None] * len(patches), rules, [{}] * len(patches))
        notes = _unknown_texts(files)
        return Change(
            "", "", files, skipped, title=title, description=description, source="patch", notes=notes
        )
    opened = open_repository(repository)
    head = opened.find("HEAD^{commit}")
    tree = opened.tree(head)
    attributes = _attributes(opened, tree, patches)
    bases, fits = _bases(opened, tree, patches)
    files, skipped = _files(patches, bases, rules, attributes)
    texts, notes = _guidelines(opened, tree, patches, guidelines)
    return Change(
        head if fits else "",
        "",
        files,
        skipped,
        texts,
        title,
        description,
        source="patch",
        base_tree=tree if fits else "",
        notes=(*notes, *_unknown_texts(files)),
    )


def _unknown_texts(files: Sequence[ChangedFile]) -> tuple[str, ...]:
    """A note where tools that need more than the lines of a patch can say nothing."""
    unknown = [
        file.path
        for file in files
        if file.hunks and file.head_text is None and file.status != "deleted" and file.new_mode != _LINK
    ]
    if not unknown:
        return ()
    which = unknown[0] if len(unknown) == 1 else f"{len(unknown)} files"
    return (
        f"of {which} only the lines in the patch are known, which is too little for linters and type "
        "checkers: review it in its repository (--repo), at the commit it was made for",
    )


def _read(source: str, stdin: BinaryIO | None) -> bytes:
    if source == "-":
        if stdin is None and sys.stdin is None:
            raise ConfigError(
                "standard input is closed", hint="Pipe a patch into it, or name a file: --patch FILE."
            )
        return (stdin or sys.stdin.buffer).read()
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ConfigError(f"the patch {source} cannot be read: {error.strerror or error}") from error


def _joined(patches: Sequence[FilePatch]) -> list[FilePatch]:
    """One entry per path. git prints a change of type as a deletion and an addition."""
    found: dict[str, FilePatch] = {}
    for patch in patches:
        before = found.get(patch.path)
        if before is None:
            found[patch.path] = patch
        elif (before.status, patch.status) == ("deleted", "added"):
            before.status, before.hunks = "modified", before.hunks + patch.hunks
            before.new_mode, before.new_id = patch.new_mode, patch.new_id
        else:
            raise ConfigError(
                f"the patch changes {patch.path} more than once, as a series of commits does",
                hint="Review their sum: `git diff A...B`, or GitHub's .diff instead of its .patch.",
            )
    return list(found.values())


def _files(
    patches: Sequence[FilePatch],
    bases: Sequence[bytes | None],
    rules: SkipRules,
    attributes: Sequence[dict[str, str]],
) -> tuple[tuple[ChangedFile, ...], tuple[NotReviewed, ...]]:
    files, skipped = [], []
    for patch, data, known in zip(patches, bases, attributes, strict=True):
        base = None if data is None else decode(data)
        head = None
        if patch.status == "added" or (base is not None and patch.status != "deleted"):
            head = None if _is_link(patch) else apply_hunks(base or "", patch.hunks)
        if why := _why_not(patch, base, head, rules, known):
            skipped.append(NotReviewed(patch.path, why))
            continue
        modes = patch.old_mode, patch.new_mode
        files.append(ChangedFile(patch.path, patch.status, patch.hunks, patch.old_path, *modes, base, head))
    return tuple(files), tuple(skipped)


def _is_submodule(patch: FilePatch) -> bool:
    return _SUBMODULE in (patch.old_mode, patch.new_mode)


def _is_link(patch: FilePatch) -> bool:
    return _LINK in (patch.old_mode, patch.new_mode)


def _why_not(
    patch: FilePatch, base: str | None, head: str | None, rules: SkipRules, attributes: dict[str, str]
) -> str | None:
    if _is_submodule(patch):
        return "submodule"
    if why := rules.by_path(patch.path, attributes):
        return why
    if patch.binary:
        return "binary file"
    sides = [None if text is None else text.encode("utf-8", "replace") for text in (base, head)]
    known = [side for side in sides if side is not None]
    size = max(map(len, known)) if known else sum(len(hunk.body) for hunk in patch.hunks)
    if why := rules.by_size(size):
        return why
    if any(hunk.body[1:].startswith("version https://git-lfs.github.com/spec/v1\n") for hunk in patch.hunks):
        return "kept in Git LFS"
    return rules.by_content(patch.path, *sides)


def _bases(
    repository: Repository, tree: str, patches: Sequence[FilePatch]
) -> tuple[list[bytes | None], bool]:
    """The bytes of each file at base where they are known, and whether all of them are HEAD's."""
    names = []
    for patch in patches:
        names.append((patch.old_id or "-").encode())
        names.append(f"{tree}:{patch.old_path or patch.path}".encode("utf-8", "replace"))
    bases: list[bytes | None] = []
    fits = True
    with closing(repository.blobs(names)) as blobs:
        for patch, named, current in zip(patches, blobs, blobs, strict=False):
            base = None
            if _is_submodule(patch):
                pass  # not reviewed, and no file of the tree
            elif patch.status == "added":
                fits = fits and current is None
            elif patch.binary or _is_link(patch):
                fits = fits and named == current
            else:
                base = next(
                    (text for text in (named, current) if text is not None and _applies(text, patch)), None
                )
                fits = fits and base is not None and base == current
            bases.append(base)
    return bases, fits


def _applies(text: bytes, patch: FilePatch) -> bool:
    return apply_hunks(decode(text), patch.hunks) is not None


def _attributes(repository: Repository, tree: str, patches: Sequence[FilePatch]) -> list[dict[str, str]]:
    from review_bot.attributes import attributes_of, read_attributes

    paths = [patch.path.encode("utf-8", "replace") for patch in patches]
    with attributes_of(repository, tree, paths) as view:
        known = read_attributes(view, paths)
    return [known.get(path, {}) for path in paths]


def _guidelines(
    repository: Repository, tree: str, patches: Sequence[FilePatch], configured: Sequence[str]
) -> tuple[tuple[Guideline, ...], tuple[str, ...]]:
    from review_bot.guidelines import read_guidelines

    texts, notes = read_guidelines(repository, tree, [patch.path for patch in patches], configured)
    return tuple(texts), tuple(notes)


def _mail(data: bytes) -> tuple[str, str]:
    """Subject and text of a mail from `git format-patch`; empty for other patches."""
    if not re.match(rb"(From [0-9a-f]{40,64} |From: |Subject: )", data):
        return "", ""
    from email import message_from_bytes
    from email.header import decode_header, make_header

    message = message_from_bytes(data)
    subject = " ".join(str(message["subject"] or "").split())
    with suppress(LookupError, ValueError):  # an unknown character set leaves it as it stands
        subject = str(make_header(decode_header(subject)))
    payload = message.get_payload(decode=True)
    body = decode(payload).replace("\r\n", "\n") if isinstance(payload, bytes) else ""
    description = re.split(r"^(?:---|diff --git .*)$", body, maxsplit=1, flags=re.MULTILINE)[0].strip()
    return re.sub(r"^\[[^\]]*\]\s*", "", subject), description

"""Reading a change: from two commits, the index, the working tree or a patch to a `Change`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from moa_engine.errors import ConfigError
from review_bot.change import Change, ChangedFile, NotReviewed, Status
from review_bot.patch import decode, parse_hunks
from review_bot.skipped import SkipRules

if TYPE_CHECKING:
    from review_bot.repository import Repository

_SUBMODULE, _LINK = "160000", "120000"

_STATUS: dict[str, Status] = {"A": "added", "D": "deleted", "R": "renamed", "C": "copied"}

#: Options of both diffs: what to compare must not depend on anybody's settings.
_COMPARE = ("-r", "-M", "-l2000", "--no-relative", "--ignore-submodules=none")
_PRINT = (
    "--patch", "--full-index", "-U3", "--inter-hunk-context=0", "--diff-algorithm=myers", "--no-color",
    "--no-ext-diff", "--no-textconv", "--submodule=short", "--src-prefix=a/", "--dst-prefix=b/",
)  # fmt: skip


def read_change(
    repository: Path,
    *,
    range: str | None = None,
    staged: bool = False,
    working: bool = False,
    patch: str | None = None,
    stdin: BinaryIO | None = None,
    rules: SkipRules | None = None,
    guidelines: Sequence[str] = (),
) -> Change:
    """The change that somebody wants reviewed; one without files and without `not_reviewed` is empty.

    At most one of these: `range` (see `revisions.resolve_range`, also for none at all), `staged` (the
    index against HEAD), `working` (the working tree with untracked files that are not ignored against
    HEAD), `patch` (a file, or "-" for `stdin`). `repository` is a folder in a repository; only a patch
    can do without one. `guidelines` are paths from the settings.

    Merges are compared with their first parent, a first commit with nothing. The repository is not
    written to.

    Raises:
        ConfigError: no repository, git missing, too old or refusing, an unknown revision, a patch that
            cannot be read, or more than one thing to review.
    """
    given = {"a range": range is not None, "--staged": staged, "--working": working, "--patch": bool(patch)}
    if sum(given.values()) > 1:
        names = " and ".join(name for name, is_given in given.items() if is_given)
        raise ConfigError(f"{names} exclude each other", hint="Give one of them.")
    rules = rules or SkipRules()
    if patch:
        from review_bot.read_patch import read_patch

        return read_patch(repository, patch, stdin, rules, guidelines)
    from review_bot.repository import open_repository

    opened = open_repository(repository)
    if staged or working:
        return _uncommitted(opened, working, rules, guidelines)
    return _committed(opened, range, rules, guidelines)


def _committed(
    repository: Repository, range: str | None, rules: SkipRules, guidelines: Sequence[str]
) -> Change:
    from review_bot.revisions import messages, resolve_range

    sides = resolve_range(repository, range)
    title, description = messages(repository, sides)
    change = Change(
        sides.base,
        sides.head,
        (),
        title=title,
        description=description,
        base_tree=repository.tree(sides.base),
        head_tree=repository.tree(sides.head),
        notes=(sides.note,) if sides.note else (),
    )
    return _compare(repository, change, rules, guidelines)


def _uncommitted(
    repository: Repository, working: bool, rules: SkipRules, guidelines: Sequence[str]
) -> Change:
    from review_bot.snapshot import take_snapshot

    head = repository.find("HEAD^{commit}")  # "" before the first commit

    def unwanted(path: str, size: int) -> str | None:
        return rules.by_path(path, {}) or rules.by_size(size)

    with take_snapshot(repository, "worktree" if working else "index", unwanted) as snapshot:
        change = Change(
            head,
            "",
            (),
            not_reviewed=snapshot.left_out,
            source="worktree" if working else "index",
            base_tree=repository.tree(head),
            head_tree=snapshot.tree,
        )
        return _compare(snapshot.repository, change, rules, guidelines)


@dataclass(slots=True)
class _Entry:
    """One file of `git diff-tree --raw`, and what is found out about it."""

    path: bytes
    old_path: bytes | None
    letter: str
    old_mode: str
    new_mode: str
    old_id: str
    new_id: str
    why: str | None = None  #: why it is not reviewed
    patches: list[bytes] = field(default_factory=list)  #: two for a change of type, else one

    def ids(self) -> tuple[str | None, str | None]:
        """Ids of the plain files at base and at head."""
        old = None if self.old_mode in ("000000", _LINK, _SUBMODULE) else self.old_id
        new = None if self.new_mode in ("000000", _LINK, _SUBMODULE) else self.new_id
        return old, new


def _compare(repository: Repository, change: Change, rules: SkipRules, guidelines: Sequence[str]) -> Change:
    """The change with everything in it that the difference of its two trees says."""
    from review_bot.guidelines import read_guidelines

    raw = repository.run(
        "diff-tree", *_COMPARE, "--raw", "--no-abbrev", "-z", change.base_tree, change.head_tree
    )
    entries = list(_entries(raw))
    _read_patches(repository, change, entries, rules)
    files, skipped = _files(repository, entries, rules)
    texts, notes = read_guidelines(
        repository, change.base_tree, [decode(e.path) for e in entries], guidelines
    )
    return replace(
        change,
        files=tuple(files),
        not_reviewed=(*change.not_reviewed, *skipped),
        guidelines=tuple(texts),
        notes=(*change.notes, *notes),
    )


def _entries(raw: bytes) -> Iterator[_Entry]:
    """The entries of `git diff-tree --raw -z` (https://git-scm.com/docs/diff-format)."""
    fields = iter(raw.split(b"\0")[:-1])
    for about in fields:
        old_mode, new_mode, old_id, new_id, status = about.decode().removeprefix(":").split(" ")
        letter = status[0]
        old_path = next(fields) if letter in "RC" else None
        yield _Entry(next(fields), old_path, letter, old_mode, new_mode, old_id, new_id)


def _read_patches(repository: Repository, change: Change, entries: list[_Entry], rules: SkipRules) -> None:
    """Fill in why an entry is not reviewed, else its patch."""
    from review_bot.attributes import attributes_of, read_attributes

    if not entries:
        return
    sizes = repository.sizes({id for entry in entries for id in entry.ids() if id})
    with attributes_of(repository, change.base_tree, [entry.path for entry in entries]) as view:
        attributes = read_attributes(view, [entry.path for entry in entries])
        # git calls a file above the threshold binary instead of comparing it
        printed = view.run(
            "-c", f"core.bigFileThreshold={rules.max_file_bytes + 1}",
            "diff-tree", *_COMPARE, *_PRINT, change.base_tree, change.head_tree,
        )  # fmt: skip
    patches = iter(_split(printed))
    for entry in entries:
        known = attributes.get(entry.path, {})
        size = max((sizes.get(id, 0) for id in entry.ids() if id), default=0)
        if _SUBMODULE in (entry.old_mode, entry.new_mode):
            entry.why = f"submodule ({entry.old_id[:10]}..{entry.new_id[:10]})"
        else:
            entry.why = rules.by_path(decode(entry.path), known) or rules.by_size(size)
        found = [next(patches) for _ in range(2 if entry.letter == "T" else 1)]
        if entry.why is None:
            entry.patches = found
            if known.get("diff") == "unset" and any(_is_binary(patch) for patch in found):
                entry.why = "marked -diff or binary (.gitattributes)"


def _split(printed: bytes) -> Iterator[bytes]:
    """The part of each file. No other line starts like this: lines of hunks have a mark before them."""
    start = 0
    while start < len(printed):
        end = printed.find(b"\ndiff --git ", start)
        end = len(printed) if end < 0 else end + 1
        yield printed[start:end]
        start = end


def _is_binary(patch: bytes) -> bool:
    return b"\nBinary files " in patch[: patch.find(b"\n@@ ")]


def _files(
    repository: Repository, entries: Sequence[_Entry], rules: SkipRules
) -> tuple[list[ChangedFile], list[NotReviewed]]:
    """Every entry becomes one or the other. All blobs are read in one pass."""
    wanted = [entry for entry in entries if entry.why is None]
    ids = (id.encode() for entry in wanted for id in entry.ids() if id)
    files, skipped = [], []
    with closing(repository.blobs(ids)) as blobs:
        for entry in entries:
            path = decode(entry.path)
            base = head = None
            if entry.why is None:
                base, head = (next(blobs) if id else None for id in entry.ids())
                entry.why = rules.by_content(path, base, head)
            if entry.why is None and any(_is_binary(patch) for patch in entry.patches):
                entry.why = "binary file"
            if entry.why is None:
                files.append(_file(entry, path, base, head))
            else:
                skipped.append(NotReviewed(path, entry.why))
            entry.patches = []
    return files, skipped


def _file(entry: _Entry, path: str, base: bytes | None, head: bytes | None) -> ChangedFile:
    hunks = tuple(hunk for patch in entry.patches for hunk in parse_hunks(patch)[0])
    status = _STATUS.get(entry.letter, "modified")
    if status == "modified" and not hunks and entry.old_mode != entry.new_mode:
        status = "mode"
    return ChangedFile(
        path,
        status,
        hunks,
        None if entry.old_path is None else decode(entry.old_path),
        None if entry.old_mode == "000000" else entry.old_mode,
        None if entry.new_mode == "000000" else entry.new_mode,
        None if base is None else decode(base),
        None if head is None else decode(head),
    )

"""From what the user types to two commits."""

from __future__ import annotations

from dataclasses import dataclass

from moa_engine.errors import ConfigError
from pytest_moa.branches import DEFAULT_BRANCHES
from review_bot.patch import decode
from review_bot.repository import Repository

#: Of a branch's messages: the oldest commits, and characters in all.
_MOST_COMMITS = 50
_LONGEST_DESCRIPTION = 8_000


@dataclass(frozen=True)
class Sides:
    """Two commits to compare. `base` is "" when head is the first commit: all of it is new."""

    base: str
    head: str
    note: str = ""


def resolve_range(repository: Repository, range: str | None) -> Sides:
    """The commits that a range means.

    ========  =====================================================================================
    `A...B`   what B added since it left A (their merge base against B); an empty side is HEAD
    `A..B`    A against B, whatever lies between
    `C^!`     what the commit C did to its first parent
    `A`       the same as `A...HEAD`; for an ancestor such as HEAD~1 that is HEAD~1 against HEAD
    None      on a branch that is ahead of the default branch, what it added; else the last commit
    ========  =====================================================================================

    Raises:
        ConfigError: a revision is unknown, or the two have no common history.
    """
    if range is None:
        return _usual(repository)
    text = range.strip()
    if text.endswith("^!"):
        return _one_commit(repository, repository.commit(text[:-2] or "HEAD"))
    if not text:
        raise ConfigError("the range is empty", hint="Give one such as HEAD~1 or main..., or leave it out.")
    for dots in ("...", ".."):
        if dots in text:
            left, right = text.split(dots, 1)
            base, head = repository.commit(left or "HEAD"), repository.commit(right or "HEAD")
            return Sides(base if dots == ".." else _merge_base(repository, base, head, text), head)
    return _since(repository, text)


def _since(repository: Repository, revision: str) -> Sides:
    head = repository.commit("HEAD")
    try:
        base = repository.commit(revision)
    except ConfigError as error:
        if revision.startswith(("HEAD~", "HEAD^", "@~", "@^")) and not repository.shallow():
            hint = (
                "The history is shorter than that. `HEAD^!` reviews the last commit, even the first of all."
            )
            raise ConfigError(error.message, hint=hint) from error
        raise
    return Sides(_merge_base(repository, base, head, f"{revision}...HEAD"), head)


def _merge_base(repository: Repository, base: str, head: str, text: str) -> str:
    found = decode(repository.run("merge-base", base, head, codes=(0, 1))).strip()
    if found:
        return found.split("\n")[0]
    raise ConfigError(
        f"the two sides of {text} have no common history in this clone",
        hint="Fetch more of it: `git fetch --unshallow`."
        if repository.shallow()
        else "Compare them as they are with two dots: A..B.",
    )


def _usual(repository: Repository) -> Sides:
    if not repository.find("HEAD"):
        raise ConfigError(
            f"{repository.folder} has no commit yet",
            hint="Review what is staged with --staged, or the working tree with --working.",
        )
    head = repository.commit("HEAD")
    names = (_remote_default(repository), *DEFAULT_BRANCHES)
    name = next((name for name in names if name and repository.find(f"{name}^{{commit}}")), "HEAD")
    out = repository.run("merge-base", repository.commit(name), head, codes=(0, 1))
    base = decode(out).strip().split("\n")[0]
    if base in ("", head):
        sides = _one_commit(repository, head)
        return Sides(sides.base, sides.head, "this is the review of the last commit")
    count = decode(repository.run("rev-list", "--count", f"{base}..{head}")).strip()
    commits = "only commit" if count == "1" else f"{count} commits"
    return Sides(base, head, f"this is the review of the {commits} since {name}")


def _remote_default(repository: Repository) -> str:
    out = repository.run("symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD", codes=(0, 1, 128))
    return decode(out).strip()


def _one_commit(repository: Repository, commit: str) -> Sides:
    """A commit against its first parent, which is what it did to the branch it was made (or merged) on."""
    header = repository.run("cat-file", "commit", commit).split(b"\n\n")[0]
    parents = [line[7:].decode() for line in header.split(b"\n") if line.startswith(b"parent ")]
    if not parents:
        return Sides("", commit)
    return Sides(repository.commit(parents[0]), commit)


def messages(repository: Repository, sides: Sides) -> tuple[str, str]:
    """Title and description: the oldest commit's subject; its body, or every message of several commits."""
    what = f"{sides.base}..{sides.head}" if sides.base else sides.head
    out = repository.run(
        "log", "--reverse", f"--max-count={_MOST_COMMITS}", "--no-merges", "--no-show-signature",
        "--no-color", "--no-notes", "--encoding=UTF-8", "--format=%B%x00", what, "--",
    )  # fmt: skip
    texts = [text.strip() for text in decode(out).split("\0") if text.strip()]
    if not texts:
        return "", ""
    title, _, body = texts[0].partition("\n")
    return title, ("\n\n".join(texts) if len(texts) > 1 else body.strip())[:_LONGEST_DESCRIPTION]

"""Unified diffs as data: `unidiff` reads the hunks, git's own headers are read here.

unidiff leaves names quoted and guesses where an unquoted name with spaces ends; git's extended headers
say both exactly (https://git-scm.com/docs/diff-generate-patch).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError
from review_bot.change import Hunk, Status

if TYPE_CHECKING:
    from unidiff import patch as unidiff

#: Prefixes of the two names in a diff: git's own, and those of diff.mnemonicPrefix.
_PREFIXES = ("a/", "b/", "c/", "i/", "o/", "w/", "1/", "2/")

_ESCAPE = re.compile(r"\\([abtnvfr\"\\]|[0-7]{3})")
_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}

_HUNK_HEADER = re.compile(r"@@ -\d+(,\d+)? \+\d+(,\d+)? @@")
_QUOTED = r'"(?:[^"\\]|\\.)*"'
#: What git prints in place of a submodule's diff when diff.submodule is log or diff.
_SUBMODULE = re.compile(
    r"Submodule (.+?) (?:[0-9a-f]+\.{2,3}[0-9a-f]+(?: \(.*\))?:?|contains (?:modified|untracked) content)\n"
)
_COMBINED = ("diff --cc ", "diff --combined ")


@dataclass(slots=True)
class FilePatch:
    """One file of a diff, as its text says. Ids of blobs may be abbreviated; "" when not given."""

    path: str
    status: Status = "modified"
    old_path: str | None = None
    old_mode: str | None = None
    new_mode: str | None = None
    old_id: str = ""
    new_id: str = ""
    binary: bool = False
    hunks: tuple[Hunk, ...] = ()


def decode(data: bytes) -> str:
    """Text of a file or a diff: each line that is not UTF-8 is read as Latin-1.

    Line by line, so that a line of a file and the same line in its diff are the same text.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        return "\n".join(map(_decode_line, data.split(b"\n")))


def _decode_line(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return line.decode("latin-1")


def parse_patch(data: bytes) -> list[FilePatch]:
    """Every file of a patch: `git diff`, `git format-patch` or plain `diff -u`, also after CRLF conversion.

    Raises:
        ConfigError: a line cannot be what its place asks for; the message has its number.
    """
    lines = _lines(decode(_unix(data)))
    starts = [number for number, line in enumerate(lines) if line.startswith("diff --git ")]
    for number, line in enumerate(lines, 1):
        if line.startswith(_COMBINED):
            raise _unreadable(number, "this is the combined diff of a merge", "Compare two commits instead.")
    submodules = _submodules(lines)
    if not starts:
        return submodules or _plain(lines)
    ends = [*starts[1:], len(lines)]
    files = [_git_file(lines[start:end], start + 1) for start, end in zip(starts, ends, strict=True)]
    known = {file.path for file in files}
    return files + [one for one in submodules if one.path not in known]


def parse_hunks(chunk: bytes) -> tuple[tuple[Hunk, ...], bool]:
    """The hunks of one file's part of `git diff`, and whether git called the file binary."""
    lines = _lines(decode(chunk))
    start = _first_hunk(lines)
    binary = any(line.startswith("Binary files ") for line in lines[:start])
    return _hunks(lines[start:], start + 1), binary


def _unix(data: bytes) -> bytes:
    """The patch as git wrote it: PowerShell writes UTF-16, mail programs and editors turn LF into CRLF."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            data = data.decode("utf-16").encode("utf-8", "surrogatepass")
        except UnicodeDecodeError as error:
            raise ConfigError("the patch looks like UTF-16, but it is cut off or damaged") from error
    data = data.removeprefix(b"\xef\xbb\xbf")
    header = re.search(rb"^(diff --git |--- )[^\n]*\n", data, re.MULTILINE)
    return data.replace(b"\r\n", b"\n") if header and header[0].endswith(b"\r\n") else data


def _lines(text: str) -> list[str]:
    """Lines with their ends. Only LF ends a line: form feeds and U+2028 are content."""
    lines = [line + "\n" for line in text.split("\n")]
    last = lines.pop()[:-1]
    return [*lines, last + "\n"] if last else lines


def _first_hunk(lines: Sequence[str]) -> int:
    return next((index for index, line in enumerate(lines) if line.startswith("@@ ")), len(lines))


def _hunks(lines: Sequence[str], first: int) -> tuple[Hunk, ...]:
    """The hunks in lines that start with a hunk header; `first` is the number of the first line."""
    if not lines:
        return ()
    if not _HUNK_HEADER.match(lines[0]):
        raise _unreadable(first, "this @@ line cannot be read")
    return tuple(map(_hunk, _unidiff(["--- a\n", "+++ b\n", *lines], first - 2)[0]))


def _unidiff(lines: Sequence[str], first: int) -> list[unidiff.PatchedFile]:
    """What unidiff makes of the lines. `first` is the number of the first one, for messages."""
    from unidiff.errors import UnidiffParseError
    from unidiff.patch import PatchSet

    at = first

    def counted() -> Iterator[str]:
        nonlocal at
        for at, line in enumerate(lines, first):  # noqa: B007 - the message needs it
            yield line

    try:
        files = list(PatchSet(counted()))
    except (UnidiffParseError, ValueError) as error:  # ValueError: a number with thousands of digits
        raise _unreadable(at, _reason(error)) from error
    for file in files:
        for hunk in file:
            _check_end(hunk, lines, first)
    return files


def _reason(error: Exception) -> str:
    words = str(error).split(":")[0].strip()
    return {
        "Hunk is shorter than expected": "the hunk is shorter than its @@ line says",
        "Hunk is longer than expected": "the hunk is longer than its @@ line says",
        "Hunk diff line expected": "a line of a hunk must start with a space, + or -",
        "Unexpected hunk found": "there is a hunk, but no file before it",
        "Target without source": "there is a +++ line without the --- line before it",
    }.get(words, words)


def _check_end(hunk: unidiff.Hunk, lines: Sequence[str], first: int) -> None:
    """Refuse what follows a hunk and looks like more of it: unidiff would pass over it."""
    end = max((line.diff_line_no for line in hunk if line.diff_line_no is not None), default=len(lines))
    while end < len(lines) and lines[end].startswith("\\"):
        end += 1
    following = lines[end] if end < len(lines) else ""
    if following.startswith(("+", "-", " ")) and not following.startswith(("--- ", "+++ ", "-- ", "--\n")):
        raise _unreadable(first + end, "the hunk is longer than its @@ line says")
    if following.startswith("@@") and not _HUNK_HEADER.match(following):
        raise _unreadable(first + end, "this @@ line cannot be read")


def _hunk(hunk: unidiff.Hunk) -> Hunk:
    """unidiff adds blank lines that follow a hunk to it, without a number."""
    kept = (line for line in hunk if line.diff_line_no is not None or line.line_type == "\\")
    return Hunk(
        hunk.source_start,
        hunk.source_length,
        hunk.target_start,
        hunk.target_length,
        hunk.section_header.strip(),
        "".join(map(str, kept)),
    )


def _git_file(lines: Sequence[str], first: int) -> FilePatch:
    """One file of a patch in git's format; `lines` start with `diff --git`."""
    start = _first_hunk(lines)
    file = FilePatch("")
    named: list[str] = []
    for number, line in enumerate(lines[1:start], first + 1):
        if line.startswith(("GIT binary patch", "Binary files ")):
            file.binary = True
            break
        if line.startswith("@@"):
            raise _unreadable(number, "this @@ line cannot be read")
        if line.startswith(("--- ", "+++ ")):
            named.append(_name(line[4:].rstrip("\n")))
        else:
            _extended(file, line.rstrip("\n"))
    if not file.path:
        names = _git_names(lines[0][len("diff --git ") :].rstrip("\n")) or tuple(named)
        if len(names) != 2:
            raise _unreadable(first, "the two names of this file cannot be told apart")
        old, new = _without_prefixes(*names)
        file.path = old if file.status == "deleted" else new
    file.path = _inside(file.path, first)
    file.old_path = file.old_path and _inside(file.old_path, first)
    file.hunks = _hunks(lines[start:], first + start)
    if file.status == "modified" and not (file.hunks or file.binary) and file.old_mode != file.new_mode:
        file.status = "mode"
    return file


def _submodules(lines: Sequence[str]) -> list[FilePatch]:
    """Submodules that a line of git's own stands for: it starts in the first column, as no line of a hunk."""
    found = [(number, _SUBMODULE.fullmatch(line)) for number, line in enumerate(lines, 1) if line[0] == "S"]
    paths = dict.fromkeys(_inside(line[1], number) for number, line in found if line)
    return [FilePatch(path, old_mode="160000", new_mode="160000") for path in paths]


def _extended(file: FilePatch, line: str) -> None:
    """Take in one of git's extended header lines; others (the text of a mail) are left alone."""
    if line.startswith(("rename from ", "copy from ")):
        file.status = "renamed" if line.startswith("rename") else "copied"
        file.old_path = _name(line.partition(" from ")[2])
    elif line.startswith(("rename to ", "copy to ")):
        file.path = _name(line.partition(" to ")[2])
    elif line.startswith("new file mode "):
        file.status, file.new_mode = "added", line[14:]
    elif line.startswith("deleted file mode "):
        file.status, file.old_mode = "deleted", line[18:]
    elif line.startswith("old mode "):
        file.old_mode = line[9:]
    elif line.startswith("new mode "):
        file.new_mode = line[9:]
    elif found := re.fullmatch(r"index ([0-9a-f]+)\.\.([0-9a-f]+)(?: ([0-7]+))?", line):
        file.old_id, file.new_id = (blob if blob.strip("0") else "" for blob in found.group(1, 2))
        if found[3]:
            file.old_mode = file.new_mode = found[3]


def _name(text: str) -> str:
    """A name as git prints it: C-quoted when it holds control characters, followed by a tab after spaces."""
    if len(text) > 1 and text.startswith('"') and text.rstrip().endswith('"'):
        return unquote(text.rstrip()[1:-1])
    return text.split("\t")[0]


def unquote(text: str) -> str:
    """Undo git's C-style quoting (core.quotePath); the quotes themselves are already off."""
    out, end = bytearray(), 0
    for found in _ESCAPE.finditer(text):
        out += text[end : found.start()].encode("utf-8", "surrogatepass")
        out.append(_ESCAPES[found[1]] if found[1] in _ESCAPES else int(found[1], 8) & 255)
        end = found.end()
    return decode(bytes(out) + text[end:].encode("utf-8", "surrogatepass"))


def _git_names(rest: str) -> tuple[str, str] | None:
    """Both names of a `diff --git` line; without other headers they differ in their prefixes only."""
    if '"' in rest:
        found = re.fullmatch(rf"({_QUOTED}|\S.*?) ({_QUOTED}|\S.*)", rest)
        return (_name(found[1]), _name(found[2])) if found else None
    middle = len(rest) // 2
    left, right = rest[:middle], rest[middle + 1 :]
    old, new = _without_prefixes(left, right)
    if rest[middle : middle + 1] == " " and old == new:
        return left, right
    left, _, right = rest.partition(" ")
    return (left, right) if left and right and " " not in right else None


def _without_prefixes(old: str, new: str) -> tuple[str, str]:
    if old.startswith(_PREFIXES) and new.startswith(_PREFIXES):
        return old[2:], new[2:]
    if "/dev/null" in (old, new):
        return old.removeprefix("a/"), new.removeprefix("b/")
    return old, new


def _inside(path: str, number: int) -> str:
    """The path without leading / and ../, as `patch -p` would strip them."""
    parts = path.split("/")
    while parts and parts[0] in ("", ".", ".."):
        parts.pop(0)
    if not parts or ".." in parts:
        raise _unreadable(number, f"the path {path!r} is not inside of a project")
    return "/".join(parts)


def _plain(lines: Sequence[str]) -> list[FilePatch]:
    """The files of a `diff -u`, Subversion or Mercurial patch."""
    files = _unidiff(lines, 1)
    if not files and any(line.strip() for line in lines):
        number = next(number for number, line in enumerate(lines, 1) if line.strip())
        raise _unreadable(number, "this is no unified diff", "Make one with `git diff` or `diff -u`.")
    return [_plain_file(file) for file in files]


def _plain_file(found: unidiff.PatchedFile) -> FilePatch:
    old, new = _name(found.source_file), _name(found.target_file)
    hunks = tuple(map(_hunk, found))
    file = FilePatch("", hunks=hunks, binary=found.is_binary_file)
    if old == "/dev/null" or (len(hunks) == 1 and hunks[0].old_start == hunks[0].old_length == 0):
        file.status = "added"
    elif new == "/dev/null" or (len(hunks) == 1 and hunks[0].new_start == hunks[0].new_length == 0):
        file.status = "deleted"
    left, right = _without_prefixes(old, new)
    file.path = _inside(left if right == "/dev/null" else right, found.diff_line_no or 1)
    return file


def apply_hunks(base: str, hunks: Iterable[Hunk]) -> str | None:
    """`base` with the hunks applied at exactly their places; None when a line is not what they expect."""
    lines = base.split("\n")
    old = [line + "\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])
    new: list[str] = []
    at = 0
    for hunk in hunks:
        start = hunk.old_start - 1 if hunk.old_length else hunk.old_start
        if not at <= start <= len(old):
            return None
        new += old[at:start]
        at = start
        body = hunk.body.split("\n")[:-1]
        for line, following in zip(body, [*body[1:], ""], strict=True):
            mark, text = line[:1], line[1:] if following.startswith("\\") else line[1:] + "\n"
            if mark == "+":
                new.append(text)
            elif mark != "\\":
                if at >= len(old) or old[at] != text:
                    return None
                if mark != "-":
                    new.append(text)
                at += 1
    return "".join(new + old[at:])


def _unreadable(number: int, what: str, hint: str = "") -> ConfigError:
    return ConfigError(f"the patch cannot be read at line {number}: {what}", hint=hint)

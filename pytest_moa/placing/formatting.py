"""The project's own formatter and import order, applied to what is added to a file and to nothing else."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pytest_moa.placing.source_file import SourceFile, lines_of, parsed

#: Seconds for one run of a formatter on a few lines.
_PATIENCE = 20

#: What ruff and black use without a setting.
_WIDTH = 88


@dataclass(frozen=True, slots=True)
class Style:
    """How a project wants its code. `path` is the file's, as its tools are told."""

    root: Path
    path: str
    tool: Literal["ruff", "black", "none"]  #: whose settings were found
    width: int = _WIDTH
    indent: str = " " * 4
    quotes: Literal["double", "single"] = "double"

    def formatted(self, source: str) -> tuple[str, str]:
        """A module's source as the project's formatter writes it, and what went wrong ("" if nothing)."""
        if self.tool == "black" and find_spec("black"):
            command = [sys.executable, "-m", "black", "--quiet", "--stdin-filename", self.path, "-"]
            name = "black"
        else:
            command = [*ruff(), "format", "--stdin-filename", self.path, *self._given(), "-"]
            name = "ruff format"
        code, out, complaint = run(command, source, self.root)
        if code or not out.strip():
            return source, f"{name} left the new tests in {self.path} as they are: {complaint}"
        return out.replace("\r\n", "\n"), ""

    def with_sorted_imports(self, before: str, after: str) -> str:
        """`after` with its imports in the project's order, if those of `before` were in it.

        Only a block of imports at the top may change by that.
        """
        check = ["check", "--select", "I", "--quiet", "--stdin-filename", self.path]
        check += self._given() if self.tool != "ruff" else []
        if before and run([*ruff(), *check, "-"], before, self.root)[0]:
            return after
        code, out, _ = run([*ruff(), *check, "--fix", "-"], after, self.root)
        return out if code in (0, 1) and out and _code(out) == _code(after) else after

    def _given(self) -> list[str]:
        """Settings for ruff where the project has none for it."""
        if self.tool == "ruff":
            return []
        kind = "tab" if self.indent.startswith("\t") else "space"
        settings = [f"line-length={self.width}", f"indent-width={max(len(self.indent), 2)}"]
        if kind == "tab":
            settings[1] = "indent-width=4"
        settings += [f"format.indent-style='{kind}'", f"format.quote-style='{self.quotes}'"]
        return ["--isolated", *(part for setting in settings for part in ("--config", setting))]


def style_of(root: Path, file: SourceFile) -> Style:
    """The style of one file: as the project has set ruff, else black, else as the file looks."""
    tool: Literal["ruff", "black", "none"] = "none"
    width, single = _WIDTH, _mostly_single(file.text)
    for folder in (root / file.path).parents:
        own, black = _ruff_settings(folder), _tools(folder).get("black")
        if isinstance(black, dict) and not (isinstance(own, dict) and "format" in own):
            tool, width = "black", black.get("line-length", _WIDTH)
            single = single and bool(black.get("skip-string-normalization"))
            break
        if isinstance(own, dict):
            tool, width = "ruff", own.get("line-length", _WIDTH)
            break
        if folder == root:
            break
    if not isinstance(width, int) or not 20 <= width <= 320:
        width = _WIDTH
    return Style(root, file.path, tool, width, file.indent, "single" if single else "double")


def lints_by_settings(file: Path) -> bool:
    """Whether ruff finds settings for a file, in a folder above it."""
    return any(isinstance(_ruff_settings(folder), dict) for folder in file.parents)


def _tools(folder: Path) -> dict[str, Any]:
    found = _toml(folder / "pyproject.toml").get("tool", {})
    return found if isinstance(found, dict) else {}


def _ruff_settings(folder: Path) -> Any:
    """What a folder sets for ruff; None if nothing."""
    for name in (".ruff.toml", "ruff.toml"):
        if (folder / name).is_file():
            return _toml(folder / name)
    return _tools(folder).get("ruff")


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # the project's own tools will say so


def _mostly_single(text: str) -> bool:
    return text.count("'") > 2 * text.count('"')


def _code(text: str) -> tuple[str, list[str]]:
    """A file from its first definition on, and the names that all its imports bind."""
    tree = parsed(text)
    imports = (ast.Import, ast.ImportFrom)
    rest = next((node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)), None)
    names = [
        alias.asname or alias.name for node in tree.body if isinstance(node, imports) for alias in node.names
    ]
    tail = "".join(lines_of(text)[rest.lineno - 1 :]) if rest else ""
    return tail, sorted(names)


def ruff() -> list[str]:
    """The command that runs ruff."""
    from ruff import find_ruff_bin  # type: ignore[import-untyped]  # the wheel has no py.typed

    return [str(find_ruff_bin())]


def run(command: list[str], source: str, folder: Path) -> tuple[int, str, str]:
    """Exit code, output and last line of complaint."""
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter or ruff, on its standard input
            command, input=source.encode(), cwd=folder, capture_output=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, "", str(error)
    complaint = done.stderr.decode(errors="replace").strip().splitlines()
    return (
        done.returncode,
        done.stdout.decode(errors="replace"),
        complaint[-1] if complaint else "no reason given",
    )

"""What a command prints on a real terminal, and a terminal's window as a page."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

COLUMNS, LINES = 100, 60

#: Redrawing in place begins with this: the line is emptied, and those above it.
_REDRAWN = re.compile(r"(?:\r?\x1b\[2K|\x1b\[1A\x1b\[2K|\r)+")
_NO_STYLE = re.compile(r"\x1b\[\?25[hl]")

_THEME = TerminalTheme(
    (22, 27, 34),
    (230, 237, 243),
    [
        (72, 79, 88), (255, 123, 114), (86, 211, 100), (227, 179, 65), (121, 192, 255), (210, 168, 255),
        (86, 212, 221), (201, 209, 217),
    ],
)  # fmt: skip

_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #fff }}
figure {{ margin: 0; width: max-content; background: #161b22; color: #e6edf3; border-radius: 8px }}
pre {{ margin: 0; padding: 14px 18px; font: 13px/1.45 "DejaVu Sans Mono", monospace }}
b {{ color: #56d364 }} i {{ color: #8b949e; font-style: normal }}
</style><figure><pre>{}</pre></figure>"""


def frames(command: Sequence[str], folder: Path, environ: Mapping[str, str]) -> list[str]:
    """What a command draws on a terminal of its own, each time that it redraws; the last is what stays.

    Raises:
        RuntimeError: the command failed.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
    environ = {**environ, "TERM": "xterm-256color"}
    process = subprocess.Popen(command, cwd=folder, env=environ, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    drawn = b""
    try:
        while part := os.read(ours, 65536):
            drawn += part
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(ours)
    text = _NO_STYLE.sub("", drawn.decode().replace("\r\n", "\n"))
    if code := process.wait():
        raise RuntimeError(f"{' '.join(command)} exited with {code}:\n{text}")
    return [frame for frame in _REDRAWN.split(text) if frame.strip()]


def window(prompt: str, *parts: str) -> str:
    """A page with a terminal: a command and parts of what it printed, with marks where lines are left out."""
    left_out = "\n\n<i>⋮</i>\n\n"
    return _PAGE.format(f"<b>$</b> {escape(prompt)}\n\n{left_out.join(map(_as_html, parts))}")


def between(printed: str, first: str, last: str = "") -> str:
    """Lines of a coloured text, from the one with `first` in it to the one with `last`, or to the end."""
    lines = printed.rstrip().splitlines()
    plain = Text.from_ansi(printed.rstrip()).plain.splitlines()
    begin = next(at for at, line in enumerate(plain) if first in line)
    end = next(at for at in range(begin, len(plain)) if last in plain[at]) if last else len(plain)
    return "\n".join(lines[begin : end + 1])


def _as_html(printed: str) -> str:
    console = Console(record=True, width=COLUMNS, file=open(os.devnull, "w"), force_terminal=True)  # noqa: SIM115, PTH123
    console.print(Text.from_ansi(printed.rstrip("\n")), soft_wrap=True)
    return console.export_html(theme=_THEME, inline_styles=True, code_format="{code}").rstrip()

"""Documents whose commands are executed as they are written, one after the other, as a reader would."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(
    r"(?:Save this as `(?P<file>[^`]+)`(?P<why>[^`]|`[^`]+`)*?:\n\n(?:<!--[^\n]*-->\n)?)?"
    r"^(?P<indent> *)```(?P<language>\w+)\n(?P<body>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Step:
    """A file to save or a command to run."""

    file: str
    text: str


def steps(document: str) -> Iterator[Step]:
    """What a document tells its reader to do, in order."""
    for block in BLOCK.finditer(document):
        if block["file"]:
            yield Step(block["file"], block["body"])
        elif block["language"] == "console":
            for line in block["body"].splitlines():
                yield Step("", line)


class Reader:
    """Somebody who does what is written, in a shell of their own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.said: dict[str, str] = {}  #: what each command printed last, by its text

    def do(self, step: Step) -> None:
        """Save the file, or run the command; it must succeed."""
        if step.file:
            path = self.folder / step.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(step.text, encoding="utf-8")
            return
        where = os.pipe()
        script = f"{step.text}\ncode=$?; pwd >&{where[1]}; exit $code"
        with os.fdopen(where[0]) as report:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self.environment,
                pass_fds=(where[1],),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=120,
            )
            os.close(where[1])
            self.folder = Path(report.read().strip())
        assert done.returncode == 0, f"{step.text}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        self.said[step.text] = done.stdout

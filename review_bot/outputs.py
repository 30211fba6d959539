"""Where each format of a review goes: standard output or a file."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from moa_engine.errors import ConfigError, MoaError
from review_bot.formats import WIDTH, render

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from review_bot.finding import Review


class NotWritten(MoaError):
    """A result could not be written where it was wanted."""


@dataclass(frozen=True, slots=True)
class Output:
    """One format; `file` None is standard output."""

    format: str
    file: Path | None = None


class InOrder(argparse.Action):
    """Collects (option, value) of the options that share a `dest`, in the order of the command line."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,  # noqa: ARG002 - argparse's interface
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,  # noqa: ARG002
    ) -> None:
        given = [*(getattr(namespace, self.dest) or ()), (self.option_strings[0], values)]
        setattr(namespace, self.dest, given)


def paired(given: Sequence[tuple[str, str]]) -> list[Output]:
    """The outputs that ("--format", name), ("--output", path) and ("--html", path) mean, in their order.

    As many files as formats: they go together in order. Fewer: a file belongs to the format right
    before it, and the one format without a file goes to standard output. No format: text. The file
    "-" is standard output.

    Raises:
        ConfigError: a file without a format, two formats for standard output, or one file twice.
    """
    pages = [Output("html", _path(value)) for option, value in given if option == "--html"]
    given = [(option, value) for option, value in given if option != "--html"]
    formats = [value for option, value in given if option == "--format"]
    files = [value for option, value in given if option == "--output"]
    if not formats and len(files) <= 1:
        formats = ["text"]
    if len(files) == len(formats):
        outputs = [Output(name, _path(file)) for name, file in zip(formats, files, strict=True)]
    elif len(files) > len(formats):
        raise ConfigError(f"--output {files[-1]} has no --format", hint="give one --format for each --output")
    else:
        outputs = _attached(given) or [Output("text")]
    outputs += pages
    streamed = [output.format for output in outputs if output.file is None]
    if len(streamed) > 1:
        raise ConfigError(
            f"{' and '.join(streamed)} would both go to standard output",
            hint="give all but one of them a file: --format sarif --output review.sarif",
        )
    kept = [output.file.resolve() for output in outputs if output.file]
    for file in kept:
        if kept.count(file) > 1:
            raise ConfigError(
                f"two formats would both go to {file}", hint="give each format its own --output"
            )
    return outputs


def _attached(given: Sequence[tuple[str, str]]) -> list[Output]:
    outputs: list[Output] = []
    open_format = False  #: the last thing given was a format
    for option, value in given:
        if option == "--format":
            outputs.append(Output(value))
        elif open_format:
            outputs[-1] = Output(outputs[-1].format, _path(value))
        else:
            raise ConfigError(
                f"--output {value} has no --format", hint="put each --output after its --format"
            )
        open_format = option == "--format"
    return outputs


def _path(file: str) -> Path | None:
    return None if file == "-" else Path(file)


def check_writable(outputs: Iterable[Output]) -> None:
    """Refuse files that cannot be written, before anything is spent on what would go into them.

    Raises:
        ConfigError: a folder, a missing folder, or no permission; or pages cannot be made here.
    """
    outputs = list(outputs)
    if any(output.format == "html" for output in outputs):
        from review_bot.page.rendering import check_installed

        check_installed()
    for file in (output.file for output in outputs if output.file):
        if file.is_dir():
            raise ConfigError(f"--output {file} is a folder", hint="name a file in it")
        if not file.exists() and not file.parent.is_dir():
            raise ConfigError(f"--output {file}: there is no folder {file.parent}", hint="make it first")
        if not os.access(file if file.exists() else file.parent, os.W_OK):
            raise ConfigError(f"--output {file} cannot be written: no permission")


def write(outcome: Outcome[Review], outputs: Iterable[Output], *, colour: bool) -> None:
    """Write every output; a reader that has closed its end has had enough, which is no error.

    `colour` False holds everywhere; True only where standard output is a terminal that has colours.

    Raises:
        NotWritten: at least one could not be written; the others are.
    """
    problems: list[str] = []
    for output in outputs:
        try:
            if output.file is None:
                _print(outcome, output.format, colour)
            else:
                text = render(outcome, output.format)
                output.file.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
        except OSError as error:
            where = f"--output {output.file}" if output.file else "standard output"
            problems.append(f"the {output.format} for {where} was not written: {error.strerror or error}")
    if problems:
        hint = f"the review is in the record: moa replay {outcome.run} --format FORMAT prints it again"
        raise NotWritten("; ".join(problems), hint=hint if outcome.run else "")


def _print(outcome: Outcome[Review], format: str, colour: bool) -> None:
    columns = shutil.get_terminal_size((WIDTH, 24)).columns
    terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
    text = render(outcome, format, width=columns, colour=colour and terminal)
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer would fail again, with a traceback, when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            raise

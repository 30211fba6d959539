"""A file of the user's as bytes and as text, so that what is not edited stays as it is byte for byte."""

from __future__ import annotations

import ast
import codecs
import io
import re
import tokenize
import warnings
from dataclasses import dataclass

from moa_engine.errors import MoaError

_MARKS = ("<<<<<<< ", ">>>>>>> ")


class NotPlaced(MoaError):
    """A test was not written. The message says where and why."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A Python file, taken apart. `text` has the file's own line ends; `newline` is the usual one."""

    path: str  #: relative, for messages
    text: str
    encoding: str = "utf-8"
    bom: bool = False

    @classmethod
    def of(cls, path: str, data: bytes) -> SourceFile:
        """The file with these bytes.

        Raises:
            NotPlaced: it has conflict markers, a syntax error, or is not in the encoding it says.
        """
        bom = data.startswith(codecs.BOM_UTF8)
        bare = data[len(codecs.BOM_UTF8) :] if bom else data
        try:
            encoding, _ = tokenize.detect_encoding(io.BytesIO(bare).readline)
            text = bare.decode(encoding)
        except (SyntaxError, UnicodeDecodeError) as error:
            raise NotPlaced(
                f"{path} cannot be read: {error}", hint="Say its encoding, or save it as UTF-8."
            ) from error
        lines = lines_of(text)
        marked = [number for number, line in enumerate(lines, 1) if line.startswith(_MARKS)]
        if len(marked) > 1:
            raise NotPlaced(f"{path}:{marked[0]} has an unresolved merge conflict", hint="Resolve it first.")
        try:
            parsed(text)
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 1
            raise NotPlaced(f"{path}:{line} has a syntax error: {getattr(error, 'msg', error)}") from error
        return cls(path, text, encoding, bom)

    @property
    def newline(self) -> str:
        """The line end of the first line."""
        found = re.search(r"\r\n|\r|\n", self.text)
        return found[0] if found else "\n"

    @property
    def indent(self) -> str:
        """One level of indentation, as the file's first indented block has it."""
        try:
            for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
                if token.type == tokenize.INDENT:
                    return token.string
        except (tokenize.TokenError, SyntaxError):
            pass  # only ever a guess of the style
        return " " * 4

    def encoded(self, text: str) -> bytes:
        """A new text as the bytes to write.

        Raises:
            NotPlaced: the file's encoding has no such character.
        """
        try:
            data = text.encode(self.encoding)
        except UnicodeEncodeError as error:
            character = text[error.start]
            raise NotPlaced(f"{self.path} is in {self.encoding}, which has no {character!r}") from error
        return codecs.BOM_UTF8 * self.bom + data


def lines_of(text: str) -> list[str]:
    """Lines with their ends, split where Python's tokenizer splits them and nowhere else."""
    return list(io.StringIO(text, newline=""))


def parsed(text: str) -> ast.Module:
    """The tree of a module's source, without warnings about it.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except (RecursionError, MemoryError) as error:
            raise ValueError("it is nested too deeply") from error

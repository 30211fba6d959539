"""From a model's answer to Python statements: fenced or not, with chatter around it, cut off or broken.

Nothing is repaired but the end of a function that was cut off: what does not parse is left out, piece
by piece, so that one bad function costs only itself.
"""

from __future__ import annotations

import ast
import re
import textwrap
import warnings
from collections.abc import Iterator

from pytest_moa.suggest.unparsing import unparsed

#: Characters of an answer that are looked at, and lines that a broken piece may lose at its end.
_LONGEST, _LOST = 200_000, 40

_THOUGHTS = re.compile(r"<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_FENCED = re.compile(r"^[ \t]*(```|~~~)[ \t]*(\w*)[^\n]*\n(.*?)(?:^[ \t]*\1|\Z)", re.DOTALL | re.MULTILINE)
_CODE = frozenset({"", "py", "python", "python3", "pytest"})
_STARTS = re.compile(
    r"^(?:@|(?:async )?def |class |import |from \w|assert |with |for |if |try:|\w+ *(?::[^=]+)?= )"
)


def statements(answer: str) -> list[ast.stmt]:
    """The top-level statements of all code in an answer, each with its own text (`text_of`)."""
    found: list[ast.stmt] = []
    for code in _codes(_THOUGHTS.sub("", answer)[:_LONGEST]):
        if (parsed := _parsed(code)) is not None:
            found += parsed
            continue
        for piece in _pieces(code):
            found += _salvaged(piece)
    return found


def text_of(node: ast.AST) -> str:
    """A node as it was written, dedented; as Python writes it where it was made or changed."""
    text = getattr(node, "moa_text", None)
    return text if text is not None else unparsed(node)


def _codes(answer: str) -> Iterator[str]:
    """The code in an answer: its fenced blocks in Python, else everything from the first line of code on."""
    blocks = [match for match in _FENCED.finditer(answer) if match[2].lower() in _CODE]
    if blocks:
        yield from (textwrap.dedent(match[3].expandtabs(4)) for match in blocks)
        return
    lines = answer.expandtabs(4).splitlines()
    first = next((number for number, line in enumerate(lines) if _STARTS.match(line)), None)
    if first is not None:
        yield "\n".join(lines[first:])


def _parsed(code: str) -> list[ast.stmt] | None:
    """The statements with their texts; None for what is no Python."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            body = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    lines = code.split("\n")
    for top in body:
        for node in ast.walk(top):
            if isinstance(node, ast.stmt):
                _remember(node, lines, code)
    return body


def _remember(node: ast.stmt, lines: list[str], code: str) -> None:
    """Keep a statement's text, unless moving it to another column could change what it means."""
    first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
    end = node.end_lineno or node.lineno
    inside = node.col_offset > 0
    if inside and any(
        isinstance(part, ast.Constant | ast.JoinedStr) and part.end_lineno != part.lineno
        for part in ast.walk(node)
    ):
        return
    text = textwrap.dedent("\n".join(lines[first - 1 : end]))
    own_lines = not lines[first - 1][: node.col_offset].strip() or first < node.lineno
    if not own_lines or ";" in lines[end - 1]:
        text = ast.get_source_segment(code, node) or ""
        if "\n" in text:
            return
    node.moa_text = text.strip("\n").rstrip()  # type: ignore[attr-defined]


def _pieces(code: str) -> Iterator[str]:
    """Broken code, cut where a statement begins in the first column. Decorators stay with what follows."""
    piece: list[str] = []
    decorated = False
    for line in code.splitlines():
        starts = (
            line[:1].strip()
            and line[0] not in ")]}#"
            and not line.startswith(("else", "elif", "except", "finally"))
        )
        if starts and not decorated and piece:
            yield "\n".join(piece)
            piece = []
        decorated = (decorated and not starts) or line.startswith("@")
        piece.append(line)
    if piece:
        yield "\n".join(piece)


def _salvaged(piece: str) -> list[ast.stmt]:
    """The statements of a piece; of a function that is broken near its end, what stands before that."""
    if (parsed := _parsed(piece)) is not None:
        return parsed
    lines = piece.splitlines()
    head = next(
        (number for number, line in enumerate(lines) if line.startswith(("def ", "async def ", "class "))),
        None,
    )
    if head is None:
        return []
    for last in range(len(lines) - 1, max(head + 1, len(lines) - _LOST - 1), -1):
        if (parsed := _parsed("\n".join(lines[:last]))) is not None:
            return parsed
    return []

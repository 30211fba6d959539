"""Text fitted into columns. A column is what a terminal gives one narrow character; some take two."""

from __future__ import annotations


def wrap(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """`text` in lines of at most `width` columns, broken at spaces, or inside words that are too long.

    Every line of `text` is wrapped by itself and keeps its own indentation. `hanging` is the indent
    of all but the first line (default: `indent`).
    """
    hanging = indent if hanging is None else hanging
    wrapped: list[str] = []
    for line in text.expandtabs(4).split("\n"):
        words = line.split()
        own = " " * min(len(line) - len(line.lstrip(" ")), width // 4)
        if not words:
            wrapped.append("")
            continue
        current, empty = (hanging if wrapped else indent) + own, True
        for word in words:
            if not empty and columns(current) + 1 + columns(word) > width:
                wrapped.append(current)
                current, empty = hanging + own, True
            *full, rest = chop(word, width - columns(current) - (not empty))
            for piece in full:
                wrapped.append(current + piece)
                current = hanging + own
            current, empty = current + ("" if empty else " ") + rest, False
        wrapped.append(current)
    return wrapped


def chop(text: str, width: int) -> list[str]:
    """`text` in pieces of at most `width` columns, cut wherever that falls; at least one piece."""
    width = max(width, 2)
    if text.isascii():
        return [text[start : start + width] for start in range(0, len(text), width)] or [""]
    from rich.cells import chop_cells

    return chop_cells(text, width) or [""]


def crop(text: str, width: int) -> str:
    """The beginning of `text`, marked with "..." where it did not fit."""
    return text if columns(text) <= width else chop(text, width - 3)[0] + "..."


def columns(text: str) -> int:
    """How many columns `text` takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)

"""Texts of at most so many characters: whole parts are left out, never the end of one, and it is said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from review_bot.formats.markdown_parts import folded
from review_bot.formats.wording import counted
from review_bot.github.report import cut

#: Characters kept free in each section, and at the top, for saying what was left out.
_NOTE = 160


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of Markdown that is complete in itself; `short` may stand in for it."""

    text: str
    short: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """Parts below a heading; folded ones are closed until somebody opens them."""

    heading: str  #: Markdown, or HTML where it is folded; ours
    parts: Sequence[Part]
    folded: bool = True


def characters(text: str) -> int:
    """As GitHub may count them at most: as UTF-16 does."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf8_bytes(text: str) -> int:
    """Bytes of the text in a file."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def bounded(render: Callable[[str], str], text: str, most: int) -> str:
    """`text` rendered, cut before so that it has `most` characters at most: escapes make texts longer."""
    longest = most
    while characters(shown := render(cut(text, longest))) > most and longest > 1:
        longest //= 2
    return shown


def fitted(
    top: Sequence[str],
    sections: Iterable[Section],
    bottom: Sequence[str],
    limit: int,
    whole: str,
    measure: Callable[[str], int] = characters,
) -> str:
    """`top`, as much of the sections as fits, the first ones first, and `bottom`, in this order.

    `whole` says where all of it can be read.
    """
    kept = [section for section in sections if section.parts]
    frames = sum(measure(_section(Section(one.heading, (), one.folded), [])) + _NOTE for one in kept)
    space = limit - frames - _NOTE - sum(measure(part) + 2 for part in (*top, *bottom))
    middle: list[str] = []
    left_out = 0
    for section in kept:
        shown, missing = [], 0
        for part in section.parts:
            for text in filter(None, (part.text, part.short)):
                if measure(text) + 2 <= space:
                    shown.append(text)
                    space -= measure(text) + 2
                    missing += text is not part.text
                    break
            else:
                missing += 1
        if missing:
            shown.append(f"{counted(missing, 'part')} of this section left out or shortened for length.")
        middle.append(_section(section, shown))
        left_out += missing
    said = [f"**Shortened**: {counted(left_out, 'part')} did not fit. {whole}"] if left_out else []
    return "\n\n".join([*top, *said, *middle, *bottom])


def _section(section: Section, shown: Sequence[str]) -> str:
    if section.folded:
        return folded(section.heading, shown)
    return "\n\n".join([section.heading, *shown])

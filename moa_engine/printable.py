"""Text from models, diffs and servers, made safe to print: nothing in it moves a cursor or hides a word.

Terminal escapes, control characters, bidirectional overrides (CVE-2021-42574, "Trojan Source"),
zero-width characters, tags and lone surrogates are shown as escapes, the way Python writes them. They
are shown and not dropped: in a diff, that one of them is there may be the finding.
"""

from __future__ import annotations

import unicodedata

#: Unicode general categories of what is not shown as it is: controls, formats, surrogates, separators.
_SHOWN_AS_ESCAPE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

#: Line breaks, tabs, and the joiners that scripts and emoji need.
_KEPT = frozenset("\n\t\u200c\u200d")


def printable(text: str) -> str:
    """`text` with everything that is not for eyes as an escape; line breaks become plain newlines."""
    if text.isprintable():
        return text
    unified = text.replace("\r\n", "\n")
    return "".join(_shown(character) for character in unified)


def one_line(text: str) -> str:
    """`text` as `printable` gives it, with every run of white space as one space."""
    return printable(" ".join(text.split()))


def _shown(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _SHOWN_AS_ESCAPE:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")

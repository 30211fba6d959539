"""Text from models, diffs and servers, made safe to print: nothing in it moves a cursor or hides a word.

Terminal escapes, control characters, bidirectional overrides (CVE-2021-42574, "Trojan Source"),
zero-width characters, tags, blank letters, variation selectors (in which whole texts were smuggled) and
lone surrogates are shown as escapes, the way Python writes them. They are shown and not dropped: in a
diff, that one of them is there may be the finding.
"""

from __future__ import annotations

import re
import unicodedata

#: Unicode general categories of what is not shown as it is: controls, formats, surrogates, separators.
_SHOWN_AS_ESCAPE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})

_KEPT = frozenset("\n\t\u200c\u200d")

#: What shows nothing although it is a letter or a mark (of Default_Ignorable_Code_Point, and the blank
#: Braille pattern); a joiner that joins no scripts or emoji, and a selector after what has no variants.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\ufe00-\ufe0d\U000e0100-\U000e01ef]"
    "|(?<![^\x00-\x7f\u200c\u200d])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f\u200c\u200d])"
    "|(?<![^\x00-\x22\x24-\x29\x2b-\x2f\x3a-\xa8\ufe0e\ufe0f])[\ufe0e\ufe0f]"
)


def printable(text: str) -> str:
    """`text` with everything that is not for eyes as an escape; line breaks become plain newlines."""
    if text.isascii() and text.isprintable():
        return text
    unified = _UNSEEN.sub(lambda found: _escape(found[0]), text.replace("\r\n", "\n"))
    return unified if unified.isprintable() else "".join(map(_shown, unified))


def one_line(text: str) -> str:
    """`text` as `printable` gives it, with every run of white space as one space."""
    return printable(" ".join(text.split()))


def _shown(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _SHOWN_AS_ESCAPE:
        return character
    return _escape(character)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")

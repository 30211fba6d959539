"""Foreign text as GitHub-flavoured Markdown that shows it and does nothing else.

Code stays code, in spans and fences that are longer than any run of backticks inside. Everything else
is escaped: no HTML, image, link, heading, table or formula comes out of it. What GitHub would act upon
without markup (mentions, references to issues and commits, bare URLs) is shown as code, where it does not.
Whatever we take for code or for words is written in its safe form, so a disagreement with GitHub's
parser about which is which does no harm.
"""

from __future__ import annotations

import re

from moa_engine.printable import one_line, printable

_CODE_SPAN = r"(?P<ticks>(?<!`)`+(?!`))(?P<code>.+?)(?<!`)(?P=ticks)(?!`)"
#: Mentions and addresses, references to issues, URLs; each with its word, but for punctuation around it.
_ACTIVE = (
    r"(?<![^\s`()\[\]<>])"  # a word is tried once, at its start: time stays linear in its length
    r"(?P<active>[^\s`()\[\]<>]*(?:@|#\d|://|www\.)(?:[^\s`]*[^\s`)\].,;:!?'\"])?)|(?P<ref>\bGH-\d[\w-]*"
    r"|(?<![\w:])(?=[a-f]*\d)(?=\d*[a-f])[0-9a-f]{7,40}\b)"
)
_LINK = r"!?\[(?P<label>[^\[\]`]*)\]\((?P<url>[^()\s`]+)(?:\s[^()`]*)?\)"
_INLINE = re.compile(f"{_CODE_SPAN}|{_LINK}|{_ACTIVE}", re.IGNORECASE)
_TOUCHING = re.compile("`\0`")
_SPECIAL = re.compile(r"[\\`*_{}\[\]|~$]")
_LIST_ITEM = re.compile(r"(?P<indent> *)(?P<bullet>[-*+]|\d{1,3}[.)]) +(?P<text>\S.*)")
_FENCE = re.compile(r" *(?P<marks>`{3,}|~{3,})(?P<info>[^`]*)")
_LANGUAGE = re.compile(r"[A-Za-z0-9+#-]{0,20}")

#: Languages that GitHub does not show but runs: a change to commit, diagrams with links, formulas, maps.
_RUN = frozenset({"suggestion", "mermaid", "math", "geojson", "topojson", "stl"})


def words(text: str) -> str:
    """One line of prose."""
    line = one_line(text)
    return _line_start_escaped(_inline(line))


def block(text: str) -> str:
    """Paragraphs, lists and fenced code."""
    blocks: list[str] = []
    code: list[str] | None = None
    marks = info = ""
    for line in printable(text.strip()).expandtabs(4).split("\n"):
        fenced = _FENCE.fullmatch(line)
        if code is not None:
            if fenced and not fenced["info"].strip() and fenced["marks"].startswith(marks):
                blocks.append(fence("\n".join(code), info))
                code = None
            else:
                code.append(line)
        elif fenced:
            marks, info, code = fenced["marks"], fenced["info"].strip(), []
        else:
            blocks.append(_prose(line))
    if code is not None:
        blocks.append(fence("\n".join(code), info))
    return "\n".join(blocks)


def code(text: str) -> str:
    """A code span."""
    line = one_line(text)
    if not line:
        return ""
    ticks = "`" * (_longest_run(line) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"


def fence(text: str, info: str = "") -> str:
    """A block of code. `info` names its language, if it is one that is only shown."""
    shown = printable(text)
    ticks = "`" * max(3, _longest_run(shown) + 1)
    language = info if _LANGUAGE.fullmatch(info) and info.lower() not in _RUN else ""
    return f"{ticks}{language}\n{shown}\n{ticks}"


def cell(markdown: str) -> str:
    """Markdown made by the functions above, for a table's cell: even in code a bar would end it."""
    return re.sub(r"(?<!\\)\|", r"\\|", markdown)


def _prose(line: str) -> str:
    item = _LIST_ITEM.fullmatch(line)
    if item is None:
        return _line_start_escaped(_inline(line.strip()))
    indent = " " * min(len(item["indent"]), 6)
    return f"{indent}{item['bullet']} {_line_start_escaped(_inline(item['text']))}"


def _inline(text: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _INLINE.finditer(text):
        parts.append(_escaped(text[end : match.start()]))
        if match["url"]:  # an image's or a link's words, and where it would have led
            parts.append(f"{_inline(match['label'])} ({code(match['url'])})".lstrip())
        else:
            parts.append(code(match["code"] or match["active"] or match["ref"]))
        end = match.end()
    parts.append(_escaped(text[end:]))
    # The backticks that end one span and begin the next would be one run, which is neither's.
    return _TOUCHING.sub("` `", "\0".join(filter(None, parts))).replace("\0", "")


def _escaped(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\g<0>", text)


def _line_start_escaped(line: str) -> str:
    """Without a heading, a rule or a list's number at its start."""
    if line[:1] in "#+=-" and line:
        return "\\" + line
    return re.sub(r"^(\d+)([.)])", r"\1\\\2", line)


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)

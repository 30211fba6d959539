"""What was posted to a pull request, as a reader sees it there: the real Markdown, in a page of our own.

It looks like GitHub's pages where that matters for judging what we post: the hunk above a comment, what a
suggestion replaces, folds, tables, code. It is not GitHub's renderer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from tests.review_bot.github.fake_diff import FileDiff
from tests.review_bot.github.fake_model import Comment

#: A line of a patch: its number before and after, its sign, its text.
Row = tuple[int | None, int | None, str, str]

#: Lines of the hunk above a comment, as many as GitHub shows.
_ABOVE = 4

_CODE = HtmlFormatter(style="default", nowrap=True)
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")

_PAGE = """<!doctype html><meta charset="utf-8"><style>
* {{ box-sizing: border-box }}
body {{ margin: 0; background: #fff; color: #1f2328; font: 14px/1.5 "Liberation Sans", Arial, sans-serif }}
figure {{ margin: 0; padding: 2px; width: 820px }}
.box {{ border: 1px solid #d1d9e0; border-radius: 6px; overflow: hidden; margin-bottom: 16px }}
.box:last-child {{ margin-bottom: 0 }}
.file, .who {{ background: #f6f8fa; border-bottom: 1px solid #d1d9e0; padding: 8px 12px }}
.file, code, pre {{ font-family: "DejaVu Sans Mono", monospace; font-size: 12px }}
.who b {{ font-weight: 600 }} .who span {{ color: #59636e }}
.bot {{ border: 1px solid #d1d9e0; border-radius: 2em; font-size: 11px; padding: 0 6px; margin: 0 4px }}
.diff {{ border-collapse: collapse; width: 100% }}
.diff td {{ font: 12px/20px "DejaVu Sans Mono", monospace; padding: 0 8px; white-space: pre-wrap }}
.diff .n {{ width: 40px; text-align: right; color: #59636e }}
.diff .plus td {{ background: #dafbe1 }} .diff .minus td {{ background: #ffebe9 }}
.said {{ padding: 8px 14px 12px }}
.said > .box {{ margin: 0 }} .thread {{ padding: 10px 12px; border-top: 1px solid #d1d9e0 }}
.said :not(pre) > code {{ background: #eff1f3; padding: .15em .35em; border-radius: 5px; font-size: 85% }}
.said pre {{ background: #f6f8fa; padding: 10px 12px; border-radius: 6px; overflow: hidden; margin: 8px 0 }}
.said p, .said ul {{ margin: 8px 0 }} .said ul {{ padding-left: 24px }}
.said h3 {{ font-size: 17px; margin: 10px 0 }} .said h4 {{ font-size: 14px; margin: 12px 0 8px }}
.said table {{ border-collapse: collapse; margin: 8px 0 }}
.said table td, .said table th {{ border: 1px solid #d1d9e0; padding: 4px 10px; text-align: left }}
.said .diff {{ margin: 0 }} .said .diff td {{ border: 0; padding: 0 8px }}
.said sub {{ color: #59636e; font-size: 11px; vertical-align: baseline }}
.said details {{ margin: 8px 0 }}
.said blockquote {{ margin: 8px 0; padding: 0 12px; color: #59636e; border-left: 4px solid #d1d9e0 }}
.suggested {{ padding: 6px 10px; border-bottom: 1px solid #d1d9e0; color: #59636e; font-size: 12px }}
{pygments}
</style><figure>{parts}</figure>"""


def page(*parts: str) -> str:
    """A page with these parts of a pull request."""
    return _PAGE.format(parts="\n".join(parts), pygments=_CODE.get_style_defs(".said"))


def on_lines(comment: Comment, file: FileDiff, *, unfold: str = "") -> str:
    """A comment on lines, below the hunk that it is about."""
    rows = _rows(file.patch or "")
    at = next(index for index, row in enumerate(rows) if row[1] == comment.line)
    shown = rows[max(0, at - _ABOVE + 1) : at + 1]
    last = comment.line or 0
    first = comment.start_line or last
    replaced = [text for _, new, _, text in rows if new and first <= new <= last]
    said = _box(comment.author, _rendered(comment.body, replaced, unfold))
    return (
        f'<div class="box"><div class="file">{escape(comment.path)}</div>{_table(shown)}'
        f'<div class="thread">{said}</div></div>'
    )


def below(author: str, body: str, *, unfold: str = "") -> str:
    """A comment below a pull request, or the body of a review."""
    return _box(author, _rendered(body, [], unfold))


def _box(author: str, html: str) -> str:
    name, _, bot = author.partition("[")
    mark = '<span class="bot">bot</span>' if bot else ""
    return (
        f'<div class="box"><div class="who"><b>{escape(name)}</b>{mark} <span>commented</span></div>'
        f'<div class="said">{html}</div></div>'
    )


def _rendered(markdown: str, replaced: list[str], unfold: str) -> str:
    """The HTML of a text; folds whose summary has `unfold` in it are open."""
    parser = MarkdownIt("commonmark", {"html": True, "breaks": True}).enable(["table", "strikethrough"])

    def fence(tokens: Sequence[Token], index: int, *_: object) -> str:
        token = tokens[index]
        if token.info == "suggestion":
            return _suggestion(replaced, token.content)
        return f"<pre><code>{_coloured(token.content, token.info)}</code></pre>"

    parser.renderer.rules["fence"] = fence
    html = parser.render(markdown)
    if unfold:
        html = re.sub(rf"<details>(?=\s*<summary>[^<]*{re.escape(unfold)})", "<details open>", html)
    return html


def _suggestion(replaced: list[str], text: str) -> str:
    rows = [(None, None, "-", line) for line in replaced]
    rows += [(None, None, "+", line) for line in text.splitlines()]
    table = _table(rows, numbers=False)
    return f'<div class="box"><div class="suggested">Suggested change</div>{table}</div>'


def _coloured(text: str, language: str) -> str:
    try:
        return highlight(text, get_lexer_by_name(language), _CODE)
    except ClassNotFound:
        return escape(text)


def _rows(patch: str) -> list[Row]:
    """The lines of a patch."""
    rows: list[Row] = []
    old = new = 0
    for line in patch.splitlines():
        if head := _HUNK.match(line):
            old, new = int(head[1]), int(head[2])
            continue
        sign, text = line[:1], line[1:]
        rows.append((old if sign != "+" else None, new if sign != "-" else None, sign, text))
        old += sign != "+"
        new += sign != "-"
    return rows


def _table(rows: Sequence[Row], *, numbers: bool = True) -> str:
    kinds = {"+": "plus", "-": "minus"}
    html = ""
    for old, new, sign, text in rows:
        beside = f'<td class="n">{old or ""}</td><td class="n">{new or ""}</td>' if numbers else ""
        html += f'<tr class="{kinds.get(sign, "")}">{beside}<td>{sign or " "} {escape(text)}</td></tr>'
    return f'<table class="diff">{html}</table>'

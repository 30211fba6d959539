import re
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inline_snapshot import snapshot
from markdown_it import MarkdownIt
from markdown_it.token import Token

from review_bot.change import Change, ChangedFile, Hunk, NotReviewed
from review_bot.formats import render
from review_bot.formats.markdown_text import block, cell, code, fence, words
from tests.review_bot.review_outcomes import BASE, HEAD, finding, outcome

#: An independent parser, with HTML and GitHub's tables and strike-through on.
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

#: What foreign text may become.
HARMLESS = {
    "paragraph",
    "inline",
    "text",
    "code_inline",
    "softbreak",
    "fence",
    "bullet_list",
    "ordered_list",
    "list_item",
    "text_special",
}

#: What GitHub acts upon in plain text: mentions, references, bare URLs.
ACTIVE = re.compile(r"@\w|\w#\d|(?<!\w)#\d|\bGH-\d|://|www\.", re.IGNORECASE)


def tokens(markdown: str) -> Iterator[Token]:
    for token in PARSER.parse(markdown):
        yield token
        yield from token.children or ()


def kinds(markdown: str) -> set[str]:
    return {token.type.removesuffix("_open").removesuffix("_close") for token in tokens(markdown)}


def prose(markdown: str) -> str:
    """The text outside of code, as a reader sees it."""
    return "\n".join(
        "".join(child.content for child in token.children or () if child.type != "code_inline")
        for token in PARSER.parse(markdown)
        if token.type == "inline"
    )


def test_markdown_of_a_review() -> None:
    shown = outcome(status="partial", missing=("llama",), masked_secrets=1)
    assert render(shown, "markdown") == snapshot("""\
### Review of `1111111111..2222222222`: 1 confirmed, 1 disputed, 2 minority, 1 rejected

**Partial**: not everybody was heard.

- No answer from llama: no complete answer within 120 s
- 1 secret in the change masked before anything was sent

#### Confirmed (1): two independent reviewers, evidence, or a deterministic tool

**critical** `security S602` **Shell command built from a request parameter**<br>
`shop/export.py:12`

```diff
   11 |     name = request.args["name"]
-     |     archive(name)
+> 12 |     subprocess.run(f"zip -r out.zip {name}", shell=True)
+  13 |     audit(name)
   14 |     return redirect(name)
```

`name` comes from the query string and reaches a shell.

Suggestion:

```diff
-     subprocess.run(f"zip -r out.zip {name}", shell=True)
+     subprocess.run(["zip", "-r", "out.zip", name])
```

- evidence: test: export('x; id') ran id (confirms it)

raised by ruff, qwen; seconded by mistral

#### Disputed (1): a reviewer says otherwise

**major** `bug` **Open redirect**<br>
`shop/export.py:14`

```diff
+  12 |     subprocess.run(f"zip -r out.zip {name}", shell=True)
+  13 |     audit(name)
 > 14 |     return redirect(name)
   15 | \n\
```

raised by qwen; disputed by llama (redirect() checks the host)

<details>
<summary>Minority (2): one voice alone; models of one family share one</summary>

**minor** `api` **archive is no longer called**<br>
`shop/export.py:12 (before the change)`

```diff
   10 | def export(request):
   11 |     name = request.args["name"]
-> 12 |     archive(name)
+     |     subprocess.run(f"zip -r out.zip {name}", shell=True)
+     |     audit(name)
```

Its only caller is gone.

raised by mistral

**nit** `style` **README became executable**<br>
`README.md`

raised by qwen

</details>

<details>
<summary>Rejected (1): the aggregator's reason stands next to each</summary>

**nit** `style` **audit is called too late**<br>
`shop/export.py:13`

```diff
-     |     archive(name)
+  12 |     subprocess.run(f"zip -r out.zip {name}", shell=True)
+> 13 |     audit(name)
   14 |     return redirect(name)
   15 | \n\
```

Rejected: qwen: the order is documented

raised by llama; disputed by qwen

</details>

<details>
<summary>Not reviewed (2)</summary>

- `uv.lock`: lock file
- `static/app.min.js`: minified

</details>

<details>
<summary>Members (4)</summary>

| member | model | role | calls | cached | failed | tokens in | tokens out | cost | seconds |
| --- | --- | --- | --: | --: | --: | --: | --: | --: | --: |
| ruff |  | proposer | 1 | 0 | 0 | 0 | 0 | \\$0.00 | 0.1 |
| qwen | `qwen2.5-coder:7b` | proposer, aggregator | 2 | 1 | 0 | 4100 | 620 | \\$0.00 | 3.1 |
| mistral | `mistral-small` | proposer | 2 | 0 | 0 | 4000 | 500 | \\$0.0123 | 2.2 |
| llama | `llama3.1:8b` | proposer | 3 | 0 | 1 | 3900 | 80 | \\$0.00 | 4.0 |

</details>

4 members: ruff, qwen (qwen2.5-coder:7b), mistral (mistral-small), llama (llama3.1:8b); aggregated by qwen; 8 calls and 1 answer from the record; \\$0.0123; 4.3 s; run 20260801-101112-abc123
""")  # noqa: E501 - one paragraph is one line


HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<!-- hidden --> <details open><summary>x",
    "![beacon](https://evil.example/p.png?u=1)",
    "![](https://evil.example/p.png) ![a [b](https://evil.example)](https://evil.example)",
    "[@octocat](javascript:alert(1)) [x](http://a 'title') [y]( http://b ) [z]()",
    "[click](https://evil.example) and [ref][1]\n\n[1]: https://evil.example",
    "<https://evil.example> https://evil.example/a www.evil.example",
    "@octocat @org/team me@evil.example",
    "fixes #12, org/repo#34, GH-56",
    "# heading\n\nsetext\n===\n\nmore\n---",
    "| a | b |\n| --- | --- |\n| c | d |",
    "> quote\n\n***\n\n~~strike~~ **bold** $x^2$",
    "    indented code\n\tand more",
    "- a list\n  - ![x](https://evil.example)\n1. <b>one</b>",
    "```\nfence never closed\n<img src=x>",
    "````\n```\n@inside\n````\n<img src=x>",
    "~~~\n```\n~~~\n<img src=x>",
    "`` ` `` `@code` ``unbalanced ` @octocat",
    "&lt;b&gt; &#64;octocat &amp;",
    "\x1b[31m \u202e \u200b \x00",
    "\\<b> \\\\[x](https://evil.example)",
    "</details></summary>",
    "@a````` ``` <https://evil.example> `````",
    "``x`@octocat`` `y```#1``` GH-1`z`GH-2 GH-3GH-4",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_does_nothing(text: str) -> None:
    for shown in (block(text), words(text)):
        assert kinds(shown) <= HARMLESS
        assert not ACTIVE.search(prose(shown))
        assert "\x1b" not in shown
        assert "\u202e" not in shown


@settings(max_examples=300, derandomize=True, database=None, deadline=None)
@given(st.text(alphabet="`~@#<>[]()!*_-=+|\\&$:/.w1aA,;\"' \n\t", max_size=60))
def test_no_mixture_of_special_characters_does_anything(text: str) -> None:
    for shown in (block(text), words(text)):
        assert kinds(shown) <= HARMLESS
        assert not ACTIVE.search(prose(shown))


#: What does something on its own, to be mixed with what may take its safety away.
PIECES = (
    *(
        "`",
        "``",
        "```",
        "````",
        "~~~",
        "@octocat",
        "https://e.example",
        "www.e.example",
        "<http://e.example>",
    ),
    *("a@b.example", "[a](b)", "![a](b)", "[^1]", "[^1]: x", "<!--", "-->", "<details>", "&#64;", "&lt;"),
    *(
        "#1",
        "GH-1",
        "\\",
        "|",
        "\n|-|\n",
        "\n\n",
        "\n    ",
        "\n> ",
        "\n- ",
        " ",
        "a",
        "1",
        ":",
        "(",
        ")",
        "*",
    ),
)


@settings(max_examples=400, derandomize=True, database=None, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_no_mixture_of_active_pieces_does_anything(text: str) -> None:
    for shown in (block(text), words(text)):
        assert kinds(shown) <= HARMLESS
        assert not ACTIVE.search(prose(shown))


@settings(max_examples=100, derandomize=True, database=None, deadline=None)
@given(st.text(alphabet="`~a \n", max_size=30))
def test_code_never_leaves_its_fence_or_span(text: str) -> None:
    first, *others = PARSER.parse(fence(text))
    assert (first.type, first.content, others) == ("fence", text + "\n", [])
    assert kinds(code(text)) <= {"paragraph", "inline", "code_inline"}


def test_what_reviewers_write_stays_readable() -> None:
    text = (
        "Use `shlex.quote(x)` ([why](https://docs.python.org/3/)):\n\n- first\n- second, *not* <third>\n\n"
        "```python\nrun([x])\n```\n1. done (see https://example.com/a_b)."
    )
    assert block(text) == snapshot("""\
Use `shlex.quote(x)` (why (`https://docs.python.org/3/`)):

- first
- second, \\*not\\* &lt;third&gt;

```python
run([x])
```
1. done (see `https://example.com/a_b`).\
""")


@pytest.mark.parametrize("language", ["suggestion", "mermaid", "math", "Mermaid", "geojson"])
def test_a_fence_is_in_no_language_that_github_runs(language: str) -> None:
    assert [token.info for token in tokens(block(f"```{language}\nx\n```"))] == [""]


def test_names_of_commits_are_code_and_words_stay_words() -> None:
    assert words("since 0123abc, defaced 2026-08-01 or 12 facade") == (
        "since `0123abc`, defaced 2026-08-01 or 12 facade"
    )


def test_a_bar_does_not_end_a_cell() -> None:
    row = f"| a | b |\n| --- | --- |\n| {cell(code('x|y'))} | {cell(words('x|y'))} |"
    cells = [token.content for token in PARSER.parse(row) if token.type == "inline"]
    assert cells == ["a", "b", "`x|y`", "x|y"]


def test_a_hostile_review_adds_nothing_to_the_document() -> None:
    """Whatever foreign fields say, the document has the structure of an innocent one."""
    evil = "</details>\n# x\n![p](https://evil.example/p) @octocat #1 <script>\n```\n"
    hunk = Hunk(1, 0, 1, 1, "", "+```</details><img src=x>\n")

    def document(text: str) -> str:
        change = Change(
            BASE, HEAD, (ChangedFile("a.py", "added", (hunk,)),), (NotReviewed(f"{text}.py", text),)
        )
        found = [
            finding(
                id=standing, standing=standing, path="a.py", start_line=1, line=1, severity="nit",
                category=text, rule=text, title=text, reason=text, suggestion=text, raised_by=[text],
                evidence=[{"kind": text, "text": text}],
            )
            for standing in ("confirmed", "disputed", "minority", "rejected")
        ]  # fmt: skip
        shown = outcome(found, change, warnings=(text,), aggregator="", missing=("llama",))
        return render(shown, "markdown")

    def structure(markdown: str) -> list[str]:
        return [token.type for token in PARSER.parse(markdown)]

    assert structure(document(evil)) == structure(document("innocent"))
    html = {token.content for token in tokens(document(evil)) if token.type.startswith("html")}
    assert html == {token.content for token in tokens(document("innocent")) if token.type.startswith("html")}
    assert not ACTIVE.search(prose(document(evil)))

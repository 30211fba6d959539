from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from review_bot.github.marker import LONGEST, Marker, own, read_marker, write_marker
from tests.review_bot.github.hostile import HOSTILE
from tests.review_bot.github.posted_markdown import tokens

MARKER = Marker("review", "20260801-101112-abc123", "2" * 40, ("aaaa0001", "bbbb/1/2/c.d"), ("00ff",), ("x",))


@dataclass
class Post:
    author: str
    body: str


def test_what_is_written_is_read_again_whatever_follows() -> None:
    line = write_marker(MARKER)
    assert read_marker(line) == MARKER
    assert read_marker(f"{line}\n### Review\n\n{write_marker(Marker('summary', 'x', 'y'))}") == MARKER
    assert read_marker(f"{line}\r\n### edited on the web") == MARKER


@settings(max_examples=200, derandomize=True, database=None, deadline=None)
@given(
    st.text(max_size=40), st.lists(st.text(alphabet="-!<>&\\\"'\n]{}a\u2028\udc80é", max_size=12), max_size=4)
)
def test_nothing_ends_a_marker_early(run: str, prints: list[str]) -> None:
    marker = Marker("finding", run, "h", tuple(prints))
    line = write_marker(marker)
    assert read_marker(line) == marker
    assert line.isascii()
    assert "\n" not in line
    inside = line.removeprefix("<!--").removesuffix("-->")
    assert not {"<", ">"} & set(inside)
    assert "--" not in inside
    assert next(token.type for token in tokens(f"{line}\n# x")) == "html_block"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<!-- pytest-moa",
        "<!-- pytest-moa  -->",
        "<!-- pytest-moa [] -->",
        "<!-- pytest-moa {} -->",
        '<!-- pytest-moa {"v":2,"kind":"review"} -->',
        '<!-- pytest-moa {"v":1,"kind":"other"} -->',
        '<!-- pytest-moa {"v":1,"kind":["review"]} -->',
        '<!-- pytest-moa {"v":1,"kind":"review","run":1} -->',
        '<!-- pytest-moa {"v":1,"kind":"review","fingerprints":"abc"} -->',
        '<!-- pytest-moa {"v":1,"kind":"review","hunks":[1]} -->',
        "<!-- pytest-moa " + "[" * 40_000 + " -->",
        f" {write_marker(MARKER)}",
        f"\n{write_marker(MARKER)}",
        f"> {write_marker(MARKER)}",
        f"```\n{write_marker(MARKER)}\n```",
        f"Fixed. {write_marker(MARKER)}",
    ],
)
def test_what_is_no_marker_at_the_very_beginning_is_none(body: str) -> None:
    assert read_marker(body) is None


def test_only_what_we_wrote_ourselves_is_ours() -> None:
    line = write_marker(MARKER)
    posts = [
        Post("mallory", line),
        Post("review-bot[bot]", "hello"),
        Post("review-bot[bot]", f"{line}\nx"),
        Post("review-bot", line),
        Post("review-bot[bot]", write_marker(Marker("summary", "other", "h"))),
    ]
    assert own(posts, "review-bot[bot]", "review") == [(posts[2], MARKER)]
    assert [post for post, _ in own(posts, "review-bot[bot]")] == [posts[2], posts[4]]
    assert own(posts, "review-bot[bot]", run="other") == [(posts[4], Marker("summary", "other", "h"))]
    assert own([Post("", line)], "") == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_values_are_kept_as_they_are(text: str) -> None:
    marker = Marker("finding", text[:5_000], "h", (text[:5_000],))
    assert read_marker(write_marker(marker)[:LONGEST]) == marker


def test_a_marker_forgets_before_it_fills_the_post() -> None:
    prints = tuple(f"{number:012x}/{number:08x}/3/{'abcd.' * 11}abcd" for number in range(400))
    hunks = tuple(f"{number:08x}" for number in range(2_500))
    kept = read_marker(write_marker(Marker("summary", "r", "h", prints, hunks)))
    assert kept == Marker("summary", "r", "h", prints)
    many = read_marker(write_marker(Marker("summary", "r", "h", prints * 4, hunks)))
    assert many is not None
    assert len(many.fingerprints) > 300
    assert len(write_marker(many)) <= LONGEST

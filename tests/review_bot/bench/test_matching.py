"""Which hunks a finding is about, and whether it claims their defect."""

from __future__ import annotations

import pytest

from review_bot.bench.cases import CaseHunk
from review_bot.bench.matching import about, accuses, claims
from review_bot.finding import Finding


def hunk(id: str, function: str, start: int, edit: str = "wrong-exception") -> CaseHunk:
    return CaseHunk(
        id, "planted", edit, edit, "shop.py", function, start, start, "a\n", "raise KeyError\n", "what"
    )


PLACES = {
    "one": (hunk("one", "total", 10), (10, 10)),
    "two": (hunk("two", "Cart.add_item", 30), (30, 31)),
}


def finding(**fields: object) -> Finding:
    given: dict[str, object] = {"path": "shop.py", "severity": "major", "category": "bug", "title": "Wrong"}
    return Finding.model_validate(given | fields)


@pytest.mark.parametrize(
    ("fields", "hunks"),
    [
        ({"line": 10}, ["one"]),
        ({"line": 13}, ["one"]),
        ({"line": 14}, []),
        ({"start_line": 5, "line": 8}, ["one"]),
        ({"start_line": 1, "line": 100}, ["one"]),  # all of it is as near: the first
        ({"line": 10, "path": "other.py"}, []),
        ({"title": "The function total does not work"}, ["one"]),
        ({"title": "`total` is wrong"}, ["one"]),
        ({"title": "total(prices) fails"}, ["one"]),
        ({"title": "The total is wrong"}, []),  # a word of prose
        ({"body": "add_item forgets to check"}, ["two"]),
        ({"body": "Cart.add_item and the total function"}, ["one", "two"]),
        ({"title": "The function checkout is wrong"}, []),
    ],
)
def test_a_finding_is_about_what_is_near_or_what_it_names(
    fields: dict[str, object], hunks: list[str]
) -> None:
    assert about(finding(**fields), PLACES) == hunks


def test_only_accusations_count() -> None:
    assert accuses(finding())
    assert not accuses(finding(severity="nit"))
    assert not accuses(finding(category="style"))


def test_a_claim_needs_the_words_of_the_defect_or_what_was_changed() -> None:
    defect = PLACES["one"][0]
    assert claims(finding(title="Another exception than before"), defect)
    assert claims(finding(body="callers expect keyerror"), defect)
    assert not claims(finding(title="The name is unclear"), defect)


def test_what_any_complaint_could_say_is_no_claim() -> None:
    """Seen from a small model: it names the function and complains, of whatever was changed."""
    one = CaseHunk(
        "x", "planted", "wrong-function", "wrong-function", "shop.py", "has_varargs", 1, 1,
        "    return any(found)\n", "    return all(found)\n", "any became all",
    )  # fmt: skip
    assert not claims(finding(title="The function has_varargs is missing a docstring"), one)
    assert not claims(finding(title="It does not return all values"), one)
    assert claims(finding(title="`any` was right"), one)
    assert claims(finding(title="It should call any(found)"), one)

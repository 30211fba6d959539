"""What findings claim of a call, and what executing it says of that."""

from __future__ import annotations

import pytest

from moa_engine.ledger import Item, Ledger
from review_bot.finding import Finding
from review_bot.proof.claims import Claim, claims_in, judge, plain_call


def claim(title: str, call: str = "mean([])", body: str = "") -> Claim:
    finding = Finding(
        path="pkg/stats.py", severity="major", category="bug", title=title, body=body, call=call
    )
    ledger = Ledger(items=(Item("0a1b2c3d", "qwen", 1, finding),))
    [found] = claims_in(ledger, {"pkg/stats.py": "pkg.stats"}.get)
    return found


@pytest.mark.parametrize(
    ("title", "raises", "returns"),
    [
        ("Division by zero for an empty list", ("ZeroDivisionError",), ""),
        ("mean([]) raises ZeroDivisionError", ("ZeroDivisionError",), ""),
        ("Raises KeyError or ValueError now", ("KeyError", "ValueError"), ""),
        ("Fails on empty input", ("Exception",), ""),
        ("Fails with a PriceError", ("Exception",), ""),
        ("No longer raises ValueError for an empty list", (), ""),
        ("The error is silently swallowed", (), ""),
        ("Doesn't raise an exception for bad input", (), ""),
        ("Returns None for an empty list", (), "None"),
        ("mean returns 0 here", (), "0"),
        ("Returns None or returns 0", (), ""),
        ("Returns 0.5x the price", (), ""),
    ],
)
def test_what_is_claimed_is_read_from_the_words(title: str, raises: tuple[str, ...], returns: str) -> None:
    found = claim(title)
    assert (found.raises, found.returns) == (raises, returns)
    assert (found.item, found.author, found.function, found.call) == (
        "0a1b2c3d", "qwen", "pkg.stats:mean", "mean([])",
    )  # fmt: skip


def test_a_claim_becomes_two_tests() -> None:
    names = {"mean": "from pkg.stats import mean", "low": "from pkg.stats import low"}
    holds, fails = claim("mean([]) raises ZeroDivisionError").tests(names) or ("", "")
    assert holds == (
        "import pytest\nfrom pkg.stats import mean\n\n\ndef test_claim():\n"
        "    with pytest.raises(ZeroDivisionError):\n        mean([])\n"
    )
    assert fails == "from pkg.stats import mean\n\n\ndef test_claim():\n    mean([])\n"
    holds, fails = claim("returns None", "x = []\nmean(x)").tests(names) or ("", "")
    assert holds.endswith("    x = []\n    assert (mean(x)) is None\n")
    assert fails.endswith("    assert (mean(x)) is not None\n")
    assert claim("Something else").tests(names) is None


@pytest.mark.parametrize(
    ("source", "call"),
    [
        ("`mean([])`", "mean([])"),
        (">>> mean([])", "mean([])"),
        ("pkg.stats.mean([])", "mean([])"),
        ("stats.mean([1]).real", "mean([1]).real"),
        ("items = []\nmean(items)", "items = []\nmean(items)"),
        ("mean(", None),
        ("call mean with an empty list", None),
        ("x = 1", None),
        ("\x00", None),
        ("(" * 5000, None),
    ],
)
def test_calls_are_taken_as_models_write_them(source: str, call: str | None) -> None:
    assert plain_call(source, "pkg.stats") == call


YES, NO = (True, True), (False, False)


def test_the_tests_decide() -> None:
    one = claim("raises ZeroDivisionError")
    new = judge(one, (False, True), (True, False), "TEST")
    assert (new.supports, new.test) == (True, "TEST")
    assert new.text == "`mean([])` raises ZeroDivisionError, which it did not before the change"
    assert judge(one, YES, NO, "").supports is None  # true, and no news
    assert judge(one, (True, False), (False, True), "").supports is False  # the change repaired it
    assert judge(one, NO, YES, "").text == "`mean([])` raises nothing"
    assert judge(one, NO, NO, "").text == "`mean([])` could not be put to the test"
    assert judge(claim("returns None"), NO, YES, "").text == "`mean([])` returns something else"

"""What a change does, written out: the table, and findings with their tests."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from moa_engine.ledger import Ledger
from moa_engine.outcome import Outcome
from review_bot.anchors import Anchors
from review_bot.conclusion import conclude
from review_bot.finding import Review
from review_bot.formats import render
from review_bot.proof.judging import PROVER, VOICE, found_by_proof, judged
from review_bot.proof.report import ProofReport, SearchedReport
from review_bot.standing import Voice
from tests.review_bot.commands import SCHEMA
from tests.review_bot.proof.behaviours import behaviour
from tests.review_bot.proof.test_judging import said
from tests.review_bot.review_outcomes import CHANGE, outcome

REPORTS = judged(
    [
        behaviour(path="shop/export.py", line=12),
        behaviour(
            id="0000bbbb",
            qualname="export",
            input="export('a|b')\nexport('`c`')",
            base={"outcome": "returned", "text": "'x' * 3", "stdout": ""},
            head={"outcome": "returned", "text": "'x' * 4", "stdout": "<b>\x1b[2J"},
            differs="output",
            rank=40,
        ),
    ],
    {"0000bbbb": said(q1="intended", llama="intended", gemma="regression")},
    {"q1": Voice("qwen"), "llama": Voice("llama"), "gemma": Voice("gemma")},
)
PROOF = ProofReport(
    mechanism="landlock",
    seconds=12.3,
    searched=[
        SearchedReport(path="shop/export.py", qualname="mean", status="differs", executions=40),
        SearchedReport(path="shop/export.py", qualname="send", status="not comparable", why="it has no net"),
    ],
    notes=["nobody\x1b knows"],
)


def proved() -> Outcome[Review]:
    ledger = Ledger(items=tuple(found_by_proof(REPORTS)))
    review = conclude(ledger, Anchors(CHANGE), {PROVER: VOICE})
    return outcome(result=review.model_copy(update={"behaviour": REPORTS, "proof": PROOF}))


TABLE = """
What this change does: 2 differences; 40 runs of 1 function in 12.3 s, confined by landlock
  input                         before          after                              judgement
  mean([])                      0               ZeroDivisionError: division by...  intended?
  export('a|b'); export('`c`')  prints nothing  prints '<b>\\x1b[2J'                intended (2 of 3)
    q1: q1 thinks so
    gemma says regression: gemma thinks so
  not compared: send (it has no net)
"""


def test_text_has_one_table_and_the_test_under_its_finding() -> None:
    text = render(proved(), "text")
    assert TABLE in text
    assert "\nnote: nobody\\x1b knows\n" in text
    assert (
        "  evidence: witness: mean([]) (found by annotations, qwen)\n"
        "  A test that passes before the change and fails after it:\n"
        "    from shop.stats import mean\n\n\n"
        "    def test_mean():\n"
        "        assert mean([]) == 0\n"
        "  raised by proof\n"
    ) in text
    assert "confirmed" in text


@pytest.mark.parametrize("width", [20, 40, 80])
def test_text_fits_narrow_terminals(width: int) -> None:
    assert max(map(len, render(proved(), "text", width=width).splitlines())) <= width


def test_markdown_has_the_table_and_no_markup_of_executed_code() -> None:
    text = render(proved(), "markdown")
    assert "#### What this change does\n\n2 differences; 40 runs" in text
    assert "| `mean([])` | `0` | `ZeroDivisionError: division by zero` | intended? |" in text
    row = next(line for line in text.splitlines() if "gemma" in line)
    assert "``export('a\\|b'); export('`c`')``" in row
    assert "```python\nfrom shop.stats import mean" in text
    assert "<b>" not in text.replace("`prints '<b>", "")


def test_json_follows_the_schema() -> None:
    data = json.loads(render(proved(), "json"))
    jsonschema.validate(data, SCHEMA)
    assert [one["judgement"] for one in data["behaviour"]] == ["unjudged", "intended"]
    assert data["behaviour"][1]["judged_by"][2]["member"] == "gemma"
    assert data["proof"]["searched"][1]["why"] == "it has no net"
    [evidence] = data["findings"][0]["evidence"]
    assert evidence["kind"] == "witness"


def test_programs_get_the_test_with_the_message() -> None:
    [result] = json.loads(render(proved(), "sarif"))["runs"][0]["results"]
    assert "assert mean([]) == 0" in result["message"]["text"]
    evidence: Any = result["properties"]["evidence"]
    assert evidence[0]["input"] == "mean([])"
    [diagnostic] = json.loads(render(proved(), "rdjson"))["diagnostics"]
    assert "```python\nfrom shop.stats import mean" in diagnostic["message"]

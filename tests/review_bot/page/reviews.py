"""Reviews to be shown as pages."""

from __future__ import annotations

from typing import Any

from moa_engine.outcome import Outcome
from review_bot.finding import Review, UnplacedFinding
from review_bot.proof.report import ProofReport, SearchedReport
from tests.review_bot.proof.behaviours import behaviour
from tests.review_bot.review_outcomes import FINDINGS, finding, outcome

REGRESSION = behaviour(
    judgement="regression",
    judged_by=[
        {"member": "qwen", "judgement": "regression", "why": "an empty cart is usual"},
        {"member": "mistral", "judgement": "intended"},
    ],
)
INTENDED = behaviour(
    id="0000bbbb",
    input="mean([1, 2])",
    base={"outcome": "returned", "text": "1"},
    head={"outcome": "returned", "text": "1.5"},
    differs="value",
    judgement="intended",
    judged_by=[{"member": "qwen", "judgement": "intended", "why": "true division"}],
)
PROOF = ProofReport(
    mechanism="landlock",
    seconds=21.2,
    searched=[SearchedReport(path="src/shop/stats.py", qualname="mean", status="differs", executions=43)],
)


def proved(**fields: Any) -> Outcome[Review]:
    """A review of every standing, with a proof and a finding that stands on it."""
    witnessed = finding(
        id="aaaa0009",
        start_line=13,
        line=14,
        severity="major",
        category="bug",
        title="`mean` of nothing divides by zero",
        body="With no price `sum([]) / len([])` divides by zero.\n\n```python\nmean([])\n```\nCarts can be.",
        raised_by=["qwen"],
        seconded_by=["mistral"],
        evidence=[{**REGRESSION.witness(), "text": "they differ", "supports": True}],
        stances=[{"member": "mistral", "position": "agree", "why": "a caller passes an empty cart"}],
        merged=[{"member": "mistral", "title": "Division by zero", "body": "if there are no prices"}],
    )
    review = Review(
        findings=[*FINDINGS, witnessed],
        behaviour=[REGRESSION, INTENDED],
        proof=PROOF,
        objections=["llama: no such file"],
        unplaced=[
            UnplacedFinding(
                member="llama", path="x.py", severity="minor", category="bug", title="Elsewhere", body=""
            )
        ],
    )
    return outcome(**{"result": review, "status": "partial", "missing": ("llama",), **fields})

"""Changes of behaviour, made by hand for tests of what becomes of them."""

from __future__ import annotations

from typing import Any

from review_bot.proof.report import BehaviourReport


def behaviour(**fields: Any) -> BehaviourReport:
    given: dict[str, Any] = {
        "id": "0000aaaa",
        "path": "src/shop/stats.py",
        "module": "shop.stats",
        "qualname": "mean",
        "line": 2,
        "input": "mean([])",
        "base": {"outcome": "returned", "text": "0"},
        "head": {"outcome": "raised", "text": "ZeroDivisionError: division by zero"},
        "differs": "exception",
        "test": "from shop.stats import mean\n\n\ndef test_mean():\n    assert mean([]) == 0\n",
        "found_by": ["annotations", "qwen"],
        "rank": 90,
    }
    return BehaviourReport.model_validate(given | fields)

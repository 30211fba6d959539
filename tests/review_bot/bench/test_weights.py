"""`moa bench --write`: from a result to weights in a settings file, and from there into reviews."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest

from moa_engine.errors import ConfigError
from moa_engine.ledger import Item
from moa_engine.session import open_session
from review_bot.bench.weights import write_weights
from review_bot.finding import Finding
from review_bot.settings import ReviewSettings
from review_bot.standing import Voice, stand
from review_bot.track import words_of

HUNKS = [
    {"id": f"h{number}", "case": f"c{number // 5}", "kind": "clean" if number % 3 == 0 else "planted"}
    for number in range(60)
]


def panel(name: str, what: str, named: Any, accused: Any, category: str = "bug") -> dict[str, Any]:
    verdicts = []
    for number, hunk in enumerate(HUNKS):
        bad = hunk["kind"] != "clean"
        says = (bad and named(number)) or (not bad and accused(number))
        finding = {"raised_by": ["sharp", "noisy"], "category": category, "standing": "minority"}
        verdicts.append(
            {
                "hunk": hunk["id"],
                "named": bad and says,
                "by_place": bad and says,
                "accused": says,
                "confidence": None,
                "findings": [finding] if says else [],
                "run": "r",
            }
        )
    return {"name": name, "what": what, "model": name, "verdicts": verdicts, "failed": []}


def measured(*panels: dict[str, Any]) -> dict[str, Any]:
    scores = {
        one["name"]: {
            "enough": True,
            "precision": {"value": 0.5},
            "recall": {"value": 0.25},
            "n": {"hunks": 60},
        }
        for one in panels
    }
    return {
        "made": {"when": "2026-11-28T04:00:00Z"},
        "cases": {"hunks": HUNKS},
        "panels": list(panels),
        "measures": {"scores": scores},
    }


def sharp_and_noisy() -> dict[str, Any]:
    return measured(
        panel("sharp", "member", lambda n: n % 2, lambda n: False),
        panel("middling", "member", lambda n: n % 2, lambda n: n % 5 == 0),
        panel("noisy", "member", lambda n: True, lambda n: True),
        panel("committee", "committee", lambda n: True, lambda n: False),
    )


def test_who_accuses_everything_counts_nothing(tmp_path: Path) -> None:
    file = tmp_path / "moa.toml"
    file.write_text("# mine\nlayers = 1\n")
    write_weights(sharp_and_noisy(), file)
    text = file.read_text()
    track = tomllib.loads(text)["review"]["track"]
    assert track["noisy"]["weight"] == 0
    assert track["sharp"]["weight"] > 1 > track["middling"]["weight"] > 0
    assert track["sharp"]["measured"] == "2026-11-28"
    assert text.startswith("# mine\nlayers = 1\n")
    write_weights(sharp_and_noisy(), file)
    assert file.read_text() == text  # written again, not once more


def test_what_was_written_reaches_reviews(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MOA_")]:
        monkeypatch.delenv(name)
    write_weights(sharp_and_noisy(), tmp_path / "moa.toml")
    with open_session(start=tmp_path, flags={"record": str(tmp_path / "record.sqlite")}) as session:
        settings = session.sections["review"]
        assert isinstance(settings, ReviewSettings)
        assert settings.track["noisy"].weight == 0
        assert "its word counts 0" in words_of(settings.track["noisy"])
        assert settings.votes_needed == {"bug": 1.0}


def test_votes_are_counted_by_weight() -> None:
    finding = Finding(path="a.py", line=1, severity="major", category="bug", title="Wrong")
    items = [Item(f"i{name}", name, 1, finding) for name in ("sharp", "noisy")]
    voices = {"sharp": Voice("s", weight=1.5), "noisy": Voice("n", weight=0.0)}
    assert stand(items, (), (), voices).standing == "minority"
    assert stand(items, (), (), voices, enough=1.5).standing == "confirmed"
    assert stand(items, (), (), {name: Voice(name) for name in voices}).standing == "confirmed"


def test_nothing_is_written_where_nothing_is_known(tmp_path: Path) -> None:
    file = tmp_path / "moa.toml"
    with pytest.raises(ConfigError, match="nothing was written"):
        write_weights(measured(panel("noisy", "member", lambda n: True, lambda n: True)), file)
    assert not file.exists()
    file.write_text("[review.track.sharp]\nweight = 1\nprecision = 1\nrecall = 1\n")
    with pytest.raises(ConfigError, match="of its own"):
        write_weights(sharp_and_noisy(), file)

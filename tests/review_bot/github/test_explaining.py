from pathlib import Path

from moa_engine.record import Record
from review_bot.github import explaining
from review_bot.github.explaining import explained
from review_bot.github.report import Report
from tests.review_bot.commands import Review, as_json
from tests.review_bot.review_outcomes import CHANGE, finding, outcome


def same(text: str) -> str:
    return text


def test_a_finding_is_explained_from_the_record(review: Review, tmp_path: Path) -> None:
    data = as_json(review("HEAD~1", "--format", "json"))
    [found] = [one for one in data["findings"] if one["rule"] == "F821"]
    with Record(tmp_path / "record.sqlite") as record:
        runs = ["20200101-000000-000000", data["run"]]
        text = explained(found["id"], runs, record.run, same)
        masked = explained(found["id"], runs, record.run, lambda text: text.replace("* rate", "* <masked>"))
        assert explained("ffffffffffff", runs, record.run, same) is None
        assert explained(found["id"], ["20200101-000000-000000", "", "last"], record.run, same) is None
    assert text is not None
    assert "raised by ruff" in text
    assert "return sum(prices) * rate" in text
    assert data["run"] in text
    assert masked is not None
    assert "* rate" not in masked


def explanation_of(**fields: object) -> str:
    return explaining._explanation(finding(**fields), Report(outcome(), CHANGE, same))


def test_everybody_speaks_in_their_own_words() -> None:
    text = explanation_of(
        standing="disputed",
        raised_by=["qwen", "mistral"],
        disputed_by=["llama"],
        stances=[{"member": "llama", "position": "dispute", "why": "redirect() checks the host"}],
        merged=[{"member": "mistral", "severity": "minor", "title": "An open door", "body": "Anybody can."}],
    )
    assert "**In the words of mistral** (minor): An open door\n\nAnybody can." in text
    assert "- llama, dispute: redirect() checks the host" in text
    assert "Standing: disputed, a reviewer says otherwise" in text


def test_what_members_wrote_does_nothing() -> None:
    text = explanation_of(
        merged=[{"member": "x", "severity": "nit", "title": "@octocat", "body": "<img src=//evil.example>"}],
        stances=[{"member": "x", "position": "second", "why": "fixes #1"}],
    )
    assert "`@octocat`" in text
    assert "<img" not in text
    assert "`#1`" in text


def test_it_fits_into_a_comment() -> None:
    many = [{"member": "x", "severity": "nit", "title": "t", "body": "long " * 1_000}] * 30
    text = explanation_of(merged=many)
    assert len(text) <= 65_536
    assert "left out for length; `moa show" in text

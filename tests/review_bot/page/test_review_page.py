"""A review as a page: what readers find on it, and that nothing foreign does anything."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from moa_engine.printable import printable
from review_bot.finding import Review
from review_bot.formats import render
from review_bot.suggested import SuggestedTest, SuggestedTests
from tests.review_bot.commands import Review as Reviewing
from tests.review_bot.github.hostile import HOSTILE
from tests.review_bot.page.parsed import harmless
from tests.review_bot.page.reviews import proved
from tests.review_bot.proof.behaviours import behaviour
from tests.review_bot.review_outcomes import CHANGE, finding, outcome


def test_what_is_confirmed_comes_first_with_its_code_evidence_and_voices() -> None:
    text = harmless(render(proved(), "html")).text
    order = [
        "Partial: not everybody was heard. No answer from llama: no complete answer within 120 s",
        "2 confirmed",
        "At a glance",
        "Confirmed (2)",
        "critical Shell command built from a request parameter",
        'subprocess.run(f"zip -r out.zip {name}", shell=True)',
        "Suggestion",
        "ruff raised qwen raised mistral seconded",
        "mean of nothing divides by zero",
        "input before after mean([]) 0 ZeroDivisionError: division by zero",
        "qwen raised mistral seconded: a caller passes an empty cart",
        "In the words of others (1) mistral Division by zero if there are no prices",
        "What this change does",
        "mean([]) 0 ZeroDivisionError: division by zero regression (1 of 2) qwen: an empty cart is usual "
        "mistral says intended",
        "Disputed (1)",
        "qwen raised llama disputed: redirect() checks the host",
        "Minority (2)",
        "Rejected (1)",
        "Without a place (1)",
        "Not reviewed (2)",
        "Members (4)",
        "$0.0123",
    ]
    at = 0
    for words in order:
        at = text.find(words, at)
        assert at >= 0, words


def test_nothing_found_is_said_without_praise() -> None:
    text = harmless(render(outcome([]), "html")).text
    assert "Nothing is confirmed" in text
    assert "Nobody found anything: that is no proof that there is nothing." in text


def test_a_run_without_a_review_says_so() -> None:
    text = harmless(render(outcome(result=None, status="failed", missing=("llama",)), "html")).text
    assert "No review. No answer from llama: no complete answer within 120 s" in text
    assert "Nothing is confirmed" not in text


def everywhere(words: str) -> str:
    """The page of a review in which everything foreign is these words."""
    foreign = finding(
        title=words,
        body=words,
        path=words,
        category=words,
        rule=words,
        suggestion=words,
        reason=words,
        standing="disputed",
        raised_by=[words],
        seconded_by=[words + "2"],
        disputed_by=[words + "3"],
        evidence=[{"kind": words, "text": words}, {**behaviour(input=words).witness(), "found_by": [words]}],
        stances=[{"member": words + "3", "position": "dispute", "why": words}],
        merged=[{"member": words, "title": words, "body": words}],
    )
    side = {"outcome": "returned", "text": words}
    said = [{"member": words, "judgement": "regression", "why": words}]
    review = Review(
        findings=[foreign, finding(id="aaaa0002", title=words, standing="confirmed")],
        behaviour=[behaviour(input=words, base=side, head=side, judged_by=said)],
        objections=[words],
        suggested=SuggestedTests(
            tests=[
                SuggestedTest(
                    id="1",
                    target="m:f",
                    path=words,
                    creates=False,
                    says=words,
                    test=words,
                    edits=[],
                    kills=1,
                    branches=0,
                    proposed_by=[words],
                    hardened_by=[],
                    disputed_by=[],
                )
            ],
            patch=words,
        ),
    )
    changed = replace(CHANGE, title=words, notes=(words,))
    shown = outcome(result=review, change=changed, aggregator=words, run=words, warnings=(words,))
    return render(shown, "html")


def test_hostile_words_are_shown_and_do_nothing() -> None:
    for name, words in HOSTILE.items():
        html = everywhere(words)
        page = harmless(html)
        assert html.encode("utf-8"), name
        visible = " ".join(printable(words).split())
        if "`" not in words:  # which marks code, and is not shown then
            assert page.text.count(visible[:200]) >= 10, name
        assert "\u202e" not in html
        assert "\x1b" not in html


def test_without_its_library_it_says_what_to_install_before_anybody_is_asked(tmp_path: Path) -> None:
    program = (
        "import sys; sys.modules['jinja2'] = None\n"
        "from review_bot.cli import main\n"
        "sys.exit(main(['review', '--html', 'x.html', '--repo', 'nowhere']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'pytest-moa[report]'" in done.stderr
    assert not (tmp_path / "x.html").exists()


def test_the_command_writes_the_page_beside_the_text(review: Reviewing, tmp_path: Path) -> None:
    file = tmp_path / "review.html"
    done = review("--html", str(file))
    assert done.returncode == 0, done.stderr
    assert "undefined name" in done.stdout.lower()
    page = harmless(file.read_text("utf-8"))
    assert "Undefined name rate" in page.text.replace("`", "")
    assert done.stdout.startswith("Review of ")


@pytest.mark.parametrize("count", [300])
def test_a_large_review_stays_a_modest_file(count: int) -> None:
    many = [finding(id=f"{number:012x}", standing="minority", body="word " * 60) for number in range(count)]
    assert len(render(outcome(many), "html")) < 1_000_000

"""What the README and the tutorial tell their reader to do works, literally as it is written.

The reader has a new home and pytest-moa installed. Ollama is a server on loopback and GitHub a bare
repository; nothing else stands in for anything.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.literal import Reader, steps
from tests.scripted_endpoint import ScriptedEndpoint

ROOT = Path(__file__).parents[2]
TUTORIAL = ROOT / "docs" / "tutorial"

FINDING = {
    "path": "prices.py",
    "quote": "return price - percent",
    "title": "The discount is no percentage",
    "body": "The docstring says percent, but the number itself is taken off.",
    "severity": "major",
    "category": "bug",
    "suggestion": "",
}


def answer(request: Any) -> str:
    """What a model says: one finding to reviewers, a sentence to whoever asks for text."""
    if "response_format" not in request:
        return "A number of hundredths."
    if "decisions" in str(request["response_format"]):
        return json.dumps({"decisions": []})
    return json.dumps({"findings": [FINDING]})


@pytest.fixture
def ollama() -> Iterator[ScriptedEndpoint]:
    """A model server with one model."""
    with ScriptedEndpoint(answer, models=["qwen2.5-coder:7b"]) as running:
        yield running


@pytest.fixture
def reader(tmp_path: Path, ollama: ScriptedEndpoint) -> Reader:
    """Somebody in an empty folder, on a machine where Ollama runs on another port than usual."""
    programs, home, work = tmp_path / "bin", tmp_path / "home", tmp_path / "work"
    for folder in (programs, home, work):
        folder.mkdir()
    (programs / "ollama").write_text('#!/bin/sh\ntest "$1" = pull\n')
    (programs / "ollama").chmod(0o755)
    github = tmp_path / "github" / "shop.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(github)], check=True)
    (home / ".gitconfig").write_text(
        "[user]\nname = Sam\nemail = sam@example.com\n"
        f'[url "{github.parent}/"]\ninsteadOf = https://github.com/YOU/\n'
    )
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return Reader(
        work,
        {
            **kept,
            "HOME": str(home),
            "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.defpath]),
            "MOA_DISCOVER_PORTS": f"ollama={ollama.port}",
            "PIP_NO_INDEX": "1",  # it is installed already
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        },
    )


def read(reader: Reader, page: str) -> None:
    for step in steps((TUTORIAL / f"{page}.md").read_text("utf-8")):
        reader.do(step)


def test_the_tutorial_from_its_first_to_its_last_page(reader: Reader, ollama: ScriptedEndpoint) -> None:
    review = "review-bot review --working --prove-seconds 5"

    for step in steps((TUTORIAL / "first-review.md").read_text("utf-8")):
        reader.do(step)
        if step.text == review:  # it says what the page shows
            shown = (TUTORIAL / "first-review.md").read_text("utf-8").partition("```text\n")[2]
            for line in shown.partition("```")[0].splitlines():
                assert line in reader.said[review]
    assert "no findings" in reader.said[f"{review} --fail-on minor"]
    assert "The record is intact" in reader.said["moa verify"]

    read(reader, "with-ollama")
    assert "qwen2.5-coder:7b" in reader.said["cat moa.toml"]
    assert FINDING["title"] in reader.said[review]
    assert "raised by qwen" in reader.said[review]
    assert "0 calls" in reader.said[review]  # the second time
    [question] = [text for text in reader.said if text.startswith("moa ask")]
    assert reader.said[question] == "A number of hundredths.\n"

    read(reader, "on-github")
    posted = reader.said["review-bot review --committee offline --format markdown"]
    assert "S608" in posted

    asked = ollama.count
    read(reader, "first-test")
    assert "mutants killed" in reader.said["pytest --moa --moa-seconds 10 --moa-committee offline"]
    assert "+def test_discounted" in reader.said["git diff"]
    assert ollama.count == asked

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

from tests.docs.literal import Reader, Step, steps
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


#: Commands of the README that are not run here, with why.
ELSEWHERE = {
    "make test": "it runs this test",
    "make demo": "tests/review_bot/test_example.py does what it does",
    "review-bot witness": "it takes a minute: tests/review_bot/proof/test_witness.py",
    "review-bot serve --create-app": "it waits for a browser: tests/review_bot/server/test_manifest.py",
}


def test_the_commands_of_the_readme(reader: Reader, ollama: ScriptedEndpoint) -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    model = f"http://127.0.0.1:{ollama.port}/v1"
    for name in ("QWEN", "LLAMA", "BIG"):
        reader.environment[f"MOA_MEMBERS__{name}__BASE_URL"] = model
    reader.environment |= {"MOA_REVIEW__PROVE": "off", "MOA_TESTS__SECONDS": "2"}
    reader.environment["OPENROUTER_API_KEY"] = "sk-none"
    settings = readme.partition("or write one:\n\n```toml\n")[2].partition("```")[0]
    for file, text in {
        ".gitignore": "moa.toml\n.*_cache\n__pycache__\n",
        "moa.toml": settings,
        "pyproject.toml": '[tool.pytest]\npythonpath = ["src"]\n',
        "src/shop/__init__.py": "",
        "src/shop/rates.py": "LOW = 1\n",
        "tests/test_low.py": "from shop.rates import LOW\n\n\ndef test_low():\n    assert LOW == 1\n",
    }.items():
        reader.do(Step(file, text))
    commit = "git add --all; git commit --quiet --message Rates"
    for command in ("git init --quiet --initial-branch=main", commit, "git switch --quiet --create more"):
        reader.do(Step("", command))
    price = "\n\ndef price(heavy: bool) -> int:\n    return 3 if heavy else LOW\n"
    reader.do(Step("src/shop/rates.py", f"LOW = 1\n{price}"))
    reader.do(Step("", commit))
    run = []
    for step in steps(readme):
        if not step.file and not step.text.startswith(tuple(ELSEWHERE)):
            reader.do(step)
            run.append(step.text)
    assert len(run) == 14
    assert ollama.count > 0
    assert json.loads((reader.folder / "review.sarif").read_text("utf-8"))["version"] == "2.1.0"


def read(reader: Reader, page: str) -> None:
    for step in steps((TUTORIAL / f"{page}.md").read_text("utf-8")):
        reader.do(step)


def test_the_tutorial_from_its_first_to_its_last_page(reader: Reader, ollama: ScriptedEndpoint) -> None:
    review = "review-bot review --working --prove-seconds 5"

    for step in steps((TUTORIAL / "first-review.md").read_text("utf-8")):
        reader.do(step)
    shown = (TUTORIAL / "first-review.md").read_text("utf-8").partition("```text\n")[2]
    for line in shown.partition("```")[0].splitlines():
        assert line in reader.said["review-bot review --working --prove-seconds 15"]
    assert "no findings" in reader.said["review-bot review --working --prove-seconds 3 --fail-on minor"]
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
    assert "mutants killed" in reader.said["pytest --moa --moa-seconds 8 --moa-committee offline"]
    assert "+def test_discounted" in reader.said["git diff"]
    assert ollama.count == asked

"""What a review uploads to code scanning, by Microsoft's SARIF Multitool: schema, and GitHub's own rules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import jsonschema

from benchmarks.github_contracts import node
from tests.review_bot.commands import environment
from tests.review_bot.github.fake_github import FakeGithub
from tests.review_bot.gitrepo import GitRepo

PACKAGE = "@microsoft/sarif-multitool-linux@5.7.0"
BEFORE = "def total(prices):\n    return sum(prices)\n"
AFTER = (
    'import os\n\n\ndef total(prices):\n    key = "ghp_' + "a1B2" * 9 + '"\n    return sum(prices) * rate\n'
)
SETTINGS = '[review]\nprove = "off"\n[github]\ncode_scanning = true\n'


def check(say: Callable[[str], None]) -> bool:
    """Upload a review's findings; whether the schema and the rules at level error hold."""
    folder = node.package("sarif", PACKAGE) / "@microsoft" / "sarif-multitool-linux"
    with tempfile.TemporaryDirectory() as name:
        log = Path(name) / "uploaded.sarif"
        log.write_text(json.dumps(_uploaded(Path(name)), ensure_ascii=False), "utf-8")
        schema = json.loads((folder / "sarif-2.1.0.json").read_text("utf-8-sig"))
        validator = jsonschema.validators.validator_for(schema)(schema)
        faults = [error.message for error in validator.iter_errors(json.loads(log.read_text("utf-8")))]
        say(f"SARIF 2.1.0 schema: {faults or 'holds'}")
        rules = _rules(folder / "Sarif.Multitool", log)
        for (level, rule, text), times in sorted(rules.items()):
            say(f"  {level} {rule} x {times}: {text}")
        return not faults and not any(level == "error" for level, _, _ in rules)


def _uploaded(folder: Path) -> object:
    author = GitRepo(folder / "author")
    author.commit({"a shop/ünï.py": BEFORE, "moa.toml": SETTINGS})
    GitRepo(folder / "shop.git", "--bare")
    author.git("remote", "add", "origin", str(folder / "shop.git"))
    author.git("switch", "--quiet", "-c", "feature")
    author.commit({"a shop/ünï.py": AFTER})
    author.git("push", "--quiet", "origin", "main", "feature")
    with FakeGithub(folder / "shop.git") as fake:
        fake.state.open_pull("feature")
        environ = environment(folder) | {
            "GITHUB_TOKEN": "job-token",
            "GITHUB_API_URL": fake.url,
            "GITHUB_SERVER_URL": fake.url,
            "GITHUB_REPOSITORY": fake.state.repository,
        }
        command = [sys.executable, "-m", "tests.review_bot.github.quick", "github", "--pr", "1"]
        subprocess.run([*command, "--fail-on", "never"], env=environ, check=True, stderr=subprocess.DEVNULL)
        [upload] = fake.state.sarifs
        return upload["sarif"]


def _rules(multitool: Path, log: Path) -> Counter[tuple[str, str, str]]:
    """What its rules have against a log: level, rule, and the text of the first."""
    multitool.chmod(0o755)
    told = log.with_name("told.sarif")
    options = ["--rule-kind", "Sarif;Ghas", "--output", str(told), "--quiet", "true"]
    environ = os.environ | {"DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    done = subprocess.run(
        [str(multitool), "validate", str(log), *options],
        env=environ, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not told.exists():
        raise SystemExit(done.stdout + done.stderr)
    [run] = json.loads(told.read_text("utf-8-sig"))["runs"]
    found: Counter[tuple[str, str, str]] = Counter()
    for result in run.get("results", []):
        text = result["message"].get("text") or " ".join(result["message"].get("arguments", []))
        found[result.get("level", "warning"), result["ruleId"], text[:120]] += 1
    return found

"""The systems that review: the product in several shapes, pr-agent and lgtmaybe. A review is one process.

Peers are asked in the way that their own documentation shows for a local diff and an endpoint of one's own,
with the same model, the same longest answer and one attempt, and told to send nothing anywhere else.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.peers import peer
from benchmarks.side_by_side.reviewed_cases import Change

PR_AGENT, LGTMAYBE = "pr-agent==0.49.0", "lgtmaybe==2.15.3"

#: Longest answer of every model in every system, and how often a call is sent.
MAX_TOKENS, ATTEMPTS = 300, 1


@dataclass(frozen=True, slots=True)
class Reported:
    """A finding, in the words that scoring reads."""

    path: str
    line: int | None
    title: str
    body: str
    start_line: int | None = None
    side: str = "RIGHT"
    severity: str = "major"
    category: str = "bug"


@dataclass(frozen=True, slots=True)
class Started:
    """A review as a process: how it is called, and what is read when it has ended."""

    command: Sequence[str]
    read: Callable[[str], tuple[list[Reported], list[Reported]]]  #: findings, behaviour shown by running
    environ: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


#: From a change and an empty folder of its own to the process that reviews it.
Reviewer = Callable[[Change, Path], Started]


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of it. `exit` is None where it was killed at its deadline."""

    exit: int | None
    seconds: float
    findings: tuple[Reported, ...] = ()
    shown: tuple[Reported, ...] = ()
    said: str = ""  #: the last line on standard error, or on standard output
    is_read: bool = False  #: whether there was a review to read


def run(started: Started, deadline: float) -> Ended:
    """Run it, and end it with all that it started when the time is over."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("MOA_")}
    began = time.monotonic()
    process = subprocess.Popen(
        list(started.command),
        cwd=started.folder,
        env=own | dict(started.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        out, errors = process.communicate(timeout=deadline)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Ended(None, time.monotonic() - began)
    seconds = time.monotonic() - began
    lines = (errors.strip() or out.strip()).splitlines()
    said = lines[-1] if lines else ""
    try:
        findings, shown = started.read(out)
    except (OSError, ValueError, KeyError, TypeError):
        return Ended(process.returncode, seconds, said=said)
    return Ended(process.returncode, seconds, tuple(findings), tuple(shown), said, is_read=True)


def pytest_moa(
    members: Mapping[str, tuple[str, str]],
    *,
    samples: int = 1,
    layers: int = 1,
    tools: bool = True,
    prove_seconds: int = 0,
    seconds: float = 60,
    strict: bool = False,
) -> Reviewer:
    """`review-bot review`. `members` are a model and a base URL by name; the first one aggregates."""

    def reviewer(change: Change, scratch: Path) -> Started:
        config = scratch / "moa.toml"
        config.write_text(_config(members, samples, layers, tools, seconds))
        proof = (
            ["--prove", "on", "--prove-seconds", str(prove_seconds)] if prove_seconds else ["--prove", "off"]
        )
        program = Path(sys.executable).with_name("review-bot")
        command = [str(program), "review", "base..head", "--repo", str(change.repository)]
        command += ["--config", str(config), "--record", str(scratch / "record.sqlite"), *proof]
        command += ["--format", "json", *(["--strict"] if strict else [])]
        return Started(command, _read_product)

    return reviewer


def _config(
    members: Mapping[str, tuple[str, str]], samples: int, layers: int, tools: bool, seconds: float
) -> str:
    """As a moa.toml."""
    lines = ["local_only = true", f"attempts = {ATTEMPTS}"]
    if not members:
        lines.append('committee = "offline"')
    else:
        lines += [f"layers = {layers}", f'aggregator = "{next(iter(members))}"']
    lines += ["[stragglers]", "hedge = false", f"run_deadline = {seconds}"]
    for name, (model, base_url) in members.items():
        lines += [f"[members.{name}]", f'model = "{model}"', f'base_url = "{base_url}"']
        lines += [f"samples = {samples}", f"max_tokens = {MAX_TOKENS}", "concurrency = 1"]
        lines += [f"timeout = {seconds}"]
    if not tools:
        lines += ["[review]", "reviewers = []"]
    return "\n".join(lines) + "\n"


def _read_product(out: str) -> tuple[list[Reported], list[Reported]]:
    """All that the review shows: confirmed, single voices, disputed; not what it rejects."""
    review = json.loads(out)
    keys = ("path", "line", "title", "body", "start_line", "side", "severity", "category")
    findings = [
        Reported(**{key: found[key] for key in keys})
        for found in review["findings"]
        if found["standing"] != "rejected"
    ]
    shown = [
        Reported(one["path"], one["line"], one["input"], f"{one['base']['text']}\n{one['head']['text']}")
        for one in review["behaviour"]
    ]
    return findings, shown


def pr_agent_python() -> Path:
    """Its environment; without an older Python it would be another, four years old."""
    return peer("pr-agent", PR_AGENT, oldest=(3, 12))


def lgtmaybe_python() -> Path:
    """Its environment."""
    return peer("lgtmaybe", LGTMAYBE)


def pr_agent(model: str, base_url: str, *, seconds: float, key: str = "none") -> Reviewer:
    """pr-agent's `review` of a diff file; its key issues are its findings.

    Two variables keep it from the network: without them it fetches prices and a tokeniser.
    """
    python = pr_agent_python()
    (tokenizers,) = python.parent.parent.glob(
        "lib/python*/site-packages/litellm/litellm_core_utils/tokenizers"
    )

    def reviewer(change: Change, scratch: Path) -> Started:
        diff, answer = scratch / "change.diff", scratch / "review.json"
        diff.write_text(change.diff)
        environ = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "TIKTOKEN_CACHE_DIR": str(tokenizers),
            "OPENAI__KEY": key,
            "OPENAI__API_BASE": base_url,
            "CONFIG__MODEL": f"openai/{model}",
            "CONFIG__FALLBACK_MODELS": "[]",
            "CONFIG__CUSTOM_MODEL_MAX_TOKENS": "8192",
            "CONFIG__MAX_OUTPUT_TOKENS": str(MAX_TOKENS),
            "CONFIG__AI_TIMEOUT": str(int(seconds)),
            "CONFIG__NUM_RETRIES": str(ATTEMPTS - 1),
            "CONFIG__RETRY_SAME_MODEL_ON_TIMEOUT": "false",
        }
        command = [
            str(python.with_name("pr-agent")),
            "--diff-file",
            str(diff),
            "--json-output",
            str(answer),
            "review",
        ]
        return Started(command, lambda _: (_read_pr_agent(answer), []), environ, change.repository)

    return reviewer


def _read_pr_agent(answer: Path) -> list[Reported]:
    review = json.loads(answer.read_text())["review"]
    return [
        Reported(
            str(issue.get("relevant_file", "")).strip(),
            _line(issue.get("end_line")),
            str(issue.get("issue_header", "")),
            str(issue.get("issue_content", "")),
            _line(issue.get("start_line")),
        )
        for issue in review.get("key_issues_to_review") or []
        if isinstance(issue, dict)
    ]


def _line(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def lgtmaybe(model: str, base_url: str, *, seconds: float, key: str = "none") -> Reviewer:
    """lgtmaybe's `review` of the branch; its own limit of time, so that it can report what it has by then."""
    python = lgtmaybe_python()

    def reviewer(change: Change, scratch: Path) -> Started:
        command = [str(python.with_name("lgtmaybe")), "review", "--base", "base", "--json"]
        command += [
            "--provider",
            "openai-compatible",
            "--model",
            model,
            "--api-base",
            base_url,
            "--api-key",
            key,
        ]
        command += ["--max-tokens", str(MAX_TOKENS), "--max-concurrency", "1"]
        command += ["--max-review-seconds", str(int(seconds)), "--timeout", str(int(seconds))]
        environ = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "HOME": str(scratch),
            "XDG_CONFIG_HOME": str(scratch),
        }
        return Started(command, lambda out: (_read_lgtmaybe(out), []), environ, change.repository)

    return reviewer


def _read_lgtmaybe(out: str) -> list[Reported]:
    return [
        Reported(
            found["path"],
            found["line"],
            found["title"],
            found["body"],
            side=found.get("side", "RIGHT"),
            severity="nit" if found.get("severity") == "info" else "major",
            category=found.get("category") or "bug",
        )
        for found in json.loads(out[out.index("[") :])
    ]

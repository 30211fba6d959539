"""Outcomes of reviews, built by hand for the tests of what is written out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from moa_engine.ledger import Ledger
from moa_engine.outcome import MemberReport, Outcome
from review_bot.change import Change, ChangedFile, Hunk, NotReviewed
from review_bot.finding import ReportedFinding, Review

BASE = "1111111111111111111111111111111111111111"
HEAD = "2222222222222222222222222222222222222222"

HUNK = Hunk(
    old_start=10,
    old_length=5,
    new_start=10,
    new_length=6,
    heading="def export(request):",
    body=(
        " def export(request):\n"
        '     name = request.args["name"]\n'
        "-    archive(name)\n"
        '+    subprocess.run(f"zip -r out.zip {name}", shell=True)\n'
        "+    audit(name)\n"
        "     return redirect(name)\n"
        " \n"
    ),
)

CHANGE = Change(
    base=BASE,
    head=HEAD,
    files=(
        ChangedFile("shop/export.py", "modified", (HUNK,)),
        ChangedFile("README.md", "mode", old_mode="100644", new_mode="100755"),
    ),
    not_reviewed=(NotReviewed("uv.lock", "lock file"), NotReviewed("static/app.min.js", "minified")),
)


def finding(**fields: Any) -> ReportedFinding:
    given: dict[str, Any] = {
        "id": "aaaa0001",
        "path": "shop/export.py",
        "side": "RIGHT",
        "start_line": 12,
        "line": 12,
        "severity": "critical",
        "category": "security",
        "title": "Shell command built from a request parameter",
        "body": "`name` comes from the query string and reaches a shell.",
        "suggestion": None,
        "standing": "confirmed",
        "reason": None,
        "raised_by": ["ruff"],
        "seconded_by": [],
        "disputed_by": [],
        "evidence": [],
    }
    return ReportedFinding.model_validate(given | fields)


#: One finding of each standing.
FINDINGS = [
    finding(
        id="aaaa0003",
        line=13,
        start_line=13,
        severity="nit",
        category="style",
        title="audit is called too late",
        body="",
        standing="rejected",
        reason="qwen: the order is documented",
        raised_by=["llama"],
        disputed_by=["qwen"],
    ),
    finding(
        rule="S602",
        suggestion='    subprocess.run(["zip", "-r", "out.zip", name])',
        raised_by=["ruff", "qwen"],
        seconded_by=["mistral"],
        evidence=[{"kind": "test", "text": "export('x; id') ran id", "supports": True}],
    ),
    finding(
        id="aaaa0002",
        start_line=14,
        line=14,
        severity="major",
        category="bug",
        title="Open redirect",
        body="",
        standing="disputed",
        raised_by=["qwen"],
        disputed_by=["llama"],
        reason="llama: redirect() checks the host",
        stances=[{"member": "llama", "position": "dispute", "why": "redirect() checks the host"}],
    ),
    finding(
        id="aaaa0004",
        side="LEFT",
        start_line=12,
        line=12,
        severity="minor",
        category="api",
        title="archive is no longer called",
        body="Its only caller is gone.",
        standing="minority",
        raised_by=["mistral"],
    ),
    finding(
        id="aaaa0005",
        path="README.md",
        start_line=None,
        line=None,
        severity="nit",
        category="style",
        title="README became executable",
        body="",
        standing="minority",
        raised_by=["qwen"],
    ),
]

MEMBERS = (
    MemberReport("ruff", "ruff", "", ("proposer",), 1, 0, 0, 0, 0, 0.0, 0.08),
    MemberReport(
        "qwen", "chat", "qwen2.5-coder:7b", ("proposer", "aggregator"), 2, 1, 0, 4100, 620, 0.0, 3.1
    ),
    MemberReport("mistral", "chat", "mistral-small", ("proposer",), 2, 0, 0, 4000, 500, 0.0123, 2.2),
    MemberReport(
        "llama", "chat", "llama3.1:8b", ("proposer",), 3, 0, 1, 3900, 80, 0.0, 4.0,
        ("no complete answer within 120 s",),
    ),
)  # fmt: skip


def outcome(
    findings: list[ReportedFinding] | None = None, change: Change = CHANGE, **fields: Any
) -> Outcome[Review]:
    given: dict[str, Any] = {
        "run": "20260801-101112-abc123",
        "task": SimpleNamespace(change=change),
        "status": "complete",
        "result": Review(findings=FINDINGS if findings is None else findings),
        "ledger": Ledger(),
        "members": MEMBERS,
        "missing": (),
        "aggregator": "qwen",
        "calls": 8,
        "cached": 1,
        "cost_usd": 0.0123,
        "seconds": 4.2517,
        "masked_secrets": 0,
    }
    return Outcome(**given | fields)

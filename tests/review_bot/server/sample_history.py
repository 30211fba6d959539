"""A believable fortnight of a server, for tests of its page and for pictures: `fill(database, now)`."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from sqlalchemy import insert

from moa_engine.attempt import Attempt
from moa_engine.ledger import Fact, Item, Ledger, Stance
from moa_engine.member import PromptVersion
from moa_engine.outcome import MemberReport, Outcome
from moa_engine.record import StoredRun
from review_bot.change import Change, ChangedFile, Hunk, NotReviewed
from review_bot.finding import Finding, ReportedFinding, Review
from review_bot.github.model import PullRequest
from review_bot.review_task import ReviewTask
from review_bot.server.database import (
    Database,
    deliveries,
    executors,
    jobs,
    kept_answers,
    run_records,
)
from review_bot.server.run_document import run_columns

REPOSITORY = "ada/parcels"
HEAD = "9f2c41d07b5e3a88c6d4f1029be7753a10c84e6d"
BASE = "1b7e90aa42c35d61f0837cd2e49b6510fa3d2c87"

HUNK = Hunk(
    old_start=41,
    old_length=9,
    new_start=41,
    new_length=11,
    heading="def price(parcel):",
    body=(
        " def price(parcel, tariff):\n"
        '     """The postage of a parcel in cents."""\n'
        "-    zone = tariff.zone_of(parcel.country)\n"
        "-    if zone is None:\n"
        "-        raise UnknownCountry(parcel.country)\n"
        "+    zone = tariff.zones.get(parcel.country, 0)\n"
        "+    weight = math.ceil(parcel.grams / 1000)\n"
        "+    if parcel.express:\n"
        "+        weight *= 2\n"
        "     rate = tariff.rates[zone]\n"
        "-    return rate * parcel.kilograms\n"
        "+    return rate * weight + tariff.fees[zone]\n"
        " \n"
        " \n"
    ),
)

CHANGE = Change(
    base=BASE,
    head=HEAD,
    files=(ChangedFile("parcels/pricing.py", "modified", (HUNK,)),),
    not_reviewed=(NotReviewed("uv.lock", "lock file"), NotReviewed("docs/tariffs.pdf", "binary")),
)


@dataclass(frozen=True)
class Voice:
    """A member of the sample's committee: how fast it is, what a call of it costs, how often it fails."""

    name: str
    kind: str
    model: str
    seconds: float
    cost: str
    faulty: float = 0.0


VOICES = (
    Voice("ruff", "ruff", "", 0.08, "0"),
    Voice("ty", "ty", "", 0.6, "0"),
    Voice("qwen", "chat", "qwen3-coder-30b", 6.1, "0.0042"),
    Voice("mistral", "chat", "devstral-medium-2", 4.3, "0.0068", 0.04),
    Voice("llama", "chat", "llama-4-maverick", 9.7, "0.0031", 0.22),
    Voice("opus", "chat", "claude-opus-5", 14.2, "0.0610", 0.01),
)


def _finding(**fields: Any) -> Finding:
    given = {"path": "parcels/pricing.py", "start_line": 43, "line": 43, "severity": "major"}
    return Finding.model_validate({**given, "category": "bug", **fields})


UNKNOWN = _finding(
    title="An unknown country is priced as zone 0 instead of being refused",
    body="`zones.get(country, 0)` replaces the check that raised `UnknownCountry`. A parcel to a country "
    "that the tariff does not serve now costs the domestic price.",
    suggestion="    zone = tariff.zone_of(parcel.country)\n"
    "    if zone is None:\n        raise UnknownCountry(parcel.country)",
)
SILENT = _finding(
    title="Countries without a zone silently get the domestic rate",
    body="The caller in `shop/checkout.py` relies on `UnknownCountry` to show a message.",
    severity="critical",
)
EXPRESS = _finding(
    title="Express doubles the weight, not the price",
    body="Doubling the weight crosses into the next weight class. The tariff's own documentation says that "
    "express costs twice the *price*.",
    start_line=45, line=46, category="correctness",
)  # fmt: skip
IMPORT = _finding(
    title="Undefined name `math`", body="", start_line=44, line=44, rule="F821", severity="critical"
)
NAMING = _finding(
    title="`weight` would be clearer as `billed_kilograms`", body="", start_line=44, line=44,
    severity="nit", category="style",
)  # fmt: skip
FEES = _finding(
    title="`tariff.fees` may lack the zone",
    body="Nothing shows that `fees` has an entry for each zone.",
    start_line=48, line=48, severity="minor",
)  # fmt: skip

#: Who said what: (author, layer, finding).
SAID = (
    ("ruff", 1, IMPORT), ("qwen", 1, UNKNOWN), ("qwen", 1, NAMING), ("mistral", 1, EXPRESS),
    ("mistral", 1, FEES), ("opus", 1, SILENT), ("opus", 1, EXPRESS),
)  # fmt: skip

STORED = StoredRun(
    id="20261128-031102-7c1f0e", task="review", committee="review", seed=7, version="0.1.0",
    status="complete", started=0.0, seconds=34.8, payload={}, plan={}, attempts=(), events=(),
    result=None, outcome=None,
)  # fmt: skip

PULL = PullRequest(
    number=214, title="Price parcels by started kilograms", body="", author="grace",
    author_association="MEMBER", state="open", draft=False, merged=False, labels=(), base_ref="main",
    base_sha=BASE, head_ref="started-kilograms", head_sha=HEAD, head_repo=REPOSITORY, base_repo=REPOSITORY,
    is_fork=False, maintainer_can_modify=True,
)  # fmt: skip


def attempt(voice: Voice, started: float, seconds: float, **fields: Any) -> Attempt:
    """One question to a member, answered unless an error is among the fields."""
    given: dict[str, Any] = {
        "id": f"{voice.name}-{started:.3f}", "run": "", "key": "", "member": voice.name, "kind": voice.kind,
        "model": voice.model, "endpoint": "", "role": "proposer", "layer": 1, "unit": "", "sample": 0,
        "number": 1, "purpose": "first", "prompt": PromptVersion("review-change", "9"), "messages": (),
        "parameters": {}, "text": "", "raw": "", "finish_reason": "stop", "tokens_in": 4_812,
        "tokens_out": 388, "tokens_cached": 0, "cost_usd": Decimal(voice.cost), "started": started,
        "seconds": seconds,
    }  # fmt: skip
    if voice.kind != "chat":
        given |= {"prompt": PromptVersion("", ""), "tokens_in": None, "tokens_out": None}
    return Attempt(**{**given, **fields})


def review_of_a_change(started: float) -> tuple[StoredRun, Outcome[Review]]:
    """A run in two layers and a merge: tools and models agree, disagree, and one of them does not answer."""
    voices = {voice.name: voice for voice in VOICES}
    asked = []
    for name, begins, takes in (
        ("ruff", 0.1, 0.08), ("ty", 0.1, 0.7), ("qwen", 0.2, 6.4), ("mistral", 0.2, 4.1), ("opus", 0.2, 13.9),
    ):  # fmt: skip
        asked.append(attempt(voices[name], started + begins, takes, text=_answer_of(name)))
    late = {"error_code": "timeout", "error": "no complete answer within 15 s", "cost_usd": None}
    asked.append(attempt(voices["llama"], started + 0.2, 15.0, **late))
    again = {"layer": 2, "prompt": PromptVersion("review-again", "6")}
    for name, takes in (("qwen", 4.9), ("mistral", 3.8), ("opus", 8.2)):
        asked.append(attempt(voices[name], started + 15.3, takes, text='{"stances": [...]}', **again))
    merge = {"layer": 3, "role": "aggregator", "prompt": PromptVersion("settle-findings", "4")}
    asked.append(attempt(voices["opus"], started + 23.9, 10.6, text=_DECISIONS, **merge))
    generations = {(one.member, one.layer): one.id for one in asked}
    items = tuple(
        Item(f"{number:08x}", author, layer, body, generation=generations[author, layer])
        for number, (author, layer, body) in enumerate(SAID, 0x3A7F01)
    )
    by_title = {(item.author, item.body.title): item.id for item in items}  # type: ignore[attr-defined]
    express, naming = by_title["mistral", EXPRESS.title], by_title["qwen", NAMING.title]
    unknown = by_title["qwen", UNKNOWN.title]
    stances = (
        Stance(unknown, "mistral", 2, "agree", "checkout catches UnknownCountry and nothing else"),
        Stance(express, "qwen", 2, "dispute", "the tariff of 2026 bills express by weight, see docs/tariffs"),
        Stance(naming, "opus", 2, "dispute", "the name is used like this in all of the module"),
    )
    text = "price(Parcel('XX', 900), TARIFF) returned 390 and raised UnknownCountry before"
    facts = (Fact("run", text, item=unknown, supports=True),)
    ledger = Ledger(7, (), items, stances, facts)
    result = Review(
        findings=_findings({one.id: one for one in items}),
        objections=["opus: 3a7f99 is not the id of any item"],
    )
    reports = tuple(_report(voice, asked) for voice in VOICES)
    outcome: Outcome[Review] = Outcome(
        run=STORED.id,
        task=SimpleNamespace(change=CHANGE, fates=lambda done: ReviewTask.fates(None, done)),  # type: ignore[arg-type]
        status="partial",
        result=result,
        ledger=ledger,
        members=reports,
        missing=("llama",),
        aggregator="opus",
        calls=len(asked),
        cached=0,
        cost_usd=sum(one.cost_usd or 0 for one in reports),
        seconds=34.8,
        masked_secrets=1,
    )
    stored = replace(STORED, status="partial", started=started, attempts=tuple(asked))
    return stored, outcome


def _findings(items: Mapping[str, Item]) -> list[ReportedFinding]:
    ids = {(item.author, item.body.title): name for name, item in items.items()}  # type: ignore[attr-defined]

    def reported(lead: Finding, authors: Sequence[tuple[str, Finding]], **fields: Any) -> ReportedFinding:
        others = [{"member": name, **body.model_dump()} for name, body in authors if body is not lead]
        given = {
            "id": f"{abs(hash(lead.title)):012x}"[:12],
            "raised_by": list(dict.fromkeys(name for name, _ in authors)),
            "seconded_by": [], "disputed_by": [], "standing": "confirmed", "reason": None,
            "merged": others, "items": [ids[name, body.title] for name, body in authors],
        }  # fmt: skip
        return ReportedFinding.model_validate({**lead.model_dump(exclude={"call"}), **given, **fields})

    ran = {
        "kind": "run",
        "text": "price(Parcel('XX', 900), TARIFF) returned 390; it raised before",
        "supports": True,
    }
    against = "the tariff of 2026 bills express by weight, see docs/tariffs"
    same = "the name is used like this in all of the module"
    return [
        reported(IMPORT, [("ruff", IMPORT)], id="c41d9a02f7be"),
        reported(
            UNKNOWN, [("qwen", UNKNOWN), ("opus", SILENT)], id="0b9e77d1c3a5", severity="critical",
            seconded_by=["mistral"], evidence=[ran],
            stances=[{"member": "mistral", "position": "agree", "why": "checkout catches UnknownCountry"}],
        ),
        reported(
            EXPRESS, [("mistral", EXPRESS), ("opus", EXPRESS)], id="5d20fe118b94", standing="disputed",
            disputed_by=["qwen"], reason=f"qwen: {against}",
            stances=[{"member": "qwen", "position": "dispute", "why": against}],
        ),
        reported(FEES, [("mistral", FEES)], id="e7713bc0a94f", standing="minority"),
        reported(
            NAMING, [("qwen", NAMING)], id="77aa10c3d2ee", standing="rejected", reason=f"opus: {same}",
            disputed_by=["opus"],
        ),
    ]  # fmt: skip


def _report(voice: Voice, asked: Sequence[Attempt]) -> MemberReport:
    own = [one for one in asked if one.member == voice.name]
    failed = [one for one in own if one.error_code]
    role = ("proposer", "aggregator") if voice.name == "opus" else ("proposer",)
    cost = sum((one.cost_usd or Decimal(0) for one in own), Decimal(0))
    return MemberReport(
        voice.name, voice.kind, voice.model, role, len(own), 0, len(failed),
        0 if voice.kind != "chat" else 4_812 * len(own), 0 if voice.kind != "chat" else 388 * len(own),
        float(cost), sum(one.seconds for one in own), tuple(one.error for one in failed),
    )  # fmt: skip


def _answer_of(name: str) -> str:
    own = [body for author, _, body in SAID if author == name]
    return '{"findings": [' + ", ".join(body.model_dump_json(exclude_defaults=True) for body in own) + "]}"


_DECISIONS = (
    '{"decisions": [{"ids": ["003a7f03"], "verdict": "rejected", "reason": "the name is used like this"}]}'
)

_TITLES = (
    "Retry webhooks with backoff", "Bump ruff to 0.17", "Read tariffs from TOML", "Cache zones per request",
    "Drop Python 3.10", "Show the tracking number in mails", "Validate postcodes", "Split the checkout view",
    "Store weights in grams", "Fix rounding of refunds",
)  # fmt: skip


def fill(database: Database, now: float, *, seed: int = 20) -> None:
    """A fortnight of reviews, the latest in full detail, and a queue with all that can be in one."""
    draw = random.Random(seed)
    made_jobs, made_runs = [], []
    for ago in range(13, -1, -1):
        busy = 3 if (int(now // 86_400) - ago) % 7 in (2, 3) else 9
        for number in range(draw.randrange(busy - 2, busy + 4)):
            started = now - ago * 86_400 - draw.uniform(0.05, 0.3) * 86_400 + number * 400
            job, run = _plain(draw, started, len(made_jobs))
            made_jobs.append(job)
            made_runs.append(run)
    started = now - 95
    stored, outcome = review_of_a_change(started)
    columns = run_columns(stored, outcome, mask=str, pull=PULL)
    counts = {"confirmed": 2, "disputed": 1, "minority": 1, "rejected": 1}
    made_jobs.append(
        _job(
            f"{REPOSITORY}#214@{HEAD}", 214, HEAD, "done", started - 2, started, started + 36,
            run=STORED.id, status="partial", calls=10, cost=columns["cost"], seconds=34.8,
            summary={"title": PULL.title, "findings": counts},
        )
    )  # fmt: skip
    place = {"job": made_jobs[-1]["id"], "repository": REPOSITORY, "number": 214, "head": HEAD}
    made_runs.append({**columns, **place})
    made_jobs += _queued(now)
    with database.writing() as connection:
        connection.execute(insert(jobs), made_jobs)
        connection.execute(insert(run_records), made_runs)
        connection.execute(
            insert(executors),
            [{"id": "moa-1/0", "host": "moa-1", "pid": 311, "started": now - 90_000, "beat": now - 3}],
        )
        connection.execute(
            insert(deliveries),
            {
                "id": "72d3162e-cc78-11e3-81ab-4c9367dc0958", "received": now - 140, "event": "pull_request",
                "repository": "ada/legacy", "number": 7, "installation": 1, "wish": {}, "state": "waiting",
                "why": "60 reviews of this installation in the last hour", "job": "", "due": now + 700,
            },
        )  # fmt: skip
        said = [("ruff", "ruff-1"), ("ty", "ty-1"), ("mistral", "m-1"), ("qwen", "q-1"), ("qwen", "q-2")]
        connection.execute(
            insert(kept_answers),
            [
                {"job": _RUNNING, "key": key, "generation": key, "attempt": {"member": name}, "at": now - 9}
                for name, key in said
            ],
        )


_RUNNING = f"{REPOSITORY}#217@{'c0ffee' * 6}c0ff"

#: The job that failed in the sample.
FAILED = f"{REPOSITORY}#209@{'badc0de' * 5}badc0"


def _queued(now: float) -> list[dict[str, Any]]:
    why = (
        "there is no review: no reviewer gave an answer that could be used\n"
        "qwen: http://10.0.0.7:8000/v1 does not answer (connection refused)"
    )
    running = {"title": "Stream labels to the printer", "phase": "reviewing", "thinking": ["llama", "opus"]}
    return [
        _job(_RUNNING, 217, "c0ffee" * 6 + "c0ff", "running", now - 31, now - 22, None, summary=running),
        _job(f"ada/shop#88@{'1' * 40}", 88, "1" * 40, "queued", now - 12, None, None, repository="ada/shop"),
        _job(
            FAILED, 209, "badc0de" * 5 + "badc0", "failed", now - 4_000, now - 3_990, now - 3_700,
            why=why, attempts=3, status="failed", summary={"title": "Retry webhooks with backoff"},
        ),
    ]  # fmt: skip


def _job(
    id: str, number: int, head: str, state: str, queued: float, started: float | None, finished: float | None,
    **more: Any,
) -> dict[str, Any]:  # fmt: skip
    given: dict[str, Any] = {
        "id": id, "repository": REPOSITORY, "number": number, "installation": 1, "head": head,
        "reason": {"event": "pull_request"}, "state": state, "why": "", "executor": "moa-1/0", "attempts": 1,
        "queued": queued, "started": started, "finished": finished, "run": "", "status": "", "calls": 0,
        "cached": 0, "cost": None, "seconds": 0.0, "summary": None,
    }  # fmt: skip
    return {**given, **more}


def _plain(draw: random.Random, started: float, number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """A run with figures like any other, and nothing in it to read."""
    asked = []
    for voice in VOICES:
        for layer in (1, 2) if voice.kind == "chat" else (1,):
            seconds = voice.seconds * draw.lognormvariate(0, 0.35)
            error = draw.random() < voice.faulty
            lost = {"error_code": "timeout", "error": "no complete answer within 15 s", "text": ""}
            more = lost if error else {"text": '{"findings": []}'}
            asked.append(attempt(voice, started + 15 * (layer - 1), seconds, layer=layer, **more))
    reports = tuple(_report(voice, asked) for voice in VOICES)
    run = f"sample-{number:04d}"
    seconds = draw.uniform(18, 55)
    cost = sum(one.cost_usd or 0 for one in reports) + draw.choice((0.0, 0.0, 0.0, 0.0, 0.0, 0.061))
    outcome: Outcome[Review] = Outcome(
        run=run, task=SimpleNamespace(change=CHANGE, fates=lambda _: {}),  # type: ignore[arg-type]
        status="complete", result=Review(findings=[]), ledger=Ledger(), members=reports, missing=(),
        aggregator="opus", calls=len(asked), cached=0, cost_usd=cost, seconds=seconds, masked_secrets=0,
    )  # fmt: skip
    stored = replace(
        STORED, id=run, status="complete", started=started, seconds=seconds, attempts=tuple(asked)
    )
    head = f"{draw.getrandbits(160):040x}"
    pull, repository = 80 + number, draw.choice((REPOSITORY, REPOSITORY, "ada/shop"))
    title = draw.choice(_TITLES)
    counts = {"confirmed": draw.choice((0, 0, 1, 2)), "minority": draw.choice((0, 0, 1))}
    job = _job(
        f"{repository}#{pull}@{head}", pull, head, "done", started - 2, started, started + seconds + 2,
        repository=repository, run=run, status="complete", calls=len(asked), cost=cost, seconds=seconds,
        summary={"title": title, "findings": {name: count for name, count in counts.items() if count}},
    )  # fmt: skip
    columns = run_columns(stored, outcome, mask=str, pull=replace(PULL, number=pull, title=title))
    return job, {**columns, "job": job["id"], "repository": repository, "number": pull, "head": head}

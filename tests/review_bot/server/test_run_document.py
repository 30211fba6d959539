"""What is shown of a run, made from a real one: asked at a real endpoint, recorded, concluded."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from moa_engine.committee import build_committee
from moa_engine.session import open_session, plan_for, run_task
from review_bot.review_task import ReviewTask
from review_bot.server.database import run_records
from review_bot.server.run_document import run_columns
from review_bot.standing import Voice
from tests.review_bot.sample_change import change
from tests.review_bot.server.page_server import page
from tests.review_bot.server.sample_history import PULL
from tests.scripted_endpoint import Scripted, ScriptedEndpoint

TOKEN = "ghp_0123456789abcdefghijklmnopqrstuvwxyzAB"
CHANGE = change(
    {"stats.py": "def mean(items):\n    return sum(items) / max(len(items), 1)\n"},
    {"stats.py": "def mean(items):\n    return sum(items) / len(items)\n"},
)
ZERO = {
    "path": "stats.py", "quote": "return sum(items) / len(items)", "title": "Division by zero",
    "body": f"mean([]) raises. Your token is {TOKEN}", "severity": "major", "category": "bug",
    "suggestion": "",
}  # fmt: skip


def script(request: Any) -> Scripted:
    name = request["model"].removeprefix("model-")
    if name == "cid":
        return Scripted("no", status=400)
    return Scripted(json.dumps({"findings": [ZERO] if name == "ann" else []}))


def test_a_real_run_is_shown(tmp_path: Path) -> None:
    with ScriptedEndpoint(script) as endpoint:
        members = {
            name: {"model": f"model-{name}", "base_url": endpoint.base_url, "family": name}
            for name in ("ann", "bob", "cid")
        }
        flags = {"record": str(tmp_path / "record.sqlite"), "members": members, "layers": 1}
        with open_session(start=tmp_path, flags=flags, environ={}) as session:
            committee = build_committee(session.settings, session.plugins)
            voices = {name: Voice.of(member) for name, member in committee.members.items()}
            mask = session.redactor.mask
            task = ReviewTask(CHANGE, repository=None, mask=mask, voices=voices)
            outcome = run_task(session, task, committee, plan_for(session, task, committee))
            stored = session.record.run(outcome.run)
            pull = replace(PULL, title="half \udc80 and nul \0")
            ended = run_columns(stored, outcome, mask=mask, pull=pull)
            cut_off = run_columns(stored, None, mask=mask, pull=None)
    assert (ended["status"], ended["calls"]) == ("partial", outcome.calls)
    by_name = {part["name"]: part for part in ended["members"]}
    assert (by_name["ann"]["answers"], by_name["ann"]["failures"]) == (1, 0)
    assert len(by_name["ann"]["latencies"]) == 1
    assert (by_name["cid"]["answers"], by_name["cid"]["last_error"]["code"]) == (0, "refused")
    (item,) = ended["document"]["items"]
    assert item["author"] == "ann"
    assert item["fate"].startswith("minority in finding")
    text = json.dumps(ended)
    assert TOKEN not in text
    # What a text in a database cannot hold.
    assert (
        ended["document"]["pull"]["title"]
        == "half \N{REPLACEMENT CHARACTER} and nul \N{REPLACEMENT CHARACTER}"
    )
    with page(f"sqlite:///{tmp_path / 'server.sqlite'}") as shown:
        for name, columns in (("ended", ended), ("cut", cut_off)):
            with shown.database.writing() as connection:
                connection.execute(insert(run_records), {**columns, "run": name, "repository": "ada/stats"})
        assert "return sum(items) / len(items)" in shown.html("/runs/ended")
        html = shown.html("/runs/cut")
        assert "This run has no review" in html
        assert "ann" in html
        assert "cid" in shown.html("/members")
        assert shown.html("/runs").count("ada/stats") > 1

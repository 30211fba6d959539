import asyncio
import os
import sys
import time
from pathlib import Path

import pytest

from moa_engine.config import Settings
from moa_engine.errors import Refused
from moa_engine.member import PromptVersion, Request
from review_bot.reviewers import ruff
from review_bot.reviewers.reviewer import KINDS, Reviewer, standing_members
from review_bot.reviewers.tool import ToolFailed, ToolTimedOut, run_tool
from review_bot.settings import ReviewerSettings, ReviewSettings
from tests.review_bot.sample_change import subject


def run(code, folder, **more):
    return asyncio.run(run_tool([sys.executable, "-c", code], folder=folder, **more))


def is_running(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def test_a_tool_sees_none_of_our_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("SOME_API_KEY", "do not tell")
    seen = run("import os; print(sorted(os.environ))", tmp_path).stdout.decode()
    assert "PATH" in seen
    assert "SOME_API_KEY" not in seen


def test_a_crash_is_told_with_the_tools_last_words(tmp_path):
    with pytest.raises(ToolFailed, match="exit code 3") as failure:
        run("import sys; print('lost my way', file=sys.stderr); sys.exit(3)", tmp_path)
    assert "lost my way" in failure.value.hint
    assert not failure.value.retryable


def test_a_tool_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ToolFailed, match="no-such-tool cannot be started"):
        asyncio.run(run_tool(["no-such-tool"], folder=tmp_path))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks at processes through /proc")
def test_cancelling_kills_a_tool_with_its_children(tmp_path):
    code = (
        "import subprocess, sys, pathlib, os, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "pathlib.Path('pids.part').write_text(f'{os.getpid()} {child.pid}')\n"
        "os.rename('pids.part', 'pids')\n"
        "time.sleep(60)\n"
    )

    async def cancelled():
        task = asyncio.create_task(run_tool([sys.executable, "-c", code], folder=tmp_path))
        while not (tmp_path / "pids").exists():
            assert not task.done()
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    pids = [int(pid) for pid in (tmp_path / "pids").read_text().split()]
    deadline = time.monotonic() + 20
    while any(map(is_running, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_tool_that_is_too_slow_is_stopped_and_not_asked_again(tmp_path, monkeypatch):
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setattr("ruff.find_ruff_bin", lambda: str(slow))
    member = Reviewer.of_kind("ruff")("lint", ReviewerSettings(kind="ruff", timeout=0.2), Settings())
    request = Request((), PromptVersion("", ""), subject=subject(tmp_path, {}, {"a.py": "x\n"}))
    with pytest.raises(ToolTimedOut, match=r"lint: not done within 0\.2 s") as failure:
        asyncio.run(member.generate(request))
    assert not failure.value.retryable


def test_a_tool_that_is_not_installed_is_refused_with_a_remedy(tmp_path, monkeypatch):
    def missing():
        raise FileNotFoundError("ruff")

    monkeypatch.setattr("ruff.find_ruff_bin", missing)
    with pytest.raises(Refused, match="ruff is not installed") as failure:
        asyncio.run(ruff.review(subject(tmp_path, {}, {"a.py": "x\n"})))
    assert "pip install ruff" in failure.value.hint


def test_output_that_makes_no_sense_is_a_failure_of_the_tool(tmp_path, monkeypatch):
    odd = tmp_path / "odd"
    odd.write_text("#!/bin/sh\necho surprise\n")
    odd.chmod(0o755)
    monkeypatch.setattr("ruff.find_ruff_bin", lambda: str(odd))
    with pytest.raises(ToolFailed, match="cannot be read"):
        asyncio.run(ruff.review(subject(tmp_path, {}, {"a.py": "x\n"})))


def test_a_reviewer_reviews_changes_and_nothing_else():
    member = Reviewer.of_kind("ruff")("ruff", ReviewerSettings(kind="ruff"), Settings())
    with pytest.raises(Refused, match="reviews changes"):
        asyncio.run(member.generate(Request((), PromptVersion("", ""), subject="a text")))


def test_a_members_cache_key_names_the_tools_version():
    members = [Reviewer.of_kind(kind)(kind, ReviewerSettings(kind=kind), Settings()) for kind in KINDS]
    versions = {member.kind: member.parameters["version"] for member in members}
    assert all(versions.values())
    assert versions["ruff"].split()[1] == __import__("importlib.metadata").metadata.version("ruff")
    assert {member.model for member in members} == {""}
    assert {member.endpoint for member in members} == {""}


def test_what_stands_on_every_committee():
    assert standing_members(ReviewSettings(reviewers=["ruff", "secrets", "somebody-elses"])) == [
        "ruff",
        "secrets",
        "somebody-elses",
    ]
    assert set(standing_members(ReviewSettings())) <= set(KINDS)
    assert standing_members(ReviewSettings(reviewers=[])) == []

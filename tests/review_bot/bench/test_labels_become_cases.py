"""What people thought of findings becomes a case: a real review, real labels in a real record."""

from __future__ import annotations

import json
from pathlib import Path

from moa_engine.record import Record
from review_bot.bench.cases import read_cases
from review_bot.cli import main as review_bot
from review_bot.github.labels import Label, put_down
from tests.review_bot.bench.test_bench_command import Bench, accuser, bench, configured, repo, result
from tests.review_bot.bench.test_edits import SHOP
from tests.review_bot.gitrepo import GitRepo
from tests.scripted_endpoint import ScriptedEndpoint

__all__ = ["bench", "repo"]


def test_a_useful_finding_is_a_defect_and_a_dismissed_one_a_clean_hunk(
    repo: GitRepo, bench: Bench, tmp_path: Path
) -> None:
    changed = SHOP.replace("if not prices:", "if not len(prices):").replace(
        "await source.read()", "source.read()"
    )
    with ScriptedEndpoint(accuser) as endpoint:
        configured(repo, endpoint, "accuser")
        repo.commit()
        repo.commit({"shop1.py": changed}, "Work on it")
        assert review_bot(["review", "--format", "json", "--output", "review.json", "--prove", "off"]) == 0
        review = json.loads((repo.folder / "review.json").read_text())
        by_line = {finding["line"]: finding["id"] for finding in review["findings"]}
        guard = changed.splitlines().index("    if not len(prices):") + 1
        lost = changed.splitlines().index("    text = source.read()") + 1
        with Record(tmp_path / "record.sqlite") as record:
            labels = [Label(by_line[guard], review["run"], "ada", False, "it is meant"),
                      Label(by_line[lost], review["run"], "ada", True)]  # fmt: skip
            put_down(record, review["run"], labels)
        done = bench("cases", "--planted", "0", "--clean", "0", "--labels", "--no-witness")
        assert done.code == 0, done.err
        cases = read_cases(repo.folder / "moa-cases.json")
        hunks = {hunk.after.strip(): hunk for _, hunk in cases.hunks}
        assert hunks["if not len(prices):"].kind == "clean"
        assert hunks["text = source.read()"].kind == "history"
        assert hunks["text = source.read()"].what == "This is wrong"
        assert bench("run", "moa-cases.json").code == 0
    scores = result(repo)["measures"]["scores"]["accuser"]
    assert scores["by_place"]["recall"]["value"] == 1
    assert scores["n"]["clean"] == 1

"""Result files of `moa bench`, from members whose errors are drawn as alike as a test wants them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from moa_engine.bench.simulated import SimulatedMember, alike, simulate

DEFECTS = ("swapped-arguments", "dropped-guard", "wrong-default", "off-by-one")


def result(
    members: Sequence[str] = ("qwen", "smollm", "llama", "mistral", "ruff"),
    *,
    cases: int = 12,
    hunks_a_case: int = 5,
    phi: float = 0.3,
    error_rate: float = 0.5,
    seed: int = 1,
    committee: bool = True,
    words: str = "Arguments swapped",
) -> dict[str, Any]:
    """Two of three hunks are planted. The committee reports what two members say."""
    draws = random.Random(seed)
    like = alike(phi, error_rate) if phi else SimulatedMember(error_rate, 0.0)
    table = simulate([like] * len(members), cases=cases, hunks_a_case=hunks_a_case, seed=seed)
    hunks = [_hunk(number, number // hunks_a_case) for number in range(cases * hunks_a_case)]
    panels = [
        _panel(name, "member", [name], hunks, row, words, seconds=20.0 * (at + 1) * cases, draws=draws)
        for at, (name, row) in enumerate(zip(members, table.wrong, strict=True))
    ]
    if committee:
        rows = list(zip(*table.wrong, strict=True))
        two = [
            sum(not one for one in row) < 2 if hunk["kind"] != "clean" else sum(map(bool, row)) >= 2
            for hunk, row in zip(hunks, rows, strict=True)
        ]
        seconds = sum(panel["seconds"] for panel in panels)
        panels.append(
            _panel("committee", "committee", list(members), hunks, two, words, seconds=seconds, draws=draws)
        )
        again = simulate([like], cases=cases, hunks_a_case=hunks_a_case, seed=seed + 1).wrong[0]
        panels.append(
            _panel(
                "qwen x 5", "self-moa", [members[0]], hunks, again, words, seconds=100.0 * cases, draws=draws
            )
        )
        for count in range(1, len(members) + 1):
            one = _panel(
                f"{count} proposers",
                "ablation",
                list(members[:count]),
                hunks,
                two,
                words,
                seconds=9.0 * count * cases,
                draws=draws,
            )
            panels.append({**one, "ablation": {"name": "proposers", "value": count}})
        for name in members[:3]:
            one = _panel(
                f"settled by {name}",
                "ablation",
                list(members),
                hunks,
                two,
                words,
                seconds=9.0 * cases,
                draws=draws,
            )
            panels.append({**one, "ablation": {"name": "aggregator", "value": name}})
    return {
        "format": "moa-bench-1",
        "made": {
            "version": "0.1.0",
            "when": "2026-11-28T04:00:00Z",
            "command": "moa bench run cases.json",
            "seed": 1,
        },
        "cases": {"file": "cases.json", "digest": "ab" * 32, "source": "toolz 1.2.0", "hunks": hunks},
        "panels": panels,
        "aggregations": _aggregations(cases, words) if committee else [],
    }


def _hunk(number: int, case: int) -> dict[str, Any]:
    clean = number % 3 == 2
    defect = None if clean else DEFECTS[number % len(DEFECTS)]
    return {
        "id": f"hunk-{number + 1:02d}",
        "case": f"case-{case + 1:02d}",
        "kind": "clean" if clean else "planted",
        "defect": defect,
        "edit": defect or "renamed-local",
        "path": "toolz/itertoolz.py",
        "function": "take_nth",
        "start": 10 * number + 1,
        "end": 10 * number + 2,
        "before": "def take_nth(n, seq):\n    return itertools.islice(seq, 0, None, n)\n",
        "after": "def take_nth(n, seq):\n    return itertools.islice(0, seq, None, n)\n",
        "what": "a name was changed" if clean else "two arguments were swapped",
        "unsure": "",
    }


def _panel(
    name: str,
    what: str,
    members: list[str],
    hunks: Sequence[dict[str, Any]],
    wrong: Sequence[bool | None],
    words: str,
    *,
    seconds: float,
    draws: random.Random,
) -> dict[str, Any]:
    verdicts = []
    for hunk, missed in zip(hunks, wrong, strict=True):
        bad = hunk["kind"] != "clean"
        accused = not missed if bad else bool(missed)
        finding = {
            "path": hunk["path"],
            "line": hunk["start"],
            "severity": "major",
            "category": "bug",
            "title": words,
            "body": f"{words}: `islice` takes the sequence first.",
            "raised_by": members[:2],
            "standing": "minority" if what == "member" else "confirmed",
        }
        verdicts.append(
            {
                "hunk": hunk["id"],
                "named": bad and accused,
                "by_place": bad and accused,
                "accused": accused,
                "confidence": round(draws.uniform(0.4, 1), 2) if accused and what == "member" else None,
                "findings": [finding] if accused else [],
                "run": "20261128-040000-abcdef",
            }
        )
    return {
        "name": name,
        "what": what,
        "kind": "chat",
        "model": f"{name}:0.5b",
        "members": members,
        "layers": 1,
        "aggregator": "",
        "samples": 1,
        "calls": 12 * len(members),
        "cached": 3,
        "cost_usd": 0.0,
        "seconds": seconds,
        "tokens_in": 20_000,
        "tokens_out": 4_000,
        "verdicts": verdicts,
        "failed": [],
    }


def _aggregations(cases: int, words: str) -> list[dict[str, Any]]:
    made = []
    for name, drops in (("deterministic", 0), ("qwen", 2)):
        studied = []
        for case in range(cases):
            proposals = [
                {"key": "a", "voices": 1, "right": True, "text": words, "planted": ""},
                {"key": "b", "voices": 2, "right": case % 2 == 0, "text": words, "planted": ""},
                {"key": "c", "voices": 1, "right": True, "text": words, "planted": "truth"},
                {"key": "d", "voices": 1, "right": False, "text": words, "planted": "lie"},
            ]
            kept = ["a", "b", "c", "d"] if not drops or case % drops else ["b", "d"]
            studied.append(
                {
                    "case": f"case-{case + 1:02d}",
                    "proposals": proposals,
                    "kept": kept,
                    "reported": ["a", "b", "c", "d"],
                    "text": words,
                    "seen": "",
                    "reordered": [kept, ["a"]] if drops else [kept],
                }
            )
        made.append({"name": name, "panel": "committee", "cases": studied})
    return made

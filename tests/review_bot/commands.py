"""What tests of the command `review-bot` share: its surroundings, and what comes of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema

from moa_engine.record import Record

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "review-1.schema.json").read_text("utf-8"))

BEFORE = "def total(prices):\n    return sum(prices)\n"
#: `rate` is an undefined name (F821).
AFTER = "def total(prices):\n    return sum(prices) * rate\n"


class Done(NamedTuple):
    """What came of a command."""

    returncode: int
    stdout: str
    stderr: str


def environment(folder: Path, **more: str) -> dict[str, str]:
    """No settings of whoever runs the tests, a record of its own, and no proof unless a test asks for one."""
    ours = ("MOA_", "GIT_", "COLUMNS", "NO_COLOR")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**clean, "MOA_RECORD": str(folder / "record.sqlite"), "MOA_REVIEW__PROVE": "off", **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "review_bot", *arguments]


def as_json(done: Done) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(done.stdout)
    jsonschema.validate(data, SCHEMA)
    return data


def runs_in_record(tmp_path: Path) -> int:
    with Record(tmp_path / "record.sqlite") as record:
        return len(record.runs())


#: Runs `review-bot review` with these arguments; see the fixture `review`.
Review = Callable[..., Done]

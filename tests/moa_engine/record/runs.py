"""Runs and attempts to put into a record, also from a second process."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from moa_engine.attempt import Attempt
from moa_engine.member import Message, PromptVersion
from moa_engine.record import Record


def an_attempt(id: str = "a1", **fields: object) -> Attempt:
    attempt = Attempt(
        id=id,
        run="run-1",
        key=f"key of {id}",
        member="qwen",
        kind="chat",
        model="qwen2.5-coder:7b",
        endpoint="http://localhost:11434",
        role="proposer",
        layer=1,
        unit="src/a.py",
        sample=0,
        number=1,
        purpose="first",
        prompt=PromptVersion("ask", "1"),
        messages=(Message("system", "Be brief."), Message("user", f"What is {id}?")),
        parameters={"temperature": 0.7, "stop": ["\n"], "extra": {"top_k": 3}},
        text=f"{id} is a name.",
        raw='{"choices": []}',
        finish_reason="stop",
        tokens_in=12,
        tokens_out=5,
        tokens_cached=None,
        cost_usd=Decimal("0.00001230"),
        started=1_700_000_000.25,
        seconds=0.123456789,
    )
    return replace(attempt, **fields)  # type: ignore[arg-type]


def start(record: Record, run: str = "run-1", **fields: object) -> None:
    given = {
        "key": "key of a run",
        "task": "ask",
        "committee": "moa",
        "payload": {"question": "Why?"},
        "plan": {},
        "seed": 7,
        "version": "1",
    }
    record.start_run(run=run, **(given | fields))  # type: ignore[arg-type]


def finish(record: Record, run: str = "run-1", status: str = "complete") -> None:
    record.finish_run(run, status=status, result='{"answer": "Because."}', outcome='{"calls": 1}')


def filled(path: Path) -> None:
    with Record(path) as record:
        for run in ("run-1", "run-2"):
            start(record, run)
            for number in range(3):
                text = f"{run} {number} " * 2000
                record.append(an_attempt(f"{run}-{number}", run=run, text=text))
            record.event(run, "facts", {"n": 1})
            finish(record, run)


PRELUDE = """
import os, sqlite3, sys, time
from pathlib import Path
from moa_engine.errors import RecordError
from moa_engine.record import Record
from tests.moa_engine.record.runs import an_attempt, finish, start
path = Path(sys.argv[1])
"""


@contextmanager
def child(script: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs a script; it does not outlive the block."""
    process = subprocess.Popen(
        [sys.executable, "-c", PRELUDE + script, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def heard(process: subprocess.Popen[str]) -> str:
    """The next line that the process prints."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def said(process: subprocess.Popen[str], answer: str = "") -> str:
    """All that the process still prints before it ends well, given an answer on its input."""
    out, _ = process.communicate(answer, timeout=60)
    assert process.returncode == 0, out
    return out

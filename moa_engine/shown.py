"""The record, for people: the list of runs, and who said what in one of them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from moa_engine.errors import RecordDamaged
from moa_engine.printable import printable
from moa_engine.replay import replay

if TYPE_CHECKING:
    from moa_engine.attempt import Attempt
    from moa_engine.outcome import Outcome
    from moa_engine.record import RunSummary, StoredRun
    from moa_engine.task import Task

#: Characters of an answer that are shown; all of it is in `moa export`.
EXCERPT = 700


def log_lines(runs: Iterable[RunSummary], format: str) -> Iterator[str]:
    """One line a run, newest first."""
    if format == "json":
        rows = [{**asdict(run), "cost": None if run.cost is None else float(run.cost)} for run in runs]
        yield json.dumps(rows, ensure_ascii=False, indent=2)
        return
    for run in runs:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run.started))
        cost = "price unknown" if run.cost is None else f"${run.cost:.4f}"
        figures = f"{run.calls} calls, {cost}, {run.seconds:.1f} s"
        yield f"{run.id}  {when}  {run.task:8} {run.committee:10} {run.status:11} {figures}"


def run_lines(stored: StoredRun, task_type: type[Task[Any]], format: str) -> Iterator[str]:
    """Who said what, layer by layer, and what became of it."""
    outcome, note = _assembled(stored, task_type)
    fates = {} if outcome is None else outcome.task.fates(outcome)
    if format == "json":
        yield json.dumps(
            {
                "run": stored.id,
                "task": stored.task,
                "committee": stored.committee,
                "status": stored.status,
                "attempts": [attempt_json(attempt) for attempt in stored.attempts],
                "fates": fates,
                "result": None if stored.result is None else json.loads(stored.result),
            },
            ensure_ascii=False,
            indent=2,
        )
        return
    yield f"run {stored.id}: {stored.task}, committee {stored.committee}, {stored.status}"
    for layer in sorted({attempt.layer for attempt in stored.attempts}):
        here = [attempt for attempt in stored.attempts if attempt.layer == layer]
        yield ""
        yield f"layer {layer}: {here[0].role}s"
        for attempt in here:
            yield from _said(attempt)
    if outcome is None:
        yield ""
        yield note
        return
    if outcome.ledger.items:
        yield ""
        yield "what became of it"
        for item in outcome.ledger.items:
            title = printable(str(getattr(item.body, "title", item.body)))
            yield f"  {item.id}  {item.author}: {title}"
            yield f"            {printable(fates.get(item.id, 'in the result'))}"
    yield ""
    yield f"result, by {outcome.aggregator or 'the deterministic aggregator'}"
    yield from _indented(outcome.task.present(outcome, "text"))


def _assembled(stored: StoredRun, task_type: type[Task[Any]]) -> tuple[Outcome[Any] | None, str]:
    """The run's outcome, or why there is none to show."""
    if stored.outcome is None:
        return None, f"the run did not end ({stored.status})"
    try:
        return replay(stored, task_type), ""
    except RecordDamaged as difference:  # another version of the product may conclude otherwise
        return None, f"{difference}\nthe result as it was recorded:\n{stored.result}"


def _said(attempt: Attempt) -> Iterator[str]:
    tokens = "" if not attempt.tokens_in else f", {attempt.tokens_in}+{attempt.tokens_out} tokens"
    cost = "" if not attempt.cost_usd else f", ${attempt.cost_usd:.5f}"
    purpose = "" if attempt.purpose == "first" else f", {attempt.purpose}"
    unit = f" [{attempt.unit}]" if attempt.unit else ""
    cut = ", cut off" if attempt.finish_reason == "length" else ""
    sample = f" sample {attempt.sample + 1}" if attempt.sample else ""
    yield f"  {attempt.member}{sample}{unit}: {attempt.seconds:.2f} s{tokens}{cost}{purpose}{cut}"
    if attempt.error:
        yield f"      {attempt.error_code}: {printable(attempt.error)}"
    yield from _indented(attempt.text[:EXCERPT] + ("..." if len(attempt.text) > EXCERPT else ""))


def _indented(text: str) -> Iterator[str]:
    for line in text.strip().split("\n") if text.strip() else ():
        yield f"      {printable(line)}"


def attempt_json(attempt: Attempt) -> dict[str, Any]:
    """An attempt without what `moa export` is for: the full messages and the raw answer."""
    cost = attempt.cost_usd
    fields = asdict(attempt)
    for name in ("messages", "raw", "parameters", "key", "run"):
        del fields[name]
    return {**fields, "cost_usd": None if cost is None else float(cost)}

"""A run of suggestions as `moa show` and `moa replay` print it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from moa_engine.printable import printable
from pytest_moa.suggestions import Suggestion, Suggestions, SuspectedBug

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome

FORMATS = ("text", "json")


def present(outcome: Outcome[Suggestions], format: str) -> str:
    """The outcome in a format.

    Raises:
        ValueError: no such format; the message says which there are.
    """
    if format == "json":
        result = None if outcome.result is None else outcome.result.to_json()
        return json.dumps({**outcome.figures(), "result": result}, indent=2, ensure_ascii=False)
    if format != "text":
        raise ValueError(f"no format {format!r} for suggestions; there are {', '.join(FORMATS)}")
    return "\n".join(map(printable, _lines(outcome)))


def _lines(outcome: Outcome[Suggestions]) -> Iterator[str]:
    result = outcome.result
    if result is None:
        yield f"no suggestions: {'; '.join(outcome.warnings)}"
        return
    count = len(result.suggestions)
    yield f"{count} test{'' if count == 1 else 's'} suggested"
    for suggestion in result.suggestions:
        yield ""
        yield from _suggestion(suggestion)
    for bug in result.suspected_bugs:
        yield ""
        yield from _bug(bug)
    if result.controls:
        yield ""
        for control in result.controls:
            yield f"{control.name}: {control.kills} mutants, {control.tests} tests"
    for warning in (*result.warnings, *outcome.warnings):
        yield f"note: {warning}"


def _suggestion(suggestion: Suggestion) -> Iterator[str]:
    facts = suggestion.facts
    yield (
        f"[{suggestion.id}] {suggestion.candidate.target}: kills {len(facts.kills)} more mutants, "
        f"takes {len(facts.branches)} more branches"
    )
    yield from _who(suggestion)
    yield from (f"    {line}" for line in suggestion.candidate.source.splitlines())


def _bug(bug: SuspectedBug) -> Iterator[str]:
    yield f"[{bug.id}] suspected bug in {bug.candidate.target}"
    yield from _who(bug)
    yield from (f"    {line}" for line in bug.candidate.source.splitlines())
    yield from (f"    | {line}" for line in bug.message.splitlines())


def _who(test: Suggestion | SuspectedBug) -> Iterator[str]:
    parts = [f"proposed by {', '.join(test.proposed_by)}"]
    if isinstance(test, Suggestion) and test.hardened_by:
        parts.append(f"hardened by {', '.join(test.hardened_by)}")
    if test.disputed_by:
        parts.append(f"disputed by {', '.join(test.disputed_by)}")
    yield f"  {'; '.join(parts)}"
    for opinion in test.opinions:
        yield f"  {opinion.member}: {opinion.position}: {opinion.why}".rstrip(": ")

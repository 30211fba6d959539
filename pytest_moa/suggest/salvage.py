"""What a run that was cut off had found by then: nothing of it needs to be lost.

The record holds what the members answered. A search that was ended has not answered; what it had found
is executed by nobody and only listed, unless an examination had already seen it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from moa_engine.assembly import Assembly
from moa_engine.errors import RunFailed
from moa_engine.ledger import Answer
from pytest_moa.suggest.proposal import written
from pytest_moa.suggest.subject import SuggestSubject
from pytest_moa.suggestions import Suggestions

if TYPE_CHECKING:
    from moa_engine.outcome import Outcome
    from pytest_moa.suggest.task import SuggestTask


def salvaged(outcome: Outcome[Suggestions], task: SuggestTask) -> Suggestions | None:
    """The result with searches' finds and facts that did not make it into the record; None if it failed."""
    answers = [answer for answer in outcome.ledger.answers if answer.value is not None]
    answered = {(answer.member, answer.unit) for answer in answers}
    subject = task.subject
    found = subject.found if isinstance(subject, SuggestSubject) else {}
    for (member, unit), candidates in found.items():
        if candidates and (member, unit) not in answered:
            answers.append(Answer(member, 1, 0, unit, written(candidates)))
    assembly = Assembly(task, outcome.ledger.seed, list(task.voices))
    ledger = assembly.ledger(answers, [*outcome.ledger.facts, *task.unrecorded])
    try:
        return task.conclude(ledger, task.settled)
    except RunFailed:
        return None

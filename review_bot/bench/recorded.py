"""The runs behind a result, from the record: all that was said, without asking anybody again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from moa_engine.errors import ConfigError, RecordError
from review_bot.bench.cases import CaseSet
from review_bot.bench.paid import bill_of
from review_bot.bench.running import CaseRun

if TYPE_CHECKING:
    from moa_engine.session import Session


def recorded_runs(session: Session, cases: CaseSet, result: Mapping[str, Any]) -> list[CaseRun]:
    """The runs of a result's committee, one a case, as they ended.

    Raises:
        ConfigError: the result is of other cases, or its runs are not in the record.
    """
    from moa_engine.replay import replay
    from review_bot.review_task import ReviewTask

    if result["cases"]["digest"] != cases.digest:
        raise ConfigError(
            f"the result is of other cases ({result['cases']['file']}, of {result['cases']['source']})",
            hint="run the committee over these first: moa bench run",
        )
    case_of = {hunk.id: case for case, hunk in cases.hunks}
    committee = next((panel for panel in result["panels"] if panel["what"] == "committee"), None)
    if committee is None:
        raise ConfigError("the result has no committee", hint="moa bench run makes one that has")
    found = {}
    for verdict in committee["verdicts"]:
        case = case_of[verdict["hunk"]]
        if case.id in found:
            continue
        try:
            outcome = replay(session.record.run(verdict["run"]), ReviewTask)
        except RecordError as problem:
            raise ConfigError(
                f"what was said in the result's runs is not in the record: {problem.message}",
                hint="--record names another one; the same `moa bench run` again makes a result of this one",
            ) from problem
        task = outcome.task
        assert isinstance(task, ReviewTask)
        found[case.id] = CaseRun(case, task, outcome, bill_of(session.record, outcome.run))
    return list(found.values())

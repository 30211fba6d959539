"""Two results beside each other: did a member or a committee get worse since?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moa_engine.bench.differences import f1_difference, verdict_on
from moa_engine.bench.intervals import Estimate
from moa_engine.bench.judged import Judged
from moa_engine.bench.measures import verdicts_of
from moa_engine.errors import ConfigError

Result = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Compared:
    """One panel then and now. `verdict` is "better", "worse", "no difference seen" or "not enough"."""

    panel: str
    what: str
    hunks: int  #: that both judged
    difference: Estimate | None
    verdict: str

    def words(self) -> str:
        """For people."""
        if self.difference is None:
            return f"{self.panel}: not enough cases to compare"
        value, low, high = self.difference.value, self.difference.low, self.difference.high
        verdict = "not enough cases to tell" if self.verdict == "not enough" else self.verdict
        return f"{self.panel}: {verdict} (F1 {value:+.2f}, {low:+.2f} to {high:+.2f}, {self.hunks} hunks)"


def compared(old: Result, new: Result) -> list[Compared]:
    """Every panel that both results have, on the hunks that both judged.

    Raises:
        ConfigError: they have no hunk, or no panel, in common.
    """
    before = {panel["name"]: panel for panel in old["panels"]}
    now = [panel for panel in new["panels"] if panel["name"] in before and panel["what"] != "ablation"]
    found = []
    for panel in now:
        was, one = _judged(before[panel["name"]], old), _judged(panel, new)
        shared = {verdict.hunk for verdict in was} & {verdict.hunk for verdict in one}
        if shared:
            difference = f1_difference(one, was)
            found.append(
                Compared(panel["name"], panel["what"], len(shared), difference, verdict_on(difference))
            )
    if not found:
        raise ConfigError(
            "the two results have nothing in common: no panel of one name judged the same hunks",
            hint="compare runs of one case set, and of members of the same names",
        )
    return found


def worse(compared: list[Compared]) -> list[Compared]:
    """The committees that got worse; members where there is no committee."""
    committees = [one for one in compared if one.what != "member"]
    return [one for one in committees or compared if one.verdict == "worse"]


def gone(old: Result, new: Result) -> Iterator[str]:
    """Panels that the new result has not."""
    there = {panel["name"] for panel in new["panels"]}
    return (panel["name"] for panel in old["panels"] if panel["name"] not in there)


def _judged(panel: Mapping[str, Any], result: Result) -> list[Judged]:
    hunks = {hunk["id"]: hunk for hunk in result["cases"]["hunks"] if not hunk.get("unsure")}
    return [one for one in verdicts_of(panel, hunks) if not one.about_no_hunk]

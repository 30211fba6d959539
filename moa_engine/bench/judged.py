"""One panel's verdict on one hunk, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Judged:
    """What was said about a hunk, and whether it was so.

    `defect` is the kind of the one defect in the hunk, "" for a clean hunk. `named`: a finding has its
    place and its claim; `by_place`: its place at least; `accused`: there is any finding. `confidence`
    (0 to 1) is that of the most confident finding; `findings` how many there are. `about_no_hunk`: stands
    for an accusation of something that is in none of the case's hunks; it counts in precision and F1 alone.
    """

    hunk: str
    case: str
    defect: str
    named: bool
    by_place: bool
    accused: bool
    confidence: float | None = None
    findings: int = 0
    about_no_hunk: bool = False

    @property
    def wrong(self) -> bool:
        """A defect that is not named, or a clean hunk that is accused."""
        return not self.named if self.defect else self.accused

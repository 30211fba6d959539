"""The hunks of a case set with what everybody said of them, where the committee was wrong first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

#: Findings of one panel on one hunk that are shown, and characters of each.
SHOWN, EXCERPT = 3, 300


@dataclass(frozen=True, slots=True)
class Said:
    """What one panel said of a hunk."""

    panel: str
    right: bool
    verdict: str
    findings: Sequence[tuple[str, str]]  #: (severity, words)
    more: int


@dataclass(frozen=True, slots=True)
class HunkShown:
    """One hunk: the truth, the lines, who said what. `wrong` is the committee's."""

    id: str
    place: str
    truth: str
    what: str
    lines: Sequence[tuple[str, str]]
    wrong: str
    said: Sequence[Said]

    @property
    def tally(self) -> str:
        """ "2 of 5 members were right"."""
        return f"{sum(one.right for one in self.said)} of {len(self.said)} right"


def hunks_shown(result: Mapping[str, Any]) -> list[HunkShown]:
    """Every hunk that counts, in order; without a committee wrong is what most members are."""
    panels = [panel for panel in result["panels"] if panel["what"] != "ablation"]
    verdicts = {panel["name"]: {one["hunk"]: one for one in panel["verdicts"]} for panel in panels}
    members = [panel["name"] for panel in panels if panel["what"] == "member"]
    committee = next((panel["name"] for panel in panels if panel["what"] == "committee"), None)
    found = []
    for hunk in result["cases"]["hunks"]:
        if hunk.get("unsure"):
            continue
        said = [
            _said(panel["name"], verdicts[panel["name"]][hunk["id"]], hunk)
            for panel in panels
            if hunk["id"] in verdicts[panel["name"]]
        ]
        judged = [one for one in said if one.panel == committee] or [
            one for one in said if one.panel in members
        ]
        wrong = 2 * sum(not one.right for one in judged) > len(judged)
        found.append(
            HunkShown(
                hunk["id"],
                f"{hunk['path']}:{hunk['start']}",
                "clean" if hunk["kind"] == "clean" else str(hunk["defect"] or hunk["kind"]),
                hunk["what"],
                _diff(hunk["before"], hunk["after"]),
                ("accused" if hunk["kind"] == "clean" else "missed") if wrong else "",
                said,
            )
        )
    return found


def _said(panel: str, verdict: Mapping[str, Any], hunk: Mapping[str, Any]) -> Said:
    bad = hunk["kind"] != "clean"
    right = verdict["named"] if bad else not verdict["accused"]
    if bad and not right and verdict["by_place"]:
        told = "the right place, another claim"
    elif bad:
        told = "named it" if right else "missed it"
    else:
        told = "let it pass" if right else "accused it"
    findings = [(one["severity"], _words(one)) for one in verdict["findings"]]
    return Said(panel, right, told, findings[:SHOWN], max(0, len(findings) - SHOWN))


def _words(finding: Mapping[str, Any]) -> str:
    text = ": ".join(filter(None, (finding["title"].strip(), finding["body"].strip())))
    return text if len(text) <= EXCERPT else text[:EXCERPT].rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def _diff(before: str, after: str) -> list[tuple[str, str]]:
    old, new = before.splitlines(), after.splitlines()
    lines: list[tuple[str, str]] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            lines += [(" ", line) for line in old[a:b]]
        else:
            lines += [("-", line) for line in old[a:b]]
            lines += [("+", line) for line in new[c:d]]
    return lines

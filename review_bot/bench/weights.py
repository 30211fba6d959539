"""`moa bench --write`: what a bench found of the members, written into the configuration.

A member's weight is how much its accusation says: the logarithm of how much more often it accuses a defect
than a clean hunk, so that who accuses everything counts nothing. The mean over the members is 1, so two
average voices still confirm. Votes that a category needs are the fewest with which, in this bench, more
findings of it were right than wrong.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from moa_engine.errors import ConfigError

_BEGIN, _END = "# What `moa bench --write` found; it writes this part again.", "# End of that."

_HIGHEST: Final = 3.0

#: Findings of a category below which nothing is said of it, and those that must be left at its votes.
_FINDINGS, _LEFT = 10, 5

#: Votes that are tried.
_STEPS: Final = (1.0, 1.5, 2.0, 2.5, 3.0)

_USUAL: Final = 2.0


def write_weights(result: Mapping[str, Any], file: Path) -> list[str]:
    """Write the track records of a result's models into a settings file; returns what was written, in words.

    Raises:
        ConfigError: there is nothing to write, or the file cannot be written so.
    """
    records = track_records(result)
    if not records:
        raise ConfigError(
            "nothing was written: not enough cases, or no model tells defects from clean hunks",
            hint="moa bench cases --planted 40 --clean 20 makes a case set of usual size",
        )
    needed = votes_needed(result, {name: record["weight"] for name, record in records.items()})
    top = "tool.moa.review" if file.name == "pyproject.toml" else "review"
    before = _read(file)
    text = _without(before)
    tables = "\n".join(_tables(top, records, needed))
    changed = f"{text.rstrip()}\n\n{_BEGIN}\n{tables}\n{_END}\n".lstrip()
    try:
        tomllib.loads(changed)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{file} has a {top}.track or {top}.votes_needed of its own ({error}); nothing was written",
            hint="take them out, and let moa bench --write make them",
        ) from error
    beside = file.with_name(f"{file.name}.part")
    try:
        beside.write_text(changed, "utf-8")
        beside.replace(file)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}") from error
    return [
        *(f"{name} counts {record['weight']:g}" for name, record in records.items()),
        *(f"findings about {category} need {votes:g} votes" for category, votes in needed.items()),
    ]


def track_records(result: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """By model: weight, precision, recall, hunks, when; only of those with enough cases."""
    hunks = {hunk["id"]: hunk["kind"] for hunk in result["cases"]["hunks"] if not hunk.get("unsure")}
    said: dict[str, float] = {}
    for panel in result["panels"]:
        scored = result["measures"]["scores"].get(panel["name"])
        if panel["what"] == "member" and panel.get("model") and scored and scored["enough"]:
            said[panel["name"]] = _information(panel, hunks)
    mean = sum(said.values()) / len(said) if said else 0.0
    if not mean:
        return {}
    found = {}
    for name, information in said.items():
        scored = result["measures"]["scores"][name]
        found[name] = {
            "weight": round(min(_HIGHEST, information / mean), 2),
            "precision": round((scored["precision"] or {"value": 0.0})["value"], 3),
            "recall": round((scored["recall"] or {"value": 0.0})["value"], 3),
            "hunks": scored["n"]["hunks"],
            "measured": result["made"]["when"][:10],
        }
    return found


def _information(panel: Mapping[str, Any], hunks: Mapping[str, str]) -> float:
    """How much an accusation says for a defect; never below 0. Both rates are drawn a little together."""
    bad = [one["by_place"] for one in panel["verdicts"] if hunks.get(one["hunk"], "clean") != "clean"]
    good = [one["accused"] for one in panel["verdicts"] if hunks.get(one["hunk"]) == "clean"]
    usual = sum([*bad, *good]) / max(1, len(bad) + len(good))
    hit, alarm = ((sum(these) + usual) / (len(these) + 1) for these in (bad, good))
    return max(0.0, math.log(hit / alarm)) if usual else 0.0


def votes_needed(result: Mapping[str, Any], weights: Mapping[str, float]) -> dict[str, float]:
    """By category of finding, where it is not the usual two."""
    heard: defaultdict[str, list[tuple[float, bool]]] = defaultdict(list)
    hunks = {hunk["id"]: hunk["kind"] for hunk in result["cases"]["hunks"] if not hunk.get("unsure")}
    for panel in result["panels"]:
        for one in panel["verdicts"] if panel["what"] == "committee" else ():
            if one["hunk"] in hunks:
                for finding in one["findings"]:
                    votes = sum(weights.get(name, 1.0) for name in finding["raised_by"])
                    heard[finding["category"]].append((votes, one["named"]))
    found = {category: _fewest(said) for category, said in sorted(heard.items())}
    return {category: votes for category, votes in found.items() if votes not in (None, _USUAL)}


def _fewest(said: Sequence[tuple[float, bool]]) -> float | None:
    """The fewest votes with which more was right than wrong; None where too little was said."""
    if len(said) < _FINDINGS:
        return None
    for votes in _STEPS:
        left = [right for held, right in said if held >= votes]
        if len(left) >= _LEFT and sum(left) * 2 > len(left):
            return votes
    return None


def _tables(top: str, records: Mapping[str, Mapping[str, Any]], needed: Mapping[str, float]) -> Iterator[str]:
    for name, record in records.items():
        yield f"[{top}.track.{name}]"
        for key, value in record.items():
            yield f'{key} = "{value}"' if isinstance(value, str) else f"{key} = {value}"
        yield ""
    if needed:
        yield f"[{top}.votes_needed]"
        yield from (f"{category} = {votes}" for category, votes in needed.items())


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8") if file.exists() else ""
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error


def _without(text: str) -> str:
    """The text without what was written before."""
    return re.sub(rf"\n*{re.escape(_BEGIN)}.*?{re.escape(_END)}\n?", "\n", text, flags=re.DOTALL)

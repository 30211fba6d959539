"""The result file: who named what, in one JSON file that can be committed, compared and shown as a page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from moa_engine.errors import ConfigError
from review_bot.bench.cases import CaseSet, write_json
from review_bot.bench.running import now

FORMAT: Final = "moa-bench-1"

#: The format of what `moa bench --pairs` writes.
PAIRS_FORMAT: Final = "moa-pairs-1"

_NEEDED = {
    FORMAT: ("cases", "panels", "made"),
    PAIRS_FORMAT: ("committees", "prompts", "judgements", "two_turns", "unjudged"),
}

Panel = Mapping[str, Any]
Result = Mapping[str, Any]


def result_of(
    cases: CaseSet, file: Path, panels: Sequence[Panel], *, seed: int | None, command: str
) -> dict[str, Any]:
    """What the file holds. Hunks by which nobody is judged have a reason under `unsure`."""
    from moa_engine.bench.measures import measures

    places = {id: place for case in cases.cases for id, place in case.places().items()}
    hunks = [
        {
            "id": hunk.id,
            "case": case.id,
            "kind": hunk.kind,
            "defect": hunk.defect,
            "edit": hunk.edit,
            "path": hunk.path,
            "function": hunk.function,
            "start": places[hunk.id][0],
            "end": places[hunk.id][1],
            "before": hunk.before,
            "after": hunk.after,
            "what": hunk.what,
            "unsure": hunk.unsure,
            "witness": hunk.witness,
        }
        for case, hunk in cases.hunks
    ]
    result: dict[str, Any] = {
        "format": FORMAT,
        "made": {"version": version("pytest-moa"), "when": now(), "command": command, "seed": seed},
        "cases": {"file": file.name, "digest": cases.digest, "source": cases.source, "hunks": hunks},
        "panels": [dict(panel) for panel in panels],
    }
    return {**result, "measures": measures(result)}


def with_panels(result: Result, panels: Sequence[Panel], aggregations: Sequence[Any] = ()) -> dict[str, Any]:
    """The result with more panels and aggregator studies; those of the same name are replaced."""
    from moa_engine.bench.measures import measures

    new = {panel["name"] for panel in panels}
    studied = {study["name"] for study in aggregations}
    changed = {
        **result,
        "panels": [*(panel for panel in result["panels"] if panel["name"] not in new), *panels],
        "aggregations": [
            *(study for study in result.get("aggregations", ()) if study["name"] not in studied),
            *aggregations,
        ],
    }
    return {**changed, "measures": measures(changed)}


def read_result(file: Path, formats: Sequence[str] = (FORMAT,)) -> dict[str, Any]:
    """The result in a file, which has one of these formats.

    Raises:
        ConfigError: there is no such file, or it is no result.
    """
    try:
        data: dict[str, Any] = json.loads(file.read_text("utf-8"))
        if data["format"] not in formats:
            wanted = " or ".join(map(repr, formats))
            raise ConfigError(f"{file}: its format is {data['format']!r}, not {wanted}")
        for name in _NEEDED[data["format"]]:
            data[name]
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", hint="moa bench makes it") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{file} is no result of `moa bench`: {error!r}") from error
    return data


def write(output: Path, result: Result) -> None:
    """Write the result file.

    Raises:
        ConfigError: it cannot be written.
    """
    write_json(output, result)


def in_words(result: Result) -> Iterator[str]:
    """The answer for people: a table of all panels, and what it says."""
    measured = result["measures"]
    panels = [panel for panel in result["panels"] if panel["what"] != "ablation"]
    width = max([len(panel["name"]) for panel in panels], default=0)
    yield f"{'':{width}}  {'defects named':>14}  {'clean accused':>14}  {'F1 (95 %)':>18}"
    for panel in panels:
        yield _row(panel, measured["scores"][panel["name"]], result, width)
    yield ""
    yield from _sentences(measured)


def _row(panel: Panel, scored: Mapping[str, Any], result: Result, width: int) -> str:
    counted = {hunk["id"]: hunk for hunk in result["cases"]["hunks"] if not hunk.get("unsure")}
    verdicts = [one for one in panel["verdicts"] if one["hunk"] in counted]
    bad = [one for one in verdicts if counted[one["hunk"]]["kind"] != "clean"]
    good = [one for one in verdicts if counted[one["hunk"]]["kind"] == "clean"]
    named, accused = sum(one["named"] for one in bad), sum(one["accused"] for one in good)
    failed = f"  no answer in {_cases(panel['failed'])}" if panel["failed"] else ""
    if astray := scored["about_no_hunk"]:
        failed += f"  {astray} about no hunk"
    defects, clean = f"{named} of {len(bad)}", f"{accused} of {len(good)}"
    return f"{panel['name']:{width}}  {defects:>14}  {clean:>14}  {_shown(scored['f1']):>18}{failed}"


def _cases(failed: Sequence[Any]) -> str:
    return f"{len(failed)} case" if len(failed) == 1 else f"{len(failed)} cases"


def _sentences(measured: Mapping[str, Any]) -> Iterator[str]:
    alike = measured["independence"]
    members = len(alike["members"])
    if members > 1 and (votes := alike["effective_votes"]):
        yield (
            f"{members} members are worth {_shown(votes)} independent votes"
            + ("" if alike["enough"] else f"; not enough cases to rely on that: {alike['why']}")
            + "."
        )
    elif members > 1:
        yield f"How alike the members err cannot be told: {alike['why']}."
    for one in measured["comparisons"]:
        f1 = f" (F1 {_shown(one['f1'], signed=True)})" if one["f1"] else ""
        verdict = {"not enough": "not enough cases to tell", "no difference seen": "no difference seen"}
        words = verdict.get(one["verdict"], f"{one['verdict']} than that")
        yield f"{one['panel']} against {one['against']} alone: {words}{f1}."


def _shown(estimate: Mapping[str, float] | None, *, signed: bool = False) -> str:
    if estimate is None:
        return "-"
    sign = "+" if signed else ""
    value, low, high = (f"{estimate[name]:{sign}.2f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"

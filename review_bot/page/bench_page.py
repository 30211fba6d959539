"""What a committee is worth, as a part of a page: answers in words, then the numbers they stand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from moa_engine.bench.measures import measures
from review_bot.page import figures, plots
from review_bot.page.answers import answers
from review_bot.page.answers_on_committee import offers
from review_bot.page.plots import Scored
from review_bot.page.wrong_hunks import hunks_shown

if TYPE_CHECKING:
    from markupsafe import Markup

#: From which correlation on a cell of the heat map has its next colour.
STEPS = (0.1, 0.3, 0.5, 0.7, 0.85)

#: What panels are, for people.
KINDS = {
    "member": "one member alone",
    "committee": "committee",
    "self-moa": "one model, sampled several times",
    "offline": "no model",
    "aggregator": "one aggregator",
    "ablation": "ablation",
}

#: What was varied in an ablation: a heading, and the name of the axis.
ABLATIONS = {
    "proposers": ("Number of different proposers", "proposers"),
    "samples": ("One model sampled several times", "samples"),
    "layers": ("Layers", "layers"),
    "aggregator": ("Each member as the aggregator", ""),
    "proposer": ("Each member as the only proposer", ""),
}


#: Shares of an aggregator: their key, what they are, and how that is to be read.
AGGREGATOR_ROWS = (
    ("minority_survival", "right findings with one voice: seen", "by a reader"),
    ("minority_kept", "right findings with one voice: kept", "by its own decision"),
    ("lone_truth", "a planted lone truth: seen", "by a reader"),
    ("lone_truth_kept", "a planted lone truth: kept", "by its own decision"),
    ("liar", "a planted lie: seen", "by a reader, beside what speaks against it"),
    ("liar_kept", "a planted lie: kept", "by its own decision; less is better"),
    (
        "majority_collapse",
        "collapse to the majority",
        "the wrong finding of several kept, the right one dropped",
    ),
    ("faithfulness", "faithful", "claims, numbers and code with a source"),
    ("order_sensitivity", "moved by order", "of what it keeps, when proposals come in another order"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the heat map: its class, and whether its interval leaves out 0."""

    estimate: Mapping[str, float] | None
    shade: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing and its caption."""

    caption: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class Ablation:
    """One thing that was varied."""

    heading: str
    points: Sequence[Mapping[str, Any]]
    plot: Plot | None


def bench_part(result: Mapping[str, Any], file: str, key: str) -> dict[str, Any]:
    """What the template needs of one result file; `key` begins the ids of this part."""
    found = measures(result)
    panels = {panel["name"]: panel for panel in result["panels"]}
    kinds = {name: panel["what"] for name, panel in panels.items()}
    prices = {one["price"]: one for one in offers(found["frontier"], kinds)}
    counted = [hunk for hunk in result["cases"]["hunks"] if not hunk.get("unsure")]
    wrong = hunks_shown(result)
    added: dict[str, dict[int, Mapping[str, Any]]] = {}
    for row in found["leave_one_out"]:
        added.setdefault(row["member"], {})[row["needed"]] = row
    return {
        "kind": "bench",
        "key": key,
        "file": file,
        "result": result,
        "found": found,
        "panels": panels,
        "kinds": KINDS,
        "answers": answers(result, found),
        "members": [name for name, what in kinds.items() if what == "member"],
        "main": [name for name, what in kinds.items() if what != "ablation"],
        "planted": sum(hunk["kind"] == "planted" for hunk in counted),
        "history": sum(hunk["kind"] == "history" for hunk in counted),
        "clean": sum(hunk["kind"] == "clean" for hunk in counted),
        "unsure": len(result["cases"]["hunks"]) - len(counted),
        "cases": len({hunk["case"] for hunk in counted}),
        "judged": max((one["n"]["cases"] for one in found["scores"].values()), default=0),
        "failed": [(name, panel["failed"]) for name, panel in panels.items() if panel["failed"]],
        "scores_plot": _scores_plot(found, kinds, key),
        "heat": heat(found["independence"]),
        "tree": _tree(found, key),
        "added": added,
        "ways": sorted({needed for ways in added.values() for needed in ways}),
        "needed": found["cheapest"].get("needed", 1),
        "aggregator_rows": AGGREGATOR_ROWS,
        "prices": prices,
        "price_plots": [
            _price_plot(one, kinds, key) for kind, one in prices.items() if kind != "calls" and _tells(one)
        ],
        "telling": [kind for kind, one in prices.items() if _tells(one)],
        "units": figures.UNITS,
        "ablations": [_ablation(one, key) for one in found["ablations"]],
        "wrong": [one for one in wrong if one.wrong],
        "right": [one for one in wrong if not one.wrong],
        "judge": _judge(kinds),
    }


def heat(found: Mapping[str, Any], which: str = "phi") -> list[list[Cell | None]]:
    """The correlations with the colours of their cells; None on the diagonal."""
    return [
        [None if row == column else Cell(one, shade(one)) for column, one in enumerate(line)]
        for row, line in enumerate(found[which])
    ]


def shade(estimate: Mapping[str, float] | None) -> str:
    """The classes of a cell: how much alike or apart, and whether the interval takes in 0."""
    if estimate is None:
        return ""
    depth = sum(abs(estimate["value"]) >= step for step in STEPS)
    colour = f"{'alike' if estimate['value'] > 0 else 'apart'}-{depth}" if depth else ""
    return f"{colour} unsure".strip() if estimate["low"] <= 0 <= estimate["high"] else colour


def _judge(kinds: Mapping[str, str]) -> str:
    """Whose wrong hunks are shown: the committee's, or what the members say together."""
    return next((name for name, what in kinds.items() if what == "committee"), "")


def _scores_plot(found: Mapping[str, Any], kinds: Mapping[str, str], key: str) -> Plot | None:
    rows = [
        Scored.of(name, what, score["f1"])
        for name, what in kinds.items()
        if what != "ablation" and (score := found["scores"][name])["f1"]
    ]
    rows.sort(key=lambda one: -one.value)
    if not rows:
        return None
    caption = "F1 by place and claim, with 95 % intervals"
    return Plot(caption, plots.intervals(rows, f"{key}-scores", caption, "F1"))


def _tree(found: Mapping[str, Any], key: str) -> Plot | None:
    if not found["clusters"]:
        return None
    caption = "Who errs like whom"
    members = found["independence"]["members"]
    return Plot(caption, plots.dendrogram(members, found["clusters"], f"{key}-tree", caption))


def _tells(found: Mapping[str, Any]) -> bool:
    """Whether there is something to choose: prices that differ, and somebody who named something."""
    scored = any(point["f1"]["value"] for point in found["points"])
    return scored and len({point["price"] for point in found["points"]}) > 1


def _price_plot(found: Mapping[str, Any], kinds: Mapping[str, str], key: str) -> Plot:
    best = {point["panel"] for point in found["best"]}
    rows = [
        Scored.of(
            point["panel"],
            kinds[point["panel"]],
            point["f1"],
            price=point["price"],
            best=point["panel"] in best,
        )
        for point in found["points"]
    ]
    name, axis = figures.UNITS[found["price"]]
    caption = f"Quality against {name}"
    return Plot(caption, plots.against_price(rows, f"{key}-{found['price']}", caption, axis))


def _ablation(found: Mapping[str, Any], key: str) -> Ablation:
    heading, axis = ABLATIONS.get(found["name"], (found["name"], ""))
    scored = [point for point in found["points"] if point["f1"]]
    rows = [Scored.of(str(point["value"]), "ablation", point["f1"]) for point in scored]
    name = f"{key}-ablation-{list(ABLATIONS).index(found['name']) if found['name'] in ABLATIONS else 'x'}"
    plot = None
    if len(rows) > 1 and all(isinstance(point["value"], int) for point in scored):
        values = [(point["value"], row) for point, row in zip(scored, rows, strict=True)]
        plot = Plot(heading, plots.over_values(values, name, heading, axis))
    elif len(rows) > 1:
        plot = Plot(heading, plots.intervals(rows, name, heading, "F1"))
    return Ablation(heading, found["points"], plot)

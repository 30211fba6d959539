"""Every number of a result file, from what was said and what was true: plain data in and out.

A hunk that the case set calls `unsure` judges nobody. Prices are for one case, over the cases a panel judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from moa_engine.bench.aggregation import Aggregated, Proposal, aggregation
from moa_engine.bench.calibration import calibration
from moa_engine.bench.clusters import merges
from moa_engine.bench.differences import f1_difference, verdict_on
from moa_engine.bench.error_table import ErrorTable
from moa_engine.bench.frontier import Offer, frontier
from moa_engine.bench.independence import Independence, independence
from moa_engine.bench.intervals import Estimate
from moa_engine.bench.judged import Judged
from moa_engine.bench.panel import Votes, by_votes, cheapest, leave_one_out
from moa_engine.bench.scores import score, scores

#: What can be paid with, and the panel's key that says how much was.
PRICES = {"cost_usd": "cost_usd", "seconds": "seconds", "calls": "calls"}

Verdicts = Mapping[str, Sequence[Judged]]


def measures(result: Mapping[str, Any]) -> dict[str, Any]:
    """What a result file holds under `measures`."""
    hunks = {hunk["id"]: hunk for hunk in result["cases"]["hunks"] if not hunk.get("unsure")}
    panels = {panel["name"]: panel for panel in result["panels"]}
    verdicts = {name: verdicts_of(panel, hunks) for name, panel in panels.items()}
    members = {
        name: [one for one in verdicts[name] if not one.about_no_hunk]
        for name, panel in panels.items()
        if panel["what"] == "member"
    }
    alike = independence(_error_table(members, hunks))
    f1 = {name: score(said).f1 for name, said in verdicts.items()}
    return {
        "scores": {name: scores(said) for name, said in verdicts.items()},
        "independence": alike.plain(),
        "clusters": _clusters(alike),
        "votes": _votes(members),
        **_panel(members, panels, alike),
        "comparisons": _comparisons(panels, verdicts),
        "calibration": {name: found for name, said in verdicts.items() if (found := calibration(said))["n"]},
        "aggregators": [_aggregator(one, f1) for one in result.get("aggregations", ())],
        "frontier": _frontiers(panels, verdicts, f1),
        "ablations": _ablations(panels, verdicts, f1),
    }


def verdicts_of(panel: Mapping[str, Any], hunks: Mapping[str, Mapping[str, Any]]) -> list[Judged]:
    """The panel's verdicts on hunks that count, and what it accused beside them, under names of its own."""
    astray = [
        Judged(
            f"{panel['name']} {number}", one["case"], "", named=False, by_place=False, accused=True,
            about_no_hunk=True,
        )
        for number, one in enumerate(panel.get("about_no_hunk", ()))
    ]  # fmt: skip
    return astray + [
        Judged(
            said["hunk"],
            hunk["case"],
            "" if hunk["kind"] == "clean" else hunk["defect"] or hunk["kind"],
            named=said["named"],
            by_place=said["by_place"],
            accused=said["accused"],
            confidence=said["confidence"],
            findings=len(said["findings"]),
        )
        for said in panel["verdicts"]
        if (hunk := hunks.get(said["hunk"]))
    ]


def _error_table(members: Verdicts, hunks: Mapping[str, Mapping[str, Any]]) -> ErrorTable:
    return ErrorTable.of(
        {name: {one.hunk: one.wrong for one in said} for name, said in members.items()},
        {name: hunk["case"] for name, hunk in hunks.items()},
        {name: "clean" if hunk["kind"] == "clean" else "defect" for name, hunk in hunks.items()},
    )


def _clusters(alike: Independence) -> list[dict[str, Any]]:
    seats = range(len(alike.members))
    phi = [[found.value if (found := alike.phi(one, other)) else None for other in seats] for one in seats]
    return [merge.plain() for merge in merges(alike.members, phi)]


def _votes(members: Verdicts) -> list[dict[str, Any]]:
    """Panels that only count voices: what all members together name with one voice, with two, and so on."""
    best = _best(members)
    found = []
    for needed in range(1, len(members) + 1 if len(members) > 1 else 1):
        panel = by_votes(members, needed)
        over = f1_difference(panel, members[best]) if best else None
        found.append(
            {"needed": needed, **score(panel).plain(), "over_best_member": _plain(over), "best": best}
        )
    return found


def _panel(members: Verdicts, panels: Mapping[str, Mapping[str, Any]], alike: Independence) -> dict[str, Any]:
    """What each member adds, with one voice needed and with two; the cheapest part where F1 is highest."""
    votes = Votes.of(members)
    if len(members) < 2:
        return {"leave_one_out": [], "cheapest": {"enough": False, "why": "fewer than two members"}}
    ways = (1, 2) if len(members) > 2 else (1,)
    added = [
        {**one, "effective_votes_without": _rounded(alike.votes_without(one["member"]))}
        for needed in ways
        for one in leave_one_out(votes, needed)
    ]
    needed = max(ways, key=lambda way: votes.f1(range(len(members)), way))
    prices = {name: _prices(panels[name], said) for name, said in members.items()}
    unit = next(unit for unit in PRICES if unit == "calls" or all(prices[name].get(unit) for name in members))
    found = cheapest(votes, needed, {name: prices[name].get(unit, 0.0) for name in members})
    if found is None:
        return {"leave_one_out": added, "cheapest": {"enough": False, "why": "nothing was named or accused"}}
    return {"leave_one_out": added, "cheapest": {**found.plain(), "unit": unit, "enough": True, "why": ""}}


def _comparisons(panels: Mapping[str, Mapping[str, Any]], verdicts: Verdicts) -> list[dict[str, Any]]:
    """Every other panel against the best member, and committees against one model sampled several times.

    That member was chosen as the best on the same hunks, which flatters it a little.
    """
    best = _best({name: said for name, said in verdicts.items() if panels[name]["what"] == "member"})
    if best is None:
        return []
    sampled = [name for name, panel in panels.items() if panel["what"] == "self-moa"]
    found = []
    for name, panel in panels.items():
        if panel["what"] in ("member", "ablation"):
            continue
        for against in (best, *(sampled if panel["what"] == "committee" else ())):
            over = f1_difference(verdicts[name], verdicts[against])
            found.append({"panel": name, "against": against, "f1": _plain(over), "verdict": verdict_on(over)})
    return found


def _frontiers(
    panels: Mapping[str, Mapping[str, Any]], verdicts: Verdicts, f1: Mapping[str, Estimate | None]
) -> list[dict[str, Any]]:
    """Quality against each kind of price, over the panels for which both are known."""
    prices = {name: _prices(panels[name], verdicts[name]) for name in panels}
    found = []
    for kind in PRICES:
        priced = {name: of[kind] for name, of in prices.items() if kind in of and f1[name]}
        offers = [Offer(name, known.value, price) for name, price in priced.items() if (known := f1[name])]
        points = [
            {"panel": name, "price": round(price, 6), "f1": _plain(f1[name])}
            for name, price in priced.items()
        ]
        if points:
            found.append({"price": kind, "points": points, "best": frontier(offers)})
    return found


def _ablations(
    panels: Mapping[str, Mapping[str, Any]], verdicts: Verdicts, f1: Mapping[str, Estimate | None]
) -> list[dict[str, Any]]:
    points: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for name, panel in panels.items():
        if panel["what"] == "ablation":
            prices = {kind: round(price, 6) for kind, price in _prices(panel, verdicts[name]).items()}
            of = panel["ablation"]
            points[of["name"]].append(
                {"panel": name, "value": of["value"], "f1": _plain(f1[name]), "price": prices}
            )
    return [{"name": name, "points": of} for name, of in points.items()]


def _aggregator(study: Mapping[str, Any], f1: Mapping[str, Estimate | None]) -> dict[str, Any]:
    outcomes = [
        Aggregated(
            case["case"],
            tuple(Proposal(**proposal) for proposal in case["proposals"]),
            frozenset(case["kept"]),
            frozenset(case["reported"]),
            case["text"],
            case["seen"],
            tuple(frozenset(keys) for keys in case["reordered"]),
        )
        for case in study["cases"]
    ]
    return {"name": study["name"], "score": _plain(f1.get(study["panel"])), **aggregation(outcomes)}


def _prices(panel: Mapping[str, Any], said: Sequence[Judged]) -> dict[str, float]:
    """Of each kind that is known, for one case."""
    cases = len({one.case for one in said})
    known = {kind: panel.get(key) for kind, key in PRICES.items()}
    return {kind: float(of) / cases for kind, of in known.items() if of is not None and cases}


def _best(verdicts: Verdicts) -> str | None:
    """The panel with the highest F1; the first of equals."""
    known = {name: found.value for name, said in verdicts.items() if (found := score(said).f1)}
    return max(known, key=lambda name: known[name]) if known else None


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    return estimate.plain() if estimate else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)

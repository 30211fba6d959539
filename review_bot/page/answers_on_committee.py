"""Whether an aggregator keeps what is right, what the committee is better than, and what that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moa_engine.bench.frontier import Offer, frontier
from review_bot.page.answer import NOT_ENOUGH, NOT_MEASURED, TOO_WIDE, Answer, Tone
from review_bot.page.figures import UNITS, estimate, price, share, signed, times
from review_bot.page.text import percent, percents

#: Share of right lone findings that must survive, by the interval's lower end, to say that they do; and by
#: its upper end, not to call them lost.
SURVIVES, HALF = 0.8, 0.5


def minority(aggregators: Sequence[Mapping[str, Any]]) -> Answer:
    """What becomes of findings that are right and have one voice: for a reader, and if it were up to it."""
    question = "Does the aggregator keep a minority that was right?"
    if not aggregators:
        headline = "No aggregator was measured on recorded proposals in this file."
        return Answer(question, NOT_MEASURED, "unclear", headline, ())
    said = [_kept(one) for one in aggregators]
    seen = [one["minority_survival"] for one in aggregators if one["minority_survival"]]
    own = {one["name"]: one["minority_kept"] for one in aggregators if one["minority_kept"]}
    if not seen:
        headline = "There was no finding that was right and had only one voice: nothing to keep."
        return Answer(question, NOT_ENOUGH, "unclear", headline, said)
    worst = min(own, key=lambda name: own[name]["value"], default="")
    tail = ""
    if worst and own[worst]["value"] < 1:
        dropped = percent(1 - own[worst]["value"])
        tail = f" If it were up to it, {worst} would have dropped {dropped} of them ({_left(own[worst])})."
    if all(one["low"] >= SURVIVES for one in seen):
        headline = "Right findings with one voice stay in what a reader sees." + tail
        return Answer(question, "yes", "yes", headline, said)
    if all(one["value"] == 1 for one in seen):
        headline = "None was lost, of too few to promise that none will be." + tail
        return Answer(question, "none lost so far", "partly", headline, said)
    if any(one["high"] < HALF for one in seen):
        headline = "More than half of the right findings with one voice are lost to a reader." + tail
        return Answer(question, "no", "no", headline, said)
    if any(one["high"] - one["low"] > TOO_WIDE for one in seen):
        headline = "Too few right findings had one voice to say." + tail
        return Answer(question, NOT_ENOUGH, "unclear", headline, said)
    return Answer(
        question, "not always", "partly", "Some right findings with one voice are lost." + tail, said
    )


def _kept(one: Mapping[str, Any]) -> str:
    if not one["minority_survival"]:
        return f"{one['name']}: there was no right finding with one voice."
    return (
        f"{one['name']}: of right findings with one voice a reader sees {share(one['minority_survival'])}; "
        f"by its own decision it would keep {share(one['minority_kept'])}."
    )


def _left(kept: Mapping[str, float]) -> str:
    return percents({"low": 1 - kept["high"], "high": 1 - kept["low"]})


def better(measures: Mapping[str, Any], kinds: Mapping[str, str]) -> Answer:
    """The committee against its best member, and against that member asked several times."""
    question = "Is the committee better than its best member, and than that member sampled several times?"
    found = measures["comparisons"]
    committees = [one for one in found if kinds.get(one["panel"]) == "committee"]
    said = [_compared(one, kinds) for one in found]
    union = next(
        (one for one in measures.get("votes", ()) if one["needed"] == 1 and one["over_best_member"]), None
    )
    if union:
        said.append(
            f"All that anybody says, with nobody who settles: F1 {estimate(union['f1'])}, "
            f"against {union['best']} {signed(union['over_best_member'])}."
        )
    if found:
        said.append("The best member was chosen on these same hunks, which flatters it a little.")
    if "self-moa" not in kinds.values():
        said.append("The best member sampled several times (Self-MoA) was not run.")
    against_member = [one for one in committees if kinds.get(one["against"]) == "member"]
    if not against_member:
        return Answer(question, NOT_MEASURED, "unclear", "No committee was measured against a member.", said)
    first = against_member[0]
    sampled = next(
        (
            one
            for one in committees
            if one["panel"] == first["panel"] and kinds.get(one["against"]) == "self-moa"
        ),
        None,
    )
    best = first["against"]
    told = {
        "better": f"is better than {best}, its best member",
        "worse": f"is worse than {best}, its best member",
        "no difference seen": f"and its best member, {best}, differ by less than these cases show",
    }.get(first["verdict"])
    if told is None:
        headline = f"These cases cannot tell {first['panel']} from {best}, its best member."
        return Answer(question, NOT_ENOUGH, "unclear", headline, said)
    tones: dict[str, Tone] = {"better": "yes", "worse": "no"}
    verdict = {"better": "yes", "worse": "no"}.get(first["verdict"], first["verdict"])
    tone = tones.get(first["verdict"], "unclear")
    more = ""
    if sampled is not None:
        more = f"; against {sampled['against']}, one model sampled several times: {sampled['verdict']}"
        if verdict == "yes" and sampled["verdict"] != "better":
            verdict, tone = "partly", "partly"
    return Answer(question, verdict, tone, f"{first['panel']} {told}{more}.", said)


def _compared(one: Mapping[str, Any], kinds: Mapping[str, str]) -> str:
    what = {"self-moa": "one model sampled several times", "offline": "no model at all"}.get(
        kinds.get(one["panel"], ""), ""
    )
    named = f"{one['panel']} ({what})" if what else one["panel"]
    return f"{named} against {one['against']}: F1 {signed(one['f1'])}, {one['verdict']}."


def trade(frontiers: Sequence[Mapping[str, Any]]) -> Answer:
    """What more quality costs."""
    question = "What do quality, time and money trade for?"
    said = []
    headline, verdict = "Nothing here has both a score and a price.", NOT_MEASURED
    for found in frontiers:
        if found["price"] == "calls" and verdict != NOT_MEASURED:
            continue  # what they take in time or money has been said
        best, unit = found["best"], UNITS[found["price"]][0]
        if not any(point["price"] for point in found["points"]):
            said.append(f"{unit.capitalize()}: nothing here had a price, so there is nothing to choose.")
            continue
        way = ", then ".join(
            f"{one['panel']} (F1 {estimate(one['f1'])}, {price(found['price'], one['price'])})"
            for one in best
        )
        said.append(f"{unit.capitalize()} for one case, by what nothing beats for less: {way}.")
        overlap = len(best) > 1 and best[-1]["f1"]["low"] <= best[0]["f1"]["high"]
        if overlap:
            said.append(
                f"Intervals of the first and the last overlap: that more {unit} buys more is not shown."
            )
        if verdict == NOT_MEASURED:
            verdict = "one choice" if len(best) == 1 else "no gain shown" if overlap else "more for more"
            headline = f"{best[0]['panel']} takes the least {unit}, and nothing scores higher."
            if len(best) > 1:
                headline = (
                    f"{best[0]['panel']} takes the least {unit}; {best[-1]['panel']} scores highest, for "
                    f"{times(best, unit)}" + (", and the intervals overlap." if overlap else ".")
                )
    return Answer(question, verdict, "unclear", headline, said)


def offers(frontiers: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> list[dict[str, Any]]:
    """The frontiers of what one would choose from, which ablations are not; `best` has the points."""
    found = []
    for one in frontiers:
        points = {point["panel"]: point for point in one["points"] if kinds.get(point["panel"]) != "ablation"}
        best = frontier([Offer(name, point["f1"]["value"], point["price"]) for name, point in points.items()])
        if points:
            found.append({**one, "points": list(points.values()), "best": [points[name] for name in best]})
    return found

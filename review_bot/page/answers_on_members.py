"""Whether members are different, and what each of them adds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import NormalDist
from typing import Any

from review_bot.formats.wording import counted
from review_bot.page.answer import NOT_ENOUGH, NOT_MEASURED, TOO_WIDE, Answer
from review_bot.page.figures import estimate, names_of, signed
from review_bot.page.text import number, percent, span

#: A difference of F1 below which nobody needs to hear of it.
MATTERS = 0.01

#: Members that must have said something before they are called alike.
SPEAKERS = 2


def different(found: Mapping[str, Any], silent: Sequence[str] = ()) -> Answer:
    """Whether members fail on different hunks; `silent` are those that accused none."""
    question = "Are these members really different?"
    members, votes = found["members"], found["effective_votes"]
    size = len(members)
    said = []
    if votes:
        said.append(
            f"{size} members vote like {number(votes['value'], 1)} independent ones ({span(votes, 1)}); "
            f"the mean correlation of their errors is {estimate(found['mean_phi'])}."
        )
        if votes["low"] > size:
            said.append("That is more than there are members: where one fails, another tends not to.")
    if within := found["effective_votes_within"]:
        said.append(
            f"Defects compared with defects and clean hunks with clean ones, which takes out who accuses "
            f"everything or nothing: {number(within['value'], 1)} votes ({span(within, 1)})."
        )
    said += _extreme_pairs(found)
    if silent:
        said.append(f"No hunk was accused by {names_of(silent)}: silence agrees with silence.")
    if len(members) > 1 and len(members) - len(silent) < SPEAKERS:
        headline = "Fewer than two members accused anything, so this is how alike they are silent."
        return Answer(question, NOT_ENOUGH, "unclear", headline, said)
    if not found["enough"]:
        return Answer(question, NOT_ENOUGH, "unclear", f"These cases cannot tell: {found['why']}.", said)
    half = (size + 1) / 2  #: as far from one vote as from one vote a member
    if votes["high"] < half:
        return Answer(
            question, "no", "no", f"{size} members are worth {span(votes, 1)} independent votes.", said
        )
    if votes["high"] < size:
        return Answer(question, "partly", "partly", f"{size} members are worth {span(votes, 1)} votes.", said)
    if votes["low"] > half:
        headline = f"As far as these cases show: {size} members are worth {span(votes, 1)} independent votes."
        return Answer(question, "yes", "yes", headline, said)
    return Answer(
        question, NOT_ENOUGH, "unclear", f"It could be either: {span(votes, 1)} votes of {size}.", said
    )


def _extreme_pairs(found: Mapping[str, Any]) -> list[str]:
    members, phi = found["members"], found["phi"]
    pairs = [
        (phi[a][b]["value"], members[b], members[a], phi[a][b])
        for a in range(len(members))
        for b in range(a)
        if phi[a][b]
    ]
    if len(pairs) < 2:
        return []
    most, least = max(pairs, key=lambda pair: pair[0]), min(pairs, key=lambda pair: pair[0])
    return [
        f"Most alike err {most[1]} and {most[2]}: phi {estimate(most[3])}. "
        f"Least alike: {least[1]} and {least[2]}, {estimate(least[3])}."
    ]


def adds(added: Sequence[Mapping[str, Any]], cheapest: Mapping[str, Any]) -> Answer:
    """What the panel would lose with each member."""
    question = "What does each of them add?"
    if not added:
        headline = "There are not two members to leave one out of."
        return Answer(question, NOT_MEASURED, "unclear", headline, ())
    needed = cheapest.get("needed", 1)
    rows = [row for row in added if row.get("needed", 1) == needed]
    known = [row for row in rows if row["adds"]]
    helps = [row["member"] for row in known if surely(row["adds"], len(known)) > 0]
    hurts = [row["member"] for row in known if surely(row["adds"], len(known)) < 0]
    voices = "what any member says counts" if needed == 1 else f"{needed} voices are needed"
    moved = [row for row in known if row["adds"]["low"] or row["adds"]["high"]]
    listed = ", ".join(f"{row['member']} {signed(row['adds'])}" for row in moved)
    said = [f"What each adds to the F1 of all together, where {voices}: {listed or 'nothing at all'}."]
    idle = [row["member"] for row in known if row not in moved]
    if moved and idle:
        said.append(f"Without {names_of(idle)} nothing would change at all.")
    alone = [
        f"{counted(row['named_alone'], 'defect')} by {row['member']}" for row in rows if row["named_alone"]
    ]
    said.append(f"Named by nobody else: {', '.join(alone) or 'nothing'}.")
    said += _cheapest(cheapest)
    said.append(
        f"{len(known)} members are tried, so more is asked of each than that its interval excludes 0."
    )
    if hurts:
        headline = f"Without {names_of(hurts)} the committee would be better."
        return Answer(question, "some harm", "no", headline, said)
    if helps:
        verb = "adds" if len(helps) == 1 else "add"
        headline = f"{names_of(helps)} {verb} something beyond chance."
        if len(helps) < len(rows):
            headline += " Of the others that cannot be told."
        return Answer(question, "some do", "partly" if len(helps) < len(rows) else "yes", headline, said)
    wide = not known or any(row["adds"]["high"] - row["adds"]["low"] > TOO_WIDE for row in known)
    headline = "No single member makes a difference that can be told from chance."
    return Answer(question, NOT_ENOUGH if wide else "no difference seen", "unclear", headline, said)


def surely(found: Mapping[str, float], tries: int) -> int:
    """1 or -1 where a difference that matters lies above or below 0 although one of so many was to.

    The interval is widened as Bonferroni does: one of five differences leaves its own 95 % by chance every
    fourth time.
    """
    normal = NormalDist()
    wider = normal.inv_cdf(1 - 0.025 / tries) / normal.inv_cdf(0.975)
    value = found["value"]
    if abs(value) < MATTERS:
        return 0
    if value - wider * (value - found["low"]) > 0:
        return 1
    return -1 if value + wider * (found["high"] - value) < 0 else 0


def _cheapest(found: Mapping[str, Any]) -> list[str]:
    if not found.get("members") or not found["full_f1"]:
        return (
            [f"The cheapest part that is as good: cannot be told, {found['why']}."]
            if found.get("why")
            else []
        )
    unit = {"cost_usd": "the money", "seconds": "the time", "calls": "the calls"}.get(
        found.get("unit", ""), "the price"
    )
    share = percent(found["cost"] / found["full_cost"]) if found["full_cost"] else "none"
    held = found.get("held_out")
    fresh = f"; on cases that had no say in the choice it is {number(held)}" if held is not None else ""
    return [
        f"The cheapest part within noise of all: {names_of(found['members'])}, for {share} of {unit}. "
        f"All of them together score {signed(found['loses'])} in F1 against it{fresh}."
    ]

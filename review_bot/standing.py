"""How a finding stands: who speaks for it, who against it, and what that amounts to.

    executed evidence against it         disputed: what was run may not be what was meant
    a tool's, or executed evidence       confirmed; disputes are shown
    an aggregator rejects it             rejected; disputed if two voices hold it
    an aggregator disputes it            disputed
    as many voices against it as for it  disputed
    two voices for it                    confirmed
    one voice for it                     minority

The first line that holds decides.

A voice is a family of models, not a member, and not a sample: models with common weights make common
mistakes, so one family has one vote. A member's last word counts, and "unsure" takes nothing back.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from moa_engine.ledger import Fact, Item, Position, Stance
from moa_engine.member import Member
from moa_engine.prices import context_window_of
from review_bot.finding import Standing

#: Independent voices that make a finding more than one reviewer's opinion.
ENOUGH_VOICES = 2

#: Tokens that fit into a request and its answer, and tokens of an answer, where nothing says so.
USUAL_WINDOW, USUAL_ANSWER = 8192, 2048


@dataclass(frozen=True, slots=True)
class Voice:
    """What counts of a member: its family, whether it runs no model, how many tokens it can be asked.

    `weight` is how much its word counts where voices are counted, `track` what readers are told of it.
    """

    family: str
    deterministic: bool = False
    prompt_tokens: int = USUAL_WINDOW - USUAL_ANSWER
    weight: float = 1.0
    track: str = ""

    @classmethod
    def of(cls, member: Member) -> Voice:
        """The voice of a member. Its answer gets what it may be long, but half of the window at most."""
        window = context_window_of(member) or USUAL_WINDOW
        limits = [member.parameters.get(name) for name in ("max_completion_tokens", "max_tokens")]
        answer = next((limit for limit in limits if isinstance(limit, int)), USUAL_ANSWER)
        return cls(member.family, member.reads == "subject", window - min(answer, window // 2))


@dataclass(frozen=True, slots=True)
class Ruling:
    """An aggregator's word against one finding. There is always a reason."""

    verdict: Literal["disputed", "rejected"]
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Standpoint:
    """How one finding stands. `votes` are the families that hold it, by their weights."""

    standing: Standing
    reason: str | None
    raised_by: tuple[str, ...]
    seconded_by: tuple[str, ...]
    disputed_by: tuple[str, ...]
    votes: float


def stand(
    items: Sequence[Item],
    stances: Iterable[Stance],
    facts: Iterable[Fact],
    voices: Mapping[str, Voice],
    ruling: Ruling | None = None,
    enough: float = ENOUGH_VOICES,
) -> Standpoint:
    """The standing of the finding that these items make, with the stances and facts on any of them.

    `enough` is how many votes confirm it.
    """
    stances, facts = list(stances), list(facts)
    authors = sorted({item.author for item in items}, key=lambda name: (not is_tool(voices, name), name))
    positions = _positions(items, stances)
    held, opposed = _votes(positions, voices)
    against = [name for name, position in positions.items() if position == "dispute"]
    reasons = [f"{one.member}: {one.why}" for one in stances if one.position == "dispute" and one.why]
    if ruling is not None:
        against.append(ruling.by)
        reasons.insert(0, f"{ruling.by}: {ruling.reason}")
    refuted = [f"{fact.kind}: {fact.text}" for fact in facts if fact.supports is False]
    solid = any(is_tool(voices, name) for name in authors) or any(fact.supports for fact in facts)

    standing: Standing
    if refuted:
        standing, reasons = "disputed", refuted
    elif solid:
        standing, reasons = "confirmed", []
    elif ruling is not None:
        standing = "rejected" if ruling.verdict == "rejected" and held < enough else "disputed"
    elif opposed and opposed >= held:
        standing = "disputed"
    else:
        standing, reasons = ("confirmed" if held >= enough else "minority"), []
    return Standpoint(
        standing=standing,
        reason="; ".join(dict.fromkeys(reasons)) or None,
        raised_by=tuple(authors),
        seconded_by=tuple(
            sorted(
                name for name, position in positions.items() if position == "agree" and name not in authors
            )
        ),
        disputed_by=tuple(sorted(set(against))),
        votes=held,
    )


def is_tool(voices: Mapping[str, Voice], name: str) -> bool:
    """Whether a member is known to run no model."""
    return name in voices and voices[name].deterministic


def _positions(items: Iterable[Item], stances: Iterable[Stance]) -> dict[str, Position]:
    """Each member's last word: raising is agreeing; samples that contradict each other cancel out."""
    said: defaultdict[str, defaultdict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for item in items:
        said[item.author][item.layer]["agree"] += 1
    for stance in stances:
        if stance.position != "unsure":
            said[stance.member][stance.layer][stance.position] += 1
    return {member: _majority(layers[max(layers)]) for member, layers in said.items()}


def _votes(positions: Mapping[str, Position], voices: Mapping[str, Voice]) -> tuple[float, float]:
    """How many families hold the finding, and how many dispute it: each by its best voice's weight."""
    families: defaultdict[str, Counter[str]] = defaultdict(Counter)
    weights: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for member, position in positions.items():
        family, weight = (voices[member].family, voices[member].weight) if member in voices else (member, 1.0)
        families[family][position] += 1
        weights[family][position] = max(weights[family][position], weight)
    votes = {"agree": 0.0, "dispute": 0.0, "unsure": 0.0}
    for family, said in families.items():
        word = _majority(said)
        votes[word] += weights[family][word]
    return votes["agree"], votes["dispute"]


def _majority(said: Counter[str]) -> Position:
    if said["agree"] == said["dispute"]:
        return "unsure"
    return "agree" if said["agree"] > said["dispute"] else "dispute"

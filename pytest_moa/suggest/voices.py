"""Who speaks for and against what a test asserts. A family of models has one vote."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from moa_engine.ledger import Position, Stance
from moa_engine.member import Member
from moa_engine.prices import context_window_of

#: Independent families whose dispute keeps a test out of the selection.
ENOUGH = 2

#: Tokens that fit into a request and its answer, and tokens of an answer, where nothing says so.
_WINDOW, _ANSWER = 8192, 2048


@dataclass(frozen=True, slots=True)
class Voice:
    """What counts of a member: its family, whether it runs no model, how many tokens it can be asked."""

    family: str
    deterministic: bool = False
    prompt_tokens: int = _WINDOW - _ANSWER
    samples: int = 1

    @classmethod
    def of(cls, member: Member) -> Voice:
        """The voice of a member. Its answer gets what it may be long, but half of the window at most."""
        window = context_window_of(member) or _WINDOW
        limits = [member.parameters.get(name) for name in ("max_completion_tokens", "max_tokens")]
        answer = next((limit for limit in limits if isinstance(limit, int)), _ANSWER)
        room = window - min(answer, window // 2)
        return cls(member.family, member.reads == "subject", room, member.samples)


@dataclass(frozen=True, slots=True)
class Vote:
    """How many families hold that a test is right, how many dispute it, and which members do."""

    held: int
    disputed: int
    disputed_by: tuple[str, ...]

    @property
    def is_disputed(self) -> bool:
        """Two families, or more than hold it. One that proposed it holds it."""
        return self.disputed >= ENOUGH or self.disputed > self.held


def vote(authors: Mapping[str, int], stances: Iterable[Stance], voices: Mapping[str, Voice]) -> Vote:
    """The vote on one test; `authors` are its proposers with the layers in which they proposed it.

    A member's last word counts; samples that contradict each other, and "unsure", take nothing back.
    """
    said: defaultdict[str, defaultdict[int, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for author, layer in authors.items():
        said[author][layer]["agree"] += 1
    for stance in stances:
        if stance.position != "unsure":
            said[stance.member][stance.layer][stance.position] += 1
    families: defaultdict[str, Counter[str]] = defaultdict(Counter)
    last = {member: _majority(layers[max(layers)]) for member, layers in said.items()}
    for member, position in last.items():
        families[voices[member].family if member in voices else member][position] += 1
    words = [_majority(counted) for counted in families.values()]
    against = sorted(member for member, position in last.items() if position == "dispute")
    return Vote(words.count("agree"), words.count("dispute"), tuple(against))


def _majority(said: Counter[str]) -> Position:
    if said["agree"] == said["dispute"]:
        return "unsure"
    return "agree" if said["agree"] > said["dispute"] else "dispute"

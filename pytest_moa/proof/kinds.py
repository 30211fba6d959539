"""Arguments for parameters of which nothing is known: which kinds a function accepts is learned by trying."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Names that texts and keys share, so that one argument refers to what is in another.
_NAMES = ("A", "B", "C", "D", "E")
_WORDS = ("the", "quick", "brown", "fox", "jumps", "over", "lazy", "dog", "a", "hello", "world")


@dataclass(slots=True)
class Draw:
    """What kinds draw from: chance, and constants of the code."""

    rng: random.Random
    texts: Sequence[str] = ()
    numbers: Sequence[float] = ()

    def small(self) -> int:
        return self.rng.choice((0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 7))

    def number(self) -> int:
        if self.numbers and self.rng.random() < 0.3:
            return int(self.rng.choice(self.numbers)) + self.rng.choice((-1, 0, 0, 1))
        return self.rng.choice((self.small(), self.rng.randint(-5, 20), self.rng.randint(0, 130)))

    def size(self, most: int = 7) -> int:
        return self.rng.choice((0, 1, 2, 2, 3, 3, 4, 5, most))


def _numbers(draw: Draw) -> str:
    return repr([draw.number() for _ in range(draw.size())])


def _small_numbers(draw: Draw) -> str:
    return repr([draw.small() for _ in range(draw.size(9))])


def _sorted(draw: Draw) -> str:
    return repr(sorted(draw.rng.randint(-3, 20) for _ in range(draw.size())))


def _distinct(draw: Draw) -> str:
    count = draw.size()
    return repr(draw.rng.sample(range(1, count + 3), count))


def _letters(draw: Draw) -> str:
    return repr("".join(draw.rng.choice("abcx") for _ in range(draw.size(8))))


def _sentence(draw: Draw) -> str:
    return repr(" ".join(draw.rng.choice(_WORDS) for _ in range(draw.size(12))))


def _symbols(draw: Draw) -> str:
    symbols = [one for one in draw.texts if 0 < len(one) <= 2] or list("()[]")
    return repr("".join(draw.rng.choice(symbols) for _ in range(draw.size(8))))


def _tokens(draw: Draw) -> str:
    """Numbers and the code's own short texts, as in expressions: `3 + 4` and `3 4 +`."""
    symbols = [one for one in draw.texts if 0 < len(one) <= 3] or ["+", "-"]
    parts: list[Any] = []
    if draw.rng.random() < 0.5:
        parts = [draw.small()]
        for _ in range(draw.rng.randint(0, 4)):
            parts += [draw.rng.choice(symbols), draw.small()]
    else:
        depth = 0
        for _ in range(draw.rng.randint(1, 8)):
            if depth >= 2 and draw.rng.random() < 0.5:
                parts.append(draw.rng.choice(symbols))
                depth -= 1
            else:
                parts.append(draw.rng.choice((float(draw.small() + 1), draw.small())))
                depth += 1
        parts += [draw.rng.choice(symbols) for _ in range(depth - 1)]
    return repr(parts)


def _pairs(draw: Draw) -> str:
    return repr([(draw.small() + 1, draw.number()) for _ in range(draw.size())])


def _by_pair(keys: Sequence[Any]) -> Callable[[Draw], str]:
    def made(draw: Draw) -> str:
        pairs = [(one, other) for one in keys for other in keys if one != other]
        chosen = draw.rng.sample(pairs, min(len(pairs), draw.size(8)))
        return repr({pair: draw.rng.choice((1, 2, 3, 4, 5, 10, -1, -2)) for pair in chosen})

    return made


def _graph(draw: Draw) -> str:
    names = _NAMES[: draw.rng.randint(1, 5)]
    return repr({one: draw.rng.sample(names, draw.rng.randint(0, min(2, len(names)))) for one in names})


def _nested(draw: Draw, depth: int = 0) -> Any:
    if depth > 2 or (depth and draw.rng.random() < 0.5):
        return draw.small()
    return [_nested(draw, depth + 1) for _ in range(draw.rng.randint(0, 3))]


KINDS: Mapping[str, Callable[[Draw], str]] = {
    "small": lambda draw: repr(draw.small()),
    "number": lambda draw: repr(draw.number()),
    "float": lambda draw: repr(draw.rng.choice((0.5, 0.01, 2.0, 1.5, 0.1, 25.0, 1e-3))),
    "name": lambda draw: repr(draw.rng.choice(_NAMES)),
    "word": lambda draw: repr(draw.rng.choice(_WORDS)),
    "letters": _letters,
    "sentence": _sentence,
    "symbols": _symbols,
    "digits": lambda draw: repr(str(draw.number())),
    "numbers": _numbers,
    "small numbers": _small_numbers,
    "sorted": _sorted,
    "distinct": _distinct,
    "digit list": lambda draw: repr([draw.rng.choice((9, 1, 2, 9, 4, 0)) for _ in range(draw.size())]),
    "words": lambda draw: repr([draw.rng.choice(_WORDS) for _ in range(draw.size())]),
    "tokens": _tokens,
    "pairs": _pairs,
    "by number pair": _by_pair((0, 1, 2, 3)),
    "by name pair": _by_pair(_NAMES[:4]),
    "graph": _graph,
    "by name": lambda draw: repr({one: draw.small() for one in _NAMES[: draw.size(4)]}),
    "nested": lambda draw: repr(_nested(draw)),
    "matrix": lambda draw: repr([[draw.small() for _ in range(2)] for _ in range(draw.rng.randint(1, 3))]),
    "none": lambda _: "None",
    "truth": lambda draw: repr(draw.rng.random() < 0.5),
}


@dataclass(slots=True)
class Kinds:
    """Weights of kinds by parameter, which grow where a call does not raise."""

    parameters: Sequence[str]
    draw: Draw
    weights: dict[str, dict[str, float]] = field(default_factory=dict)
    tried: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def __post_init__(self) -> None:
        self.weights = {one: dict.fromkeys(KINDS, 1.0) for one in self.parameters}

    def choose(self) -> dict[str, str]:
        """A kind for each parameter."""
        rng = self.draw.rng
        return {one: rng.choices(list(known), list(known.values()))[0] for one, known in self.weights.items()}

    def arguments(self, kinds: Mapping[str, str]) -> dict[str, str]:
        """Sources of arguments of these kinds."""
        return {name: KINDS[kind](self.draw) for name, kind in kinds.items()}

    def learn(self, kinds: Mapping[str, str], gain: float) -> None:
        """Take in what became of a call: `gain` above 1 for a good one, below for one that raised."""
        for name, kind in kinds.items():
            known = self.weights[name]
            known[kind] = min(40.0, max(0.05, known[kind] * gain))

    def calls(self, callee: str, count: int) -> Iterator[tuple[str, dict[str, str]]]:
        """Sources of calls with their kinds."""
        for _ in range(count):
            kinds = self.choose()
            yield f"{callee}({', '.join(self.arguments(kinds).values())})", kinds

"""Argument expressions for shapes: natural words first, then what the code's constants suggest."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_moa.search.patterns import matching_text
from pytest_moa.search.shapes import ANY, NUMBER, TEXT, Shape
from pytest_moa.search.vocabulary import (
    BYTES,
    CALLABLES,
    FLOATS,
    INTEGERS,
    MOMENTS,
    PIECES,
    SIMPLE,
    TEXTS,
    WORDS,
)
from pytest_moa.values import Expression, source_of

#: The share of texts that are, as long as there are some, texts of the code's own not used before.
FIRST = 0.4


def expression(value: Any, names: Mapping[str, Any] | None = None) -> Expression:
    """The source of a value that surely has one."""
    written = source_of(value, names or {})
    return written or Expression("None")


@dataclass(slots=True)
class Inputs:
    """Makes argument expressions. All choices come from `rng`.

    `constants` and `tokens` are what the target's source has near; `construct` makes an expression for
    an instance of a class, None if it cannot.
    """

    rng: random.Random
    constants: Sequence[Any] = ()
    tokens: Sequence[str] = ()
    patterns: Sequence[re.Pattern[Any]] = ()
    names: Mapping[str, Any] = field(default_factory=dict)
    construct: Callable[[type, int], Expression | None] = lambda _kind, _depth: None
    arity: int = 1  #: of functions that may get any number of arguments: those of one call get alike many
    drawn: int = 0  #: how many of the code's own texts and patterns have been used
    _undrawn: list[Any] | None = None

    def of_shape(self, shape: Shape, depth: int = 0) -> Expression:
        """One expression; deeper ones are smaller."""
        rng, kind = self.rng, shape.kind
        if kind in ("int", "str", "float", "bytes"):
            return expression(self.of_plain(kind))
        if kind == "literal" or (kind == "class" and shape.values):
            return expression(rng.choice(shape.values), self.names)
        if kind in SIMPLE:
            source, statement = rng.choice(SIMPLE[kind])
            if kind == "pattern" and self.patterns and rng.random() < 0.5:
                return expression(rng.choice(self.patterns), self.names)
            return Expression(source, frozenset({statement} - {""}))
        if kind in MOMENTS:
            source, names = rng.choice(MOMENTS[kind])
            return Expression(source, frozenset(f"from datetime import {name}" for name in names.split(", ")))
        if kind == "union":
            return self.of_shape(shape.inner[0] if rng.random() < 0.4 else rng.choice(shape.inner), depth)
        if kind in ("list", "set", "tuple", "tuple*", "dict"):
            return self._container(shape, depth)
        if kind == "callable":
            count = shape.values[0] if shape.values else -1
            if shape.inner and rng.random() < 0.9:
                result = self.of_shape(shape.inner[0], depth + 1)
                return Expression(f"lambda {unread(count)}: {result.source}", result.imports)
            if count < 0:
                count = self.arity if rng.random() < 0.75 else rng.choice((-1, 1, 2))
            return Expression(rng.choice(CALLABLES.get(count) or CALLABLES[-1]))
        if kind == "class":
            return Expression(rng.choice(("int", "str", "list", "dict", "ValueError")))
        if kind == "object":
            made = self.construct(shape.values[0], depth + 1)
            return made or Expression("object()")
        if kind == "namespace":
            given = [f"{name}={self.of_shape(ANY, depth + 2).source}" for name in shape.values]
            return Expression(
                f"SimpleNamespace({', '.join(given)})", frozenset({"from types import SimpleNamespace"})
            )
        return self._anything(depth)

    def _anything(self, depth: int) -> Expression:
        kinds = ["int", "str", "int", "str", "none", "float", "bool", "bytes"]
        if depth < 2:
            kinds += ["list", "dict", "list", "tuple*"]
        if depth == 0:
            kinds.append("callable")
        return self.of_shape(Shape(self.rng.choice(kinds)), depth + 1)

    def _container(self, shape: Shape, depth: int) -> Expression:
        rng = self.rng
        inner = shape.inner or (self.rng.choice((NUMBER, TEXT, ANY)) if depth < 2 else NUMBER,)
        if shape.kind == "tuple" and shape.inner:
            parts = [self.of_shape(one, depth + 1) for one in shape.inner]
        else:
            most = 4 if depth == 0 else 2
            count = rng.choice([0, 1, 1, 2, 2, 3, most] if depth == 0 else [0, 1, 2, 2])
            parts = [self.of_shape(inner[0], depth + 1) for _ in range(count)]
        imports = frozenset().union(*(one.imports for one in parts))
        sources = [one.source for one in parts]
        if shape.kind == "list":
            return Expression(f"[{', '.join(sources)}]", imports)
        if shape.kind == "set":
            unique = sorted({one for one in sources if not one.startswith(("[", "{"))})
            return Expression(f"{{{', '.join(unique)}}}" if unique else "set()", imports)
        if shape.kind in ("tuple", "tuple*"):
            return Expression(f"({', '.join(sources)}{',' if len(sources) == 1 else ''})", imports)
        return self._mapping(shape, sources, depth)

    def _mapping(self, shape: Shape, keys: list[str], depth: int) -> Expression:
        known = [expression(key).source for key in shape.values if key is not None]
        if known:
            keys = [key for key in known if self.rng.random() < 0.7]
        elif len(shape.inner) < 2 and self.rng.random() < 0.7:
            keys = [expression(word).source for word in self.rng.sample(WORDS, min(len(keys), 3))]
        value = shape.inner[1] if len(shape.inner) == 2 else self.rng.choice((NUMBER, NUMBER, TEXT, ANY))
        if depth < 2 and len(shape.inner) < 2 and self.rng.random() < 0.15:
            value = Shape("dict")
        hashable = [key for key in dict.fromkeys(keys) if not key.startswith(("[", "{", "set("))]
        items = [(key, self.of_shape(value, depth + 1)) for key in hashable]
        imports = frozenset().union(*(one.imports for _, one in items))
        return Expression("{" + ", ".join(f"{key}: {one.source}" for key, one in items) + "}", imports)

    def of_plain(self, kind: str) -> Any:
        """A number, text or bytes."""
        rng = self.rng
        if kind == "str":
            return self.text()
        if kind == "bytes":
            return rng.choice(BYTES) if rng.random() < 0.5 else self.text().encode("utf-8", "ignore")
        near = [one for one in self.constants if isinstance(one, (int, float))]
        if near and rng.random() < 0.5:
            number = rng.choice(near)
            number = (
                number + rng.choice((0, 0, 1, -1)) if rng.random() < 0.8 else number * rng.choice((2, 10, -1))
            )
        elif kind == "float" and rng.random() < 0.7:
            number = rng.choice(FLOATS)
        else:
            number = rng.choice(INTEGERS[: rng.choice((6, 12, len(INTEGERS)))])
        return int(number) if kind == "int" and abs(number) < 1e300 and number == number else number

    def text(self) -> str:
        """A text: a natural one, one of the code's own, one that a regex matches, or a composition."""
        rng = self.rng
        own = [one for one in self.constants if isinstance(one, str)]
        if self._undrawn is None:
            self._undrawn = [*self.patterns, *dict.fromkeys(own)]
            rng.shuffle(self._undrawn)
        if self._undrawn and rng.random() < FIRST:
            self.drawn += 1
            one = self._undrawn.pop()
            return one if isinstance(one, str) else self._matching(one)
        chance = rng.random()
        if chance < 0.35:
            return rng.choice(TEXTS)
        if chance < 0.5 and own:
            return rng.choice(own)
        if chance < 0.65 and self.patterns:
            made = self._matching(rng.choice(self.patterns))
            return f"{rng.choice(WORDS)}{made}{rng.choice(WORDS)}" if rng.random() < 0.3 else made
        return self.composed()

    def _matching(self, pattern: re.Pattern[Any]) -> str:
        try:
            made = matching_text(pattern, self.rng)
        except Exception:
            return self.rng.choice(TEXTS)
        return made.decode("latin-1") if isinstance(made, bytes) else made

    def composed(self) -> str:
        """Words and the code's own short texts, joined."""
        rng = self.rng
        if rng.random() < 0.2:
            parts = [
                rng.choice(self.tokens) if self.tokens and rng.random() < 0.5 else rng.choice(PIECES)
                for _ in range(rng.choice((2, 3, 4, 6)))
            ]
            return "".join(parts)
        made = rng.choice(WORDS)
        for _ in range(rng.choice((1, 1, 2, 2, 3))):
            token = rng.choice(self.tokens) if self.tokens and rng.random() < 0.6 else rng.choice(" -_")
            around = rng.choice((token, token, f" {token} ", f" {token}"))
            made += f"{around if token.strip() else token}{rng.choice((*WORDS, '10', '2'))}"
        return made


def unread(count: int) -> str:
    """Parameters of a lambda that reads none of its arguments."""
    return {0: "", 1: "_"}.get(count, "*_")


def tokens_of(constants: Sequence[Any]) -> list[str]:
    """Short texts of the code, and single characters of texts that are no words."""
    found: dict[str, None] = {}
    for one in constants:
        text = one.decode("latin-1") if isinstance(one, bytes) else one
        if not isinstance(text, str) or not text:
            continue
        if len(text) <= 16 and "{" not in text:
            found[text] = None
        if not text.isalnum() and len(text) <= 40:
            found.update((char, None) for char in text if not char.isalnum())
    return list(found)


#: Regular expressions of one module that are looked at.
MOST_PATTERNS = 400
_LOOKS_LIKE_ONE = re.compile(r"\\[dswbAZ.]|[\])][*+?$]|\(\?|^\^|\$$|\.\*")


def patterns_in(names: Mapping[str, Any]) -> list[re.Pattern[Any]]:
    """Regular expressions among a module's names, in tables also as text."""
    found: dict[str | bytes, re.Pattern[Any]] = {}
    for name, value in names.items():
        inside = list(value.values()) if type(value) is dict else value
        for one in [value, *(inside if type(inside) in (list, tuple) and not name.startswith("__") else ())]:
            for part in one if type(one) is tuple else (one,):
                compiled = _compiled(part) if len(found) < MOST_PATTERNS else None
                if compiled is not None:
                    found.setdefault(compiled.pattern, compiled)
    return list(found.values())


def _compiled(value: Any) -> re.Pattern[Any] | None:
    if isinstance(value, re.Pattern):
        return value
    if type(value) is not str or not _LOOKS_LIKE_ONE.search(value):
        return None
    try:
        return re.compile(value)
    except re.error:
        return None

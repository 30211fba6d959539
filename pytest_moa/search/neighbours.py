"""Expressions near another one: boundaries, signs, empties, order, duplicates, case, whitespace."""

from __future__ import annotations

import ast
import functools
import itertools
import re
from collections.abc import Callable
from typing import Any

from pytest_moa.search.inputs import Inputs, expression
from pytest_moa.values import Expression

#: Texts and collections do not grow beyond this.
LONGEST = 60


def neighbour(one: Expression, inputs: Inputs) -> Expression | None:
    """An expression near to one, or None where nothing in it can be varied."""
    known, value = literal(one.source)
    if known:
        changed = _varied(value, inputs, 0)
        return expression(changed)
    constants = _constants(one.source)
    if not constants:
        return None
    start, end, constant = inputs.rng.choice(constants)
    written = expression(_varied(constant, inputs, 0)).source
    text = one.source.encode()
    return Expression((text[:start] + written.encode() + text[end:]).decode(), one.imports)


@functools.lru_cache(maxsize=20_000)
def _literal(source: str) -> tuple[bool, ast.expr | None]:
    try:
        tree = ast.parse(source, mode="eval").body
        ast.literal_eval(tree)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False, None
    return True, tree


def literal(source: str) -> tuple[bool, Any]:
    """Whether the source is a literal, and a fresh copy of its value."""
    known, tree = _literal(source)
    return (True, ast.literal_eval(tree)) if known and tree is not None else (False, None)


@functools.lru_cache(maxsize=20_000)
def _constants(source: str) -> list[tuple[int, int, Any]]:
    """Constants in an expression: byte offsets and value. One line only."""
    try:
        tree = ast.parse(source, mode="eval")
    except SyntaxError:
        return []
    joined = {
        id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)
    }
    return [
        (node.col_offset, node.end_col_offset or 0, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and node.lineno == node.end_lineno == 1
        and id(node) not in joined
        and node.value is not Ellipsis
    ]


def _varied(value: Any, inputs: Inputs, depth: int) -> Any:
    rng = inputs.rng
    if value is None:
        return rng.choice((0, 1, "", "hello", True))
    if isinstance(value, bool):
        return not value if rng.random() < 0.9 else rng.choice((None, 1))
    if isinstance(value, (int, float)):
        return _number(value, inputs)
    if isinstance(value, str):
        return _text(value, inputs)[:LONGEST]
    if isinstance(value, bytes):
        return _bytes(value, inputs)[:LONGEST]
    if isinstance(value, (list, tuple)):
        items = _items(list(value), inputs, depth)
        return tuple(items) if isinstance(value, tuple) else items
    if isinstance(value, dict):
        return _mapping(value, inputs, depth)
    if isinstance(value, (set, frozenset)):
        return {one for one in _items(sorted(value, key=repr), inputs, depth) if _hashable(one)}
    return value


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _number(value: float, inputs: Inputs) -> Any:
    rng = inputs.rng
    changes: list[Callable[[], Any]] = [
        lambda: value + 1,
        lambda: value - 1,
        lambda: -value,
        lambda: value * 10,
        lambda: value * 2,
        lambda: value + rng.randint(-10, 10),
        lambda: inputs.of_plain("int"),
        lambda: inputs.of_plain("float"),
        lambda: int(value / 2) if isinstance(value, int) else value / 2,
        lambda: rng.choice((0, 1, None, str(value), float(value))),
    ]
    try:
        changed = rng.choice(changes)()
    except (OverflowError, ValueError):
        return 0
    return (
        changed
        if not isinstance(changed, (int, float)) or abs(changed) < 1e120 or changed != changed
        else 1e100
    )


def _text(value: str, inputs: Inputs) -> str:
    rng = inputs.rng
    at, to = sorted((rng.randint(0, len(value)), rng.randint(0, len(value))))
    piece = _piece(inputs)
    changes: list[Callable[[], str]] = [
        lambda: value[:at] + piece + value[at:],
        lambda: value[:at] + piece + value[at:],
        lambda: value[:at] + piece + value[to:],
        lambda: value + piece,
        lambda: piece + value,
        lambda: value[:at] + value[to:],
        lambda: value[:at] + value[at + 1 :],
        lambda: value[at:to],
        lambda: value + value[at:to],
        lambda: value[:at] + value[at : at + 1] + value[at:],
        lambda: f"{value}{rng.choice(' _-/.,')}{rng.choice(('world', 'b', '2', value[:5]))}",
        lambda: rng.choice((value.upper(), value.lower(), value.title(), value.swapcase())),
        lambda: rng.choice((value.strip(), f" {value}", f"{value} ", f"{value}\n", value.replace(" ", ""))),
        inputs.text,
        inputs.composed,
    ]
    return rng.choice(changes)()


def _piece(inputs: Inputs) -> str:
    rng = inputs.rng
    if inputs.tokens and rng.random() < 0.6:
        return rng.choice(inputs.tokens)
    return rng.choice((" ", "a", "1", "word", "-", "_", ".", "\n", "0", "B", "é", ",", "'", '"', "\t"))


def _bytes(value: bytes, inputs: Inputs) -> bytes:
    return _text(value.decode("latin-1"), inputs).encode("latin-1", "replace")


def _items(items: list[Any], inputs: Inputs, depth: int) -> list[Any]:
    rng = inputs.rng
    if not items:
        return [rng.choice((1, "a", (1, 2)))]
    at = rng.randrange(len(items))
    chance = rng.random()
    if chance < 0.45 and depth < 4:
        items[at] = _varied(items[at], inputs, depth + 1)
    elif chance < 0.6:
        del items[at]
    elif chance < 0.75 and len(items) < 6:
        items.insert(at, _varied(items[at], inputs, depth + 1) if depth < 4 else items[at])
    elif chance < 0.85 and len(items) < 6:
        items.append(items[at])
    elif chance < 0.92:
        rng.shuffle(items)
    elif chance < 0.96:
        items = items[:at]
    else:
        items = [*items[:at], rng.choice((None, 0, "", inputs.text(), [])), *items[at + 1 :]]
    return items


def _mapping(value: dict[Any, Any], inputs: Inputs, depth: int) -> dict[Any, Any]:
    rng, changed = inputs.rng, dict(value)
    if not changed:
        return {rng.choice(("name", "a", 1)): rng.choice((1, "value", None))}
    key = rng.choice(list(changed))
    chance = rng.random()
    if chance < 0.5 and depth < 4:
        changed[key] = _varied(changed[key], inputs, depth + 1)
    elif chance < 0.65:
        del changed[key]
    elif chance < 0.85 and len(changed) < 6:
        other = _varied(key, inputs, depth + 1)
        changed[other if _hashable(other) else "other"] = changed[key]
    elif chance < 0.93:
        renamed = _varied(key, inputs, depth + 1)
        changed = {
            (renamed if one == key and _hashable(renamed) else one): kept for one, kept in changed.items()
        }
    else:
        changed[key] = {"b": changed[key]}
    return changed


def simpler(one: Expression) -> list[Expression]:
    """Smaller or more natural expressions to try in the place of one, the simplest first."""
    known, value = literal(one.source)
    if not known:
        found = []
        for start, end, constant in _constants(one.source):
            for other in _simpler_values(constant)[:6]:
                text = one.source.encode()
                found.append(
                    Expression(
                        (text[:start] + expression(other).source.encode() + text[end:]).decode(), one.imports
                    )
                )
        return found
    found_values = _simpler_values(value)
    return [written for written in map(expression, found_values) if written.source != one.source]


def _simpler_values(value: Any) -> list[Any]:
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, (int, float)):
        simple = [0, 1, 2, 5, 10, 100] if abs(value) > 2 else [1, 2]
        rounded = [round(value), round(value, 1)] if isinstance(value, float) and abs(value) < 1e15 else []
        floats = [float(number) for number in simple] if isinstance(value, float) else []
        candidates = [*floats, *simple, *rounded, *([-1, -value] if value < 0 else [])]
        return [
            number
            for number in candidates
            if (len(repr(number)) <= len(repr(value)) and number != value) or number == -value
        ]
    if isinstance(value, str):
        return _simpler_texts(value)
    if isinstance(value, bytes):
        texts = [text.encode("latin-1", "replace") for text in _simpler_texts(value.decode("latin-1"))]
        return [value.decode("utf-8", "ignore"), *texts]
    if isinstance(value, (list, tuple)):
        kind, items = type(value), list(value)
        found: list[Any] = [kind(())] if items else []
        found += [kind(items[:at] + items[at + 1 :]) for at in range(len(items))]
        for at, item in enumerate(items):
            found += [kind([*items[:at], other, *items[at + 1 :]]) for other in _simpler_values(item)[:8]]
        return found
    if isinstance(value, dict):
        found = [{}] if value else []
        found += [{key: kept for key, kept in value.items() if key != gone} for gone in value]
        for key, item in value.items():
            found += [{**value, key: other} for other in _simpler_values(item)[:8]]
            found += [
                {(other if one == key else one): kept for one, kept in value.items()}
                for other in _simpler_values(key)[:5]
                if _hashable(other) and other not in value
            ]
        return found
    if isinstance(value, (set, frozenset)):
        return [set(value) - {gone} for gone in sorted(value, key=repr)]
    return []


def _simpler_texts(value: str) -> list[str]:
    if not value:
        return ["hello", "name", "a"]
    size = len(value)
    natural = ["hello", "hello world", "a", "a b", "a-b", "one two three", ""]
    phrased = [_phrased(value, words) for words in (("hello", "world", "again"), ("a", "b", "c"))]
    worded = [re.sub(r"[A-Za-z]{2,}|[^\x00-\x7f]+", word, value) for word in ("hello", "name", "a")]
    worded += [
        value[:at] + word + value[at:] for at in range(min(size, 12) + 1) for word in ("name", "value")
    ]
    cuts = [value[: size // 2], value[size // 2 :]] if size > 3 else []
    words = value.split(" ")
    fewer = [" ".join(words[:at] + words[at + 1 :]) for at in range(len(words))] if len(words) > 1 else []
    chunks = [value[:at] + value[at + 4 :] for at in range(0, size, 4)] if size > 6 else []
    singles = [value[:at] + value[at + 1 :] for at in range(min(size, 40))]
    plain = [
        value[:at] + "a" + value[at + 1 :]
        for at, char in enumerate(value[:40])
        if not char.isascii() or char in "\t\x00"
    ]
    found = dict.fromkeys([*natural, *phrased, *cuts, *fewer, *chunks, *singles, *plain, *worded])
    found.pop(value, None)
    return list(found)


def _phrased(value: str, words: tuple[str, ...]) -> str:
    """The text with its runs of letters and digits replaced by words, in order."""
    count = itertools.count()
    return re.sub(r"[^\W_]+", lambda _: words[next(count) % len(words)], value)

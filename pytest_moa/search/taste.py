"""What a reader likes to see in a test: words over noise, values of the declared kind, few arguments."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from pytest_moa.search.inputs import expression
from pytest_moa.search.neighbours import literal
from pytest_moa.search.program import READ, Argument, Program, Step
from pytest_moa.search.shapes import Shape
from pytest_moa.search.surface import Callee, Surface, parameter_of
from pytest_moa.search.vocabulary import TEXTS, WORDS
from pytest_moa.values import Expression

#: Natural values by what a parameter is called, the best first.
_BY_NAME: tuple[tuple[str, Sequence[Any]], ...] = (
    (r".*(path|file|filename|fname|fspath)$", ("config.ini", "data.txt", "docs/readme.md")),
    (r".*(url|uri|link|href)$", ("https://example.com", "https://example.com/a?b=1")),
    (r".*(email|mail)$", ("alice@example.com",)),
    (r".*(secret|password|secret_key|token)$", ("secret-key", "other-key")),
    (r".*salt$", ("salt",)),
    (r".*(encoding|codec)$", ("utf-8", "ascii")),
    (r".*(sep|separator|delimiter|delim|joiner)$", (",", "-", "_", " ")),
    (r".*(first_?name|user_?name|user|author|owner)$", ("alice", "bob")),
    (r".*(name|key|label|field|attr|attribute)$", ("name", "title", "size")),
    (
        r".*(text|string|str|s|value|word|title|content|phrase|sentence|data|msg|message)$",
        ("hello", "hello world"),
    ),
    (r".*(lang|language|locale)$", ("en", "de")),
    (r".*(host|domain)$", ("example.com",)),
    (r".*prefix$", ("pre",)),
    (r".*suffix$", ("ing",)),
)
_KIND_OF: Mapping[type, frozenset[str]] = {
    bool: frozenset({"bool", "any", "literal"}),
    int: frozenset({"int", "float", "any", "literal", "decimal", "fraction"}),
    float: frozenset({"float", "any", "literal", "decimal"}),
    str: frozenset({"str", "any", "literal", "path", "list"}),
    bytes: frozenset({"bytes", "any", "literal"}),
    type(None): frozenset({"none", "any", "literal"}),
    list: frozenset({"list", "any", "set"}),
    tuple: frozenset({"tuple", "tuple*", "list", "any", "set", "literal"}),
    dict: frozenset({"dict", "any", "list"}),
    set: frozenset({"set", "any", "list"}),
}
#: Kinds of plain values, as opposed to objects.
_PLAIN = frozenset({"bool", "int", "float", "str", "bytes", "none", "literal"})
_WORD = re.compile(r"[A-Za-z]+|\d+|.", re.DOTALL)
#: Charges for an argument of another kind than declared, for one that is called and cannot be, for each step.
WRONG_KIND, UNCALLABLE, STEP = 40, 120, 25
#: Characters of a text that a formatter can still put on a line of its own: texts cannot be broken.
UNBROKEN = 66
_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Taste:
    """Judges programs for one module; lower is better."""

    def __init__(self, surface: Surface) -> None:
        identifiers = re.findall(r"[A-Za-z]+", surface.source)
        words = {part.lower() for one in identifiers for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", one)}
        words |= {part.lower() for text in TEXTS for part in re.findall(r"[A-Za-z]+", text)}
        self.words = frozenset(words | set(WORDS))
        self.cost_of_source = functools.lru_cache(maxsize=50_000)(self._cost_of_source)

    def cost(self, program: Program, callees: Sequence[Callee | None]) -> float:
        """How little a reader would like a program. `callees` are those of its steps, as far as known."""
        total = 0.0
        for step, callee in zip(program.steps, callees, strict=True):
            value = step.form == READ and step.role == "given"
            total += STEP + (self.cost_of_source(step.callee) if value else 0.2 * len(step.callee))
            for position, argument in enumerate(step.arguments):
                total += 4 + (4 if argument.name else 0)
                if not any(
                    one.source == argument.value.source for one in self.natural(callee, step, position)
                ):
                    total += self.cost_of_source(argument.value.source)
                if position >= 3:
                    total += 15
                shapes = shapes_at(callee, step, position)
                if shapes and not _fits(argument.value.source, shapes):
                    called = all(shape.kind == "callable" for shape in shapes)
                    total += UNCALLABLE if called else WRONG_KIND
        return total

    def misfit(
        self, program: Program, callees: Sequence[Callee | None], values: Mapping[str, Any] = _NOTHING
    ) -> bool:
        """Whether an argument is of another kind than its parameter's annotation or default says.

        `values` are those of the program's variables, as far as known.
        """
        for step, callee in zip(program.steps, callees, strict=True):
            if callee is None or (step.form and callee.kind != "method"):
                continue
            for position, argument in enumerate(step.arguments):
                parameter = parameter_of(callee, argument.name, position)
                if parameter is None:
                    continue
                source = argument.value.source
                if source in values and not _allows(parameter.declared, values[source]):
                    return True
                if not is_allowed(source, parameter.declared):
                    return True
        return False

    def _cost_of_source(self, source: str) -> float:
        known, value = literal(source)
        if not known:
            return 6 + 0.5 * len(source)
        return self._cost_of_value(value)

    def _cost_of_value(self, value: Any) -> float:
        if value is None or isinstance(value, bool):
            return 0
        if isinstance(value, (int, float)):
            return 0.5 * len(repr(value)) + (0.5 if value < 0 else 0)
        if isinstance(value, bytes):
            return 3 + self._cost_of_text(value.decode("latin-1"))
        if isinstance(value, str):
            return self._cost_of_text(value)
        if isinstance(value, dict):
            return sum(2 + self._cost_of_value(key) + self._cost_of_value(one) for key, one in value.items())
        if isinstance(value, (list, tuple, set, frozenset)):
            return 1 + sum(1.5 + self._cost_of_value(one) for one in value)
        return 5

    def _cost_of_text(self, text: str) -> float:
        if not text:
            return 5
        cost, worded = 0.05 * len(text), False
        for part in _WORD.findall(text):
            if part.isascii() and part.isalpha():
                fine = len(part) == 1 or part.lower() in self.words
                cost += (2 if len(part) == 1 else 0.5) if fine else 6 + len(part) / 2
                worded = worded or fine
            elif part.isdigit():
                cost += 0.5 * len(part)
                worded = True
            elif part == " ":
                cost += 0.2
            elif unicodedata.category(part)[0] in "MCZ" and part != "\n":
                cost += 10
            elif part.isascii():
                cost += 1.0 if part in ",.-_" else 2.0
            elif part.isalpha() and worded:
                cost += 1.5
            elif part.isprintable():
                cost += 4.0
            else:
                cost += 8
        if text != text.strip():
            cost += 2
        return cost if worded else cost + 6

    def natural(self, callee: Callee | None, step: Step, position: int) -> list[Expression]:
        """Values that a reader expects for an argument, by the parameter's name and kind."""
        parameter = parameter_at(callee, step, position)
        name = step.arguments[position].name or parameter
        shapes = shapes_at(callee, step, position)
        return list(_natural(name, shapes))


def is_readable(seen: Any) -> bool:
    """Whether an assertion on what was seen has no line that is too long."""
    if isinstance(seen, (str, bytes)):
        return len(seen) <= UNBROKEN and (len(seen) < UNBROKEN / 4 or len(repr(seen)) <= UNBROKEN + 3)
    return not isinstance(seen, (tuple, frozenset)) or all(map(is_readable, seen))


def size_of(seen: Any) -> int:
    """How much there is to read in what was seen: characters, and as many for each element."""
    if isinstance(seen, (str, bytes)):
        return len(seen)
    return sum(map(size_of, seen)) if isinstance(seen, (tuple, frozenset)) else 4


@functools.lru_cache(maxsize=5_000)
def _natural(name: str, shapes: tuple[Shape, ...]) -> tuple[Expression, ...]:
    found: list[Expression] = []
    kinds = {shape.kind for shape in _flat(shapes)}
    if not kinds or kinds & {"str", "any", "path"}:
        for pattern, values in _BY_NAME:
            if name and re.fullmatch(pattern, name.lower()):
                found += [expression(value) for value in values]
                break
    if "bool" in kinds:
        found += [Expression("False"), Expression("True")]
    return tuple(found)


def parameter_at(callee: Callee | None, step: Step, position: int) -> str:
    """The name of the parameter that gets an argument; "" if unknown."""
    if callee is None or step.arguments[position].name or position >= len(callee.parameters):
        return ""
    return callee.parameters[position].name


def shapes_at(callee: Callee | None, step: Step, position: int) -> tuple[Shape, ...]:
    """The shapes of the parameter that gets an argument; empty if unknown."""
    if callee is None:
        return ()
    argument: Argument = step.arguments[position]
    if argument.name:
        named = (one for one in callee.parameters if one.name == argument.name)
        found = next(named, None)
        return found.shapes if found else ()
    for at, one in enumerate(callee.parameters):
        if at == position or one.kind == "many":
            return one.shapes
    return ()


#: Kinds of which a plain value of these types is one.
_ALLOWED: Mapping[type, frozenset[str]] = {
    bool: frozenset({"bool"}),
    int: frozenset({"int", "float", "decimal", "fraction"}),
    float: frozenset({"float", "decimal", "fraction"}),
    str: frozenset({"str", "path"}),
    bytes: frozenset({"bytes"}),
    type(None): frozenset({"none"}),
}
#: Kinds that plain values may or may not be.
_OPEN = frozenset({"any", "object", "namespace"})

_FUNCTION = re.compile(r"lambda\b|(int|str|list|dict|len|bool|sum|max|callable|str\.upper|ValueError)$")


def kinds_of(shape: Shape) -> set[str]:
    """Kinds that a shape may be."""
    return {one.kind for one in _flat((shape,))}


@functools.lru_cache(maxsize=50_000)
def is_allowed(source: str, shape: Shape) -> bool:
    """Whether an expression may be of a shape: what is no literal may be anything."""
    known, value = literal(source)
    if known:
        return _allows(shape, value)
    return not _FUNCTION.match(source) or bool(kinds_of(shape) & {*_OPEN, "callable", "class"})


def _allows(shape: Shape, value: Any) -> bool:
    if shape.kind in _OPEN:
        return True
    if shape.kind == "union":
        return any(_allows(one, value) for one in shape.inner)
    if shape.kind == "literal":
        return any(type(one) is type(value) and one == value for one in shape.values)
    if type(value) in _ALLOWED:
        return shape.kind in _ALLOWED[type(value)]
    inner = shape.inner
    if isinstance(value, dict):
        if shape.kind == "dict" and len(inner) == 2:
            return all(_allows(inner[0], key) and _allows(inner[1], one) for key, one in value.items())
        return shape.kind == "dict" or (
            shape.kind == "list" and all(_allows(inner[0], key) for key in value if inner)
        )
    if shape.kind == "tuple":
        same = isinstance(value, tuple) and len(value) == len(inner)
        return same and all(map(_allows, inner, value))
    if type(value) not in (list, tuple, set, frozenset):
        return shape.kind not in _PLAIN
    if shape.kind in ("list", "set", "tuple*"):
        of_kind = shape.kind != "tuple*" or isinstance(value, tuple)
        return of_kind and all(_allows(inner[0], one) for one in value if inner)
    return False


def _flat(shapes: Sequence[Shape]) -> list[Shape]:
    return [inner for shape in shapes for inner in (_flat(shape.inner) if shape.kind == "union" else [shape])]


@functools.lru_cache(maxsize=50_000)
def _fits(source: str, shapes: tuple[Shape, ...]) -> bool:
    known, found = literal(source)
    flat = _flat(shapes)
    kinds = {shape.kind for shape in flat}
    if "any" in kinds or "object" in kinds:
        return True
    if not known:
        return not kinds <= _PLAIN or "(" not in source
    allowed = _KIND_OF.get(type(found), frozenset({"any"})) & kinds
    if allowed == {"literal"}:
        return any(found in shape.values for shape in flat if shape.kind == "literal")
    return bool(allowed)

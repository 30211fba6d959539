"""Names of tests that say the behaviour: what is called, with what, and what comes of it."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from pytest_moa.candidate import Case

#: Characters of a name, and of the part of it that tells an argument.
_LONGEST, _PART = 70, 24

#: What says nothing about a behaviour.
_GENERIC = frozenset(
    "a an assert basic case cases check default documented edge error errors example exception fixture "  # noqa: SIM905
    "function general input it method misc more normal of ok output raise raises simple test tests the value "
    "valid values with work works".split()
)
#: Words that no name is cut behind.
_BINDING = frozenset(
    "a after and at be by does for found in is must no not of or the to with".split()  # noqa: SIM905
)
_DUNDER = re.compile(r"__(\w+?)__")


def base_name(qualname: str) -> str:
    """What the tests of a function are called after: "slugify", "stack_push", "stack" for its `__init__`."""
    parts = [
        part
        for part in qualname.split(".")
        if part not in ("__init__", "__new__", "__post_init__", "<locals>")
    ]
    return "_".join(snake(_DUNDER.sub(r"\1", part).strip("_") or part) for part in parts[-2:])


def snake(name: str) -> str:
    """A name of any style in lower case with underscores."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    return re.sub(r"\W+|_+", "_", parted.lower()).strip("_")


def says_something(name: str, base: str) -> bool:
    """Whether a test's name says more than which function it is about."""
    written = snake(name)
    if re.search(r"raises_[a-z]+_[a-z]+|_(?:at|by|of|with)_(?:minus_)?\d", written):
        return True
    words = [word for word in written.split("_") if word and not word.isdigit()]
    return any(word not in {*base.split("_"), *_GENERIC} for word in words)


def usable(name: str) -> bool:
    """Whether a proposed name can be a test's."""
    return re.fullmatch(r"test_[a-z0-9][a-z0-9_]{2,}", name) is not None and len(name) <= _LONGEST


def shortened(name: str) -> str:
    """A name cut at a word so that it can be a test's."""
    words = name.split("_")
    if len(name) <= _LONGEST:
        return name
    while len("_".join(words)) > _LONGEST or words[-1] in _BINDING:
        words.pop()
    return "_".join(words)


def names_of(base: str, case: Case, parameters: Sequence[str]) -> Iterator[str]:
    """Names for a test of this case, the shortest first. `parameters` are those of what is called."""
    raises = case.outcome == "raises"
    outcome = f"raises_{snake(case.expected.rpartition('.')[2])}" if raises else _outcome(case.expected)
    features = list(_features(case, parameters))
    if raises:
        yield from (_joined(base, outcome, feature) for feature in features)
        yield _joined(base, outcome)
        return
    yield from (_joined(base, feature) for feature in features)
    yield from (_joined(base, feature, outcome) for feature in features)
    if outcome:
        yield _joined(base, outcome)


def table_names(
    base: str, source: str, inputs: Sequence[str], options: Sequence[str], fixed: Sequence[tuple[str, str]]
) -> Iterator[str]:
    """Names for a parametrised test, the best first: what comes of it, or what it depends on.

    `inputs` are the columns of what is given, `options` the optional arguments that every row gives some
    of, `fixed` the arguments that are the same in all rows: names and sources.
    """
    function = ast.parse(source)
    raised = [
        ast.unparse(node.args[0]).rpartition(".")[2]
        for node in ast.walk(function)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.raises" and node.args
    ]
    by = f"by_{'_and_'.join(inputs)}" if 0 < len(inputs) <= 2 else ""
    with_options = f"with_{options[0]}" if len(options) == 1 else "with_options" if options else ""
    if raised:
        invalid = options[0] if len(options) == 1 else "options" if options else "input"
        if raised[0].startswith("error"):  # a column
            yield _joined(base, f"rejects_invalid_{inputs[0] if len(inputs) == 1 else invalid}")
        else:
            yield _joined(base, f"raises_{snake(raised[0])}")
        yield _joined(base, f"raises_{snake(raised[0])}", with_options or by)
        return
    compared = [node for node in ast.walk(function) if isinstance(node, ast.Compare)]
    if len(compared) == 1:
        outcome = _outcome(ast.unparse(compared[0].comparators[0]))
        if outcome:
            yield _joined(base, outcome)
            yield _joined(base, outcome, by)
    yield _joined(base, with_options)
    yield from (_joined(base, f"with_{called}") for called, source in fixed if source == "True")
    if by:
        yield _joined(base, by)
    for called, source in fixed:
        value = _value(source)
        if isinstance(value, str) and (word := _word(value)):
            yield _joined(base, f"with_{called}_{word}")
    yield _joined(base, "cases")


def unique(wanted: Iterable[str], base: str, taken: Collection[str]) -> str:
    """The first name that is free, or with a number where none is."""
    fallback = f"test_{base}"
    for name in wanted:
        if name not in taken and usable(name):
            return name
        fallback = name if usable(name) else fallback
    number, found = 1, fallback
    while found in taken:
        number += 1
        found = f"{fallback}_{number}"
    return found


def _joined(*parts: str) -> str:
    return "_".join(["test", *(part for part in parts if part)])


def _outcome(expected: str) -> str:
    match _value(expected):
        case None if expected == "None":
            return "returns_none"
        case True:
            return "is_true"
        case False:
            return "is_false"
        case "" | [] | ():
            return "is_empty"
        case dict() as table if not table:  # the pattern `{}` fits any
            return "is_empty"
        case str() as text if word := _word(text):
            return f"gives_{word}"
        case int() as number:
            return f"gives_{_number(number)}"
    return ""


def _features(case: Case, parameters: Sequence[str]) -> Iterator[str]:
    """What is special about the arguments, in words, the most special first."""
    found: list[tuple[int, str]] = []
    if not case.arguments:
        found.append((1, "without_arguments" if "." not in case.callee else ""))
    for position, (name, source) in enumerate(case.arguments):
        called = snake(name or (parameters[position] if position < len(parameters) else ""))
        value = _value(source)
        if source == "None":
            found.append((0, f"without_{called}" if called else "of_none"))
        elif isinstance(value, bool):
            found.append(
                (2, f"{'with' if value else 'without'}_{called}" if called else f"of_{str(value).lower()}")
            )
        elif isinstance(value, int | float) and value < 0:
            found.append((0, f"with_negative_{called}" if called else f"of_{_number(value)}"))
            found.append((3, f"with_{called}_{_number(value)}" if called else ""))
        elif isinstance(value, int | float) and not value:
            found.append((0, f"with_{called}_0" if called else "of_0"))
        elif value in ("", [], {}, (), b""):
            found.append((0, f"with_empty_{called}" if called else "of_empty"))
        elif isinstance(value, int | float):
            found.append((4, f"with_{called}_{_number(value)}" if called else f"of_{_number(value)}"))
        elif isinstance(value, str) and not value.strip():
            found.append((0, f"with_blank_{called}" if called else "of_blanks"))
        elif isinstance(value, str) and (word := _word(value)):
            found.append((3, f"of_{word}"))
        elif isinstance(value, list | tuple | set | dict):
            size = {1: "one", 2: "two", 3: "three"}.get(len(value), "many")
            found.append((3, f"with_{size}_{called}" if called else f"of_{size}"))
    ordered = [feature for _, feature in sorted(found, key=lambda pair: pair[0]) if feature]
    yield from ordered
    if len(ordered) > 1:
        yield "_".join(ordered[:2])


def _value(source: str) -> object:
    """The value of a literal, None for everything else."""
    try:
        return ast.literal_eval(source)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _number(value: float) -> str:
    return snake(str(abs(value)).replace(".", "_")) if value >= 0 else f"minus_{_number(-value)}"


def _word(text: str) -> str:
    """A short text as part of a name; "" where it would say nothing."""
    found = snake(text)
    if not found or len(found) > _PART or not found.isascii() or not re.search(r"[a-z]{2}", found):
        return ""
    return "" if keyword.iskeyword(found) else found

"""Names of tests: what is called, with what, and what comes of it."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable

from pytest_moa.search.execution import Run
from pytest_moa.search.neighbours import literal
from pytest_moa.search.program import READ, Program, Step, variable_for

#: Longer names are cut at a word.
LONGEST = 70
_VERBS = {
    "__getitem__": "getitem",
    "{callee}[{0}]": "item",
    "{callee}[{0}] = {1}": "set_item",
    "del {callee}[{0}]": "delete_item",
    "{0} in {callee}": "contains",
    "len({callee})": "length",
    "list({callee})": "iteration",
    "str({callee})": "str",
    "repr({callee})": "repr",
    "bool({callee})": "truth",
    "{callee} == {0}": "equality",
    "next({callee})": "next",
}


def name_of(program: Program, run: Run, taken: Iterable[str]) -> str:
    """A name that no other test has."""
    aimed, origin = program.steps[-1], _origin(program)
    parts = [_subject(program, origin or aimed)]
    if origin is not None:
        parts += [_options(origin), _used(program, aimed)]
    if run.raised is not None:
        error = run.facts.get(("raised", "type"), ("", "error"))[1]
        parts.append(f"raises_{variable_for(str(error).rpartition('.')[2], ())}".rstrip("_"))
    described = _reason(run, aimed) or ("" if aimed.form == READ else _arguments(aimed))
    if origin is not None and described.startswith("of_"):
        described = f"with_{described.removeprefix('of_')}"
    if described:
        parts.append(described)
    before = [one for one in program.steps[:-1] if one.role == "when"]
    if before and aimed.role != "given" and origin is None:
        parts.append(f"after_{_called(before[-1])}")
    if run.raised is None:
        parts.append(_outcome(program, run))
    full = re.sub(r"_+", "_", "_".join(part for part in parts if part)).strip("_")
    words = full.split("_")
    while len("_".join(words)) > LONGEST:
        words.pop()
    name = f"test_{'_'.join(words)}"
    others = set(taken)
    if name not in others:
        return name
    return next(f"{name}_{number}" for number in range(2, 1000) if f"{name}_{number}" not in others)


def _origin(program: Program) -> Step | None:
    """The call of the target, if the program goes on to use what that gave; None otherwise."""
    last = program.steps[-1]
    called = (step for step in program.steps[:-1] if step.callee == program.target and step.name)
    found = next(called, None)
    return found if found is not None and last.callee != program.target else None


def _options(step: Step) -> str:
    named = [argument.name for argument in step.arguments if argument.name]
    return f"with_{'_and_'.join(named[:3])}" if named else ""


def _used(program: Program, aimed: Step) -> str:
    """What is done with what the target gave."""
    head, _, last = aimed.callee.rpartition(".")
    alike = [step for step in program.steps if step.callee == aimed.callee and step.form == aimed.form]
    if head.count(".") or (head and head != "example"):
        return _snake(last)
    if aimed.form:
        return ""
    return "called_again" if len(alike) > 1 else "called"


def _reason(run: Run, aimed: Step) -> str:
    """What the message of an exception says, without the values in it."""
    message = run.facts.get(("raised", "message"), "")
    if not isinstance(message, str):
        return ""
    said = {word for argument in aimed.arguments for word in re.findall(r"\w+", argument.value.source)}
    plain = re.sub(r"'[^']*'|\"[^\"]*\"|\S*\d\S*", " ", message)
    words = [word.lower() for word in re.findall(r"[A-Za-z]+", plain) if word not in said]
    return f"for_{'_'.join(words[:6])}" if len(words) > 1 else ""


def _subject(program: Program, aimed: Step) -> str:
    owner = next((step.callee for step in program.steps if step.role == "given"), "")
    called = _called(aimed)
    if hasattr(builtins, called) or called == "call":
        called = _snake(program.target.removesuffix("()").rpartition(".")[2])
    if aimed.role == "given" or not owner or "." not in program.target:
        return called
    return f"{variable_for(owner.rpartition('.')[2], ())}_{called}"


def _called(step: Step) -> str:
    if step.form in _VERBS:
        return _VERBS[step.form]
    last = step.callee.rpartition(".")[2] or "call"
    return _snake(last)


def _arguments(step: Step) -> str:
    named = [argument.name for argument in step.arguments if argument.name]
    words = _options(step)
    given = [argument for argument in step.arguments if not argument.name]
    if given and len(named) < 2:
        longest = max(given, key=lambda argument: len(argument.value.source))
        described = _value(longest.value.source) or _value(given[0].value.source)
        words = f"of_{described}_{words}" if described else words
    return words.strip("_")


def _value(source: str) -> str:
    known, value = literal(source)
    if not known:
        return ""
    if value is None or isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return _snake(str(value).replace("-", "minus_").replace(".", "_"))
    if isinstance(value, (str, bytes)):
        text = value if isinstance(value, str) else value.decode("latin-1")
        if not text:
            return "empty_text" if isinstance(value, str) else "empty_bytes"
        words = re.findall(r"[A-Za-z0-9]+", text)
        return "_".join(words[:3]).lower()[:24]
    if isinstance(value, (list, tuple, dict, set)):
        kind = type(value).__name__
        return kind if value else f"empty_{kind}"
    return ""


def _outcome(program: Program, run: Run) -> str:
    seen = run.facts.get((len(program.steps) - 1, "{}"))
    if isinstance(seen, tuple) and len(seen) == 2 and seen[0] == "is":
        return {True: "is_true", False: "is_false", None: "is_none"}[seen[1]]
    if seen == "":
        return "is_empty"
    return ""


def _snake(name: str) -> str:
    return re.sub(r"\W+", "_", variable_for(name, ())).strip("_")

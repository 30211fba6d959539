"""A short sequence of calls, as data and as source: what the search runs, varies, shrinks and writes."""

from __future__ import annotations

import ast
import builtins
import functools
import keyword
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from pytest_moa.values import Expression

#: The form of a step that is any statement, in `callee`.
RAW = "{callee}\n"
#: The form of a step that reads an attribute, or writes a value down.
READ = "{callee}"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call; `name` is its keyword, "" by position."""

    name: str
    value: Expression


@dataclass(frozen=True)
class Step:
    """One statement. `callee` is source, `name` the variable that gets the result, `wrap` drives it.

    A call, unless `form` says otherwise: a template of `{callee}` and the arguments `{0}`, `{1}`, such as
    "{callee}[{0}]", "del {callee}[{0}]" or "{callee} == {0}". `wrap` has `{}` for the call, such as
    "list({})" for a generator. `role` says what it is there for: a "given" step makes what later steps
    use, a "when" step is what is looked at, and a "world" step holds a clock.
    """

    callee: str
    arguments: tuple[Argument, ...] = ()
    name: str = ""
    form: str = ""
    wrap: str = ""
    role: Literal["given", "when", "world"] = "when"
    imports: frozenset[str] = frozenset()

    @functools.cached_property
    def expression(self) -> str:
        """The step without its variable."""
        if self.form:
            source = self.form.rstrip("\n").replace("{callee}", self.callee)
            for index, one in enumerate(self.arguments):
                source = source.replace(f"{{{index}}}", one.value.source)
        else:
            given = (
                f"{one.name}={one.value.source}" if one.name else one.value.source for one in self.arguments
            )
            source = f"{self.callee}({', '.join(given)})"
        return self.wrap.replace("{}", source) if self.wrap else source

    @property
    def source(self) -> str:
        """The step as a statement."""
        return f"{self.name} = {self.expression}" if self.name else self.expression

    @property
    def is_statement(self) -> bool:
        """Whether the step has no value: an assignment, a deletion, a block."""
        return self.form == RAW or bool(_STATEMENT.search(self.form))

    def needs(self) -> frozenset[str]:
        """Names that the step reads."""
        return names_in(self.expression)

    def all_imports(self) -> frozenset[str]:
        """Import statements that the step needs."""
        wrapping = _WRAP_IMPORTS.get(self.wrap, frozenset())
        return self.imports.union(wrapping, *(one.value.imports for one in self.arguments))


_STATEMENT = re.compile(r"^(?:del|with) | [-+*/|&]?= ")

_WRAP_IMPORTS = {
    "list(islice({}, 10))": frozenset({"from itertools import islice"}),
    "asyncio.run({})": frozenset({"import asyncio"}),
}


@dataclass(frozen=True)
class Program:
    """Steps in order; the last one aims at `target`, a qualname of the module."""

    target: str
    steps: tuple[Step, ...]

    @functools.cached_property
    def source(self) -> str:
        """All statements, one a line."""
        return "\n".join(step.source for step in self.steps)

    @property
    def cost(self) -> int:
        """How much there is to read: characters, with a charge for each step and each odd character."""
        text = self.source
        return len(text) + 25 * len(self.steps) + 3 * len(_ODD.findall(text))

    @functools.cached_property
    def imports(self) -> frozenset[str]:
        """Import statements that the expressions need; names of the target module come on top."""
        return frozenset().union(*(step.all_imports() for step in self.steps))

    def free_names(self) -> list[str]:
        """Names that neither a step nor an import nor a builtin gives, sorted."""
        given = {step.name for step in self.steps} | {
            name for one in self.imports for name in imported_names(one)
        }
        needed = {name for step in self.steps for name in step.needs()}
        return sorted(name for name in needed - given if not hasattr(builtins, name))

    def without(self, index: int) -> Program | None:
        """The program without one step and all that depend on it; None if the last one goes too."""
        gone = {self.steps[index].name} - {""}
        kept: list[Step] = []
        for position, step in enumerate(self.steps):
            if position == index or step.needs() & gone:
                if position == len(self.steps) - 1:
                    return None
                gone |= {step.name} - {""}
            else:
                kept.append(step)
        return replace(self, steps=tuple(kept))

    def with_step(self, index: int, step: Step) -> Program:
        """The program with one step replaced."""
        return replace(self, steps=(*self.steps[:index], step, *self.steps[index + 1 :]))


#: Characters that no reader likes in a test: control and escape sequences, mixed punctuation.
_ODD = re.compile(r"\\[^n]|[^\x20-\x7e\n]|[~^`|$%&@!]")


@functools.lru_cache(maxsize=20_000)
def names_in(source: str) -> frozenset[str]:
    """Names that a statement or expression reads and does not bind itself."""
    tree = ast.parse(source)
    read = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    bound = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    bound |= {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return frozenset(read - bound)


@functools.lru_cache(maxsize=1_000)
def imported_names(statement: str) -> frozenset[str]:
    """Names that an import statement brings."""
    (node,) = ast.parse(statement).body
    assert isinstance(node, (ast.Import, ast.ImportFrom))
    return frozenset((one.asname or one.name).split(".")[0] for one in node.names)


def variable_for(name: str, taken: Iterable[str]) -> str:
    """A variable's name from a class's or function's: "TimestampSigner" becomes "timestamp_signer"."""
    plain = (
        re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name.strip("_")).lower() or "value"
    )
    plain = f"{plain}_" if keyword.iskeyword(plain) or hasattr(builtins, plain) else plain
    others = set(taken)
    if plain not in others:
        return plain
    return next(
        f"{prefix}_{plain}"
        for prefix in ("other", "third", "fourth", "fifth", "sixth")
        if f"{prefix}_{plain}" not in others
    )

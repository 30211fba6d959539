"""A program with what was seen of it, as a test that a reader would keep."""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
import textwrap
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from pytest_moa.candidate import Candidate, Case
from pytest_moa.search.execution import Key, Run
from pytest_moa.search.naming import name_of
from pytest_moa.search.program import RAW, Argument, Program, Step, names_in, variable_for
from pytest_moa.values import Expression, quoted, source_of

#: An assertion on a call is one line up to this length; longer ones get a variable.
LINE = 100
#: Messages with one of these need escaping in `match`.
_SPECIAL = set("\\.^$*+?{}[]|()")


class Unwritable(Exception):
    """What should be asserted has no source."""


@dataclass(slots=True)
class _Test:
    """A test that is being written."""

    lines: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    fixtures: set[str] = field(default_factory=set)
    plain: tuple[str, Expression] | None = None  #: the only assertion: call and expected value
    checks: list[str] = field(default_factory=list)


class Writer:
    """Writes tests for one module."""

    def __init__(self, module: ModuleType) -> None:
        self.module = module
        self.names: Mapping[str, Any] = vars(module)
        self.taken: set[str] = set()

    def candidate(self, program: Program, run: Run, keys: Collection[Key]) -> Candidate:
        """The test that asserts these facts of a run that was written. Raises Unwritable."""
        test = _Test(imports=set(program.imports))
        program = self._with_variables(program, keys)
        case = self._body(program, run, keys, test)
        if not any(
            "assert" in line or "pytest.raises" in line or "pytest.warns" in line for line in test.lines
        ):
            raise Unwritable
        source = "\n".join(test.lines)
        if any(step.role == "world" and "monkeypatch" in step.form for step in program.steps):
            test.fixtures.add("monkeypatch")
        for name in sorted(names_in(source)):
            self._import(name, program, test)
        name = name_of(program, run, self.taken)
        arguments = ", ".join(sorted(test.fixtures))
        return Candidate(
            target=f"{self.module.__name__}:{program.target.removesuffix('()')}",
            name=name,
            source=f"def {name}({arguments}):\n{textwrap.indent(source, '    ')}\n",
            imports=tuple(sorted(test.imports, key=_import_order)),
            says=name.removeprefix("test_").replace("_", " "),
            case=case,
        )

    def _with_variables(self, program: Program, keys: Collection[Key]) -> Program:
        """Give changed arguments of the last step a variable each."""
        wanted = sorted(
            {int(str(where).split()[1]) for where, _ in keys if str(where).startswith("argument ")}
        )
        steps, last = list(program.steps), program.steps[-1]
        arguments = list(last.arguments)
        for index in wanted:
            argument = arguments[index]
            if argument.value.source.isidentifier():
                continue
            taken = [step.name for step in steps] + [*self.names]
            name = variable_for(argument.name or self._parameter(last.callee, index), taken)
            steps.insert(-1, Step(argument.value.source, name=name, form="{callee}", role="given"))
            arguments[index] = Argument(argument.name, Expression(name, argument.value.imports))
        steps[-1] = replace(last, arguments=tuple(arguments))
        return replace(program, steps=tuple(steps))

    def _parameter(self, callee: str, index: int) -> str:
        """What the called function calls its argument."""
        try:
            parameters = list(inspect.signature(self.names[callee]).parameters.values())
        except (KeyError, TypeError, ValueError):
            return "given"
        named = index < len(parameters) and parameters[index].kind <= inspect.Parameter.POSITIONAL_OR_KEYWORD
        return parameters[index].name if named else "given"

    def _body(self, program: Program, run: Run, keys: Collection[Key], test: _Test) -> Case | None:
        extra = len(program.steps) - _ran(run)
        last = len(program.steps) - 1
        setup: list[str] = []
        case: Case | None = None
        for index, step in enumerate(program.steps):
            inserted = last - extra <= index < last
            original = index - extra if index == last else index
            mine = (
                [] if inserted else [path for where, path in keys if where == original and type(where) is int]
            )
            if index == last and run.raised is not None:
                case = self._raising(step, run, keys, test, setup)
                break
            asserted = self._step(step, original, mine, run, test, needed=_later(program, index))
            if index < last:
                setup += asserted
            elif mine == ["{}"] and len(asserted) == 1:
                case = self._case(step, setup, run, (original, "{}"), test)
        ends = sorted((where, path) for where, path in keys if str(where).startswith(("end ", "argument ")))
        before = len(test.lines)
        for where, path in ends:
            kind, _, what = str(where).partition(" ")
            subject = what if kind == "end" else program.steps[-1].arguments[int(what)].value.source
            if path == "is result":
                self._need_variable(test, program.steps[-1], "result")
                same = run.facts[where, path]
                test.lines.append(f"assert result is {'' if same else 'not '}{subject}")
            elif path == "changed":
                continue
            else:
                test.lines.append(self._assertion(path.replace("{}", subject), (where, path), run, test))
        if any(where == "stdout" for where, _ in keys):
            test.fixtures.add("capsys")
            written = source_of(run.facts["stdout", ""])
            test.lines.append(f"assert capsys.readouterr().out == {written.source if written else ''}")
        if any(where == "warns" for where, _ in keys):
            case = None
            self._warning(test, run)
        if len(test.lines) > before and case is not None:
            case = replace(case, checks=tuple(test.lines[before:])) if not test.fixtures else None
        return case

    def _step(
        self, step: Step, index: int, paths: list[str], run: Run, test: _Test, *, needed: bool
    ) -> list[str]:
        start = len(test.lines)
        if not paths:
            test.lines.append(step.source if needed or step.role == "given" else _run(step))
        elif paths == ["{}"] and not (step.name and needed):
            line = self._assertion(step.expression, (index, "{}"), run, test)
            if len(line) > LINE and step.form == "" and not step.wrap:
                test.lines.append(f"result = {step.expression}")
                line = self._assertion("result", (index, "{}"), run, test)
            test.lines.append(line)
        else:
            name = step.name or "result"
            test.lines.append(f"{name} = {step.expression}")
            test.lines += [
                self._assertion(path.replace("{}", name), (index, path), run, test) for path in sorted(paths)
            ]
        return test.lines[start:]

    def _need_variable(self, test: _Test, step: Step, name: str) -> None:
        for position, line in enumerate(test.lines):
            if line == step.expression:
                test.lines[position] = f"{name} = {line}"
            elif (
                line.startswith("assert ")
                and step.expression in line
                and f"{name} = " not in "\n".join(test.lines)
            ):
                test.lines[position] = line.replace(step.expression, name, 1)
                test.lines.insert(position, f"{name} = {step.expression}")
                return

    def _assertion(self, subject: str, key: Key, run: Run, test: _Test) -> str:
        seen = run.facts[key]
        if isinstance(seen, tuple) and seen and seen[0] in ("raises", "unreadable", "unstable"):
            raise Unwritable
        if key[1].startswith("type("):
            kind = self._named_type(seen, test)
            return f"assert isinstance({subject.removeprefix('type(').removesuffix(')')}, {kind})"
        written = (run.written or {}).get(key)
        if written is None:
            raise Unwritable
        if seen == ("nan",):
            test.imports.add("import math")
            return f"assert math.isnan({subject})"
        test.imports |= written.imports
        compound = any(
            sign in f" {subject} "
            for sign in (" == ", " in ", " < ", " > ", " <= ", " >= ", " != ", " and ", " or ")
        )
        if compound and not subject.startswith(("list(", "dict(", "[")) and _top_level_comparison(subject):
            if written.source in ("True", "False"):
                return (
                    f"assert {subject}"
                    if written.source == "True"
                    else f"assert not {_in_parentheses(subject)}"
                )
            subject = f"({subject})"
        if written.source in ("None", "True", "False"):
            return f"assert {subject} is {written.source}"
        if isinstance(seen, float) and len(written.source) > 9:
            test.imports.add("import pytest")
            return f"assert {subject} == pytest.approx({written.source})"
        operator = "is" if isinstance(seen, tuple) and seen and seen[0] in ("name", "enum", "held") else "=="
        return f"assert {subject} {operator} {written.source}"

    def _named_type(self, seen: Any, test: _Test) -> str:
        _, module, qualname = seen
        found: Any = sys.modules.get(module)
        for part in qualname.split("."):
            found = getattr(found, part, None)
        written = source_of(found, self.names) if isinstance(found, type) else None
        if written is None:
            raise Unwritable
        test.imports |= written.imports
        return written.source

    def _raising(
        self, step: Step, run: Run, keys: Collection[Key], test: _Test, setup: list[str]
    ) -> Case | None:
        error = run.values[-1]
        kind = self._named_type(("name", type(error).__module__, type(error).__qualname__), test)
        attributes = sorted(
            (where, path)
            for where, path in keys
            if where == "raised" and path.startswith(("{}", "type({}", "len({}", "str({}"))
        )
        message = run.facts.get(("raised", "message"), "") if ("raised", "message") in keys else ""
        match, whole = "", False
        if isinstance(message, str) and message:
            plain = not _SPECIAL & set(message) and len(message) <= 90 and message.isprintable()
            match, whole = (f"^{message}$", False) if plain else ("", True)
        test.imports.add("import pytest")
        given = f", match={quoted(match)}" if match else ""
        caught = " as caught" if attributes or whole else ""
        test.lines.append(f"with pytest.raises({kind}{given}){caught}:")
        test.lines.append(f"    {_run(step)}")
        checks: list[str] = []
        if whole:
            checks.append(f"assert str(caught.value) == {quoted(message)}")
        checks += [
            self._assertion(key[1].replace("{}", "caught.value"), key, run, test) for key in attributes
        ]
        test.lines += checks
        if step.form or step.wrap or checks or match or test.fixtures or _asserts(setup):
            return None
        return Case(step.callee, _given(step), "raises", kind, "", tuple(setup))

    def _warning(self, test: _Test, run: Run) -> None:
        category, message = run.facts["warns", ""][0]
        kind = category if hasattr(builtins, category) else ""
        position = next((at for at, line in enumerate(test.lines) if not line.startswith("    ")), 0)
        if not kind or len(test.lines) != 1:
            raise Unwritable
        test.imports.add("import pytest")
        match = f", match={quoted(message)}" if message and not _SPECIAL & set(message) else ""
        test.lines[position:] = [f"with pytest.warns({kind}{match}):", f"    {test.lines[position]}"]

    def _case(self, step: Step, setup: list[str], run: Run, key: Key, test: _Test) -> Case | None:
        written = (run.written or {}).get(key)
        plain = test.lines and test.lines[-1].endswith(f"== {written.source if written else ''}")
        if step.form or step.wrap or written is None or not plain or test.fixtures or _asserts(setup):
            return None
        return Case(step.callee, _given(step), "returns", written.source, "", tuple(setup))

    def _import(self, name: str, program: Program, test: _Test) -> None:
        known = {step.name for step in program.steps} | {"result", "caught", "pytest", *test.fixtures}
        known |= {one for statement in test.imports for one in _brings(statement)}
        if name in known or (hasattr(builtins, name) and name not in self.names) or name == "monkeypatch":
            return
        if name not in self.names:
            if any(step.form == RAW and name in step.callee for step in program.steps):
                return
            raise Unwritable
        test.imports.add(self.import_of(name))

    def import_of(self, name: str) -> str:
        """The statement that brings a name of the module."""
        value = self.names[name]
        if isinstance(value, ModuleType):
            return f"import {value.__name__}" + (f" as {name}" if value.__name__ != name else "")
        home = getattr(value, "__module__", None)
        found = getattr(sys.modules.get(home or ""), name, None)
        private = any(part.startswith("_") for part in str(home).split("."))
        if home and found is value and not private and home != "builtins":
            return f"from {home} import {name}"
        return f"from {self.module.__name__} import {name}"


def _ran(run: Run) -> int:
    return len(run.values) if run.raised is None else run.raised + 1


def _run(step: Step) -> str:
    """The step as a statement for its effect: no linter takes a lone expression for one."""
    call = not step.form or step.is_statement or step.expression.endswith(")")
    return step.expression if call else f"_ = {step.expression}"


def _later(program: Program, index: int) -> bool:
    name = program.steps[index].name
    return bool(name) and any(name in step.needs() for step in program.steps[index + 1 :])


def _given(step: Step) -> tuple[tuple[str, str], ...]:
    return tuple((argument.name, argument.value.source) for argument in step.arguments)


def _asserts(lines: Iterable[str]) -> bool:
    return any(line.startswith(("assert ", "with ")) for line in lines)


def _top_level_comparison(source: str) -> bool:
    return isinstance(ast.parse(source, mode="eval").body, (ast.Compare, ast.BoolOp))


def _in_parentheses(source: str) -> str:
    return f"({source})"


def _brings(statement: str) -> list[str]:
    node = ast.parse(statement).body[0]
    names = node.names if isinstance(node, (ast.Import, ast.ImportFrom)) else []
    return [(one.asname or one.name).split(".")[0] for one in names]


def _import_order(statement: str) -> tuple[bool, str]:
    return statement.startswith("from "), statement

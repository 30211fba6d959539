"""Programs from source: docstrings' examples, and calls that were recorded or proposed as text."""

# ruff: noqa: S102 - tries imports

from __future__ import annotations

import ast
import doctest
from dataclasses import replace

from pytest_moa.search.program import RAW, Argument, Program, Step, names_in
from pytest_moa.search.surface import Surface
from pytest_moa.values import Expression, source_of

_PARSER = doctest.DocTestParser()


def programs_in(docstring: str, target: str, surface: Surface) -> list[Program]:
    """One program for each example that calls something of the module."""
    try:
        examples = _PARSER.get_examples(docstring)
    except ValueError:
        return []
    programs: list[Program] = []
    before: list[str] = []
    for example in examples:
        source = example.source.strip()
        made = program_of("\n".join([*before, source]), surface, target)
        if made is not None and made.steps[-1].form != RAW and made.steps[-1].role == "when":
            programs.append(made)
        try:
            (node,) = ast.parse(source).body
        except (SyntaxError, ValueError):
            continue
        if not isinstance(node, ast.Expr):
            before.append(source)
    return programs


def program_of(source: str, surface: Surface, target: str = "") -> Program | None:
    """Statements as a program that aims at what the last one calls; None if they cannot be used.

    Earlier statements that the last one does not need are left out.
    """
    try:
        statements = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError):
        return None
    steps: list[Step] = []
    imports: set[str] = set()
    for node in statements:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            text = ast.unparse(node)
            if not (isinstance(node, ast.ImportFrom) and node.level) and _importable(text, surface):
                imports.add(text)
            continue
        step = _step(node)
        if step is None:
            return None
        steps.append(step)
    if not steps:
        return None
    steps[-1] = replace(
        steps[-1], name="" if steps[-1].name and not steps[-1].form else steps[-1].name, role="when"
    )
    needed = set(names_in(steps[-1].expression))
    kept = [steps[-1]]
    variables = {step.name for step in steps} - {""}
    for step in reversed(steps[:-1]):
        gives = {step.name} - {""} or _bound_by(step)
        changed = needed & step.needs() & (needed if step.form == RAW else variables)  # it may change them
        if gives & needed or (step.name == "" and changed):
            needed |= step.needs()
            kept.insert(0, step)
    kept[0] = replace(kept[0], imports=kept[0].imports | frozenset(imports))
    aim = surface.callees.get(kept[-1].callee)
    qualname = aim.qualname if aim else target
    program = Program(qualname or target, tuple(kept))
    unknown = [name for name in program.free_names() if not hasattr(surface.module, name)]
    return None if unknown or not program.target else program


def _bound_by(step: Step) -> set[str]:
    tree = ast.parse(step.callee) if step.form == RAW else ast.Module([], [])
    named = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    return named | {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }


def _importable(statement: str, surface: Surface) -> bool:
    names = dict(vars(surface.module))
    try:
        exec(statement, names)
    except Exception:
        return False
    return True


def _step(node: ast.stmt) -> Step | None:
    if isinstance(node, ast.Expr):
        return _value_step(node.value, "")
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return replace(_value_step(node.value, node.targets[0].id), role="given")
    if isinstance(node, (ast.Assert, ast.Return, ast.Delete, ast.Global)):
        return None
    return Step(ast.unparse(node), form=RAW, role="given")


def _value_step(value: ast.expr, name: str) -> Step:
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "list" and len(value.args) == 1:
        inner = value.args[0]
        if (
            isinstance(inner, ast.Call)
            and not value.keywords
            and isinstance(inner.func, (ast.Name, ast.Attribute))
        ):
            return replace(_value_step(inner, name), wrap="list({})")
    simple = isinstance(value, ast.Call) and isinstance(value.func, (ast.Name, ast.Attribute))
    if isinstance(value, ast.Call) and simple:
        starred = any(isinstance(one, ast.Starred) for one in value.args)
        if not starred and all(one.arg for one in value.keywords):
            given = [Argument("", _expression(one)) for one in value.args]
            given += [Argument(one.arg or "", _expression(one.value)) for one in value.keywords]
            return Step(ast.unparse(value.func), tuple(given), name=name)
    return Step(_expression(value).source, name=name, form="{callee}")


def _expression(node: ast.expr) -> Expression:
    try:
        written = source_of(ast.literal_eval(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        written = None
    return written or Expression(ast.unparse(node))

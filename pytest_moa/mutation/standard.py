"""Mutants that check the checking: one that every test must notice, one that none may notice."""

from __future__ import annotations

import ast

from pytest_moa.code.compiled import function_node
from pytest_moa.code.definitions import Definition, definitions_of, docstring_of_body
from pytest_moa.code.text import Text, text_of
from pytest_moa.mutation.mutant import Edit, Mutant, named

#: Names nothing that the function could have as a parameter.
CONTROL = '__import__("pytest_moa.mutation.reached", None, None, ("*",)).ControlReached("{qualname}")'


def control(source: str, qualname: str, module: str = "") -> Mutant | None:
    """The function's body replaced by a raise of `ControlReached`; None if the source has no such function.

    A test that passes with it does not depend on the function.
    """
    definition = definitions_of(source).main(qualname)
    if definition is None:
        return None
    text = text_of(source)
    start, end = _body(text, source, definition)
    after = f"raise {CONTROL.format(qualname=qualname)}"
    return _mutant(text, start, end, after, "control", qualname, module)


def identity(source: str, qualname: str, module: str = "") -> Mutant | None:
    """The function compiled again, as it is; None if the source has no such function.

    Where a test fails with it, no verdict on the function's mutants can be trusted.
    """
    definition = definitions_of(source).main(qualname)
    if definition is None:
        return None
    text = text_of(source)
    start, end = _body(text, source, definition)
    return _mutant(text, start, end, source[start:end], "identity", qualname, module)


def _body(text: Text, source: str, definition: Definition) -> tuple[int, int]:
    """Where the body is, its docstring left out if there is more."""
    node = function_node(ast.parse(source), definition.name, definition.first_line)
    assert node is not None
    documented = docstring_of_body(node.body)
    body = node.body[documented:] or node.body
    first = body[0]
    start = text.start(first)
    if isinstance(first, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and first.decorator_list:
        start = text.source.rindex("@", 0, text.start(first.decorator_list[0]))
    return start, text.end(body[-1])


def _mutant(
    text: Text, start: int, end: int, after: str, operator: str, qualname: str, module: str
) -> Mutant:
    return named([Edit(start, end, after, operator, qualname, "function")], text, module)[0]

"""Compile one function of a module alone: a fraction of a millisecond, where the module takes tens."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Sequence
from types import CodeType

from pytest_moa.code.definitions import Definition, FunctionNode, first_line_of


class NotCompiled(Exception):
    """The text is no valid function, or needs other variables of the scopes around it."""


def compiled(
    lines: Sequence[str], definition: Definition, *, flags: int, filename: str, freevars: Iterable[str] = ()
) -> tuple[CodeType, FunctionNode]:
    """The code and node of a function with the text `lines` in the place of `definition`, line numbers kept.

    The classes around it are there again as empty headers: names are mangled, `super()` and type
    parameters are closed over as they were. `freevars` are variables that the code must close over also
    where it does not use them (any more), so that it fits a function that is already there.

    Raises:
        NotCompiled: it cannot be compiled, or closes over variables that are not in `freevars`.
    """
    tree = _parsed(lines, definition)
    code = _function_code(tree, definition, flags, filename)
    wanted = tuple(freevars)
    if missing := set(wanted) - set(code.co_freevars):
        _mention(tree, definition, missing)
        code = _function_code(tree, definition, flags, filename)
    if set(code.co_freevars) != set(wanted):
        raise NotCompiled(f"{definition.qualname} closes over other variables than before")
    node = function_node(tree, definition.name, definition.first_line)
    assert node is not None
    return code, node


def function_node(tree: ast.AST, name: str, first_line: int) -> FunctionNode | None:
    """The function of that name whose decorators, or itself, begin in that line."""
    for node in ast.walk(tree):
        if isinstance(node, FunctionNode) and node.name == name and first_line_of(node) == first_line:
            return node
    return None


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """The code itself and all that is nested in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def _parsed(lines: Sequence[str], definition: Definition) -> ast.Module:
    headers = [f"{' ' * depth}class {name}:\n" for depth, name in enumerate(definition.classes)]
    if not headers and definition.indented:
        headers = ["if 1:\n"]
    blank = "\n" * (definition.first_line - 1 - len(headers))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(blank + "".join(headers) + "".join(lines))
        except (SyntaxError, ValueError, RecursionError) as error:
            raise NotCompiled(f"{definition.qualname}: {error}") from error


def _function_code(tree: ast.Module, definition: Definition, flags: int, filename: str) -> CodeType:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            module = compile(tree, filename, "exec", flags=flags, dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError) as error:
            raise NotCompiled(f"{definition.qualname}: {error}") from error
    for code in codes_in(module):
        if code.co_name == definition.name and code.co_firstlineno == definition.first_line:
            return code
    raise NotCompiled(f"{definition.qualname} is not in its own text")


def _mention(tree: ast.Module, definition: Definition, names: Iterable[str]) -> None:
    """Name variables in code that never runs: the compiler drops it, but has closed over them by then."""
    node = function_node(tree, definition.name, definition.first_line)
    if node is None:
        raise NotCompiled(f"{definition.qualname} is not in its own text")
    uses: list[ast.stmt] = [ast.Expr(ast.Name(name, ast.Load())) for name in sorted(names)]
    never = ast.If(test=ast.Constant(False), body=uses, orelse=[])
    ast.copy_location(never, node.body[-1])
    node.body.append(ast.fix_missing_locations(never))

"""The functions of a module as its source defines them: module functions and methods, not what is nested."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Definition:
    """One `def` at the top of a module or in a class body, also below an `if`, `try` or `with` there.

    Several definitions have one qualname where a name is defined again: a property and its setter,
    alternatives for versions of Python. Lines count from 1.
    """

    qualname: str
    first_line: int  #: of its decorators, if it has some: what `co_firstlineno` says
    line: int  #: of the `def`
    body_line: int  #: where nothing but its body is, up to the last line
    last_line: int
    indented: bool
    classes: tuple[str, ...]  #: of the classes around it: name and type parameters, as in `class` lines
    decorators: tuple[str, ...]  #: source, without the `@`
    defaults: tuple[tuple[str, str], ...]  #: parameter and source of its default
    nests: bool  #: there are functions or lambdas in it

    @property
    def name(self) -> str:
        """The last part of the qualname."""
        return self.qualname.rpartition(".")[2]

    @property
    def is_stub(self) -> bool:
        """An `@overload`: never called."""
        return any(name.rpartition(".")[2] == "overload" for name in self.decorators)


@dataclass(frozen=True, slots=True)
class Definitions:
    """All of a module's functions, in order, and what they are compiled with."""

    functions: tuple[Definition, ...]
    flags: int  #: of `from __future__` imports

    def at(self, line: int) -> Definition | None:
        """The function whose lines, decorators included, hold that line."""
        return next((one for one in self.functions if one.first_line <= line <= one.last_line), None)

    def named(self, qualname: str) -> list[Definition]:
        """All definitions of that name, overload stubs left out."""
        return [one for one in self.functions if one.qualname == qualname and not one.is_stub]

    def main(self, qualname: str) -> Definition | None:
        """The definition that is called by that name: of a property the getter, else the last one."""
        found = [one for one in self.named(qualname) if not any(map(is_accessor, one.decorators))]
        return found[-1] if found else None


def is_accessor(decorator: str) -> bool:
    """Whether it makes a property's setter or deleter."""
    return decorator.rpartition(".")[2] in {"setter", "deleter"}


@lru_cache(maxsize=64)
def definitions_of(source: str) -> Definitions:
    """The functions of that source; called before a fork, its answer is there in every child.

    Raises:
        SyntaxError: the source cannot be parsed.
    """
    tree = ast.parse(source)
    return Definitions(tuple(_described(node, around) for node, around in functions_in(tree)), _flags(tree))


def functions_in(tree: ast.Module) -> Iterator[tuple[FunctionNode, tuple[ast.ClassDef, ...]]]:
    """Every function that is no other function's local, with the classes around it, in order."""
    yield from _walk(tree.body, ())


def _walk(
    statements: Sequence[ast.AST], around: tuple[ast.ClassDef, ...]
) -> Iterator[tuple[FunctionNode, tuple[ast.ClassDef, ...]]]:
    for node in statements:
        if isinstance(node, FunctionNode):
            yield node, around
        elif isinstance(node, ast.ClassDef):
            yield from _walk(node.body, (*around, node))
        elif isinstance(node, ast.stmt | ast.excepthandler | ast.match_case):
            for block in ("body", "handlers", "cases", "orelse", "finalbody"):
                yield from _walk(getattr(node, block, ()), around)


def qualname_of(name: str, around: Sequence[ast.ClassDef]) -> str:
    """The qualname of what is defined by that name in these classes."""
    return ".".join([*(one.name for one in around), name])


def first_line_of(node: FunctionNode | ast.ClassDef) -> int:
    """The line where its decorators begin, or itself."""
    return min([node.lineno, *(one.lineno for one in node.decorator_list)])


def defaults_of(node: FunctionNode) -> tuple[tuple[str, str], ...]:
    """Parameters that have a default, in order, with its source."""
    arguments = node.args
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    positional = zip(names[len(names) - len(arguments.defaults) :], arguments.defaults, strict=True)
    keyword = zip((one.arg for one in arguments.kwonlyargs), arguments.kw_defaults, strict=True)
    return tuple((name, ast.unparse(one)) for name, one in (*positional, *keyword) if one is not None)


def docstring_of_body(body: Sequence[ast.stmt]) -> int:
    """How many statements are the docstring: 1 or 0."""
    value = body[0].value if body and isinstance(body[0], ast.Expr) else None
    return int(isinstance(value, ast.Constant) and isinstance(value.value, str))


def _described(node: FunctionNode, around: tuple[ast.ClassDef, ...]) -> Definition:
    return Definition(
        qualname=qualname_of(node.name, around),
        first_line=first_line_of(node),
        line=node.lineno,
        body_line=_header_end(node) + 1,
        last_line=node.end_lineno or node.lineno,
        indented=node.col_offset > 0,
        classes=tuple(_class_header(one) for one in around),
        decorators=tuple(ast.unparse(one) for one in node.decorator_list),
        defaults=defaults_of(node),
        nests=any(isinstance(one, FunctionNode | ast.Lambda) for one in ast.walk(node) if one is not node),
    )


def _header_end(node: FunctionNode) -> int:
    """The last line with something of its parameters or annotations."""
    inside = [one for part in (node.args, node.returns) if part is not None for one in ast.walk(part)]
    return max([node.lineno, *(getattr(one, "end_lineno", 0) for one in inside)])


def _class_header(node: ast.ClassDef) -> str:
    parameters = getattr(node, "type_params", ())  # since Python 3.12
    names = ", ".join(ast.unparse(one).partition(":")[0].partition(" = ")[0] for one in parameters)
    return f"{node.name}[{names}]" if names else node.name


def _flags(tree: ast.Module) -> int:
    import __future__

    names = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
        for alias in node.names
    ]
    flags = 0
    for name in names:
        flags |= getattr(__future__, name).compiler_flag
    return flags

"""Find all mutants of a module."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pytest_moa.code.definitions import FunctionNode, docstring_of_body
from pytest_moa.code.import_time import run_at_import
from pytest_moa.code.text import Text, text_of
from pytest_moa.mutation import expressions, statements
from pytest_moa.mutation.expressions import Change
from pytest_moa.mutation.mutant import Edit, Mutant, Scope, named
from pytest_moa.mutation.skipped import (
    ignored_lines,
    is_ignored,
    is_inert_call,
    is_inert_statement,
    is_overload_or_stub,
    is_platform_test,
    is_text,
    keeps_defaults,
    message_arguments,
)

OPERATORS: Mapping[type[ast.AST], Callable[[Any, Text], Iterator[Change]]] = {
    ast.Compare: expressions.compare,
    ast.BoolOp: expressions.boolean,
    ast.UnaryOp: expressions.unary,
    ast.BinOp: expressions.arithmetic,
    ast.Constant: expressions.constant,
    ast.JoinedStr: expressions.formatted,
    ast.Call: expressions.call,
    ast.Lambda: expressions.lambda_,
    ast.IfExp: expressions.ternary,
    ast.comprehension: expressions.comprehension,
    ast.Slice: expressions.slice_,
    ast.Yield: expressions.yield_,
    ast.Assign: statements.assign,
    ast.AnnAssign: statements.assign,
    ast.AugAssign: statements.augmented,
    ast.Return: statements.return_,
    ast.Raise: statements.raise_,
    ast.Expr: statements.expression,
    ast.Delete: statements.delete,
    ast.Break: statements.break_,
    ast.Continue: statements.continue_,
    ast.If: statements.if_,
    ast.While: statements.while_,
    ast.For: statements.for_,
    ast.Try: statements.try_,
    ast.Match: statements.match,
}


def mutants_of(source: str, module: str) -> list[Mutant]:
    """All mutants of a module with that source and dotted name, in the order of their places.

    Raises:
        SyntaxError: the source cannot be parsed.
    """
    text = text_of(source)
    tree = ast.parse(source)
    finder = Finder(text, run_at_import(tree))
    finder.statements(tree.body[docstring_of_body(tree.body) :])
    once: dict[tuple[int, int, str], Edit] = {}
    for edit in finder.edits:
        once.setdefault((edit.start, edit.end, edit.after), edit)
    ordered = sorted(once.values(), key=lambda edit: (edit.start, edit.end, edit.operator))
    return named(ordered, text, module)


class Finder(ast.NodeVisitor):
    """Walks a module's tree and collects edits. Where it is decides their qualname and scope."""

    def __init__(self, text: Text, run_at_import: frozenset[str]) -> None:
        self.edits: list[Edit] = []
        self._text = text
        self._ignored = ignored_lines(text)
        self._run_at_import = run_at_import
        self._classes: tuple[str, ...] = ()
        self._qualname = ""
        self._scope: Scope = "definition"
        self._in_function = False
        self._message = False
        self._in_group = False  #: in an `except*`, which no `return` may leave

    def statements(self, nodes: Iterable[ast.stmt]) -> None:
        """Visit statements in order."""
        for node in nodes:
            if not is_ignored(node, self._ignored) and not is_inert_statement(node, local=self._in_function):
                self.visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        """A node without rules of its own."""
        self._operate(node)
        self._children(node)

    def _operate(self, node: ast.AST) -> None:
        operator = OPERATORS.get(type(node))
        if operator is not None:
            self._add(operator(node, self._text))

    def _add(self, changes: Iterable[Change]) -> None:
        for start, end, after, name in changes:
            self.edits.append(
                Edit(start, end, after, "message" if self._message else name, self._qualname, self._scope)
            )

    def _children(self, node: ast.AST) -> None:
        for name, value in ast.iter_fields(node):
            if name in {"annotation", "returns", "type_params", "format_spec"}:
                continue
            if isinstance(value, ast.AST):
                self.visit(value)
            elif isinstance(value, list) and value:
                if isinstance(value[0], ast.stmt):
                    self.statements(value)
                else:
                    for one in value:
                        if isinstance(one, ast.AST):
                            self.visit(one)

    def visit_FunctionDef(self, node: FunctionNode) -> None:
        """A function; of nested ones everything belongs to the function around them."""
        if is_overload_or_stub(node):
            return
        if self._in_function:
            self._add(statements.decorators(node, self._text))
            self._children_of_function(node)
            return
        qualname = ".".join([*self._classes, node.name])
        with self._place(qualname, "definition"):
            self._add(statements.decorators(node, self._text))
            for one in node.decorator_list:
                self.visit(one)
        runs = qualname in self._run_at_import
        for default in [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]:
            simple = not runs and keeps_defaults(node) and is_literal(default)
            with self._place(qualname, "function" if simple else "definition"):
                self.visit(default)
        with self._place(qualname, "definition" if runs else "function", in_function=True):
            self.statements(node.body[docstring_of_body(node.body) :])

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Like any function."""
        self.visit_FunctionDef(node)

    def _children_of_function(self, node: FunctionNode) -> None:
        for one in [*node.decorator_list, node.args]:
            self.visit(one)
        self.statements(node.body[docstring_of_body(node.body) :])

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """A class, in a function or not."""
        body = node.body[docstring_of_body(node.body) :]
        if self._in_function:
            self.statements(body)
            return
        self._classes = (*self._classes, node.name)
        with self._place(".".join(self._classes), "definition"):
            self._add(statements.decorators(node, self._text))
            for one in node.decorator_list:
                self.visit(one)
            self.statements(body)
        self._classes = self._classes[:-1]

    def visit_Call(self, node: ast.Call) -> None:
        """A call, unless nobody would notice it."""
        if is_inert_call(node):
            return
        if message_arguments(node, raised=False):
            self._message_call(node)
            return
        self._operate(node)
        self.visit(node.func)
        skipped = 1 if isinstance(node.func, ast.Name) and node.func.id == "cast" else 0
        for one in [*node.args[skipped:], *node.keywords]:
            self.visit(one)

    def visit_Raise(self, node: ast.Raise) -> None:
        """A raise, with its message."""
        self._operate(node)
        if isinstance(node.exc, ast.Call) and message_arguments(node.exc, raised=True):
            self._message_call(node.exc)
        elif node.exc is not None:
            self.visit(node.exc)

    def _message_call(self, node: ast.Call) -> None:
        """A call whose texts are for people: changes of these texts are an operator of their own."""
        self._message = True
        self._operate(node)
        for one in node.args:
            if is_text(one):
                self.visit(one)
        self._message = False
        for argument in [*(one for one in node.args if not is_text(one)), *node.keywords]:
            self.visit(argument)

    def visit_Assert(self, node: ast.Assert) -> None:
        """Only what is asserted, not the message."""
        self.visit(node.test)

    def visit_If(self, node: ast.If) -> None:
        """Both blocks, but not the condition where it has one outcome here."""
        if is_platform_test(node.test):
            self.statements([*node.body, *node.orelse])
            return
        self._operate(node)
        self._children(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        """Likewise."""
        if not is_platform_test(node.test):
            self._operate(node)
            self._children(node)

    def visit_Break(self, node: ast.Break) -> None:
        """In a function it can also become a `return`."""
        self._operate(node)
        if self._in_function and not self._in_group:
            self._add([(self._text.start(node), self._text.end(node), "return", "loop")])

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """What is formatted, and the text around it."""
        self._operate(node)
        for one in node.values:
            if isinstance(one, ast.FormattedValue) and self._is_placed(one.value):
                self.visit(one.value)

    def visit_TemplateStr(self, node: ast.AST) -> None:
        """A t-string (since Python 3.14): only what is put into it."""
        for one in getattr(node, "values", ()):
            if not isinstance(one, ast.Constant) and self._is_placed(one.value):
                self.visit(one.value)

    def visit_TryStar(self, node: ast.AST) -> None:
        """Its handlers have rules of their own."""
        before, self._in_group = self._in_group, True
        self._children(node)
        self._in_group = before

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """Not the keys: two may not become one."""
        for pattern in node.patterns:
            self.visit(pattern)

    def _is_placed(self, node: ast.expr) -> bool:
        """Whether the parser says truly where the node is: before Python 3.12 not always in f-strings."""
        try:
            found = ast.parse(f"({self._text.of(node)})", mode="eval").body
        except (SyntaxError, ValueError, IndexError):
            return False
        return ast.dump(found) == ast.dump(node)

    @contextmanager
    def _place(self, qualname: str, scope: Scope, *, in_function: bool = False) -> Iterator[None]:
        before = self._qualname, self._scope, self._in_function
        self._qualname, self._scope, self._in_function = qualname, scope, in_function
        yield
        self._qualname, self._scope, self._in_function = before


def is_literal(node: ast.expr) -> bool:
    """Whether it is a constant, or a negative number."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        node = node.operand
    return isinstance(node, ast.Constant)

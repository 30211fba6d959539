"""Add probes to functions: calls that note which branch is taken, and change nothing else.

What is added is only ever a call at the start of a block, or a call that returns None in front of an `or`.
Conditions are evaluated as before: once, and asked for their truth once.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import TypeVar, cast

from pytest_moa.code.definitions import FunctionNode, docstring_of_body

#: Stands where a probe is called, until the compiled code gets the real callable.
HIT = "\0moa: hit"
ENTERED = "\0moa: entered"
LOCALS = "\0moa: locals"

#: Functions that call one of these could see the local variable that tells an empty loop.
SEES_LOCALS = frozenset({"locals", "vars", "dir", "eval", "exec"})

Test = TypeVar("Test", bound=ast.AST)


class Instrument(ast.NodeTransformer):
    """Puts probes into one function's node, in place. `branches` holds the ids of all of them."""

    def __init__(self, qualname: str, *, notes_entry: bool) -> None:
        self.qualname = qualname
        self.notes_entry = notes_entry
        self.branches: list[str] = []
        self._flags = 0
        self._sees_locals = False

    def function(self, node: FunctionNode) -> None:
        """Instrument that function and what is nested in it."""
        names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        self._sees_locals = bool(names & SEES_LOCALS)
        self._body(node)
        if self.notes_entry:
            values = ast.Call(ast.Constant(LOCALS), [], [])
            call = ast.Call(ast.Constant(ENTERED), [ast.Constant(self.qualname), values], [])
            self._start(node, ast.Expr(call))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        """A nested function; its decorators and defaults belong to the function around it."""
        node.decorator_list = [self.visit(one) for one in node.decorator_list]
        self.visit(node.args)
        self._body(node)
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        """Like any nested function."""
        return self.visit_FunctionDef(cast("ast.FunctionDef", node))

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """A lambda is entered like a function."""
        branch = self._branch(node, "enter")
        self.visit(node.args)
        node.body = self._before(branch, self.visit(node.body))
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        """Both outcomes, also where there is no `else`."""
        if isinstance(node.test, ast.Constant):
            return self.generic_visit(node)
        yes, no = self._branch(node, "if true"), self._branch(node, "if false")
        node.test = self._test(node.test)
        node.body = [self._hit(yes, node.test), *self._visited(node.body)]
        node.orelse = [self._hit(no, node.test), *self._visited(node.orelse)]
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        """Entered, and left because the condition became false."""
        yes = self._branch(node, "while true")
        constant = isinstance(node.test, ast.Constant)
        no = None if constant else self._branch(node, "while false")
        node.test = self._test(node.test)
        node.body = [self._hit(yes, node.test), *self._visited(node.body)]
        node.orelse = self._visited(node.orelse)
        if no is not None:
            node.orelse.insert(0, self._hit(no, node.test))
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        """Entered, and never entered: a local variable that no source can name remembers."""
        item = self._branch(node, "for item")
        empty = None if self._sees_locals else self._branch(node, "for empty")
        self._flags += 1
        flag = f".moa{self._flags}"
        node.target, node.iter = self.visit(node.target), self.visit(node.iter)
        node.body = [self._hit(item, node.iter), *self._visited(node.body)]
        node.orelse = self._visited(node.orelse)
        if empty is None:
            return node
        node.body.insert(0, self._set(flag, True, node.iter))
        hit = ast.If(ast.Name(flag, ast.Load()), [ast.Pass()], [self._hit(empty, node.iter)])
        node.orelse.insert(0, self._placed(hit, node.iter))
        return cast("ast.AST", [self._set(flag, False, node.iter), node])

    def visit_AsyncFor(self, node: ast.AsyncFor) -> ast.AST:
        """Like any loop."""
        return self.visit_For(cast("ast.For", node))

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        """Both values."""
        yes, no = self._branch(node, "ternary true"), self._branch(node, "ternary false")
        node.test = self._test(node.test)
        node.body = self._before(yes, self.visit(node.body))
        node.orelse = self._before(no, self.visit(node.orelse))
        return node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.AST:
        """Where the value matters, only that a later operand is evaluated can be noted."""
        word = "and" if isinstance(node.op, ast.And) else "or"
        first, *others = node.values
        values = [self.visit(first)]
        for value in others:
            branch = self._branch(value, f"{word} reached")
            values.append(self._before(branch, self.visit(value)))
        node.values = values
        return node

    def visit_comprehension(self, node: ast.comprehension) -> ast.AST:
        """Each condition's outcomes."""
        node.iter = self.visit(node.iter)
        conditions = []
        for test in node.ifs:
            yes, no = self._branch(test, "filter true"), self._branch(test, "filter false")
            conditions.append(self._either(self._test(test), yes, no))
        node.ifs = conditions
        return node

    def visit_Assert(self, node: ast.Assert) -> ast.AST:
        """Held or not."""
        if isinstance(node.test, ast.Constant | ast.Tuple):
            return self.generic_visit(node)
        yes, no = self._branch(node, "assert true"), self._branch(node, "assert false")
        node.test = self._either(self._test(node.test), yes, no)
        if node.msg is not None:
            node.msg = self.visit(node.msg)
        return node

    def visit_Try(self, node: ast.Try) -> ast.AST:
        """Each handler, and that none was needed."""
        node.body = self._visited(node.body)
        for handler in node.handlers:
            branch = self._branch(handler, "except")
            if handler.type is not None:
                handler.type = self.visit(handler.type)
            handler.body = [self._hit(branch, handler), *self._visited(handler.body)]
        node.orelse, node.finalbody = self._visited(node.orelse), self._visited(node.finalbody)
        return node

    def visit_TryStar(self, node: ast.AST) -> ast.AST:
        """Like any `try`."""
        return self.visit_Try(cast("ast.Try", node))

    def visit_Match(self, node: ast.Match) -> ast.AST:
        """Each case, and that none fits."""
        node.subject = self.visit(node.subject)
        for case in node.cases:
            branch = self._branch(case.pattern, "case")
            if case.guard is not None:
                case.guard = self._test(case.guard)
            case.body = [self._hit(branch, case.pattern), *self._visited(case.body)]
        last = node.cases[-1]
        if last.guard is not None or not _irrefutable(last.pattern):
            branch = self._branch(node, "match none")
            other = ast.match_case(ast.MatchAs(), None, [self._hit(branch, node.subject)])
            ast.copy_location(other.pattern, node.subject)
            node.cases.append(other)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Of a class in a function only its methods: a variable of a loop would be an attribute."""
        node.body = [
            self.visit(one) if isinstance(one, FunctionNode | ast.ClassDef) else one for one in node.body
        ]
        return node

    def _body(self, node: FunctionNode) -> None:
        branch = self._branch(node, "enter")
        documented = docstring_of_body(node.body)
        kept, rest = node.body[:documented], node.body[documented:]
        node.body = [*kept, *self._visited(rest)]
        hit = self._hit(branch, node)
        self._start(node, hit)

    def _start(self, node: FunctionNode, statement: ast.stmt) -> None:
        """Put it before everything but the docstring; it counts as part of the first statement."""
        documented = docstring_of_body(node.body)
        place: ast.AST = node.body[documented] if documented < len(node.body) else node.body[-1]
        node.body.insert(documented, self._placed(statement, place))

    def _visited(self, statements: Sequence[ast.stmt]) -> list[ast.stmt]:
        visited: list[ast.stmt] = []
        for one in statements:
            found = self.visit(one)
            visited += found if isinstance(found, list) else [found]
        return visited

    def _test(self, node: ast.expr) -> ast.expr:
        """An expression of which only the truth is asked: here `and` and `or` have two outcomes each."""
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            node.operand = self._test(node.operand)
            return node
        if not isinstance(node, ast.BoolOp):
            return cast("ast.expr", self.visit(node))
        conjunction = isinstance(node.op, ast.And)
        word = "and" if conjunction else "or"
        names = [
            (self._branch(value, f"{word} reached"), self._branch(value, f"{word} skipped"))
            for value in node.values[1:]
        ]
        *others, value = [self._test(one) for one in node.values]
        for test, (reached, skipped) in zip(reversed(others), reversed(names), strict=True):
            rest = self._before(reached, value)
            known = self._before(skipped, ast.Constant(not conjunction), test)
            value = self._placed(
                ast.IfExp(test, rest, known) if conjunction else ast.IfExp(test, known, rest), test
            )
        return value

    def _either(self, test: ast.expr, yes: str, no: str) -> ast.expr:
        values = self._before(yes, ast.Constant(True), test), self._before(no, ast.Constant(False), test)
        return self._placed(ast.IfExp(test, *values), test)

    def _branch(self, node: ast.AST, what: str) -> str:
        line, column = getattr(node, "lineno", 0), getattr(node, "col_offset", 0)
        name = f"{line}:{column} {what}"
        self.branches.append(name)
        return name

    def _call(self, branch: str) -> ast.Call:
        return ast.Call(ast.Constant(HIT), [ast.Constant(branch)], [])

    def _hit(self, branch: str, place: ast.AST) -> ast.stmt:
        return self._placed(ast.Expr(self._call(branch)), place)

    def _before(self, branch: str, value: ast.expr, place: ast.AST | None = None) -> ast.expr:
        """The same value, noted."""
        return self._placed(ast.BoolOp(ast.Or(), [self._call(branch), value]), place or value)

    def _set(self, name: str, value: bool, place: ast.AST) -> ast.stmt:
        return self._placed(ast.Assign([ast.Name(name, ast.Store())], ast.Constant(value)), place)

    def _placed(self, node: Test, place: ast.AST) -> Test:
        """The node in the same line as another, so that tracebacks and coverage show what they did."""
        line, column = getattr(place, "lineno", 1), getattr(place, "col_offset", 0)
        for one in ast.walk(node):
            if "lineno" in one._attributes and not hasattr(one, "lineno"):
                one.lineno = one.end_lineno = line  # type: ignore[attr-defined]
                one.col_offset = one.end_col_offset = column  # type: ignore[attr-defined]
        return node


def _irrefutable(pattern: ast.pattern) -> bool:
    if isinstance(pattern, ast.MatchAs):
        return pattern.pattern is None or _irrefutable(pattern.pattern)
    return isinstance(pattern, ast.MatchOr) and any(map(_irrefutable, pattern.patterns))

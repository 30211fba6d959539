"""unittest's assertions as plain asserts, and test methods as functions."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Mapping, Sequence

_COMPARED: Mapping[str, type[ast.cmpop]] = {
    "assertEqual": ast.Eq,
    "assertEquals": ast.Eq,
    "assertListEqual": ast.Eq,
    "assertDictEqual": ast.Eq,
    "assertTupleEqual": ast.Eq,
    "assertSetEqual": ast.Eq,
    "assertSequenceEqual": ast.Eq,
    "assertMultiLineEqual": ast.Eq,
    "assertNotEqual": ast.NotEq,
    "assertIs": ast.Is,
    "assertIsNot": ast.IsNot,
    "assertIn": ast.In,
    "assertNotIn": ast.NotIn,
    "assertGreater": ast.Gt,
    "assertGreaterEqual": ast.GtE,
    "assertLess": ast.Lt,
    "assertLessEqual": ast.LtE,
}
_RAISING = frozenset({"assertRaises", "assertRaisesRegex"})
_OTHERS: Mapping[str, Callable[[Sequence[ast.expr]], ast.expr]] = {
    "assertTrue": lambda args: args[0],
    "assertFalse": lambda args: ast.UnaryOp(ast.Not(), args[0]),
    "assertIsNone": lambda args: ast.Compare(args[0], [ast.Is()], [ast.Constant(None)]),
    "assertIsNotNone": lambda args: ast.Compare(args[0], [ast.IsNot()], [ast.Constant(None)]),
    "assertIsInstance": lambda args: ast.Call(ast.Name("isinstance", ast.Load()), [args[0], args[1]], []),
    "assertAlmostEqual": lambda args: ast.Compare(
        args[0],
        [ast.Eq()],
        [ast.Call(ast.Attribute(ast.Name("pytest", ast.Load()), "approx", ast.Load()), [args[1]], [])],
    ),
}


def functions_of(definition: ast.ClassDef) -> list[ast.FunctionDef]:
    """The class's tests as functions, `setUp` in front of each. Tests that still need `self` are left out."""
    methods = [node for node in definition.body if isinstance(node, ast.FunctionDef)]
    set_up = [
        statement
        for method in methods
        if method.name in ("setUp", "setup_method", "setUpClass", "setup_class")
        for statement in method.body
    ]
    attributes = {
        target.attr
        for statement in set_up
        for part in ast.walk(statement)
        if isinstance(part, ast.Assign)
        for target in part.targets
        if isinstance(target, ast.Attribute) and _is_own(target)
    }
    found: list[ast.FunctionDef] = []
    for method in methods:
        if not method.name.startswith("test"):
            continue
        function = ast.FunctionDef(
            name=method.name if method.name.startswith("test_") else f"test_{method.name[4:]}",
            args=copy.deepcopy(method.args),
            body=[copy.deepcopy(statement) for statement in (*set_up, *method.body)],
            decorator_list=[copy.deepcopy(one) for one in method.decorator_list],
            lineno=1,
        )
        _Plain(attributes).visit(function)
        static = any(ast.unparse(one) in ("staticmethod", "classmethod") for one in method.decorator_list)
        if not static and function.args.args:
            function.args.args = function.args.args[1:]
        ast.fix_missing_locations(function)
        names = {part.id for part in ast.walk(function) if isinstance(part, ast.Name)}
        if not static and not names & {"self", "cls"}:
            found.append(function)
    return found


def _is_own(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ("self", "cls")
    )


class _Plain(ast.NodeTransformer):
    """Rewrites `self.assert...` and attributes that `setUp` made; what is rewritten loses its text."""

    def __init__(self, attributes: set[str]) -> None:
        self.attributes = attributes

    def visit(self, node: ast.AST) -> ast.AST:
        before = ast.dump(node)
        changed: ast.AST = super().visit(node)
        if hasattr(changed, "moa_text") and ast.dump(changed) != before:
            del changed.moa_text
        return changed

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        if _is_own(node) and node.attr in self.attributes:
            return ast.Name(node.attr, node.ctx)
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Expr(self, node: ast.Expr) -> ast.stmt:
        call = node.value
        if not (isinstance(call, ast.Call) and _is_own(call.func)):
            return self.generic_visit(node)  # type: ignore[return-value]
        name = call.func.attr  # type: ignore[attr-defined]
        args = [self.visit(argument) for argument in call.args]
        if name in _COMPARED and len(args) >= 2:
            return ast.Assert(ast.Compare(args[0], [_COMPARED[name]()], [args[1]]))  # type: ignore[list-item,arg-type]
        if (
            name in _OTHERS
            and args
            and (len(args) >= 2 or name not in ("assertIsInstance", "assertAlmostEqual"))
        ):
            return ast.Assert(_OTHERS[name](args))  # type: ignore[arg-type]
        if name in _RAISING and len(args) > (called := 1 + (name == "assertRaisesRegex")):
            body = ast.Expr(ast.Call(args[called], args[called + 1 :], call.keywords))  # type: ignore[arg-type]
            return ast.With([ast.withitem(_raises(name, args[:called]))], [body])  # type: ignore[arg-type]
        return self.generic_visit(node)  # type: ignore[return-value]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if _is_own(node.func) and node.func.attr in _RAISING and node.args:  # type: ignore[attr-defined]
            return _raises(node.func.attr, node.args)  # type: ignore[attr-defined]
        return node


def _raises(name: str, args: Sequence[ast.expr]) -> ast.Call:
    match = [ast.keyword("match", args[1])] if name == "assertRaisesRegex" and len(args) > 1 else []
    return ast.Call(ast.Attribute(ast.Name("pytest", ast.Load()), "raises", ast.Load()), [args[0]], match)

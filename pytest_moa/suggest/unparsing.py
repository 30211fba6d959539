"""Nodes as source, with strings as this project writes them."""

from __future__ import annotations

import ast
import copy

from pytest_moa.values import quoted


def unparsed(node: ast.AST) -> str:
    """Like `ast.unparse`, but strings are in double quotes, and what nobody sees in them is escaped."""
    return ast.unparse(ast.fix_missing_locations(_Quoted().visit(copy.deepcopy(node))))


class _Quoted(ast.NodeTransformer):
    """Puts names that read like literals where the literals are: a name is written as it is."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        match node.value:
            case str(text):
                return ast.Name(quoted(text), ast.Load())
            case bytes(data):
                written = repr(data)[1:]
                plain = written[0] == "'" and '"' not in written
                return ast.Name(f'b"{written[1:-1]}"' if plain else f"b{written}", ast.Load())
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        return node  # what stands in it is no literal of its own

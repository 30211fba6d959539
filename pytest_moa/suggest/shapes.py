"""A test without its constants: tests of one shape can be rows of one table.

What stands in the place of a constant is a slot. The call of the target itself is looked through: which of
its optional arguments are given may differ between the rows of a table, as may the error that is expected
and the text of its message.
"""

from __future__ import annotations

import ast
import copy
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_moa.candidate import Candidate
from pytest_moa.suggest.cases import inlined
from pytest_moa.suggest.naming import snake
from pytest_moa.suggest.unparsing import unparsed

#: Names of parameters by the name of what is called: a function, or a class for its constructor.
Signatures = Mapping[str, Sequence[str]]

#: How an argument of the target's call is called where its slot is among others, and the place for them.
ARGUMENT, ARGUMENTS = "argument ", "slot arguments"

#: Built-in types whose values are constants if their arguments are.
_BUILT_IN = frozenset({"bytearray", "bytes", "complex", "dict", "float", "frozenset", "list", "set", "tuple"})
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


@dataclass(frozen=True, slots=True)
class Slot:
    """A constant of a test, and how a column of such constants would be called."""

    source: str
    called: str
    outcome: bool  #: whether it is what is expected, not what is given


@dataclass(frozen=True, slots=True)
class Shape:
    """A test with slots for its constants.

    `template` has a name `slot KEY` for each. `key` is equal for tests that differ in slots alone, and
    `aimed` are the parameters of the target's call in order; `positional` those given by position.
    """

    template: ast.FunctionDef
    key: str
    slots: Mapping[str, Slot]
    aimed: tuple[str, ...]
    positional: frozenset[str]
    imports: Mapping[str, str]  #: statement by the name that it binds

    @property
    def given(self) -> tuple[tuple[str, str], ...]:
        """All that goes into the test, without what is expected of it."""
        return tuple((key, slot.source) for key, slot in sorted(self.slots.items()) if not slot.outcome)


def shape_of(candidate: Candidate, signatures: Signatures) -> Shape | None:
    """The shape of a test that is a plain function; None for any other."""
    try:
        body = ast.parse(candidate.source).body
    except SyntaxError:
        return None
    if len(body) != 1 or not isinstance(function := body[0], ast.FunctionDef) or function.decorator_list:
        return None
    function.body = inlined(function.body)
    target = _target_name(candidate.target)
    calls = [one for one in ast.walk(function) if isinstance(one, ast.Call) and _last(one.func) == target]
    plain = len(calls) == 1 and not any(isinstance(one, ast.Starred) for one in calls[0].args)
    plain = plain and all(one.arg is not None for one in calls[0].keywords)
    imports = _imported(candidate)
    found = _Slotted(calls[0] if plain else None, signatures, _constants(imports))
    template: ast.FunctionDef = found.visit(function)
    key = ast.dump(_renamed(template))
    if found.aimed and target not in signatures:
        key += f" {len(found.positional)} by position"
    return Shape(template, key, found.slots, tuple(found.aimed), frozenset(found.positional), imports)


def _target_name(target: str) -> str:
    parts = target.partition(":")[2].split(".")
    return parts[-2] if parts[-1] in ("__init__", "__new__") and len(parts) > 1 else parts[-1]


def _last(node: ast.expr) -> str:
    return ast.unparse(node).rpartition(".")[2]


@dataclass
class _Slotted(ast.NodeTransformer):
    """Puts a slot where a constant stands that could differ between tests."""

    call: ast.Call | None  #: that of the target
    signatures: Signatures
    constants: Collection[str]  #: names whose values, and what calling them gives, are constants
    slots: dict[str, Slot] = field(default_factory=dict)
    aimed: list[str] = field(default_factory=list)
    positional: set[str] = field(default_factory=set)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        callee = ast.unparse(node.func)
        last = callee.rpartition(".")[2]
        if callee == "pytest.raises":
            return self._raises(node)
        if last in ("setattr", "setenv", "setitem"):
            node.args[-1:] = [self._patched(node, one) for one in node.args[-1:]]
            return node
        node.func = self.visit(node.func)
        if node is self.call:
            return self._aimed(node)
        names = self.signatures.get(last, ())
        for index, argument in enumerate(node.args[:1] if callee == "isinstance" else node.args):
            node.args[index] = self._argument(argument, _called(names, index, len(node.args)))
        for keyword in node.keywords:
            keyword.value = self._argument(keyword.value, keyword.arg or "options")
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        node.left = self.visit(node.left)
        called = "expected"
        if isinstance(node.left, ast.Attribute):
            called = node.left.attr
        elif isinstance(node.left, ast.Call) and ast.unparse(node.left.func) in ("str", "len"):
            called = {"str": "message", "len": "length"}[ast.unparse(node.left.func)]
        if len(node.ops) == 1 and self._is_constant(node.comparators[0]):
            if isinstance(node.ops[0], ast.Is):
                node.ops = [ast.Eq()]  # rows can mix None with others; `written` decides
            node.comparators = [self._slot(node.comparators[0], called, outcome=True)]
            return node
        node.comparators = [self._outcome(one, called) for one in node.comparators]
        return node

    def _outcome(self, node: ast.expr, called: str) -> ast.expr:
        if isinstance(node, ast.Call) and _last(node.func) == "approx":
            node.args = [self._outcome(one, called) for one in node.args]
            return node
        if self._is_constant(node):
            return self._slot(node, called, outcome=True)
        changed: ast.expr = self.visit(node)
        return changed

    def _aimed(self, node: ast.Call) -> ast.expr:
        """The target's call: constant arguments are slots under the names of their parameters."""
        names = self.signatures.get(_last(node.func), ())
        given: dict[str, ast.expr] = {}
        for index, argument in enumerate(node.args):
            name = names[index] if index < len(names) else f"{index} by position"
            given[name] = argument
            self.positional.add(name)
        given.update((keyword.arg or "", keyword.value) for keyword in node.keywords)
        order = [*names, *sorted(name for name in given if name not in names)]
        self.aimed = order
        node.args, node.keywords = [], []
        for index, name in enumerate(order):
            if (value := given.get(name)) is None:
                continue
            if self._is_constant(value):
                called = _called((), index, len(given)) if "by position" in name else name
                self.slots[ARGUMENT + name] = Slot(unparsed(value), snake(called) or "value", outcome=False)
            else:
                node.keywords.append(ast.keyword(name, self.visit(value)))
        node.keywords.append(ast.keyword(None, ast.Name(ARGUMENTS, ast.Load())))
        return node

    def _raises(self, node: ast.Call) -> ast.expr:
        matches = [one for one in node.keywords if one.arg == "match"]
        if len(node.args) != 1 or len(matches) != len(node.keywords):
            return node
        match = matches[0].value if matches else ast.Constant(None)
        if not isinstance(node.args[0], ast.Name | ast.Attribute) or not self._is_constant(match):
            return node
        node.args = [self._slot(node.args[0], "error", outcome=True)]
        node.keywords = [ast.keyword("match", self._slot(match, "message", outcome=True))]
        return node

    def _patched(self, call: ast.Call, value: ast.expr) -> ast.expr:
        """What monkeypatch puts somewhere: a constant, or a function that gives one."""
        place = ast.unparse(call.args[0])
        called = "now" if "time" in place else "value"
        if isinstance(value, ast.Lambda) and not value.args.args and self._is_constant(value.body):
            value.body = self._slot(value.body, called)
            return value
        return self._argument(value, called)

    def _argument(self, node: ast.expr, called: str) -> ast.expr:
        if self._is_constant(node):
            return self._slot(node, called)
        changed: ast.expr = self.visit(node)
        return changed

    def _slot(self, node: ast.expr, called: str, *, outcome: bool = False) -> ast.expr:
        key = f"{len(self.slots) - len([one for one in self.slots if one.startswith(ARGUMENT)])}"
        self.slots[key] = Slot(unparsed(node), snake(called) or "value", outcome)
        return ast.Name(f"slot {key}", ast.Load())

    def _is_constant(self, node: ast.expr) -> bool:
        """Whether its value does not depend on the test or the code under test."""
        match node:
            case ast.Constant():
                return True
            case ast.Name(id=name):
                return name in self.constants
            case ast.Attribute(value=value):
                return self._is_constant(value)
            case ast.Call(func=func, args=args, keywords=keywords):
                known = isinstance(func, ast.Name) and func.id in _BUILT_IN
                parts = [*args, *(one.value for one in keywords)]
                return (known or self._is_constant(func)) and all(self._is_constant(one) for one in parts)
            case ast.List() | ast.Tuple() | ast.Set() | ast.Dict() | ast.UnaryOp() | ast.BinOp():
                parts = [one for one in ast.iter_child_nodes(node) if isinstance(one, ast.expr)]
                return all(self._is_constant(one) for one in parts)
        return False


def _called(names: Sequence[str], index: int, of: int) -> str:
    if index < len(names):
        return names[index]
    return "value" if of == 1 else _ORDINALS[min(index, 4)]


def _imported(candidate: Candidate) -> dict[str, str]:
    """What each import binds, and the statement that does."""
    found: dict[str, str] = {}
    for statement in candidate.imports:
        for node in ast.walk(ast.parse(statement)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                source = getattr(node, "module", "") or ""
                for alias in node.names:
                    found[alias.asname or alias.name.partition(".")[0]] = f"{source}:{alias.name}"
    return found


def _constants(imports: Mapping[str, str]) -> set[str]:
    """Imported names of the standard library: what a table may use outside of its test."""
    return {
        name
        for name, origin in imports.items()
        if (origin.partition(":")[0] or origin.partition(":")[2]).partition(".")[0] in sys.stdlib_module_names
    }


def _renamed(function: ast.FunctionDef) -> ast.FunctionDef:
    """The function with its own name and those of its variables replaced by numbers."""
    function = copy.deepcopy(function)
    function.name = "test"
    stored = [
        one.id for one in ast.walk(function) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    ]
    numbers = {name: f"variable {number}" for number, name in enumerate(dict.fromkeys(stored))}
    for one in ast.walk(function):
        if isinstance(one, ast.Name):
            one.id = numbers.get(one.id, one.id)
        if hasattr(one, "moa_text"):
            del one.moa_text
    return function

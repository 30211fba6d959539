"""What a function's source says about its arguments: how each is used, and which constants are near."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Use:
    """How a function's body uses one parameter."""

    attributes: set[str] = field(default_factory=set)  #: read or called on it
    called: int = -1  #: with how many arguments it is called; -1: it is not
    iterated: bool = False
    indexed: bool = False
    stored: bool = False  #: whether items of it are set or deleted
    entered: bool = False  #: whether it is used in a `with`
    keys: list[Any] = field(default_factory=list)  #: constants it is indexed with or asked for
    arithmetic: bool = False
    compared: list[Any] = field(default_factory=list)  #: constants it is compared with
    kinds: list[str] = field(default_factory=list)  #: dotted names of types in isinstance checks
    passed: list[tuple[str, int, str]] = field(default_factory=list)  #: (callee, position, keyword)
    element: Use | None = None  #: of what iterating over it gives
    result: Use | None = None  #: of what calling it gives


@dataclass(slots=True)
class Clues:
    """Of one function: its node, uses by parameter, constants in order of appearance."""

    node: FunctionNode
    uses: dict[str, Use]
    constants: list[Any]


def functions_in(tree: ast.Module) -> Iterator[tuple[str, FunctionNode]]:
    """All functions and methods with their qualnames, nested classes' too; not functions in functions."""

    def walk(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, FunctionNode]]:
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield prefix + node.name, node
            elif isinstance(node, ast.ClassDef):
                yield from walk(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, (ast.If, ast.Try)):
                yield from walk([*node.body, *node.orelse], prefix)

    return walk(tree.body, "")


def clues_of(tree: ast.Module) -> dict[str, Clues]:
    """Clues by qualname. The last definition of a name counts, as in Python."""
    functions = dict(functions_in(tree))
    found: dict[str, Clues] = {}
    for qualname, node in functions.items():
        uses = {one.arg: _use(one.arg, node) for one in _arguments(node)}
        owner, _, name = qualname.rpartition(".")
        if name == "__init__":
            own = [
                one for other, one in functions.items() if other.startswith(f"{owner}.") and one is not node
            ]
            note_kept(node, uses, own, own)
        found[qualname] = Clues(node, uses, constants_in(node))
    return found


def _arguments(node: FunctionNode) -> list[ast.arg]:
    given = node.args
    extra = [one for one in (given.vararg, given.kwarg) if one]
    return [*given.posonlyargs, *given.args, *given.kwonlyargs, *extra]


def constants_in(node: ast.AST) -> list[Any]:
    """Numbers, texts and bytes in a node, each once; none of docstrings, annotations and raised errors."""
    skipped = {id(part) for inner in ast.walk(node) for part in _not_code(inner)}
    found: dict[tuple[type, Any], None] = {}

    def visit(inner: ast.AST) -> None:
        if id(inner) in skipped or isinstance(inner, ast.Raise):
            return
        if (
            isinstance(inner, ast.UnaryOp)
            and isinstance(inner.op, ast.USub)
            and isinstance(inner.operand, ast.Constant)
        ):
            if isinstance(inner.operand.value, (int, float)):
                found[type(inner.operand.value), -inner.operand.value] = None
        elif isinstance(inner, ast.Constant) and type(inner.value) in (int, float, str, bytes):
            found[type(inner.value), inner.value] = None
        for child in ast.iter_child_nodes(inner):
            visit(child)

    visit(node)
    return [value for _, value in found]


def _not_code(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Module)) and node.body:
        first = node.body[0]
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
            yield first
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.returns:
        yield node.returns
    if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation:
        yield node.annotation


def _use(name: str, node: FunctionNode) -> Use:
    use = Use()
    note_in(node, {name}, use)
    note_result_in(node, {f"{name}()"}, use)
    return use


def note_kept(
    node: FunctionNode, uses: dict[str, Use], own: list[FunctionNode], where: list[FunctionNode]
) -> None:
    """A constructor's parameters are used where the attributes that keep them are: in these functions.

    `own` are the functions of its class, whose properties give attributes other names; to functions of
    other classes attributes with two underscores are unknown.
    """
    for inner in ast.walk(node):
        if not isinstance(inner, (ast.Assign, ast.AnnAssign)) or inner.value is None:
            continue
        targets = inner.targets if isinstance(inner, ast.Assign) else [inner.target]
        kept = {ast.unparse(one) for one in targets if isinstance(one, ast.Attribute)}
        given = {one.id for one in ast.walk(inner.value) if isinstance(one, ast.Name)} & uses.keys() - {
            "self"
        }
        if len(given) != 1 or not kept:
            continue
        use = uses[given.pop()]
        results = {f"{one}()" for one in kept}
        for other in own:
            gives = _property(other)
            kept |= {f"self.{other.name}"} if gives in kept else set()
            results |= {f"self.{other.name}"} if gives in results else set()
        for other in where:
            foreign = other not in own
            note_in(other, {one for one in kept if not (foreign and one.startswith("self.__"))}, use)
            note_result_in(
                other, {one for one in results if not (foreign and one.startswith("self.__"))}, use
            )


def _property(node: FunctionNode) -> str:
    """What a property returns, if that is one name, attribute or call of one; "" otherwise."""
    body = [
        one for one in node.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
    ]
    decorated = any(ast.unparse(one).endswith("property") for one in node.decorator_list)
    if not decorated or len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None:
        return ""
    return _spelled(body[0].value)


def note_in(node: FunctionNode, names: set[str], use: Use) -> None:
    """Note how a function uses what has one of these names there, or gets another one by assignment."""
    names = _with_others(node, names)
    for inner in ast.walk(node):
        _note(inner, names, use)


def note_result_in(node: FunctionNode, names: set[str], use: Use) -> None:
    """Note how a function uses what calls give: "name()" is the name of a call's result."""
    names = _with_others(node, names)
    result = use.result or Use()
    for inner in ast.walk(node):
        _note(inner, names, result)
    use.result = result if result != Use() else None


def _with_others(node: FunctionNode, names: set[str]) -> set[str]:
    """The names, and those that a function gives to the same: `value = text`."""
    names = set(names)
    for inner in ast.walk(node):
        if isinstance(inner, ast.Assign) and _is(inner.value, names):
            names |= {target.id for target in inner.targets if isinstance(target, ast.Name)}
    return names


def _spelled(node: ast.AST | None) -> str:
    """A name, an attribute of one, or a call of either, without its arguments."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=ast.Name(id=owner), attr=attr):
            return f"{owner}.{attr}"
        case ast.Call(func=ast.Name() | ast.Attribute() as func):
            called = _spelled(func)
            return f"{called}()" if called else ""
    return ""


def _is(node: ast.AST | None, names: set[str]) -> bool:
    return _spelled(node) in names


def _note(node: ast.AST, names: set[str], use: Use) -> None:
    match node:
        case ast.Attribute(value=value, attr=attr) if _is(value, names):
            use.attributes.add(attr)
        case ast.Call():
            _note_call(node, names, use)
        case ast.For(iter=items, target=target) | ast.comprehension(iter=items, target=target):
            _note_iteration(items, target, node, names, use)
        case ast.With(items=items) | ast.AsyncWith(items=items):
            use.entered = use.entered or any(_is(one.context_expr, names) for one in items)
        case ast.Subscript(value=value, slice=index) if _is(value, names):
            use.indexed = True
            use.stored = use.stored or not isinstance(node.ctx, ast.Load)
            if isinstance(index, ast.Constant):
                use.keys.append(index.value)
        case ast.BinOp(left=left, right=right) if _is(left, names) or _is(right, names):
            other = right if _is(left, names) else left
            text = isinstance(other, (ast.JoinedStr,)) or (
                isinstance(other, ast.Constant) and isinstance(other.value, (str, bytes))
            )
            if isinstance(node.op, ast.Mod) and isinstance(left, ast.Constant):
                return
            use.arithmetic = use.arithmetic or not text
            if text:
                use.compared.append(getattr(other, "value", "") if isinstance(other, ast.Constant) else "")
        case ast.Compare(left=left, comparators=others, ops=ops):
            _note_comparison([left, *others], ops, names, use)


def _note_call(node: ast.Call, names: set[str], use: Use) -> None:
    callee = ast.unparse(node.func)
    if _is(node.func, names):
        use.called = max(
            use.called, len(node.args) if not any(isinstance(one, ast.Starred) for one in node.args) else 1
        )
    for position, one in enumerate(node.args):
        if not _is(one, names):
            continue
        if callee == "isinstance" and position == 0 and len(node.args) == 2:
            kinds = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
            use.kinds.extend(ast.unparse(kind) for kind in kinds)
        else:
            use.passed.append((callee, position, ""))
    use.passed.extend((callee, -1, one.arg) for one in node.keywords if one.arg and _is(one.value, names))
    if isinstance(node.func, ast.Attribute) and _is(node.func.value, names) and node.args:
        first = node.args[0]
        if node.func.attr in ("get", "pop", "setdefault") and isinstance(first, ast.Constant):
            use.keys.append(first.value)
        elif isinstance(first, ast.Constant) and isinstance(first.value, (str, bytes)):
            use.compared.append(first.value)


def _note_iteration(items: ast.expr, target: ast.expr, node: ast.AST, names: set[str], use: Use) -> None:
    if isinstance(items, ast.Call) and ast.unparse(items.func) in (
        "enumerate",
        "reversed",
        "sorted",
        "iter",
        "list",
    ):
        items = items.args[0] if items.args else items
        target = target.elts[-1] if isinstance(target, ast.Tuple) and len(target.elts) == 2 else target
    if not _is(items, names):
        return
    use.iterated = True
    if isinstance(target, ast.Name) and isinstance(node, ast.For):
        use.element = use.element or Use()
        for inner in ast.walk(node):
            _note(inner, {target.id}, use.element)
    elif isinstance(target, ast.Tuple):
        use.element = use.element or Use()
        use.element.keys = [None] * len(target.elts)


def _note_comparison(operands: list[ast.expr], ops: list[ast.cmpop], names: set[str], use: Use) -> None:
    for left, op, right in zip(operands, ops, operands[1:], strict=False):
        for one, other in ((left, right), (right, left)):
            measured = (
                isinstance(one, ast.Call)
                and ast.unparse(one.func) == "len"
                and one.args
                and _is(one.args[0], names)
            )
            if measured:
                use.attributes.add("__len__")
            if not _is(one, names):
                continue
            if isinstance(op, (ast.In, ast.NotIn)) and other is right and one is left:
                values = other.elts if isinstance(other, (ast.Tuple, ast.List, ast.Set)) else [other]
                use.compared.extend(value.value for value in values if isinstance(value, ast.Constant))
            elif isinstance(op, (ast.In, ast.NotIn)):
                use.attributes.add("__contains__")
                if isinstance(other, ast.Constant):
                    use.keys.append(other.value)
            elif isinstance(other, ast.Constant):
                use.compared.append(other.value)
            elif isinstance(op, (ast.Lt, ast.LtE, ast.Gt, ast.GtE)):
                use.arithmetic = True


_SIMPLE_TYPES = {"str", "bytes", "int", "float", "bool", "list", "dict", "tuple", "set"}
_DOCUMENTED = re.compile(
    r"(?::param\s+|^\s*)(?P<name>\*{0,2}\w+)\s*(?:\((?P<kind>[^)]*)\)|:\s*(?P<numpy>[\w\[\], |]+)$)", re.M
)


def documented_kinds(docstring: str) -> dict[str, list[str]]:
    """Types that a docstring names for parameters: `value (int, float): ...` or `value : int`."""
    found: dict[str, list[str]] = {}
    for match in _DOCUMENTED.finditer(docstring):
        kinds = re.findall(r"\w+", match["kind"] or match["numpy"] or "")
        known = [{"string": "str", "integer": "int", "boolean": "bool"}.get(kind, kind) for kind in kinds]
        known = [kind for kind in known if kind in _SIMPLE_TYPES or kind == "None"]
        if known:
            found.setdefault(match["name"].lstrip("*"), known)
    return found

"""A short program as source, and the same program with its observations compiled in.

Statements are numbered in the order of their source, blocks' inner ones after their heads; the numbers
of one source are the same wherever it is instrumented.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

#: Names that instrumented programs call; the observer's methods.
SEEN, ARGUMENT, END = "__moa_seen", "__moa_argument", "__moa_end"


#: Statements under which chance and the clock stand still; `monkeypatch` is pytest's.
STILL = (
    "import random",
    "random.seed(1)",
    'monkeypatch.setattr("os.urandom", lambda size: bytes(size))',
    'monkeypatch.setattr("time.time", lambda: 1700000000.0)',
)


@dataclass(frozen=True, slots=True)
class Snippet:
    """A program that aims at the function `aim`, "module:qualname", with the names of `module`.

    `item` is the node id of the project's test whose body it is, or is made from; "" for others. `args`
    are names of fixtures and parameters then. `by` are the proposers.
    """

    source: str
    module: str
    aim: str
    by: tuple[str, ...]
    imports: tuple[str, ...] = ()
    item: str = ""
    code: str = ""  #: instrumented, if that is known already

    def instrumented(self) -> str:
        """Source that notes what it sees."""
        return self.code or ast.unparse(instrumented(ast.parse(self.source)))

    def to_json(self) -> dict[str, Any]:
        """What a job needs to run it."""
        return {"code": self.instrumented(), "imports": list(self.imports), "source": self.source}

    def with_source(self, source: str) -> Snippet:
        """Another program in its place."""
        return replace(self, source=source, code="")

    @property
    def is_still(self) -> bool:
        """Whether chance and the clock stand still in it already."""
        return STILL[1] in self.source or STILL[2] in self.source

    def stilled(self) -> Snippet:
        """The program with chance and the clock standing still."""
        return self.with_source("\n".join([*STILL, self.source]))

    @property
    def cost(self) -> int:
        """How much there is to read."""
        return len(self.source) + 20 * self.source.count("\n") + 4 * self.source.count("\\")


def numbered(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """Statements by their numbers; not those of functions and classes that are defined there."""
    return list(_walk(body))


def _walk(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for block in ("body", "orelse", "finalbody"):
            inner = getattr(node, block, None)
            if isinstance(inner, list):
                yield from _walk(inner)
        for handler in getattr(node, "handlers", ()):
            yield from _walk(handler.body)


def instrumented(tree: ast.Module) -> ast.Module:
    """The program, observed. Lines stay where they are only until it is unparsed."""
    tree = copy.deepcopy(tree)
    tree.body = observed(tree.body)
    return ast.fix_missing_locations(tree)


def observed(body: Sequence[ast.stmt]) -> list[ast.stmt]:
    """The statements of a program or of a function's body, observed."""
    numbers = {id(node): number for number, node in enumerate(numbered(body))}
    names = bound_names(body)
    inner = _Observed(numbers).block(body)
    if not names:
        return inner
    wanted = ast.Tuple([ast.Constant(name) for name in names], ast.Load())
    last = ast.Expr(_call(END, _call("locals"), wanted))
    if any(isinstance(node, ast.Return) for node in numbered(body)):
        return [ast.Try(inner, [], [], [last])]
    return [*inner, last]


def bound_names(body: Sequence[ast.stmt]) -> list[str]:
    """Variables that the statements bind, in order."""
    found: dict[str, None] = {}
    for node in numbered(body):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AnnAssign | ast.AugAssign | ast.For):
            targets = [node.target]
        elif isinstance(node, ast.With | ast.AsyncWith):
            targets = [one.optional_vars for one in node.items if one.optional_vars is not None]
        for target in targets:
            found.update((one.id, None) for one in ast.walk(target) if isinstance(one, ast.Name))
    return list(found)


def _call(name: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(ast.Name(name, ast.Load()), list(arguments), [])


class _Observed:
    """Rewrites statements; `numbers` by the ids of their nodes."""

    def __init__(self, numbers: Mapping[int, int]) -> None:
        self.numbers = numbers

    def block(self, body: Sequence[ast.stmt]) -> list[ast.stmt]:
        return [one for node in body for one in self.statement(node)]

    def statement(self, node: ast.stmt) -> list[ast.stmt]:
        number = self.numbers[id(node)]
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return [node]
        if isinstance(node, ast.Expr):
            if not isinstance(node.value, ast.Constant | ast.Yield | ast.YieldFrom):
                node.value = self.seen(number, self.watched(number, node.value), "value")
        elif isinstance(node, ast.Assign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
            assert node.value is not None
            node.value = self.seen(number, self.watched(number, node.value), "assigned")
        elif isinstance(node, ast.Return) and node.value is not None:
            node.value = self.seen(number, node.value, "value")
        elif isinstance(node, ast.Assert):
            return [ast.copy_location(ast.Expr(self.asserted(number, node.test)), node)]
        for block in ("body", "orelse", "finalbody"):
            if getattr(node, block, None):
                setattr(node, block, self.block(getattr(node, block)))
        for handler in getattr(node, "handlers", ()):
            handler.body = self.block(handler.body)
        if isinstance(node, ast.With) and (raises := raising_item(node)) is not None:
            if raises.optional_vars is None:
                raises.optional_vars = ast.Name(f"__moa_raised_{number}", ast.Store())
            if isinstance(raises.optional_vars, ast.Name):
                name = raises.optional_vars.id
                value = ast.Attribute(ast.Name(name, ast.Load()), "value", ast.Load())
                return [node, ast.Expr(self.seen(number, value, "raised"))]
        return [node]

    def asserted(self, number: int, test: ast.expr) -> ast.expr:
        if isinstance(test, ast.Compare) and len(test.ops) == 1:
            test.left = self.seen(number, self.watched(number, test.left), "left")
            if not isinstance(test.comparators[0], ast.Constant):
                test.comparators = [self.seen(number, test.comparators[0], "right")]
        return self.seen(number, test, "test")

    def watched(self, number: int, value: ast.expr) -> ast.expr:
        """A call whose arguments are displays: they are looked at again afterwards."""
        call = value.value if isinstance(value, ast.Await) else value
        if isinstance(call, ast.Call):
            for index, argument in enumerate(call.args):
                if isinstance(argument, ast.List | ast.Dict | ast.Set | ast.ListComp):
                    call.args[index] = _call(ARGUMENT, ast.Constant(number), ast.Constant(index), argument)
        return value

    def seen(self, number: int, value: ast.expr, part: str) -> ast.expr:
        if _tells_an_address(value):
            return value
        return ast.copy_location(_call(SEEN, ast.Constant(number), value, ast.Constant(part)), value)


def _tells_an_address(node: ast.expr) -> bool:
    """Whether its value may depend on where objects are in memory, so that no test can expect it."""
    return isinstance(node, ast.Call) and ast.unparse(node.func) in ("hash", "id")


def raising_item(node: ast.With) -> ast.withitem | None:
    """The `pytest.raises(...)` of a with statement."""
    for item in node.items:
        call = item.context_expr
        if isinstance(call, ast.Call) and ast.unparse(call.func) in ("pytest.raises", "raises"):
            return item
    return None


def line_to_number(source: str, line: int) -> int:
    """The number of the innermost statement of instrumented code that holds a line; -1 for none."""
    best = -1
    for number, node in enumerate(numbered(ast.parse(source).body)):
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            best = number
    return best

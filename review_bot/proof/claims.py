"""Findings that claim a behaviour, and the tests that tell whether it is so.

A chat reviewer may attach a call to a finding. What it claims of the call is read from its words: that it
raises, or that it returns a simple value. Two tests are made of that, one that holds where the claim does
and one that holds where it does not; which of them pass on which side is the verdict.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from moa_engine.ledger import Ledger
from review_bot.grouping import body_of

#: Claims of one review that are put to the test.
MOST_CLAIMS = 6

_EXCEPTION = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Exit|Interrupt|Iteration)\b")
#: How exceptions are called in words.
_IN_WORDS = {
    "division by zero": "ZeroDivisionError",
    "divides by zero": "ZeroDivisionError",
    "index out of range": "IndexError",
    "infinite recursion": "RecursionError",
}
_RAISES = re.compile(r"\b(?:rais|crash|fail|throw|error|exception|traceback|blow)", re.IGNORECASE)
_NOT = re.compile(
    r"\b(?:no longer|not|never|without|instead of|\w+n't|silently|swallow\w*)\b[^.;]{0,40}?"
    r"(?:rais|crash|fail|throw|error|exception)"
    r"|(?:error|exception)s?\b[^.;]{0,40}?(?:swallow|silen|ignor|lost|hidden)",
    re.IGNORECASE,
)
_RETURNS = re.compile(r"\b[Rr]eturns? `?(None|True|False|-?\d+(?:\.\d+)?|\[\]|\{\}|\(\)|''|\"\")(?!\w|\.\d)")


@dataclass(frozen=True, slots=True)
class Claim:
    """A call and what a finding says of it.

    `raises` are names of built-in exceptions, "Exception" where none is named; `returns` is a literal. With
    neither, the call can only show a difference.
    """

    item: str
    author: str
    function: str  #: "package.module:" and the function that is called, as far as known
    call: str
    raises: tuple[str, ...] = ()
    returns: str = ""

    @property
    def words(self) -> str:
        """What is claimed of the call."""
        return f"raises {' or '.join(self.raises)}" if self.raises else f"returns {self.returns}"

    def tests(self, names: Mapping[str, str]) -> tuple[str, str] | None:
        """Modules that pass where the claim holds, and where it does not; None if it claims no such thing.

        `names` says how each name of the function's module is imported.
        """
        tree = ast.parse(self.call)
        last = tree.body[-1]
        imports = [names[name] for name in sorted(_names_in(tree)) if name in names]
        if self.raises:
            expected = self.raises[0] if len(self.raises) == 1 else f"({', '.join(self.raises)})"
            holds = ["    with pytest.raises(" + expected + "):", *_indented(tree.body, 8)]
            return _module(["import pytest", *imports], holds), _module(imports, _indented(tree.body, 4))
        if not self.returns or not isinstance(last, ast.Expr):
            return None
        before = _indented(tree.body[:-1], 4)
        same, other = ("is", "is not") if self.returns in ("None", "True", "False") else ("==", "!=")
        called = ast.unparse(last)
        return (
            _module(imports, [*before, f"    assert ({called}) {same} {self.returns}"]),
            _module(imports, [*before, f"    assert ({called}) {other} {self.returns}"]),
        )


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a claim: True confirmed, False refuted, None undecided; and why, in words."""

    supports: bool | None
    text: str
    test: str = ""  #: passes on base, fails on head; "" where there is none


def judge(claim: Claim, holds: tuple[bool, bool], fails: tuple[bool, bool], other: str) -> Verdict:
    """From whether the claim's two tests passed on (base, head). `other` is the second test."""
    shown = f"`{' '.join(claim.call.split())}`"
    if holds[1] and fails[0]:
        return Verdict(True, f"{shown} {claim.words}, which it did not before the change", other)
    if holds[1] and holds[0]:
        return Verdict(None, f"{shown} {claim.words}, as it did before the change")
    if fails[1]:
        nothing = "nothing" if claim.raises else "something else"
        did = f"raises {nothing}" if claim.raises else f"returns {nothing}"
        return Verdict(False, f"{shown} {did}")
    return Verdict(None, f"{shown} could not be put to the test")


def claims_in(ledger: Ledger, module_of: Callable[[str], str | None]) -> list[Claim]:
    """The calls that findings attach, each once for each finding; `module_of` names a path's module."""
    found = []
    for item in ledger.items:
        body = body_of(item)
        module = module_of(body.path) if body.call else None
        if module is None or (call := plain_call(body.call, module)) is None:
            continue
        raises, returns = _claimed(f"{body.title}. {body.body}")
        function = f"{module}:{_called(call)}"
        found.append(Claim(item.id, item.author, function, call, raises, returns))
    return found[:MOST_CLAIMS]


def plain_call(source: str, module: str) -> str | None:
    """Python source of a call without the module's own name before its names; None if it is none."""
    text = source.strip().removeprefix(">>>").strip("` \n")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not any(isinstance(node, ast.Call) for node in ast.walk(tree)):
        return None
    bare = _Bare({module, module.rpartition(".")[2]}).visit(tree)
    return ast.unparse(ast.fix_missing_locations(bare))


class _Bare(ast.NodeTransformer):
    """Takes a module's name away from before its own names."""

    def __init__(self, names: set[str]) -> None:
        self.names = names

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if ast.unparse(node.value) in self.names:
            return ast.copy_location(ast.Name(node.attr, ast.Load()), node)
        return self.generic_visit(node)


def _claimed(text: str) -> tuple[tuple[str, ...], str]:
    """Exceptions that are claimed, or a value."""
    if _NOT.search(text):
        return (), ""
    named = [name for name in dict.fromkeys(_EXCEPTION.findall(text)) if _is_exception(name)]
    named = named or [name for words, name in _IN_WORDS.items() if words in text.lower()][:1]
    if named or _RAISES.search(text):
        return tuple(named) or ("Exception",), ""
    values = set(_RETURNS.findall(text))
    return (), values.pop() if len(values) == 1 else ""


def _is_exception(name: str) -> bool:
    known = getattr(builtins, name, None)
    return isinstance(known, type) and issubclass(known, BaseException)


def _called(call: str) -> str:
    """The function that is called last, such as "average" or "Parcel.price"."""
    calls = [node for node in ast.walk(ast.parse(call)) if isinstance(node, ast.Call)]
    return ast.unparse(calls[0].func) if calls else ""


def _names_in(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _indented(body: Sequence[ast.stmt], columns: int) -> list[str]:
    lines = "\n".join(ast.unparse(statement) for statement in body).split("\n")
    return [" " * columns + line for line in lines if line]


def _module(imports: Sequence[str], body: Sequence[str]) -> str:
    head = "\n".join(imports)
    return (
        f"{head}\n\n\ndef test_claim():\n" + "\n".join(body) + "\n"
        if head
        else ("def test_claim():\n" + "\n".join(body) + "\n")
    )

"""From a program and a difference to a plain pytest test that holds on base."""

from __future__ import annotations

import ast
import builtins
import copy
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_moa.proof.difference import NOT_RAISED, Difference
from pytest_moa.proof.snippet import SEEN, Snippet, bound_names, numbered, raising_item
from pytest_moa.search.program import variable_for
from pytest_moa.values import quoted

#: Seconds that a test allows where the other side never ends.
PATIENCE = 2
_SPECIAL = set("\\.^$*+?{}[]|()")
_ALARM = f"""
def too_slow(*_):
    pytest.fail("not done after {PATIENCE} seconds")
"""


#: Of pytest's, those that a written test may use.
FIXTURES = ("capsys", "recwarn", "monkeypatch")


class Unwritable(Exception):
    """No test can be written for this difference."""


@dataclass(slots=True)
class Written:
    """A test's parts: statements of its body, imports, and definitions before it."""

    body: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    support: str = ""


def at_error(snippet: Snippet, line: int) -> int:
    """The number of the statement that raised, by a line of the instrumented code."""
    lines = snippet.instrumented().splitlines()
    while 0 < line <= len(lines):
        found = re.search(rf"{SEEN}\((\d+),", lines[line - 1])
        if found:
            return int(found[1])
        line -= 1
    return 0


def body_of(snippet: Snippet, difference: Difference, base: Mapping[str, Any]) -> Written:
    """The statements of a test that asserts what base showed. Raises Unwritable."""
    tree = ast.parse(snippet.source)
    written = Written(imports=set(snippet.imports))
    error = base.get("error")
    if difference.differs in ("exception",) and error is not None:
        _raising(tree, at_error(snippet, error["line"]), error, difference, written)
    elif difference.differs == "output":
        _printing(tree, base, written)
    elif difference.differs == "warnings":
        _warning(tree, base, written)
    elif difference.fact is not None:
        _asserting(tree, difference.fact, written, must=difference.differs not in ("exception", "time"))
    else:
        written.body = [ast.unparse(tree)]
    if difference.differs == "time":
        _timed(written)
    return written


def module_of(snippet: Snippet, written: Written, names: Mapping[str, str]) -> str:
    """A whole test module. `names` says how each name of the snippet's module is imported."""
    hoist_imports(written)
    _lift_classes(written)
    body = "\n".join(written.body)
    tree = ast.parse(body + "\n" + written.support)
    known = set(bound_names(tree.body)) | _defined(tree)
    for statement in written.imports:
        known |= {(one.asname or one.name).partition(".")[0] for one in ast.parse(statement).body[0].names}  # type: ignore[attr-defined]
    for name in sorted({one.id for one in ast.walk(tree) if isinstance(one, ast.Name)} - known):
        if name in names:
            written.imports.add(names[name])
        elif name == "pytest":
            written.imports.add("import pytest")
        elif not hasattr(builtins, name) and name not in FIXTURES:
            raise Unwritable(f"{name} has no import")
    fixtures = [name for name in FIXTURES if re.search(rf"\b{name}\b", body)]
    used = {one.id for one in ast.walk(ast.parse(body + "\n" + written.support)) if isinstance(one, ast.Name)}
    imports = [one for one in written.imports if _brings(one) & used]
    heading = "\n".join(sorted(imports, key=lambda one: (one.startswith("from "), one)))
    test = f"def {name_of(snippet)}({', '.join(fixtures)}):\n{textwrap.indent(body, '    ')}"
    parts = [heading, written.support.strip("\n"), test]
    return "\n\n\n".join(part for part in parts if part) + "\n"


def hoist_imports(written: Written) -> None:
    """Imports among the statements belong to the top of the module."""
    kept = []
    for source in written.body:
        nodes = ast.parse(source).body
        if len(nodes) == 1 and isinstance(nodes[0], ast.Import | ast.ImportFrom):
            written.imports.add(source)
        else:
            kept.append(source)
    written.body = kept


def _lift_classes(written: Written) -> None:
    """Classes that the program begins with stand before the test."""
    while written.body and isinstance(ast.parse(written.body[0]).body[0], ast.ClassDef):
        written.support += f"\n\n{written.body.pop(0)}\n"


def _brings(statement: str) -> set[str]:
    node = ast.parse(statement).body[0]
    assert isinstance(node, ast.Import | ast.ImportFrom)
    return {(one.asname or one.name).partition(".")[0] for one in node.names}


def _defined(tree: ast.AST) -> set[str]:
    found = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
    found |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    found |= {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    return found | {node.name for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler) and node.name}


def name_of(snippet: Snippet) -> str:
    """A name for the test: what it aims at, and with what."""
    qualname = snippet.aim.partition(":")[2]
    owner, _, name = qualname.rpartition(".")
    subject = variable_for(name.strip("_") or name, ())
    if owner:
        subject = f"{variable_for(owner.rpartition('.')[2], ())}_{subject}"
    last = ast.parse(snippet.source).body[-1]
    call = next((node for node in ast.walk(last) if isinstance(node, ast.Call)), None)
    words: list[str] = []
    for argument in call.args[:2] if call is not None else ():
        if isinstance(argument, ast.Constant) and isinstance(argument.value, int | float | str | type(None)):
            text = str(argument.value)
            words += re.findall(r"[A-Za-z0-9]+", text)[:2] or (["empty"] if not text else ["text"])
        elif isinstance(argument, ast.List | ast.Dict | ast.Tuple):
            words.append(type(argument).__name__.lower())
    full = "_".join([subject.strip("_"), *(["of", *words] if words else [])]).lower()
    return "test_" + re.sub(r"\W+|_+", "_", full)[:60].strip("_")


def _asserting(tree: ast.Module, fact: Mapping[str, Any], written: Written, *, must: bool) -> None:
    """Keep the program up to the observation, and assert it; not `must`: it is enough to come there."""
    at, part, path = fact["at"], fact["part"], fact["path"]
    if at == -1:
        lines = [*map(ast.unparse, tree.body), _assertion(path, part, fact, written)]
        written.body = lines
        return
    node = numbered(tree.body)[at]
    try:
        new = _replaced(node, fact, written)
    except Unwritable:
        if must:
            raise
        new = [node]
    _exchange(tree, node, new)
    written.body = [ast.unparse(one) for one in tree.body[: _end_of(tree, new)]]


def _end_of(tree: ast.Module, new: Sequence[ast.stmt]) -> int:
    ids = {id(one) for one in new}
    found = [index for index, top in enumerate(tree.body) if ids & {id(one) for one in numbered([top])}]
    return max(found) + 1


def _exchange(tree: ast.AST, node: ast.stmt, new: list[ast.stmt]) -> None:
    for parent in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(parent, name, None)
            if isinstance(block, list):
                for index, one in enumerate(block):
                    if one is node:
                        block[index : index + 1] = new
                        return


def _replaced(node: ast.stmt, fact: Mapping[str, Any], written: Written) -> list[ast.stmt]:
    part, path = fact["part"], fact["path"]
    if part.startswith("argument "):
        return _with_argument(node, int(part.split()[1]), fact, written)
    if part == "value" and isinstance(node, ast.Expr | ast.Return):
        assert node.value is not None
        call = ast.unparse(node.value)
        subject = path.replace("{}", call) if path.count("{}") == 1 else ""
        line = _assertion(path, call, fact, written) if subject else ""
        if not line or len(line) > 100 or path not in ("{}",):
            line = f"result = {call}\n" + _assertion(path, "result", fact, written)
        return ast.parse(line).body
    if part == "assigned" and isinstance(node, ast.Assign | ast.AnnAssign):
        target = node.targets[0] if isinstance(node, ast.Assign) else node.target
        if isinstance(target, ast.Name):
            return [node, *ast.parse(_assertion(path, target.id, fact, written)).body]
        if isinstance(target, ast.Tuple) and all(isinstance(one, ast.Name) for one in target.elts):
            return [node, *ast.parse(_assertion(path, ast.unparse(target), fact, written)).body]
        raise Unwritable("several variables are bound at once")
    if part in ("left", "right") and isinstance(node, ast.Assert) and isinstance(node.test, ast.Compare):
        side = node.test.left if part == "left" else node.test.comparators[0]
        return ast.parse(_assertion(path, f"({ast.unparse(side)})", fact, written)).body
    if part == "test" and isinstance(node, ast.Assert):
        if fact["source"] == "True":
            return [node]
        if fact["source"] == "False":
            return ast.parse(f"assert not ({ast.unparse(node.test)})").body
        return ast.parse(_assertion(path, f"({ast.unparse(node.test)})", fact, written)).body
    if part == "raised" and isinstance(node, ast.With):
        item = node.items[0]
        if item.optional_vars is None:
            item.optional_vars = ast.Name("caught", ast.Store())
        name = ast.unparse(item.optional_vars)
        return [node, *ast.parse(_assertion(path, f"{name}.value", fact, written)).body]
    raise Unwritable(f"what was seen is no {part} of a {type(node).__name__}")


def _with_argument(node: ast.stmt, index: int, fact: Mapping[str, Any], written: Written) -> list[ast.stmt]:
    node = copy.deepcopy(node)
    value = getattr(node, "value", None)
    value = value.value if isinstance(value, ast.Await) else value
    if not isinstance(value, ast.Call):
        raise Unwritable("the call is not found")
    given = value.args[index]
    value.args[index] = ast.Name("given", ast.Load())
    before = ast.Assign([ast.Name("given", ast.Store())], given, lineno=node.lineno)
    after = ast.parse(_assertion(fact["path"], "given", fact, written)).body
    return [ast.fix_missing_locations(before), node, *after]


def _assertion(path: str, subject: str, fact: Mapping[str, Any], written: Written) -> str:
    source = fact["source"]
    if path.startswith("type("):
        kind = source.rpartition(".")[2]
        if not kind:
            raise Unwritable("a type has no name")
        return f'assert {path.replace("{}", subject)}.__name__ == "{kind}"'
    if not source:
        raise Unwritable("a value has no source")
    written.imports |= set(fact["imports"])
    looked = path.replace("{}", subject)
    if "islice(" in path:
        written.imports.add("from itertools import islice")
    if "asyncio.run(" in path:
        written.imports.add("import asyncio")
    if source in ("None", "True", "False"):
        return f"assert {looked} is {source}"
    if source == 'float("nan")':
        return f"assert {looked} != {looked}"
    if re.fullmatch(r"-?\d+\.\d+(e[-+]?\d+)?", source) and len(source) > 5:
        written.imports.add("import pytest")
        return f"assert {looked} == pytest.approx({source})"
    return f"assert {looked} == {source}"


def _raising(
    tree: ast.Module, at: int, error: Mapping[str, Any], difference: Difference, written: Written
) -> None:
    statements = numbered(tree.body)
    node = statements[min(at, len(statements) - 1)]
    if error["kind"] == NOT_RAISED and isinstance(node, ast.With) and raising_item(node) is not None:
        new = node.body  # on base nothing is raised there
        _exchange(tree, node, new)
        written.body = [ast.unparse(one) for one in tree.body[: _end_of(tree, new)]]
        return
    kind = _named(error["kind"], written)
    written.imports.add("import pytest")
    only_text = difference.head.partition(":")[0] == difference.base.partition(":")[0]
    message = error["message"] if only_text else ""
    plain = message and not _SPECIAL & set(message) and len(message) < 90 and message.isprintable()
    given = f", match={quoted(f'^{message}$')}" if plain else ""
    caught = " as caught" if message and not plain else ""
    inner = textwrap.indent(ast.unparse(node), "    ")
    lines = f"with pytest.raises({kind}{given}){caught}:\n{inner}"
    if caught:
        lines += f"\nassert str(caught.value) == {quoted(message)}"
    new = ast.parse(lines).body
    _exchange(tree, node, new)
    written.body = [ast.unparse(one) for one in tree.body[: _end_of(tree, new)]]


def _named(kind: str, written: Written) -> str:
    """The source for an exception's type, "module.qualname"."""
    if kind.startswith("builtins."):
        if not hasattr(builtins, kind.removeprefix("builtins.")):
            raise Unwritable("an exception's type cannot be imported")
        return kind.removeprefix("builtins.")
    module, _, name = kind.rpartition(".")
    if not module or "<" in kind or not name.isidentifier():
        raise Unwritable("an exception's type cannot be imported")
    written.imports.add(f"from {module} import {name}")
    return name


def _printing(tree: ast.Module, base: Mapping[str, Any], written: Written) -> None:
    written.body = [
        *map(ast.unparse, tree.body),
        f"assert capsys.readouterr().out == {quoted(base['output'])}",
    ]


def _warning(tree: ast.Module, base: Mapping[str, Any], written: Written) -> None:
    told = [one.partition(": ")[2] for one in base["warned"]]
    written.imports.add("import warnings")
    inner = textwrap.indent("\n".join(map(ast.unparse, tree.body)), "    ")
    written.body = [
        "with warnings.catch_warnings(record=True) as caught:",
        '    warnings.simplefilter("always")',
        inner,
        f"assert [str(one.message) for one in caught] == {told!r}",
    ]


def _timed(written: Written) -> None:
    written.imports |= {"import signal", "import pytest"}
    written.support = _ALARM + written.support
    written.body = [
        "signal.signal(signal.SIGALRM, too_slow)",
        f"signal.alarm({PATIENCE})",
        *written.body,
        "signal.alarm(0)",
    ]

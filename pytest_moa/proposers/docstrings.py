"""Examples in a target's docstring, with the results that the documentation promises.

These are not observed but claimed: one that fails speaks of a bug, or of documentation that is wrong.
"""

from __future__ import annotations

import ast
import doctest
from collections.abc import Iterator

from pytest_moa.proposers.proposer import Search
from pytest_moa.suggest.brief import Brief
from pytest_moa.suggest.needs import Home, bound_names
from pytest_moa.suggest.splitting import Wanted, split


def propose(search: Search) -> None:
    """A test for each example whose result is a literal, or an exception."""
    brief = search.subject.brief(search.target)
    home = Home(brief.target.module, frozenset(brief.module_names))
    wanted = [Wanted(brief.id, brief.target.qualname)]
    for candidate in split("\n\n\n".join(tests_of(brief)), wanted, home):
        search.found(candidate)


def tests_of(brief: Brief) -> Iterator[str]:
    """Sources of test functions, one an example."""
    try:
        examples = doctest.DocTestParser().get_examples(_docstring(brief.source))
    except ValueError:
        return
    before: list[str] = []
    bound: set[str] = set()
    for number, example in enumerate(examples, 1):
        source = example.source.rstrip()
        try:
            node = ast.parse(source).body[0]
        except (SyntaxError, IndexError):
            return
        if example.options.get(doctest.SKIP):
            continue
        source = (ast.get_source_segment(source, node) or source) if isinstance(node, ast.Expr) else source
        if not isinstance(node, ast.Expr):
            before.append(source)
            bound |= bound_names([node])
            continue
        checks = _checks(source, example)
        if checks:
            lines = [line for text in [*before, *checks] for line in text.splitlines()]
            yield f"def test_documented_example_{number}():\n" + "\n".join(f"    {line}" for line in lines)
        read = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if isinstance(node.value, ast.Call) and read & bound:
            before.append(source)  # it may change an object that later examples look at


def _checks(source: str, example: doctest.Example) -> list[str]:
    if example.exc_msg is not None:
        name = example.exc_msg.partition(":")[0].strip().rpartition(".")[2]
        return [f"with pytest.raises({name}):", f"    {source}"] if name.isidentifier() else []
    wanted = example.want.strip()
    try:
        value = ast.literal_eval(wanted)
    except (ValueError, SyntaxError):
        return []
    simple = isinstance(
        ast.parse(source, mode="eval").body, ast.Call | ast.Attribute | ast.Subscript | ast.Name
    )
    source = source if simple else f"({source})"  # or a comparison would become a chain
    same = "is" if value is None or isinstance(value, bool) else "=="
    return [f"assert {source} {same} {wanted}"]


def _docstring(source: str) -> str:
    try:
        node = ast.parse(source).body[0]
    except (SyntaxError, IndexError):
        return ""
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return ""
    return ast.get_docstring(node) or ""

"""What both versions of a changed function say about inputs for it."""

from __future__ import annotations

import ast
import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeGuard

from pytest_moa.proof.amplifying import Amplifier
from pytest_moa.proof.changes import ChangedFunction, ModuleSource
from pytest_moa.proof.normal import statements
from pytest_moa.search.clues import constants_in

Sources = Mapping[str, tuple[ModuleSource | None, ModuleSource | None]]


def amplifier_for(
    function: ChangedFunction,
    sources: Sources,
    rng: random.Random,
    programs: Sequence[str],
    names: Collection[str] = (),
) -> Amplifier:
    """What makes programs near to those that are searching for a difference in it."""
    constants = constants_of(function, sources)
    return Amplifier(
        rng,
        constants,
        keywords_of(function, sources),
        function.words,
        programs,
        names,
        signatures_of(sources),
        _of_changed_statements(function, sources, constants),
    )


def _of_changed_statements(
    function: ChangedFunction, sources: Sources, constants: Sequence[Any]
) -> list[Any]:
    """The constants that are in statements of one side only."""
    sides = [
        {text for text, _ in statements(side.functions[function.qualname])}
        if side is not None and function.qualname in side.functions
        else set()
        for side in sources.get(function.module, ())
    ]
    differing = " ".join(text for side in sides for text in side if any(text not in one for one in sides))
    return [one for one in constants if f"Constant(value={one!r})" in differing]


def signatures_of(sources: Sources) -> dict[str, dict[str, str]]:
    """Keywords of functions and classes of the changed modules with the source of their defaults."""
    found: dict[str, dict[str, str]] = {}
    for sides in sources.values():
        for side in sides:
            for qualname, node in side.functions.items() if side is not None else ():
                owner, _, name = qualname.rpartition(".")
                callee = owner.rpartition(".")[2] if name == "__init__" else name
                given = node.args
                plain = [*given.posonlyargs, *given.args]
                count = len(plain) - len(given.defaults)
                defaults = [*([None] * count), *given.defaults, *given.kw_defaults]
                for one, default in zip([*plain, *given.kwonlyargs], defaults, strict=True):
                    if one not in given.posonlyargs and one.arg not in ("self", "cls"):
                        written = ast.unparse(default) if default is not None else ""
                        found.setdefault(callee, {})[one.arg] = written
    return found


def constants_of(function: ChangedFunction, sources: Sources) -> list[Any]:
    """Constants of both versions of the changed code, and of what it names of its module."""
    found: dict[tuple[type, Any], None] = {}
    for side in sources.get(function.module, ()):
        node: Any = None
        if side is not None:
            node = side.functions.get(function.qualname) or side.classes.get(function.qualname)
        if side is not None and node is not None:
            named = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
            values = [one.value for one in side.tree.body if _binds(one, named) and one.value is not None]
            for part in (node, *values):
                found.update(((type(one), one), None) for one in constants_in(part))
    return [value for _, value in found]


def _binds(node: ast.stmt, names: Collection[str]) -> TypeGuard[ast.Assign | ast.AnnAssign]:
    """Whether a statement of the module assigns one of these names."""
    if isinstance(node, ast.Assign):
        return any(isinstance(one, ast.Name) and one.id in names for one in node.targets)
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id in names


def keywords_of(function: ChangedFunction, sources: Sources) -> list[str]:
    """Names of parameters of the changed function, of its class's constructor, and of its entries."""
    found: dict[str, None] = {}
    for side in sources.get(function.module, ()):
        if side is None:
            continue
        owner = function.qualname.rpartition(".")[0]
        names = [function.qualname, f"{owner}.__init__", f"{function.qualname}.__init__"]
        names += [entry.qualname for entry in function.entries if entry.module == function.module]
        names += [f"{entry.qualname}.__init__" for entry in function.entries]
        for name in names:
            node = side.functions.get(name)
            if node is None:
                continue
            given = node.args
            found.update((one.arg, None) for one in (*given.args, *given.kwonlyargs))
    return [name for name in found if name not in ("self", "cls")]

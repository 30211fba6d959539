"""Which functions of a module may already run while it is imported.

Another version of such a function also changes what the import made: a table built by it, what it
decorated. They are found by their names, and rather too many than too few: functions that are called in
code that runs at import, and those that they call in turn.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

from pytest_moa.code.definitions import FunctionNode, functions_in, qualname_of

#: Called by what makes classes, without a call that names them.
CLASS_HOOKS = frozenset({"__init_subclass__", "__set_name__", "__class_getitem__", "__prepare__"})

#: Bases whose classes make instances of themselves in their own body.
ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})

#: Foreign functions that call at once what they are given.
CALLERS = frozenset({"filter", "map", "max", "min", "next", "reduce", "sorted", "starmap"})


def run_at_import(tree: ast.Module, called: Iterable[str] | None = None) -> frozenset[str]:
    """Qualnames of the functions that may run during the import of that module.

    With `called`, instead: those that may run when what has these names is called from outside.
    """
    nodes: dict[str, list[FunctionNode]] = {}
    by_name: dict[str, set[str]] = {}
    for node, around in functions_in(tree):
        qualname = qualname_of(node.name, around)
        nodes.setdefault(qualname, []).append(node)
        by_name.setdefault(node.name, set()).add(qualname)
        if around and node.name.startswith("__"):  # whoever makes an instance may call its special methods
            by_name.setdefault(around[-1].name, set()).add(qualname)
    callers = CALLERS | {node.name for found in nodes.values() for node in found if _calls_parameters(node)}
    modules = _imported_modules(tree)
    if called is not None:
        names = set(called)
    else:
        names = _called(tree.body, modules, callers) | CLASS_HOOKS | _classes_that_act(tree)
    found: set[str] = set()
    while names:
        fresh = {qualname for name in names for qualname in by_name.get(name, ())} - found
        found |= fresh
        names = set()
        for qualname in fresh:
            for node in nodes[qualname]:
                inside = _called(node.body, modules, callers)
                names |= inside - _own_names(node)
                if "cls" in inside and "." in qualname:
                    names.add(qualname.split(".")[-2])
    return frozenset(found)


def at_import(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of code that runs when these do: class bodies, decorators, defaults, no function's body."""
    for node in nodes:
        if is_main(node):
            continue
        yield node
        if isinstance(node, FunctionNode | ast.Lambda):
            defaults = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
            yield from at_import([*getattr(node, "decorator_list", ()), *defaults])
        else:
            yield from at_import(ast.iter_child_nodes(node))


def _called(statements: Iterable[ast.AST], modules: set[str], callers: frozenset[str]) -> set[str]:
    """Names of what these statements call, or hand over to what calls it."""
    names: set[str] = set()
    local: dict[str, FunctionNode] = {}
    for node in at_import(statements):
        if isinstance(node, ast.Call):
            called = _name(node.func, modules)
            names.add(called)
            if called in callers:
                given = [*node.args, *(one.value for one in node.keywords)]
                names |= {_name(one, modules) for one in given}
                inside = [one.body for one in given if isinstance(one, ast.Lambda)]
                names |= _called(inside, modules, callers)
        elif isinstance(node, FunctionNode | ast.ClassDef):
            decorators = {_name(one, modules) for one in node.decorator_list}
            names |= decorators
            if decorators & callers:
                names.add(node.name)
            if isinstance(node, FunctionNode):
                local[node.name] = node
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            names.add(_name(node, modules))  # a property
    for name, inner in local.items():
        if name in names:
            names |= _called(inner.body, modules, callers) - _own_names(inner)
    return names


def _name(node: ast.expr, modules: set[str]) -> str:
    """The last part of how something is referred to; "" for what is of another module."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call):
        return _name(node.func, modules)
    if not isinstance(node, ast.Attribute):
        return ""
    base: ast.expr = node.value
    while isinstance(base, ast.Attribute):
        base = base.value
    return "" if isinstance(base, ast.Name) and base.id in modules else node.attr


def _own_names(node: FunctionNode) -> set[str]:
    """A function's parameters: what it calls by such a name is not what the module has."""
    arguments = node.args
    named = [
        *arguments.posonlyargs,
        *arguments.args,
        *arguments.kwonlyargs,
        arguments.vararg,
        arguments.kwarg,
    ]
    return {one.arg for one in named if one is not None}


def _calls_parameters(node: FunctionNode) -> bool:
    own = _own_names(node) - {"self", "cls"}
    return any(
        isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in own
        for one in at_import(node.body)
    )


def is_main(node: ast.AST) -> bool:
    """Whether it is the block that only runs when the module is the program."""
    return isinstance(node, ast.If) and ast.unparse(node.test).startswith("__name__ ")


def _imported_modules(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
    }


def _classes_that_act(tree: ast.Module) -> set[str]:
    """Classes that act when classes are made: metaclasses, and enumerations, which make their members."""
    names: set[str] = set()
    for node in at_import(tree.body):
        if isinstance(node, ast.ClassDef):
            names |= {one.value.id for one in node.keywords if isinstance(one.value, ast.Name)}
            if {ast.unparse(one).rpartition(".")[2] for one in node.bases} & ENUMS:
                names.add(node.name)
    return names

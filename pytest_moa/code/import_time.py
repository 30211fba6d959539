"""Which functions of a module may already run while it is imported.

Another version of such a function also changes what the import made: a table built by it, what it
decorated. Found by names, generously: what is called or handed over in code that runs at import, and what
those functions call in turn.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence

from pytest_moa.code.definitions import FunctionNode, functions_in, qualname_of

#: Called by what makes classes, without a call that names them.
CLASS_HOOKS = frozenset({"__init_subclass__", "__set_name__", "__class_getitem__", "__prepare__"})

#: Bases whose classes make instances of themselves in their own body.
ENUMS = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"})


def run_at_import(tree: ast.Module) -> frozenset[str]:
    """Qualnames of the functions that may run during the import of that module."""
    by_name: dict[str, set[str]] = {}
    bodies: dict[str, list[FunctionNode]] = {}
    classes: dict[str, set[str]] = {}
    for node, around in functions_in(tree):
        qualname = qualname_of(node.name, around)
        bodies.setdefault(qualname, []).append(node)
        by_name.setdefault(node.name, set()).add(qualname)
        if around and node.name.startswith("__"):
            classes.setdefault(around[-1].name, set()).add(qualname)
    modules = _imported_modules(tree)
    found: set[str] = set()
    names = _used(tree.body, modules, definitions=True) | CLASS_HOOKS | _made_by_classes(tree)
    while names:
        called = {one for name in names for one in (*by_name.get(name, ()), *classes.get(name, ()))}
        fresh = called - found
        found |= fresh
        names = {
            name
            for qualname in fresh
            for node in bodies[qualname]
            for name in _used(node.body, modules, definitions=False)
        }
    return frozenset(found)


def _used(statements: Sequence[ast.AST], modules: set[str], *, definitions: bool) -> set[str]:
    """Names that are called, or handed over to what is called."""
    walk = at_import(statements) if definitions else (n for one in statements for n in ast.walk(one))
    names: set[str] = set()
    for node in walk:
        if isinstance(node, ast.Call):
            names |= _names([node.func], modules)
            names |= _names([*node.args, *(one.value for one in node.keywords)], modules)
        elif isinstance(node, FunctionNode | ast.ClassDef):
            names |= _names(node.decorator_list, modules)
    return names


def at_import(statements: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """All nodes of code that runs at import: class bodies, decorators, defaults, but no function's body."""
    for node in statements:
        yield node
        if isinstance(node, FunctionNode):
            defaults = [*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None)]
            yield from at_import([*node.decorator_list, *defaults])
        elif isinstance(node, ast.Lambda):
            continue
        else:
            yield from at_import(ast.iter_child_nodes(node))


def _names(nodes: Iterable[ast.expr], modules: set[str]) -> set[str]:
    """What these expressions refer to by name, other modules' attributes left out."""
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            base: ast.expr = node.value
            while isinstance(base, ast.Attribute):
                base = base.value
            if not (isinstance(base, ast.Name) and base.id in modules):
                names.add(node.attr)
        elif isinstance(node, ast.Call):
            names |= _names([node.func], modules)
        elif isinstance(node, ast.List | ast.Tuple | ast.Set):
            names |= _names(node.elts, modules)
        elif isinstance(node, ast.Dict):
            names |= _names(node.values, modules)
        elif isinstance(node, ast.Starred):
            names |= _names([node.value], modules)
    return names


def _imported_modules(tree: ast.Module) -> set[str]:
    return {
        alias.asname or alias.name.partition(".")[0]
        for node in tree.body
        if isinstance(node, ast.Import)
        for alias in node.names
    }


def _made_by_classes(tree: ast.Module) -> set[str]:
    """Classes that act when classes are made: metaclasses, and enumerations, which make their members."""
    names: set[str] = set()
    for node in at_import(tree.body):
        if isinstance(node, ast.ClassDef):
            names |= {one.value.id for one in node.keywords if isinstance(one.value, ast.Name)}
            if {ast.unparse(one).rpartition(".")[2] for one in node.bases} & ENUMS:
                names.add(node.name)
    return names

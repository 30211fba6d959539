"""Whether a module can be executed a second time in a process without leaving traces outside itself."""

from __future__ import annotations

import ast
from types import ModuleType

from pytest_moa.code.import_time import at_import

#: Decorators of other modules that only make something of what they decorate.
PURE_DECORATORS = frozenset(
    {
        *("abstractmethod", "asynccontextmanager", "attributes", "attrs", "cache", "cached_property"),
        *("classmethod", "contextmanager", "dataclass", "dataclass_transform", "define", "deprecated"),
        *("final", "frozen", "lru_cache", "mutable", "no_type_check", "overload", "override", "property"),
        *("runtime_checkable", "s", "singledispatch", "singledispatchmethod", "staticmethod"),
        *("total_ordering", "unique", "validator", "wraps"),
    }
)

#: Metaclasses that keep no list of their classes.
PURE_METACLASSES = frozenset({"type", "ABCMeta", "EnumType", "EnumMeta", "_ProtocolMeta"})

#: Modules whose `__init_subclass__` keeps no list of the classes.
PURE_HOOKS = frozenset({"abc", "builtins", "collections.abc", "enum", "typing", "typing_extensions"})


def is_repeatable(tree: ast.Module, module: ModuleType) -> bool:
    """Whether executing that source once more in the module changes nothing but the module.

    Refused are decorators and statements that may register something elsewhere, and classes whose
    metaclass or base may keep a list of them. What functions do is not looked at.
    """
    own = _own_names(tree)
    return all(_is_pure(node, own) for node in at_import(tree.body)) and all(
        _is_plain(value, module) for value in vars(module).values() if isinstance(value, type)
    )


def _own_names(tree: ast.Module) -> set[str]:
    """What the module and its classes define themselves."""
    names: set[str] = set()
    for node in at_import(tree.body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _is_pure(node: ast.AST, own: set[str]) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return all(_base(one) in own or _last(one) in PURE_DECORATORS for one in node.decorator_list)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return _base(node.value) in own
    if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load):
        return _base(node) in own
    return True


def _is_plain(value: type, module: ModuleType) -> bool:
    if value.__module__ != module.__name__:
        return True
    metaclass = type(value)
    if metaclass.__module__ != module.__name__ and metaclass.__name__ not in PURE_METACLASSES:
        return False
    hooks = [one for one in value.__mro__[1:] if "__init_subclass__" in vars(one)]
    return all(one.__module__ in {*PURE_HOOKS, module.__name__} for one in hooks)


def _base(node: ast.expr) -> str:
    """The name that an expression starts with."""
    while not isinstance(node, ast.Name):
        if isinstance(node, ast.Call):
            node = node.func
        elif isinstance(node, ast.Attribute | ast.Subscript):
            node = node.value
        else:
            return ""
    return node.id


def _last(node: ast.expr) -> str:
    node = node.func if isinstance(node, ast.Call) else node
    return node.attr if isinstance(node, ast.Attribute) else _base(node)

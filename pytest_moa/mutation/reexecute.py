"""Execute a module's mutated source in the module that is there, and let everybody have what it made."""

from __future__ import annotations

import ast
import sys
import warnings
from collections.abc import Mapping
from types import FunctionType, ModuleType
from typing import Any

from pytest_moa.code.live import modules
from pytest_moa.mutation.dependents import Dependents
from pytest_moa.mutation.repeatable import is_repeatable

#: Values that are equal wherever they come from: two modules may have the same object by chance.
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...))

#: What the import system gives a module before its code runs.
GIVEN = frozenset(
    {"__name__", "__doc__", "__package__", "__loader__", "__spec__", "__file__", "__cached__", "__path__"}
)


def can_reexecute(source: str, module: ModuleType, dependents: Dependents) -> bool:
    """Whether executing the module once more may be enough, whatever the mutant.

    It is not when code of others that ran at import used its classes, or when executing it twice leaves
    traces elsewhere.
    """
    names = vars(module)
    if sys.modules.get(module.__name__) is not module or dependents.called & names.keys():
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        repeatable = is_repeatable(ast.parse(source), module)
    return repeatable and all(_can_be_held(names.get(name)) for name in dependents.used)


def reexecute(mutated: str, module: ModuleType, dependents: Dependents) -> bool:
    """Let the module, of which `can_reexecute` is true, be as if `mutated` had been imported instead.

    The code runs in the module's own namespace, emptied, as it does in an import. What other modules hold
    of it is exchanged there. False, with the module as it was, where that is not enough: when a value that
    code of others used at import is another now, or when it raises.
    """
    namespace = vars(module)
    before = dict(namespace)
    held = {name: before.get(name) for name in dependents.used}
    if not _executed(mutated, module):
        return False
    after = dict(namespace)
    if not all(_is_as_good(old, after.get(name)) for name, old in held.items()):
        _restore(namespace, before)
        return False
    _exchange(module, before, after, dependents)
    return True


def _can_be_held(value: Any) -> bool:
    """Whether it may be enough for somebody who took the value at import to keep it."""
    return isinstance(value, FunctionType) or _is_data(value)


def _is_data(value: Any) -> bool:
    if type(value) in {tuple, list, set, frozenset}:
        return all(map(_is_data, value))
    if type(value) is dict:
        return all(map(_is_data, value)) and all(map(_is_data, value.values()))
    return type(value) in PLAIN


def _is_as_good(old: Any, new: Any) -> bool:
    """Whether the old value is equal to the new one, or can be made to act like it."""
    if isinstance(old, FunctionType):
        return isinstance(new, FunctionType) and not old.__closure__ and not new.__closure__
    return type(old) is type(new) and _is_data(new) and bool(old == new)


def _executed(mutated: str, module: ModuleType) -> bool:
    namespace = vars(module)
    before = dict(namespace)
    for name in before.keys() - GIVEN - {"__builtins__"}:
        del namespace[name]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(mutated, module.__file__ or "<mutant>", "exec", dont_inherit=True)
        exec(code, namespace)  # noqa: S102 - the user's own module, once more
    except BaseException:  # the importing process will see the same, with its own name
        _restore(namespace, before)
        return False
    for name, value in before.items():  # submodules that the import system has put there
        if isinstance(value, ModuleType) and value.__name__ == f"{module.__name__}.{name}":
            namespace.setdefault(name, value)
    return True


def _restore(namespace: dict[str, Any], before: Mapping[str, Any]) -> None:
    namespace.clear()
    namespace.update(before)


def _exchange(
    module: ModuleType, before: Mapping[str, Any], after: Mapping[str, Any], dependents: Dependents
) -> None:
    """Give everybody the new objects. Old functions run the new code, whoever still holds them."""
    new: dict[int, Any] = {}
    for name, old in before.items():
        if name not in after or name in GIVEN or old is after[name]:
            continue
        if not isinstance(old, PLAIN):
            new[id(old)] = after[name]
        if isinstance(old, FunctionType) and _is_as_good(old, after[name]):
            function = after[name]
            old.__code__ = function.__code__
            old.__defaults__, old.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    for other, alias, name in dependents.aliases:
        if alias in vars(other) and name in before and vars(other)[alias] is before[name]:
            vars(other)[alias] = after.get(name)
    for other in modules():
        if other is module:
            continue
        for alias, value in list(vars(other).items()):
            if id(value) in new:
                vars(other)[alias] = new[id(value)]

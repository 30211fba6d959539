"""How a function is called from outside: by which name, on what, with which parameters."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

from pytest_moa.code import definitions_of, live_function

Kind = Literal["function", "method", "class", "static", "property", "constructor"]


@dataclass(frozen=True, slots=True)
class Signature:
    """One function or method. `parameters` are without the one that is bound."""

    kind: Kind
    qualname: str
    statement: str  #: the import that brings its first name
    parameters: tuple[inspect.Parameter, ...]
    bound: str = ""  #: the parameter that holds the object or class
    owner: type | None = None

    def written(self, receiver: str, arguments: Mapping[str, str]) -> str:
        """A call as source, positional where it can be; "*args" and "**more" hold a tuple and a dict."""
        owner, _, name = self.qualname.rpartition(".")
        callee = owner if self.kind == "constructor" else f"{receiver or owner}.{name}".lstrip(".")
        if self.kind == "property":
            return callee
        parts: list[str] = []
        by_name = False
        for parameter in self.parameters:
            source = arguments.get(parameter.name)
            if parameter.kind is parameter.VAR_POSITIONAL:
                parts += [f"*{arguments[f'*{parameter.name}']}"] if f"*{parameter.name}" in arguments else []
                by_name = True
            elif parameter.kind is parameter.VAR_KEYWORD:
                parts += (
                    [f"**{arguments[f'**{parameter.name}']}"] if f"**{parameter.name}" in arguments else []
                )
            elif source is None:
                by_name = True
            else:
                by_name = by_name or parameter.kind is parameter.KEYWORD_ONLY
                parts.append(f"{parameter.name}={source}" if by_name else source)
        return f"{callee}({', '.join(parts)})"


def signature_of(module: ModuleType, source: str, qualname: str) -> Signature | None:
    """The signature of a module's function; None for what cannot be called from outside."""
    definition = definitions_of(source).main(qualname)
    function = live_function(module, definition) if definition else None
    if function is None:
        return None
    parameters = tuple(inspect.signature(function, follow_wrapped=False).parameters.values())
    statement = f"from {module.__name__} import {qualname.split('.')[0]}"
    *classes, name = qualname.split(".")
    owner: Any = module
    for part in classes:
        owner = vars(owner).get(part)
        if not isinstance(owner, type):
            return None
    kind: Kind = _kind(owner, name) if classes else "function"
    if kind in ("function", "static"):
        return Signature(kind, qualname, statement, parameters, owner=owner if classes else None)
    if not parameters:
        return None
    return Signature(kind, qualname, statement, parameters[1:], parameters[0].name, owner)


def _kind(owner: type, name: str) -> Kind:
    if name == "__init__":
        return "constructor"
    attribute = inspect.getattr_static(owner, name, None)
    if isinstance(attribute, staticmethod):
        return "static"
    if isinstance(attribute, classmethod):
        return "class"
    return "property" if isinstance(attribute, property) or hasattr(attribute, "attrname") else "method"

"""What of a module can be called: functions, constructors, methods, properties, operators."""

from __future__ import annotations

import ast
import contextlib
import enum
import inspect
import textwrap
import types
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, Literal

from pytest_moa.search.clues import Clues, FunctionNode, Use, clues_of, constants_in, note_kept
from pytest_moa.search.inputs import patterns_in, tokens_of
from pytest_moa.search.origins import is_defined_in
from pytest_moa.search.shapes import ANY, Shape, annotations_of, documented, of_annotation, of_use, of_value

Kind = Literal["function", "constructor", "method", "classmethod", "property"]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter; `shapes` from the most to the least certain, never empty."""

    name: str
    kind: Literal["positional", "either", "keyword", "many", "named many"]
    shapes: tuple[Shape, ...]
    required: bool
    default: Any = None
    near: tuple[Any, ...] = ()  #: constants that it is compared with
    declared: Shape = ANY  #: by annotation, or by a default of a plain type


@dataclass(frozen=True, slots=True)
class Callee:
    """Something to call. `name` is its last part; `owner` the class of a method, as a name of the module."""

    qualname: str
    name: str
    kind: Kind
    owner: str
    parameters: tuple[Parameter, ...]
    public: bool
    constants: tuple[Any, ...] = ()
    docstring: str = ""
    returns: Shape = ANY


@dataclass(slots=True)
class Surface:
    """All callees of a module by qualname, and what else its source says."""

    module: ModuleType
    tree: ast.Module
    source: str
    callees: dict[str, Callee] = field(default_factory=dict)
    classes: dict[str, type] = field(default_factory=dict)
    constants: list[Any] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    clues: dict[str, Clues] = field(default_factory=dict)
    inherited: dict[str, Clues] = field(default_factory=dict)  #: of bases in other modules of the package

    def constructor(self, name: str) -> Callee | None:
        """How a class of the module is made."""
        return self.callees.get(f"{name}()")


def surface_of(module: ModuleType, source: str) -> Surface:
    """Look at an imported module. Raises SyntaxError."""
    tree = ast.parse(source)
    surface = Surface(module, tree, source, clues=clues_of(tree))
    surface.constants = constants_in(tree)
    for kind in vars(module).values():
        if isinstance(kind, enum.EnumMeta):
            surface.constants += [text for name in kind.__members__ for text in (name.lower(), name)]
    surface.tokens = tokens_of([*surface.constants, *(one.pattern for one in patterns_in(vars(module)))])
    for name, value in list(vars(module).items()):
        if isinstance(value, type) and is_defined_in(value, vars(module)):
            plain = value.__name__ == name and not issubclass(value, BaseException)
            if plain or any(one.startswith(f"{name}.") for one in surface.clues):
                surface.classes[name] = value
    noted: set[tuple[str, str]] = set()
    for kind in surface.classes.values():
        _note_bases(surface, kind, noted)
    for name, value in list(vars(module).items()):
        if name in surface.clues and callable(value) and not isinstance(value, type):
            surface.callees[name] = _callee(surface, name, "function", "", value, value)
    for name, kind in surface.classes.items():
        surface.callees[f"{name}()"] = _callee(surface, f"{name}()", "constructor", name, kind, kind)
        _add_methods(surface, name, kind)
    return surface


def _note_bases(surface: Surface, kind: type, noted: set[tuple[str, str]]) -> None:
    """What one class of a hierarchy keeps, others of it use: mixins, and bases in other modules.

    `noted` are the pairs of classes that need not be looked at again.
    """
    package = surface.module.__name__.partition(".")[0]
    known = surface.clues | surface.inherited
    functions: dict[str, list[FunctionNode]] = {}
    for base in kind.__mro__:
        if base.__module__.partition(".")[0] != package:
            continue
        prefix = f"{base.__qualname__}."
        if not is_defined_in(base, vars(surface.module)) and not any(one.startswith(prefix) for one in known):
            with contextlib.suppress(OSError, TypeError, SyntaxError):
                source = textwrap.dedent(inspect.getsource(base))
                surface.inherited |= clues_of(ast.parse(source))
                known = surface.clues | surface.inherited
        functions[prefix] = [one.node for name, one in known.items() if name.startswith(prefix)]
    for prefix, own in functions.items():
        made = surface.clues.get(f"{prefix}__init__")
        others = [other for other in functions if other != prefix and (prefix, other) not in noted]
        if made is not None:
            note_kept(made.node, made.uses, own, [node for other in others for node in functions[other]])
            noted.update((prefix, other) for other in others)


def _add_methods(surface: Surface, owner: str, kind: type) -> None:
    for base in kind.__mro__:
        if base.__module__ in ("builtins", "typing", "abc", "collections.abc", "_collections_abc", "enum"):
            continue
        for name, value in list(vars(base).items()):
            qualname = f"{owner}.{name}"
            mine = f"{base.__qualname__}.{name}" in surface.clues and is_defined_in(
                base, vars(surface.module)
            )
            if qualname in surface.callees or name in _NEVER or (name.startswith("_") and not mine):
                continue
            if isinstance(value, types.MemberDescriptorType):
                continue
            if isinstance(value, property) or hasattr(value, "attrname"):
                public = not name.startswith("_") and not owner.startswith("_")
                surface.callees[qualname] = Callee(qualname, name, "property", owner, (), public)
                continue
            if isinstance(value, (classmethod, staticmethod)):
                bound = getattr(kind, name, None)
                if callable(bound):
                    surface.callees[qualname] = _callee(
                        surface, qualname, "classmethod", owner, bound, value.__func__
                    )
            elif callable(value) and not isinstance(value, type):
                surface.callees[qualname] = _callee(surface, qualname, "method", owner, value, value)


#: Methods that no test calls by itself.
_NEVER = {
    "__init__",
    "__new__",
    "__init_subclass__",
    "__class_getitem__",
    "__subclasshook__",
    "__post_init__",
    "__attrs_post_init__",
    "__del__",
    "__getattribute__",
    "__replace__",
    "__getstate__",
    "__setstate__",
    "__sizeof__",
    "__annotate__",
    "__annotate_func__",
}


def _callee(surface: Surface, qualname: str, kind: Kind, owner: str, value: Any, function: Any) -> Callee:
    name = owner if kind == "constructor" else qualname.rpartition(".")[2]
    looked_up = f"{_initialised_by(value)}.__init__" if kind == "constructor" else qualname
    plain = inspect.unwrap(function) if callable(function) else function
    known = surface.clues | surface.inherited
    clues = known.get(looked_up) or known.get(getattr(plain, "__qualname__", ""))
    hinted = (
        getattr(function, "__init__", plain)
        if kind == "constructor" and "__dataclass_fields__" not in vars(function)
        else plain
    )
    names = vars(surface.module)
    hints = annotations_of(hinted, clues, names, surface.tree)
    try:
        signature = inspect.signature(value)
        given = list(signature.parameters.values())
    except (ValueError, TypeError):
        given = []
    if kind == "method":
        given = given[1:]
    docstring = inspect.getdoc(plain) or ""
    told = documented(docstring)
    uses: Mapping[str, Use] = clues.uses if clues else {}
    parameters = tuple(
        _parameter(
            one,
            hints.get(one.name, inspect.Parameter.empty),
            uses.get(one.name),
            told.get(one.name, []),
            surface,
        )
        for one in given
    )
    constants = _constants(clues, surface) if clues else ()
    special = name.startswith("__") and name.endswith("__")
    public = (special or not name.startswith("_")) and not owner.startswith("_")
    returns = of_annotation(hints.get("return", inspect.Parameter.empty))
    return Callee(qualname, name, kind, owner, parameters, public, constants, docstring, returns)


def _initialised_by(kind: type) -> str:
    """The class whose `__init__` a class has."""
    bases = (base for base in kind.__mro__ if "__init__" in vars(base))
    return next(bases).__qualname__


def _constants(clues: Clues, surface: Surface) -> tuple[Any, ...]:
    """Constants of a function, and of the module's small tables that it names."""
    used = {node.id for node in ast.walk(clues.node) if isinstance(node, ast.Name)}
    found = list(clues.constants)
    for node in surface.tree.body:
        if not isinstance(node, (ast.Assign, ast.AnnAssign)) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(one, ast.Name) and one.id in used for one in targets):
            found += constants_in(node.value)[:60]
    return tuple(found)


_KINDS: Mapping[Any, Any] = {
    inspect.Parameter.POSITIONAL_ONLY: "positional",
    inspect.Parameter.POSITIONAL_OR_KEYWORD: "either",
    inspect.Parameter.KEYWORD_ONLY: "keyword",
    inspect.Parameter.VAR_POSITIONAL: "many",
    inspect.Parameter.VAR_KEYWORD: "named many",
}


def _parameter(
    one: inspect.Parameter, hint: Any, use: Use | None, told: list[Shape], surface: Surface
) -> Parameter:
    shapes: list[Shape] = []
    hinted = of_annotation(hint)
    if hinted != ANY:
        shapes.append(hinted)
    shapes.extend(told)
    has_default = one.default is not inspect.Parameter.empty
    if has_default and one.default is not None and hinted == ANY:
        shapes.append(of_value(one.default))
    if use is not None and (hinted == ANY or _has_any(hinted)):
        names = vars(surface.module)
        shapes.extend(of_use("", use, names) or _handed_on(use, surface) or of_use(one.name, Use(), names))
    elif use is None and hinted == ANY:
        shapes.extend(of_use(one.name, Use(), vars(surface.module)))
    near = tuple(use.compared) if use is not None else ()
    declared = hinted
    if hinted == ANY and type(one.default) in (bool, int, float, str, bytes):
        declared = of_value(one.default)
    if hinted != ANY and one.default is None:
        declared = Shape("union", (hinted, Shape("none")))
    required = not has_default and _KINDS[one.kind] not in ("many", "named many")
    default = one.default if has_default else None
    return Parameter(
        one.name, _KINDS[one.kind], tuple(dict.fromkeys(shapes)) or (ANY,), required, default, near, declared
    )


def _has_any(shape: Shape) -> bool:
    return shape == ANY or any(map(_has_any, shape.inner))


def _handed_on(use: Use, surface: Surface, depth: int = 0) -> list[Shape]:
    """Shapes of the parameters of the module's own functions and classes to which it is passed."""
    found: list[Shape] = []
    for callee, position, keyword in use.passed[:6]:
        made = f"{callee}.__init__"
        known = surface.clues | surface.inherited
        clues = known.get(callee) or known.get(made)
        if clues is None:
            continue
        arguments = [one.arg for one in [*clues.node.args.posonlyargs, *clues.node.args.args]]
        at = position + (made in known)
        name = keyword or (arguments[at] if position >= 0 and at < len(arguments) else "")
        if name in clues.uses and clues.uses[name] is not use:
            found.extend(of_use("", clues.uses[name], vars(surface.module))[:2])
            if depth < 3:
                found.extend(_handed_on(clues.uses[name], surface, depth + 1))
    return list(dict.fromkeys(found))[:3]


def parameter_of(callee: Callee, name: str, at: int) -> Parameter | None:
    """The parameter that gets an argument: by its keyword, or by its position."""
    if name:
        named = (one for one in callee.parameters if one.name == name)
        return next(named, next((one for one in callee.parameters if one.kind == "named many"), None))
    for position, one in enumerate(callee.parameters):
        if one.kind == "many" or position == at:
            return one
    return None

"""Which other modules of this process have something of a module, and what they did with it on import."""

from __future__ import annotations

import ast
import sysconfig
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import decode_source
from pathlib import Path
from types import FunctionType, ModuleType

from pytest_moa.code.definitions import functions_in, qualname_of
from pytest_moa.code.import_time import CALLERS, at_import, run_at_import
from pytest_moa.code.live import modules

#: Hooks that pytest calls while it collects.
COLLECTION_HOOKS = frozenset({"pytest_generate_tests", "pytest_make_parametrize_id"})


@dataclass(slots=True)
class Dependents:
    """Who imported from a module. Names are those that the module itself uses."""

    aliases: list[tuple[ModuleType, str, str]] = field(default_factory=list)  #: (who, name there, name)
    called: set[str] = field(default_factory=set)  #: called, or decorating, while a dependent was imported
    used: set[str] = field(default_factory=set)  #: referred to otherwise, in code that ran then
    methods: set[str] = field(
        default_factory=set
    )  #: of whatever object, called by those who called something


def dependents_of(module: ModuleType) -> Dependents:
    """Read the source of every module of the project that imports the module, or what another one has of it.

    Only what imports with `import` is seen, and only the project's own modules: not those of the standard
    library or of installed distributions, unless they belong to the same package.
    """
    found = Dependents()
    names = {module.__name__: {name: name for name in vars(module)}}  # module -> name there -> name
    waiting = [(one, path) for one in _others(module) if (path := _path(one))]
    grown = True
    while grown:
        grown = False
        words = {name.rpartition(".")[2] for name in names}
        for other, path in list(waiting):
            text = _text(path)
            if not any(word in text for word in words):
                continue
            imported = _imports(other, path, names)
            if imported is None:
                continue
            waiting.remove((other, path))
            direct, whole = imported
            if _is_of_another(other, [*direct, *whole], module):
                continue
            grown = True
            names[other.__name__] = direct
            found.aliases += [(other, alias, name) for alias, name in direct.items()]
            _note_uses(found, _tree(path), direct, {dotted: names[name] for dotted, name in whole.items()})
    return found


def _others(module: ModuleType) -> Iterator[ModuleType]:
    package = module.__name__.partition(".")[0]
    installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
    for other in modules():
        path = vars(other).get("__file__")
        if other is module or not isinstance(path, str) or not path.endswith(".py"):
            continue
        if other.__name__.partition(".")[0] == package or not path.startswith(installed):
            yield other


def _path(module: ModuleType) -> str:
    path = module.__file__ or ""
    return path if Path(path).is_file() else ""


def _imports(
    other: ModuleType, path: str, names: dict[str, dict[str, str]]
) -> tuple[dict[str, str], dict[str, str]] | None:
    """What it imported: name there -> name in the module, and expression -> module; None for nothing."""
    direct: dict[str, str] = {}
    whole: dict[str, str] = {}
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name in names:
                    whole[alias.asname or alias.name] = alias.name
        elif isinstance(node, ast.ImportFrom):
            source = _resolved(node, other)
            for alias in node.names:
                if f"{source}.{alias.name}" in names:
                    whole[alias.asname or alias.name] = f"{source}.{alias.name}"
                elif alias.name == "*":
                    direct |= {one: name for one, name in names.get(source, {}).items() if one in vars(other)}
                elif alias.name in names.get(source, {}):
                    direct[alias.asname or alias.name] = names[source][alias.name]
    return (direct, whole) if direct or whole else None


def _is_of_another(other: ModuleType, aliases: Iterable[str], module: ModuleType) -> bool:
    """Whether it imported from a module of the same name that this one has replaced."""
    own = [module, *vars(module).values()]
    for alias in aliases:
        value = vars(other).get(alias)
        if isinstance(value, ModuleType):
            home = value.__name__
        elif isinstance(value, type | FunctionType) and "__wrapped__" not in vars(value):
            home = value.__module__
        else:
            continue
        if home == module.__name__ and not any(value is one for one in own):
            return True
    return False


def _resolved(node: ast.ImportFrom, other: ModuleType) -> str:
    if not node.level:
        return node.module or ""
    package = vars(other).get("__package__") or ""
    base = package.rsplit(".", node.level - 1)[0] if node.level > 1 else package
    return f"{base}.{node.module}" if node.module else base


def _note_uses(
    found: Dependents, tree: ast.Module, direct: dict[str, str], whole: dict[str, dict[str, str]]
) -> None:
    """Note what code that ran during the import did with the names."""
    running = run_at_import(tree)
    bodies = [
        statement
        for node, around in functions_in(tree)
        if node.name in COLLECTION_HOOKS or qualname_of(node.name, around) in running
        for statement in node.body
    ]
    nodes = list(at_import([*tree.body, *bodies]))
    callees: set[int] = set()
    methods: set[str] = set()
    skipped: set[int] = set()
    for node in nodes:
        if isinstance(node, ast.AnnAssign):
            skipped.update(id(one) for one in ast.walk(node.annotation))
        elif isinstance(node, ast.Call):
            callees.add(id(node.func))
            if isinstance(node.func, ast.Attribute):
                methods.add(node.func.attr)
            elif isinstance(node.func, ast.Name) and node.func.id in CALLERS:
                callees.update(map(id, node.args))
        callees.update(id(one) for one in getattr(node, "decorator_list", ()))
    for node in nodes:
        if id(node) in skipped:
            continue
        name = None
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            name = direct.get(node.id)
        elif isinstance(node, ast.Attribute):
            known = whole.get(ast.unparse(node.value)) if whole else None
            name = known.get(node.attr) if known else None
        if name is not None and id(node) in callees:
            found.called.add(name)
            found.methods |= methods
        elif name is not None:
            found.used.add(name)


@lru_cache(maxsize=512)
def _text(path: str) -> str:
    return decode_source(Path(path).read_bytes())


@lru_cache(maxsize=8)
def _tree(path: str) -> ast.Module:
    try:
        return ast.parse(_text(path))
    except SyntaxError:  # another program's idea of Python: it imported nothing that we could follow
        return ast.Module([], [])

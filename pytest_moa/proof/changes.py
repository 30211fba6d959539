"""What changed between two trees, in terms of functions, and which public callers reach it."""

from __future__ import annotations

import ast
import builtins
import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from pytest_moa.proof.normal import (
    FunctionNode,
    changed_lines,
    changed_words,
    declares,
    dumped,
    statements,
    stripped,
)

#: "affected": not changed itself, but uses a constant, or is of a class, that did.
Kind = Literal["changed", "added", "removed", "affected"]

#: Callers of callers are followed so far.
MOST_STEPS = 4
#: Public callers that one changed function is searched through.
MOST_ENTRIES = 12
#: Statements of a function whose names are read as well where a changed statement names it.
MOST_FOLLOWED = 1
#: Names that say nothing.
_COMMON = frozenset({"self", "cls", *dir(builtins)})

_FOREIGN = frozenset({"__pycache__", "node_modules", "site-packages", "build", "dist"})


@dataclass(frozen=True, slots=True)
class Entry:
    """Something public to call: a function, a class, or a method, of a module."""

    module: str
    qualname: str
    steps: int = 0  #: calls between it and what changed

    @property
    def name(self) -> str:
        """As "package.module:Class.method"."""
        return f"{self.module}:{self.qualname}"


@dataclass(frozen=True, slots=True)
class ChangedFunction:
    """A function, method or class that changed. `lines` are the changed ones at head, `risk` its share."""

    path: str
    module: str
    qualname: str
    kind: Kind
    lines: tuple[int, ...]
    public: bool
    risk: float = 1.0
    why: str = ""
    entries: tuple[Entry, ...] = ()
    words: tuple[str, ...] = ()  #: names in the statements that changed
    declared: bool = True  #: whether the code says of which types all arguments of the entries are

    @property
    def name(self) -> str:
        """As "package.module:Class.method"."""
        return f"{self.module}:{self.qualname}"


@dataclass(slots=True)
class ModuleSource:
    """One file at one side. `functions` and `classes` by qualname; the last definition counts."""

    source: str
    tree: ast.Module
    functions: dict[str, FunctionNode] = field(default_factory=dict)
    classes: dict[str, ast.ClassDef] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)  #: what binds each other name of the module
    lines: dict[str, int] = field(default_factory=dict)
    bare: set[int] = field(default_factory=set)  #: lines of functions with parameters without annotation

    @classmethod
    def of(cls, source: str) -> ModuleSource:
        """Take a module apart. Raises SyntaxError, ValueError."""
        tree = ast.parse(source)
        functions = [node for node in ast.walk(tree) if isinstance(node, FunctionNode)]
        bare = {node.lineno for node in functions if not declares(node)}
        found = cls(source, stripped(tree), bare=bare)
        found._walk(found.tree.body, "")
        return found

    def _walk(self, body: Sequence[ast.AST], prefix: str) -> None:
        for node in body:
            if isinstance(node, FunctionNode):
                self.functions[prefix + node.name] = node
            elif isinstance(node, ast.ClassDef):
                self.classes[prefix + node.name] = node
                self._walk(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
                self._walk(node.orelse, prefix)
            elif isinstance(node, ast.If | ast.Try | ast.With | ast.ExceptHandler):
                for block in ("body", "handlers", "orelse", "finalbody"):
                    self._walk(getattr(node, block, ()), prefix)
            elif not prefix:
                for name in _bound(node):
                    self.names[name] = self.names.get(name, "") + dumped(node)
                    self.lines.setdefault(name, getattr(node, "lineno", 1))


def _bound(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((one.asname or one.name).partition(".")[0] for one in node.names)
        return
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            yield inner.id


def class_body(node: ast.ClassDef) -> str:
    """What of a class is not in its methods: bases, decorators, attributes."""
    rest = [one for one in node.body if not isinstance(one, FunctionNode | ast.ClassDef | ast.Pass)]
    parts: list[ast.AST] = [*node.bases, *node.keywords, *node.decorator_list, *rest]
    return "|".join(map(dumped, parts))


def used_names(node: ast.AST) -> set[str]:
    """Names and attributes that are read somewhere below a node."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return names | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)}


def changed_in(
    path: str, module: str, base: ModuleSource | None, head: ModuleSource | None
) -> list[ChangedFunction]:
    """What changed in one file; None: it is not there at that side."""
    found: list[ChangedFunction] = []
    was, now = base or ModuleSource("", ast.Module([], [])), head or ModuleSource("", ast.Module([], []))

    def add(
        qualname: str,
        kind: Kind,
        lines: tuple[int, ...],
        risk: float,
        why: str = "",
        words: tuple[str, ...] = (),
    ) -> None:
        public = not is_private(qualname)
        found.append(ChangedFunction(path, module, qualname, kind, lines, public, risk, why, words=words))

    for qualname in dict.fromkeys([*now.functions, *was.functions]):
        old, new = was.functions.get(qualname), now.functions.get(qualname)
        if new is None:
            add(qualname, "removed", (1,), 0.2, "it is not there any more")
        elif old is None:
            add(qualname, "added", (new.lineno,), 0.3, "it is new")
        elif dumped(old) != dumped(new):
            add(qualname, "changed", changed_lines(old, new), 1.0, words=changed_words(old, new))
    known = {one.qualname for one in found}
    for qualname, new_class in now.classes.items():
        old_class = was.classes.get(qualname)
        if old_class is not None and class_body(old_class) != class_body(new_class):
            lines, words = changed_lines(old_class, new_class)[:3], changed_words(old_class, new_class)
            add(qualname, "changed", lines, 0.7, "its class body changed", words)
    names = _changed_names(was, now)
    for qualname, node in now.functions.items():
        used = names & used_names(node)
        if used and qualname not in known and qualname in was.functions:
            lines = tuple(sorted({now.lines[name] for name in used if name in now.lines})) or (node.lineno,)
            why = f"uses {', '.join(sorted(used))}, which changed"
            add(qualname, "affected", lines, 0.6, why, tuple(sorted(used)))
    return found


def _parts(word: str) -> Iterator[str]:
    """What is in a name of many parts: two or more of them."""
    parts = word.strip("_").split("_")
    for first in range(len(parts)):
        for last in range(first + 2, len(parts) + 1):
            yield "_".join(parts[first:last])


def _changed_names(was: ModuleSource, now: ModuleSource) -> set[str]:
    """Names at module level that are bound otherwise, or from others that are."""
    changed = {name for name, bound in now.names.items() if name in was.names and was.names[name] != bound}
    grown = True
    while grown:
        more = {
            name
            for name, bound in now.names.items()
            if name not in changed and any(f"Name(id='{one}'" in bound for one in changed)
        }
        grown = bool(more)
        changed |= more
    return changed - {"__all__", "__version__", "logger", "log"}


def is_private(qualname: str) -> bool:
    """Whether a part of the name says that it is nobody else's."""
    return any(part.startswith("_") and not part.endswith("__") for part in qualname.split("."))


@dataclass(slots=True)
class Package:
    """The modules beside the changed ones at head: who calls whom by name, and what is exported."""

    modules: dict[str, ModuleSource]  #: by dotted name
    exported: set[tuple[str, str]] = field(default_factory=set)  #: (module, name) that public modules import

    @classmethod
    def around(cls, roots: Mapping[Path, Collection[str]]) -> Package:
        """All modules of the packages; `roots` maps import roots to the packages' first names."""
        modules: dict[str, ModuleSource] = {}
        for root, packages in roots.items():
            for package in packages:
                top = root / package
                files = [top.with_suffix(".py")] if not top.is_dir() else sorted(top.rglob("*.py"))
                for file in files:
                    parts = file.relative_to(root).with_suffix("").parts
                    if _FOREIGN & set(parts) or not all(part.isidentifier() for part in parts):
                        continue
                    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                    try:
                        modules[name] = ModuleSource.of(file.read_text(encoding="utf-8"))
                    except (OSError, SyntaxError, ValueError):
                        continue
        made = cls(modules)
        made._note_exports()
        return made

    def _note_exports(self) -> None:
        for name, module in self.modules.items():
            if is_private(name):
                continue
            for node in ast.walk(module.tree):
                if not isinstance(node, ast.ImportFrom):
                    continue
                home = self._home(name, node)
                for one in node.names:
                    if one.name == "*":
                        self.exported.update((home, inner) for inner in self._public_names(home))
                    elif not is_private(one.asname or one.name):
                        self.exported.add((home, one.name))

    def _home(self, importer: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        is_package = any(name.startswith(f"{importer}.") for name in self.modules)
        parts = importer.split(".")
        parts = parts[: len(parts) - node.level + (1 if is_package else 0)]
        return ".".join([*parts, *(node.module.split(".") if node.module else [])])

    def _public_names(self, module: str) -> list[str]:
        source = self.modules.get(module)
        if source is None:
            return []
        return [
            name for name in (*source.functions, *source.classes) if "." not in name and not is_private(name)
        ]

    def is_public(self, module: str, qualname: str) -> bool:
        """Whether users may call it: no private name on the way, or exported by a public module."""
        if is_private(qualname):
            return False
        return not is_private(module) or (module, qualname.partition(".")[0]) in self.exported

    def entries(self, changed: ChangedFunction) -> tuple[Entry, ...]:
        """Itself if it is public, and the public functions that reach it by name, the nearest first."""
        found: dict[tuple[str, str], Entry] = {}
        if changed.kind != "removed" and self.is_public(changed.module, changed.qualname):
            found[changed.module, changed.qualname] = Entry(changed.module, changed.qualname)
        seen = {(changed.module, changed.qualname)}
        queue = deque([(changed.module, changed.qualname, 0)])
        while queue and len(found) < MOST_ENTRIES:
            module, qualname, steps = queue.popleft()
            for caller in self._callers(module, qualname):
                if caller in seen or steps >= MOST_STEPS:
                    continue
                seen.add(caller)
                if self.is_public(*caller):
                    found[caller] = Entry(*caller, steps + 1)
                queue.append((*caller, steps + 1))
        return tuple(found.values())[:MOST_ENTRIES]

    def declared(self, entry: Entry) -> bool:
        """Whether the code says of which types all arguments of an entry are."""
        source = self.modules.get(entry.module)
        if source is None:
            return False
        names = (entry.qualname, f"{entry.qualname}.__init__", f"{entry.qualname}.__new__")
        nodes = [source.functions[name] for name in names if name in source.functions]
        return all(node.lineno not in source.bare for node in nodes)

    def followed(self, words: Sequence[str]) -> tuple[str, ...]:
        """The words, then what they lead to: what short functions of these names read, and parts of names.

        A part of a long name may be what users write: a parameter, or within a special method's name.
        """
        found = dict.fromkeys(words)
        for source in self.modules.values():
            for qualname, node in source.functions.items():
                if qualname.rpartition(".")[2] in words and len(list(statements(node))) <= MOST_FOLLOWED:
                    found.update(dict.fromkeys(sorted(used_names(node) - _COMMON)))
        parts = {part for word in words for part in _parts(word)} - found.keys()
        if parts:
            known = set(re.findall(r"\w+", " ".join(source.source for source in self.modules.values())))
            special = [one for one in known if one[:2] == one[-2:] == "__"]
            found.update(dict.fromkeys(sorted(parts & known)))
            found.update(dict.fromkeys(sorted(one for one in special if any(part in one for part in parts))))
        return tuple(found)

    def _callers(self, module: str, qualname: str) -> list[tuple[str, str]]:
        owner, _, name = qualname.rpartition(".")
        wanted = (
            owner.rpartition(".")[2] if name in ("__init__", "__new__", "__post_init__") and owner else name
        )
        if name.startswith("__") and wanted == name:
            wanted = owner.rpartition(".")[2]
        callers = [
            (other, function)
            for other, source in self.modules.items()
            for function, node in source.functions.items()
            if (other, function) != (module, qualname) and wanted in used_names(node)
        ]
        return sorted(callers, key=lambda caller: (caller[0] != module, is_private(caller[1])))


def with_entries(changed: Sequence[ChangedFunction], package: Package) -> list[ChangedFunction]:
    """The same with what to call, those with the highest risk first."""
    found = []
    for one in changed:
        entries = package.entries(one)
        public = package.is_public(one.module, one.qualname)
        declared = all(map(package.declared, entries))
        words = package.followed(one.words)
        found.append(replace(one, entries=entries, public=public, declared=declared, words=words))
    return sorted(found, key=lambda one: (-one.risk, one.path, one.lines))

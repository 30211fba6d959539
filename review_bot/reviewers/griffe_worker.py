"""The process of the `griffe` reviewer: reads both trees, runs none of their code, prints what broke.

Standard input: `{"base": folder, "head": folder, "changed": [[path at base | null, path at head | null]]}`.
Standard output: a list of `Break` as JSON objects. A process of its own, so that it can be killed and
that sources made to exhaust the parser take nobody else along.

Only what can matter is parsed: changed modules, the packages around them, package fronts that mention
them (re-exports) and modules of base classes. https://mkdocstrings.github.io/griffe/guide/users/checking/
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import griffe

from review_bot.reviewers.modules import module_of

_MAX_DEPTH = 20  #: of base classes across modules

#: Module attributes that nobody imports on purpose.
_INTERNAL_VALUE = re.compile(r"^(\w+\.)*(TypeVar|ParamSpec|TypeVarTuple|getLogger|get_logger)\(")


@dataclass(frozen=True, slots=True)
class Break:
    """One broken promise. `line` to `end_line` is the object's definition, at base for a removal."""

    kind: str  #: name of griffe's BreakageKind
    object: str  #: the path under which the object is public
    what: str  #: "function", "class", "attribute", "module", "type alias"
    path: str
    line: int
    end_line: int
    removed: bool
    exported: bool  #: public on purpose: listed in an `__all__` or offered by the top package
    parameter: str
    old: str
    new: str


class _Side:
    """One side of one import root, parsed as far as asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unreadable: set[tuple[str, ...]] = set()
        self.loader = griffe.GriffeLoader(allow_inspection=False, store_source=False, search_paths=[folder])
        self._modules: dict[tuple[str, ...], griffe.Module | None] = {}

    def load(self, parts: tuple[str, ...]) -> griffe.Module | None:
        """The module with the packages around it; None if there is none or Python cannot parse it."""
        if parts not in self._modules:
            self._modules[parts] = self._load(parts)
        return self._modules[parts]

    def _load(self, parts: tuple[str, ...]) -> griffe.Module | None:
        parent = self.load(parts[:-1]) if len(parts) > 1 else None
        if len(parts) > 1 and parent is None:
            return None
        place = self.folder.joinpath(*parts)
        collections: dict[str, Any] = {
            "lines_collection": self.loader.lines_collection,
            "modules_collection": self.loader.modules_collection,
        }
        for source in (place / "__init__.py", place.with_suffix(".py")):
            if source.is_file():
                try:
                    code = source.read_text(encoding="utf-8-sig", errors="replace")
                    module = griffe.visit(parts[-1], source, code, parent=parent, **collections)
                except (SyntaxError, ValueError, RecursionError, MemoryError):
                    self.unreadable.add(parts)
                    return None
                break
        else:
            if not place.is_dir():
                return None
            module = griffe.Module(parts[-1], filepath=[place], parent=parent, **collections)
        if parent is None:
            self.loader.modules_collection.set_member(parts[-1], module)
        else:
            parent.set_member(parts[-1], module)
        return module

    def load_fronts(self, package: str, names: set[str]) -> None:
        """Load the `__init__` files of a top package that mention one of these module names."""
        mention = re.compile(r"\b(?:" + "|".join(map(re.escape, sorted(names))) + r")\b|import \*")
        for folder, folders, files in os.walk(self.folder / package):
            folders[:] = [name for name in folders if name.isidentifier()]
            front = Path(folder, "__init__.py")
            if front.name in files and mention.search(front.read_text(encoding="utf-8", errors="replace")):
                self.load(front.parent.relative_to(self.folder).parts)

    def load_bases(self, package: str) -> None:
        """Load the modules of the same package in which base classes are defined."""
        for _ in range(_MAX_DEPTH):
            wanted = {
                tuple(base.canonical_path.split(".")[:-1])
                for module in list(self._modules.values())
                if module is not None
                for cls in module.classes.values()
                if not cls.is_alias
                for base in cls.bases
                if not isinstance(base, str)
            }
            wanted = {parts for parts in wanted if parts[:1] == (package,) and parts not in self._modules}
            if not wanted:
                return
            for parts in wanted:
                self.load(parts)

    def finish(self, package: str) -> griffe.Module | None:
        """Resolve what modules export, and count a front's imports from its own package as public."""
        top = self.load((package,))
        if top is None:
            return None
        self.loader.expand_exports(top)
        self.loader.expand_wildcards(top, external=False)
        self.loader.extensions.call("on_package", pkg=top, loader=self.loader)
        for module in self._modules.values():
            if module is not None and module.is_init_module and module.exports is None:
                for name, member in module.members.items():
                    if isinstance(member, griffe.Alias) and not name.startswith("_"):
                        member.public = member.target_path.split(".")[0] == package or None
        return top

    def fronts(self) -> dict[str, str]:
        """Public names under which modules offer what is defined elsewhere, by the path of the definition."""
        names: dict[str, str] = {}
        for module in self._modules.values():
            for member in module.members.values() if module is not None else ():
                if not isinstance(member, griffe.Alias) or not member.is_public or not _exported(member):
                    continue
                if tuple(member.target_path.split(".")) not in self._modules:
                    known = names.setdefault(member.target_path, member.path)
                    names[member.target_path] = min(
                        known, member.path, key=lambda path: (path.count("."), path)
                    )
        return names

    def drop(self, parts: tuple[str, ...]) -> None:
        """Leave a module out of the comparison."""
        module = self._modules.get(parts)
        if module is not None and isinstance(module.parent, griffe.Module):
            module.parent.members.pop(parts[-1], None)


def breaks(base: Path, head: Path, changed: list[tuple[str | None, str | None]]) -> Iterator[Break]:
    """What of the changed modules' public API is broken at head, each thing once."""
    touched = {path for pair in changed for path in pair if path}
    by_package: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for tree, side in ((base, 0), (head, 1)):
        for pair in changed:
            if (path := pair[side]) and (module := module_of(tree, path)):
                by_package.setdefault((module.root, module.parts[0]), []).append(module.parts)
    seen: dict[tuple[str, str, str], Break] = {}
    for (root, package), modules in by_package.items():
        for found, identity in _compare(base, head, root, package, modules):
            known = seen.get(identity)
            if found.path in touched and (known is None or _rank(found) < _rank(known)):
                seen[identity] = found
    yield from sorted(seen.values(), key=lambda one: (one.path, one.line, one.object, one.kind))


def _rank(one: Break) -> tuple[bool, int, str]:
    return not one.exported, one.object.count("."), one.object


def _compare(
    base: Path, head: Path, root: str, package: str, modules: list[tuple[str, ...]]
) -> Iterator[tuple[Break, tuple[str, str, str]]]:
    sides = [_Side(tree / root) for tree in (base, head)]
    names = {parts[-1] for parts in modules}
    for side in sides:
        for parts in modules:
            side.load(parts)
        side.load_fronts(package, names)
        side.load_bases(package)
    unreadable = sides[0].unreadable | sides[1].unreadable
    old, new = (side.finish(package) for side in sides)
    for side in sides:
        for parts in unreadable:
            side.drop(parts)
    if old is None or new is None or (package,) in unreadable:
        return
    fronts = sides[0].fronts() | sides[1].fronts()
    for breakage in griffe.find_breaking_changes(old, new):
        if (found := _break(breakage, base if _is_removal(breakage) else head, sides[1], fronts)) is not None:
            yield found


def _is_removal(breakage: griffe.Breakage) -> bool:
    return breakage.kind is griffe.BreakageKind.OBJECT_REMOVED


def _break(
    breakage: griffe.Breakage, tree: Path, head: _Side, fronts: dict[str, str]
) -> tuple[Break, tuple[str, str, str]] | None:
    """One breakage as data, with what tells it from the same one under another name."""
    subject: Any = breakage.obj
    try:
        target: Any = subject.final_target if subject.is_alias else subject
    except griffe.GriffeError:
        return None
    removed = _is_removal(breakage)
    if removed and subject.is_alias and target.canonical_path in head.loader.modules_collection:
        if subject.inherited:  # its class lost a base, which is a breakage of its own
            return None
        line, end_line, path = subject.alias_lineno, subject.alias_endlineno, subject.parent.module.filepath
        identity = subject.path
    else:
        defined = target if target.lineno else target.parent  # a dataclass's __init__ is written nowhere
        line, end_line, path = defined.lineno, defined.endlineno, target.filepath
        identity = target.canonical_path
    if target.is_attribute and _INTERNAL_VALUE.match(str(target.value)):
        return None
    if isinstance(path, list):
        return None
    parameter = next(
        (
            value.name
            for value in (breakage.old_value, breakage.new_value)
            if isinstance(value, griffe.Parameter)
        ),
        "",
    )
    name, exported = _public_name(subject, fronts)
    found = Break(
        kind=breakage.kind.name,
        object=name,
        what=target.kind.value,
        path=path.relative_to(tree.resolve()).as_posix(),
        line=line or 1,
        end_line=end_line or line or 1,
        removed=removed,
        exported=exported,
        parameter=parameter,
        old=_shown(breakage.old_value),
        new=_shown(breakage.new_value),
    )
    return found, (found.kind, identity, parameter)


def _public_name(subject: Any, fronts: dict[str, str]) -> tuple[str, bool]:
    """The best name under which an object is public, and whether that is on purpose."""
    path = str(subject.path)
    for defined, offered in fronts.items():
        if path == defined or path.startswith(f"{defined}."):
            return offered + path[len(defined) :], True
    return path, _exported(subject)


def _exported(subject: Any) -> bool:
    """Whether an `__all__` lists what the object belongs to, or the top package has it."""
    while subject.parent is not None and not subject.parent.is_module:
        subject = subject.parent
    module = subject.parent
    return module is None or module.parent is None or bool(module.exports and subject.name in module.exports)


def _shown(value: Any) -> str:
    if isinstance(value, griffe.Parameter):
        return str(value.default or "")
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value.value if isinstance(value, griffe.Kind) else value or "")


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    broken = breaks(Path(asked["base"]).resolve(), Path(asked["head"]).resolve(), asked["changed"])
    json.dump([asdict(one) for one in broken], sys.stdout)

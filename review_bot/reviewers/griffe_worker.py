"""The process of the `griffe` reviewer: reads both trees, runs none of their code, prints what broke.

Standard input: `{"base": folder, "head": folder, "changed": [[path at base | null, path at head | null]]}`.
Standard output: a list of `Break` as JSON objects. A process of its own, so that it can be killed and
that sources made to exhaust the parser take nobody else along.

Only what can matter is parsed: changed modules, the packages around them, package fronts that mention
them (re-exports) and modules of base classes. https://mkdocstrings.github.io/griffe/guide/users/checking/
"""

from __future__ import annotations

import builtins
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import griffe

from review_bot.reviewers.griffe_side import Side, is_exported
from review_bot.reviewers.modules import module_of

#: Names that every object has, or that a module answers for when it lacks them.
_EVERYWHERE = frozenset(dir(object)) | {"__getattr__", "__dir__"}

#: Foreign base classes without methods of their own.
_OFFER_NOTHING = frozenset({"ABC", "Generic", "NamedTuple", "Protocol", "TypedDict"})

#: Module attributes that nobody imports on purpose.
_INTERNAL_VALUE = re.compile(r"^(\w+\.)*(TypeVar|ParamSpec|TypeVarTuple|getLogger|get_logger)\(")


@dataclass(frozen=True, slots=True)
class Break:
    """One broken promise. `line` to `end_line` is the object's definition, at base for a removal."""

    kind: str  #: name of griffe's BreakageKind
    object: str  #: the path under which the object is public
    what: str  #: "function", "class", "attribute", "module", "type alias", "import"
    path: str
    line: int
    end_line: int
    removed: bool
    exported: bool  #: public on purpose: listed in an `__all__` or offered by the top package
    parameter: str
    old: str
    new: str


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
    sides = [Side(tree / root) for tree in (base, head)]
    names = {parts[-1] for parts in modules}
    for side in sides:
        for parts in modules:
            side.load(parts)
        side.load_fronts(package, names)
        side.load_bases(package)
    unreadable = sides[0].unreadable | sides[1].unreadable
    old, new = (side.finish(package) for side in sides)
    circular = sides[0].circular() | sides[1].circular()
    for side in sides:
        for parts in unreadable | circular:
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
    breakage: griffe.Breakage, tree: Path, head: Side, fronts: dict[str, str]
) -> tuple[Break, tuple[str, str, str]] | None:
    """One breakage as data, with what tells it from the same one under another name."""
    subject: Any = breakage.obj
    removed = _is_removal(breakage)
    try:
        target: Any = subject.final_target if subject.is_alias else subject
    except griffe.GriffeError:  # an import from what is not loaded, so it is not changed either
        target = None
    if removed and subject.is_alias and (target is None or head.find(target.canonical_path) is not None):
        if subject.inherited:  # its class lost a base, which is a breakage of its own
            return None
        what, identity, path = "import", subject.path, subject.parent.module.filepath
        line, end_line = subject.alias_lineno, subject.alias_endlineno
    elif target is None or (removed and not _is_missed(target, head)):
        return None
    else:
        what, identity, path = target.kind.value, target.canonical_path, target.filepath
        defined = target if target.lineno else target.parent  # a dataclass's __init__ is written nowhere
        line, end_line = defined.lineno, defined.endlineno
    if isinstance(path, list):  # a namespace package has no file
        return None
    values = (breakage.old_value, breakage.new_value)
    parameter = next((value.name for value in values if isinstance(value, griffe.Parameter)), "")
    name, exported = _public_name(subject, fronts)
    found = Break(
        kind=breakage.kind.name,
        object=name,
        what=what,
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


def _is_missed(gone: Any, head: Side) -> bool:
    """Whether somebody may have used what is gone, and nothing answers in its place."""
    if gone.is_attribute and _INTERNAL_VALUE.match(str(gone.value)):
        return False
    return gone.name not in _EVERYWHERE and not (
        gone.is_function and _may_inherit(gone.parent, gone.name, head)
    )


def _may_inherit(parent: Any, name: str, head: Side) -> bool:
    """Whether a class has an ancestor at head that is not loaded and may offer the name."""
    cls = head.find(parent.canonical_path)
    if cls is None or cls.is_alias or not cls.is_class:
        return False
    bases = {getattr(base, "canonical_path", base) for one in (cls, *cls.mro()) for base in one.bases}
    return any(head.find(base) is None and _may_offer(base.rpartition(".")[2], name) for base in bases)


def _may_offer(base: str, name: str) -> bool:
    known = getattr(builtins, base, None)
    return hasattr(known, name) if isinstance(known, type) else base not in _OFFER_NOTHING


def _public_name(subject: Any, fronts: dict[str, str]) -> tuple[str, bool]:
    """The best name under which an object is public, and whether that is on purpose."""
    path = str(subject.path)
    for defined, offered in fronts.items():
        if path == defined or path.startswith(f"{defined}."):
            return offered + path[len(defined) :], True
    return path, is_exported(subject)


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

"""One side of an import root, parsed by griffe as far as asked. None of its code runs.

Only for `griffe_worker`: importing this imports griffe.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import griffe

_MAX_DEPTH = 20  #: of base classes across modules


class Side:
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

    def find(self, path: str) -> Any:
        """What a dotted path stands for, None if nothing does."""
        try:
            return self.loader.modules_collection.get_member(path)
        except (KeyError, griffe.GriffeError):
            return None

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
            if module is None or module.exports is not None:
                continue
            for name, member in module.members.items():
                if isinstance(member, griffe.Alias):
                    own = member.target_path.split(".")[0] == package
                    member.public = module.is_init_module and own and not name.startswith("_")
        return top

    def fronts(self) -> dict[str, str]:
        """Public names under which modules offer what is defined elsewhere, by the path of the definition."""
        names: dict[str, str] = {}
        for module in self._modules.values():
            for member in module.members.values() if module is not None else ():
                if not isinstance(member, griffe.Alias) or not member.is_public or not is_exported(member):
                    continue
                try:
                    defined = member.final_target
                except griffe.GriffeError:
                    continue
                if not defined.is_module:
                    known = names.setdefault(defined.path, member.path)
                    names[defined.path] = min(known, member.path, key=_plainness)
        return names

    def circular(self) -> set[tuple[str, ...]]:
        """Names that stand for themselves: imported from a module of the same name that is not loaded."""
        found = set()
        for parts, module in self._modules.items():
            for name, member in module.members.items() if module is not None else ():
                if isinstance(member, griffe.Alias):
                    try:
                        member.resolve_target()
                    except griffe.CyclicAliasError:
                        found.add((*parts, name))
                    except griffe.GriffeError:
                        continue  # another package's: griffe compares no further than its name
        return found

    def drop(self, parts: tuple[str, ...]) -> None:
        """Leave a name out of the comparison."""
        module = self._modules.get(parts[:-1])
        if module is not None:
            module.members.pop(parts[-1], None)


def is_exported(subject: Any) -> bool:
    """Whether an `__all__` lists what the object belongs to, or the top package has it."""
    while subject.parent is not None and not subject.parent.is_module:
        subject = subject.parent
    module = subject.parent
    return module is None or module.parent is None or bool(module.exports and subject.name in module.exports)


def _plainness(path: str) -> tuple[bool, int, str]:
    return "._" in path, path.count("."), path

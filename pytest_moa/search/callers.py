"""Who calls whom in a module, by the names that sources read: how public callables reach private ones."""

from __future__ import annotations

import ast
import functools
from collections.abc import Collection, Iterable

from pytest_moa.search.surface import Callee, Surface


@functools.lru_cache(maxsize=5_000)
def is_private(qualname: str) -> bool:
    """Whether any part begins with an underscore and is no special method."""
    return any(part.startswith("_") and not part.endswith("__") for part in qualname.split("."))


class Callers:
    """The callables of a module that read each other's names, directly or through others."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self._reads: dict[str, frozenset[str]] = {}  # names, by qualname as in the source
        self._public: dict[str, frozenset[str]] = {}

    @functools.cached_property
    def alone(self) -> frozenset[str]:
        """Qualnames of private callees that are called from outside: neither public nor others reach them."""
        callees = self.surface.callees.values()
        reached = self.reached_from(one for one in callees if one.public)
        left = [one for one in callees if not one.public and one.qualname not in reached]
        leads = {one.qualname: self.reached_from([one]) for one in left}
        return frozenset(
            name
            for name in leads
            if all(name not in found or other in leads[name] for other, found in leads.items())
        )

    def public_for(self, qualname: str) -> frozenset[str]:
        """Qualnames of the callees, public or alone, that reach a function, class or method."""
        if qualname not in self._public:
            self._public[qualname] = frozenset(
                one.qualname
                for one in self.surface.callees.values()
                if (one.public or one.qualname in self.alone)
                and written(one) != qualname
                and self._leads_to(one, qualname)
            )
        return self._public[qualname]

    def reached_from(self, callees: Iterable[Callee]) -> frozenset[str]:
        """Qualnames of callees, these included, that these lead to."""
        waiting = list(callees)
        found = {one.qualname for one in waiting}
        while waiting:
            names = self.reads(written(waiting.pop()))
            for other in self.surface.callees.values():
                if other.qualname not in found and _is_named(other.qualname.removesuffix("()"), names):
                    found.add(other.qualname)
                    waiting.append(other)
        return frozenset(found)

    def _leads_to(self, callee: Callee, qualname: str) -> bool:
        """Whether a callee reads the name, or that of something private that leads to it."""
        waiting, seen = [written(callee)], set[str]()
        while waiting:
            names = self.reads(waiting.pop())
            if _is_named(qualname.removesuffix(".__init__"), names):
                return True
            inner = [one for one in self.surface.clues if is_private(one) and one not in seen]
            inner = [one for one in inner if _is_named(one, names)]
            seen.update(inner)
            waiting += inner
        return False

    def reads(self, qualname: str) -> frozenset[str]:
        """Names and attributes that a function's source reads."""
        if qualname not in self._reads:
            clues = self.surface.clues.get(qualname)
            self._reads[qualname] = names_read(clues.node) if clues else frozenset()
        return self._reads[qualname]


def written(callee: Callee) -> str:
    """A callee's qualname in the source."""
    return f"{callee.owner}.__init__" if callee.kind == "constructor" else callee.qualname


def names_read(node: ast.AST) -> frozenset[str]:
    """Names and attributes in a node."""
    found = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return frozenset(found | {one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute)})


def _is_named(qualname: str, names: Collection[str]) -> bool:
    """Whether names tell of something: its own, or for private classes their name."""
    owner, _, name = qualname.rpartition(".")
    return name in names or (bool(owner) and owner.startswith("_") and owner in names)


def aims_for(callers: Callers, qualnames: Collection[str]) -> frozenset[str]:
    """Qualnames of the callees that are these functions, or that lead to them."""
    found: set[str] = set()
    for one in callers.surface.callees.values():
        if written(one) in qualnames or one.owner in qualnames:
            found.add(one.qualname)
    for name in qualnames:
        found |= callers.public_for(name)
    return frozenset(found)

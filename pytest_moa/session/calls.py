"""The arguments that targets were called with, as source that makes the same calls again."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any

from pytest_moa.session.signatures import Signature, signature_of
from pytest_moa.suggestions import RecordedCall
from pytest_moa.values import Expression, source_of

#: Distinct calls kept of one function, and calls looked at before it is left alone.
MOST_KEPT = 20
MOST_LOOKED_AT = 400

#: Objects whose construction is noted, of one class.
MOST_OBJECTS = 2_000

#: Longer containers and texts make no call that anybody would write down.
_LONGEST = 200


class Calls:
    """Collects calls while tests run. `hits` are the live sets of the probes, by module."""

    def __init__(self) -> None:
        self.test = ""
        self.hits: dict[str, set[str]] = {}
        self._found: dict[tuple[str, str], RecordedCall] = {}
        self._kept: Counter[str] = Counter()
        self._looked_at: Counter[str] = Counter()
        self._made: dict[int, tuple[type, Expression]] = {}
        self._busy = threading.local()

    def recorded(self) -> list[RecordedCall]:
        """The calls so far, in the order in which they were first made."""
        return list(self._found.values())

    def observer(
        self, module: ModuleType, source: str, targets: Mapping[str, str]
    ) -> Callable[[str, dict[str, Any]], None]:
        """What a module's probes call on entry. `targets` are `Target.name`s by qualname."""
        watched = {*targets, *constructors(targets)}
        signatures = {name: found for name in watched if (found := signature_of(module, source, name))}

        def entered(qualname: str, values: dict[str, Any]) -> None:
            signature = signatures.get(qualname)
            if signature is None or getattr(self._busy, "now", False):
                return
            target = targets.get(qualname, "")
            if not self._is_wanted(f"{module.__name__}:{qualname}", target, signature):
                return
            self._busy.now = True  # source_of may call methods of the user's that are watched too
            saved = {name: set(hits) for name, hits in self.hits.items()}
            try:
                self._note(signature, target, values)
            finally:
                for name, hits in self.hits.items():
                    if len(hits) != len(saved[name]):
                        hits.intersection_update(saved[name])
                self._busy.now = False

        return entered

    def _is_wanted(self, name: str, target: str, signature: Signature) -> bool:
        self._looked_at[name] += 1
        if signature.kind == "constructor" and self._looked_at[name] <= MOST_OBJECTS:
            return True
        return bool(target) and self._kept[target] < MOST_KEPT and self._looked_at[name] <= MOST_LOOKED_AT

    def _note(self, signature: Signature, target: str, values: Mapping[str, Any]) -> None:
        arguments = _sources(signature, values)
        owner = values.get(signature.bound, None) if signature.bound else None
        receiver = self._receiver(signature, owner)
        if arguments is None or receiver is None:
            return
        imports = {signature.statement} if not receiver.source else set(receiver.imports)
        imports |= {line for one in arguments.values() for line in one.imports}
        written = {name: one.source for name, one in arguments.items()}
        source = signature.written(receiver.source, written)
        if signature.kind == "constructor":
            self._made[id(owner)] = (type(owner), Expression(source, frozenset(imports)))
        if target and (target, source) not in self._found and self._kept[target] < MOST_KEPT:
            self._kept[target] += 1
            self._found[target, source] = RecordedCall(
                target, source, tuple(written.items()), tuple(sorted(imports)), receiver.source, self.test
            )

    def _receiver(self, signature: Signature, owner: Any) -> Expression | None:
        """What stands before the dot; "" for what needs nothing there, None if it cannot be written."""
        if signature.kind in ("function", "static"):
            return Expression("")
        if signature.kind in ("constructor", "class"):
            kind = owner if signature.kind == "class" else type(owner)
            return Expression("") if kind is signature.owner else None
        if found := source_of(owner):
            return found
        kind, made = self._made.get(id(owner), (None, None))
        return made if kind is type(owner) else None


def constructors(qualnames: Iterable[str]) -> set[str]:
    """The `__init__` of the classes whose methods these are."""
    owners = (qualname.rpartition(".")[0] for qualname in qualnames)
    return {f"{owner}.__init__" for owner in owners if owner}


def _sources(signature: Signature, values: Mapping[str, Any]) -> dict[str, Expression] | None:
    """Source of each argument that is not the default, by parameter; None if one has no source."""
    found: dict[str, Expression] = {}
    spread = any(values.get(one.name) for one in signature.parameters if one.kind is one.VAR_POSITIONAL)
    for parameter in signature.parameters:
        if parameter.name not in values:
            return None
        value, kind = values[parameter.name], parameter.kind
        by_place = kind is parameter.POSITIONAL_ONLY or (spread and kind is parameter.POSITIONAL_OR_KEYWORD)
        if value is parameter.default and not by_place:
            continue
        if isinstance(value, str | bytes | list | tuple | dict | set | frozenset) and len(value) > _LONGEST:
            return None
        expression = source_of(value)
        if expression is None:
            return None
        stars = "*" * (kind is parameter.VAR_POSITIONAL) + "**" * (kind is parameter.VAR_KEYWORD)
        if value or not stars:
            found[stars + parameter.name] = expression
    return found

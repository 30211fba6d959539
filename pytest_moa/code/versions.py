"""Several versions of one function, compiled once and exchanged in microseconds."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from types import CodeType, FunctionType, ModuleType, TracebackType
from typing import Any

from pytest_moa.code.compiled import NotCompiled, compiled
from pytest_moa.code.definitions import Definition, FunctionNode, defaults_of, definitions_of
from pytest_moa.code.live import caches_of, live_function
from pytest_moa.code.text import lines_of, text_of

#: Code, positional defaults, keyword defaults: all that a version changes of a function.
Version = tuple[CodeType, tuple[Any, ...] | None, dict[str, Any] | None]


class FunctionVersions:
    """The versions of one function of an imported module, by name.

    with versions.swapped("3f9c01"):
        ...     # whoever calls the function runs that version
    """

    def __init__(self, source: str, module: ModuleType, definition: Definition, live: FunctionType) -> None:
        self.definition = definition
        self.live = live
        self.versions: dict[str, Version] = {}
        self._caches = caches_of(module)
        self._flags = definitions_of(source).flags
        self._lines = len(text_of(source).lines)

    @classmethod
    def of(cls, source: str, module: ModuleType, definition: Definition) -> FunctionVersions | None:
        """For the function that this definition made; None if no such function is alive."""
        live = live_function(module, definition)
        return None if live is None else cls(source, module, definition, live)

    def add(self, name: str, changed: str) -> bool:
        """Add the version that the module with the source `changed` has: nothing else differs there.

        False if it does not fit the function that is alive.
        """
        lines = lines_of(changed)
        last = self.definition.last_line + len(lines) - self._lines
        code = self.live.__code__
        try:
            version, node = compiled(
                lines[self.definition.first_line - 1 : last],
                self.definition,
                flags=self._flags,
                filename=code.co_filename,
                freevars=code.co_freevars,
            )
            self.versions[name] = (version, *self._defaults(node))
        except NotCompiled:
            return False
        return True

    def swapped(self, name: str) -> Swapped:
        """A context in which the function runs that version."""
        return Swapped(self.live, self.versions[name], self._caches)

    def put(self, name: str) -> None:
        """Let the function run that version from now on."""
        self.swapped(name).__enter__()

    def _defaults(self, node: FunctionNode) -> tuple[tuple[Any, ...] | None, dict[str, Any] | None]:
        """The function's own defaults, but for those whose source differs: these must be literals."""
        positional, keyword = self.live.__defaults__, self.live.__kwdefaults__
        changed = defaults_of(node)
        if changed == self.definition.defaults:
            return positional, keyword
        values, by_name = list(positional or ()), dict(keyword or {})
        for (name, source), (_, before) in zip(changed, self.definition.defaults, strict=True):
            if source == before:
                continue
            value = _literal(source)
            if name in by_name:
                by_name[name] = value
            else:
                names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
                values[names.index(name) - len(names)] = value
        return tuple(values) or None, by_name or None


class Swapped:
    """While it is entered, a function runs another version. What `lru_cache` keeps is forgotten each time."""

    __slots__ = ("_before", "_caches", "_function", "_version")

    def __init__(self, function: FunctionType, version: Version, caches: Sequence[Any]) -> None:
        self._function = function
        self._version = version
        self._caches = caches
        self._before = (function.__code__, function.__defaults__, function.__kwdefaults__)

    def __enter__(self) -> None:
        self._put(self._version)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._put(self._before)

    def _put(self, version: Version) -> None:
        function = self._function
        function.__code__, function.__defaults__, function.__kwdefaults__ = version
        for cache in self._caches:
            cache.cache_clear()


def _literal(source: str) -> Any:
    try:
        return ast.literal_eval(source)
    except ValueError as error:
        raise NotCompiled(f"the default {source} is not a literal") from error

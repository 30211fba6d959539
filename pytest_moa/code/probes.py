"""Which branches of a module's functions run: measured by probes that are compiled into them.

    probes = Probes.of(source, module.__name__)
    probes.install(module)
    ...                     # run tests
    probes.hits             # {"12:4 if true", ...}

A branch's id is "LINE:COLUMN KIND OUTCOME": line from 1, column in bytes from 0, of the statement or
expression as `ast` places it.
"""

from __future__ import annotations

import ast
import warnings
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from types import CodeType, FunctionType, ModuleType
from typing import Any

from pytest_moa.code.compiled import codes_in
from pytest_moa.code.definitions import first_line_of, functions_in, qualname_of
from pytest_moa.code.instrument import ENTERED, HIT, LOCALS, Instrument
from pytest_moa.code.live import functions_of

#: Called with the qualname of a function that is entered and its arguments by name.
Entered = Callable[[str, dict[str, Any]], object]


class Probes:
    """The probes of one module. `hits` fills while the functions run."""

    def __init__(self, by_function: Mapping[str, frozenset[str]]) -> None:
        self.hits: set[str] = set()
        self.by_function = dict(by_function)
        self.all = frozenset[str]().union(*by_function.values())
        self._codes: dict[tuple[str, int, int], CodeType] = {}
        self._replaced: list[tuple[FunctionType, CodeType]] = []

    @classmethod
    def of(
        cls,
        source: str,
        filename: str,
        qualnames: Collection[str] | None = None,
        *,
        on_enter: Entered | None = None,
    ) -> Probes:
        """Probes for these functions and methods (None: all) of a module with that source.

        `filename` is what tracebacks show. With `on_enter` every entry into one of these functions (not
        those nested in them) is reported with its arguments.

        Raises:
            SyntaxError: the source cannot be parsed.
        """
        tree = ast.parse(source)
        by_function: dict[str, frozenset[str]] = {}
        chosen: set[tuple[str, int]] = set()
        for node, around in functions_in(tree):
            qualname = qualname_of(node.name, around)
            if qualnames is not None and qualname not in qualnames:
                continue
            instrument = Instrument(qualname, notes_entry=on_enter is not None)
            instrument.function(node)
            by_function[qualname] = by_function.get(qualname, frozenset()) | set(instrument.branches)
            for one in ast.walk(node):
                if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                    chosen.add((one.name, first_line_of(one)))
                elif isinstance(one, ast.Lambda):
                    chosen.add(("<lambda>", one.lineno))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            code = compile(tree, filename, "exec", dont_inherit=True)
        probes = cls(by_function)
        callables = {HIT: probes.hits.add, ENTERED: on_enter, LOCALS: locals}
        codes = list(codes_in(_with_callables(code, callables)))
        times = Counter(map(_key, codes))
        probes._codes = {
            _key(one): one
            for one in codes
            if (one.co_name, one.co_firstlineno) in chosen
            and times[_key(one)]
            == 1  # two lambdas in a line cannot be told apart; their function makes new ones
        }
        return probes

    def install(self, module: ModuleType) -> frozenset[str]:
        """Let the module's functions run with probes, whoever holds them.

        Returns the qualnames whose functions could not be found; their branches are never hit.
        """
        found: set[str] = set()
        for function in functions_of(module):
            code = self._codes.get(_key(function.__code__))
            if code is not None and code.co_freevars == function.__code__.co_freevars:
                self._replaced.append((function, function.__code__))
                function.__code__ = code
                found.add(code.co_qualname)
        return frozenset(self.by_function) - found

    def uninstall(self) -> None:
        """Let every function run its own code again."""
        for function, code in reversed(self._replaced):
            function.__code__ = code
        self._replaced.clear()

    def clear(self) -> None:
        """Forget the hits; the set stays the same object."""
        self.hits.clear()


def _key(code: CodeType) -> tuple[str, int, int]:
    """What a code object keeps when its source is instrumented."""
    return code.co_name, code.co_firstlineno, code.co_argcount


def _with_callables(code: CodeType, callables: Mapping[str, Any]) -> CodeType:
    constants = tuple(
        _with_callables(one, callables)
        if isinstance(one, CodeType)
        else callables[one]
        if type(one) is str and one in callables
        else one
        for one in code.co_consts
    )
    return code.replace(co_consts=constants)

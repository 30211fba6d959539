"""Which functions run while pytest collects and modules are imported.

Their sources only say which may run. A function that did not run then can be exchanged afterwards, since
the import would have been the same with any other body.
"""

from __future__ import annotations

import ast
import importlib.abc
import os
import sys
import threading
from collections.abc import Callable, Collection
from types import CodeType
from typing import Any, Final

from pytest_moa.code.definitions import FunctionNode, first_line_of, functions_in, qualname_of

#: Of `sys.monitoring`'s numbers one that is neither a debugger's nor a profiler's.
_TOOL: Final = 4


class Recorder:
    """Notes every code object that starts to run between `start` and `stop`."""

    def __init__(self) -> None:
        self._codes: set[CodeType] = set()
        self._complete = False
        self._profiler: Any = None

    def start_with(self, modules: Collection[str]) -> None:
        """Begin when the first of these is imported: until then it costs nothing."""
        sys.meta_path.insert(0, _Trigger(modules, self.start))

    def start(self) -> None:
        """Begin. Nothing is known afterwards if somebody else watches already."""
        if sys.version_info >= (3, 12):
            if sys.monitoring.get_tool(_TOOL) is None:
                sys.monitoring.use_tool_id(_TOOL, "pytest-moa")
                started = sys.monitoring.events.PY_START
                sys.monitoring.register_callback(_TOOL, started, self._monitored)
                sys.monitoring.set_events(_TOOL, started)
                self._complete = True
        elif sys.getprofile() is None:
            from _lsprof import Profiler  # in C: imports call a million functions

            self._profiler = Profiler(builtins=False)
            self._profiler.enable()
            threading.setprofile(self._profiled)
            self._complete = True

    def stop(self) -> None:
        """End."""
        if not self._complete:
            return
        if sys.version_info >= (3, 12):
            sys.monitoring.set_events(_TOOL, 0)
            sys.monitoring.free_tool_id(_TOOL)
        else:
            self._complete = sys.getprofile() is self._profiler  # else somebody has put another one there
            threading.setprofile(None)
            if self._complete:
                self._profiler.disable()
            self._codes |= {one.code for one in self._profiler.getstats() if isinstance(one.code, CodeType)}
            self._profiler = None

    def ran(self, source: str, path: str) -> frozenset[str] | None:
        """Qualnames of the functions of the module there that may have run; None if nothing is known.

        That a generator or coroutine was made, which keeps the code of that moment, is seen nowhere.
        """
        real = os.path.realpath(path)
        files = {
            name for name in {code.co_filename for code in self._codes} if os.path.realpath(name) == real
        }
        codes = [code for code in self._codes if code.co_filename in files]
        if not self._complete or not any(code.co_name == "<module>" for code in codes):
            return None  # it has been imported before
        lines = {code.co_firstlineno for code in codes}
        return frozenset(
            qualname_of(node.name, around)
            for node, around in functions_in(ast.parse(source))
            if first_line_of(node) in lines or _is_lazy(node)
        )

    def _monitored(self, code: CodeType, _: int) -> Any:
        self._codes.add(code)
        if sys.version_info >= (3, 12):
            return sys.monitoring.DISABLE  # once is enough
        return None

    def _profiled(self, frame: Any, event: str, _: object) -> None:
        if event == "call":
            self._codes.add(frame.f_code)


def _is_lazy(node: FunctionNode) -> bool:
    """Whether calling it runs nothing yet."""
    return isinstance(node, ast.AsyncFunctionDef) or any(
        isinstance(one, ast.Yield | ast.YieldFrom) for one in ast.walk(node)
    )


class _Trigger(importlib.abc.MetaPathFinder):
    """Finds nothing, but is asked for every module before it is imported."""

    def __init__(self, modules: Collection[str], called: Callable[[], None]) -> None:
        self.modules = modules
        self.called = called

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:
        """Call when it is one of them, once."""
        del path, target
        if fullname in self.modules:
            sys.meta_path.remove(self)
            self.called()

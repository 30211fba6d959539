"""The project's own tests as programs: jobs of a warm process that has collected them.

State is `running.warm_session.Warm`. A test's body is exchanged for a program's, compiled with the same
name and parameters; fixtures, parameters and plug-ins do what they always do.
"""

from __future__ import annotations

import contextlib
import inspect
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from pytest_moa.proof import running
from pytest_moa.proof.conforming import violations
from pytest_moa.proof.observing import Observer
from pytest_moa.proof.side import result
from pytest_moa.proof.snippet import ARGUMENT, END, SEEN
from pytest_moa.proof.texts import hide
from pytest_moa.running.items import fail_fast, followed
from pytest_moa.running.warm_session import Warm
from pytest_moa.session.recording import Recorder
from pytest_moa.target import Target
from pytest_moa.values import source_of

_FAILED = "__moa_failed"
#: Lines of a program's function before those of the program.
_BEFORE = 2
#: Results that are sent together.
CHUNK = 25


def described(warm: Warm, args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What is known of items "indices": {"index", "file", "arguments", "params", "usable"}.

    "params" are sources of parametrised values with their imports, None for one that has no source.
    "usable" tells whether its body can be exchanged.
    """
    found = []
    for index in args["indices"]:
        item = warm.items[index]
        params: dict[str, Any] = {}
        callspec = getattr(item, "callspec", None)
        for name, value in callspec.params.items() if callspec is not None else ():
            written = source_of(value)
            params[name] = [written.source, sorted(written.imports)] if written is not None else None
        function = _function(item)
        usable = function is not None and not function.__code__.co_freevars
        usable = usable and not _is_of_hypothesis(item)
        code = function.__code__ if function is not None else None
        found.append(
            {
                "index": index,
                "file": str(item.path),
                "arguments": list(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])
                if code
                else [],
                "params": params,
                "usable": usable,
            }
        )
    return found


def reaching(warm: Warm, args: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Run the items "indices" one after another; yield {"index", "passed", "seconds", "reached"}.

    Each has "seconds": one that waits for what is not here (a server, say) must not cost all the others.
    Hypothesis' tests are left out: they take long, and their bodies cannot be exchanged.
    """
    indices = [index for index in args["indices"] if not _is_of_hypothesis(warm.items[index])]
    items = [warm.items[index] for index in indices]
    fail_fast(warm.session.config, items)
    for index, (item, following) in zip(indices, followed(items), strict=True):
        for probes in warm.probes.values():
            probes.clear()
        passed, began = False, time.monotonic()
        with contextlib.suppress(running.TooSlow), running.limited(args["seconds"]):
            passed = warm.watcher.run(item, following).outcome == "passed"
        yield {
            "index": index,
            "passed": passed,
            "seconds": time.monotonic() - began,
            "reached": {name: sorted(probes.hits) for name, probes in warm.probes.items() if probes.hits},
        }


def _is_of_hypothesis(item: pytest.Item) -> bool:
    return hasattr(getattr(item, "obj", None), "hypothesis")


def _function(item: pytest.Item) -> FunctionType | None:
    found = getattr(item, "function", None)
    found = inspect.unwrap(found) if callable(found) else None
    return found if isinstance(found, FunctionType) else None


def run(warm: Warm, args: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Run "programs", each {"index", "code"}, as `side.run` does; best sorted by their items."""
    programs: Sequence[Mapping[str, Any]] = args["programs"]
    detail = args.get("detail", False)
    items = [warm.items[one["index"]] for one in programs]
    fail_fast(warm.session.config, set(items))
    hide(str(warm.session.config.rootpath))
    chunk: list[dict[str, Any]] = []
    seen: set[str] = set()
    for number, (item, program) in enumerate(zip(items, programs, strict=True)):
        following: Any = items[number + 1] if number + 1 < len(items) else None
        if following is item:
            following = _Sibling(item)
        for probes in warm.probes.values():
            probes.clear()
        observer = Observer(keep_values=detail)
        _run(warm, item, following, program["code"], observer, args["seconds"])
        hits = [f"{name} {branch}" for name, probes in warm.probes.items() for branch in probes.hits]
        told = result(observer, detail)
        told["hits"] = [hit for hit in hits if hit not in seen]
        seen.update(hits)
        if detail:
            told["functions"] = functions(warm.probes)
            function = _function(item)
            told["violates"] = violations(program["source"], function.__globals__ if function else {})
        chunk.append(told)
        if len(chunk) >= args.get("chunk", CHUNK):
            yield chunk
            chunk = []
    yield chunk


class _Sibling:
    """Whatever follows an item in its class or module: the item itself is torn down, what is above stays."""

    def __init__(self, item: pytest.Item) -> None:
        self._above = item.listchain()[:-1]

    def listchain(self) -> list[Any]:
        """What has to stay set up."""
        return self._above


def functions(all_probes: Mapping[str, Any]) -> list[str]:
    """Functions with a branch that was taken, as "module:qualname"."""
    return [
        f"{name}:{qualname}"
        for name, probes in all_probes.items()
        for qualname, branches in probes.by_function.items()
        if not branches.isdisjoint(probes.hits)
    ]


def _run(
    warm: Warm,
    item: pytest.Item,
    following: Any,
    code: str,
    observer: Observer,
    seconds: float,
) -> None:
    function = _function(item)
    assert function is not None
    before, names = function.__code__, function.__globals__

    def failed(error: BaseException) -> None:
        if isinstance(error, running.TooSlow):
            observer.timed_out = True
            return
        observer.failed(error, running.FILENAME)
        if observer.raised is not None:
            observer.raised.line -= _BEFORE

    try:
        function.__code__ = compiled(function, code)
    except (SyntaxError, ValueError):
        observer.timed_out = False
        observer.failed(SyntaxError("this program cannot be run"), running.FILENAME)
        return
    undo = running.Undo()
    names.update({SEEN: observer.seen, ARGUMENT: observer.argument, END: observer.end, _FAILED: failed})
    names["monkeypatch"] = undo
    try:
        with running.limited(seconds + 0.25):
            ran = warm.watcher.run(item, following)
            if (
                ran.outcome == "failed"
                and observer.raised is None
                and not observer.facts
                and not observer.timed_out
            ):
                observer.failed(RuntimeError("its setup fails"), running.FILENAME)
    except running.TooSlow:
        observer.timed_out = True
    finally:
        function.__code__ = before
        undo.undo()


def compiled(function: FunctionType, body: str) -> CodeType:
    """Code for the function with another body. Raises SyntaxError, ValueError."""
    head = (
        f"{'async ' * inspect.iscoroutinefunction(function)}def {function.__name__}{_parameters(function)}: "
    )
    lines = [head, "  try:", textwrap.indent(body, "    "), "  except BaseException as __moa_error:"]
    lines += [f"    {_FAILED}(__moa_error)", "    raise"]
    flags = function.__code__.co_flags & 0x1FF0000  # of `from __future__` imports
    module = compile("\n".join(lines), running.FILENAME, "exec", flags=flags, dont_inherit=True)
    for constant in module.co_consts:
        if isinstance(constant, CodeType) and constant.co_name == function.__name__:
            return constant
    raise ValueError(function.__name__)


def _parameters(function: FunctionType) -> str:
    code = function.__code__
    names = code.co_varnames
    positional = list(names[: code.co_argcount])
    keyword = list(names[code.co_argcount : code.co_argcount + code.co_kwonlyargcount])
    return f"({', '.join([*positional, *(['*', *keyword] if keyword else [])])})"


def recorded(warm: Warm, args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Run items "indices" and note the arguments of "functions", [module, path, qualname] each.

    Gives [{"function", "source", "imports"}].
    """
    targets = [
        Target(path, module, qualname, 1, 1, "changed") for module, path, qualname in args["functions"]
    ]
    recorder = Recorder(Path("/"), targets)
    items = [warm.items[index] for index in args["indices"]]
    for number, item in enumerate(items):
        following = items[number + 1] if number + 1 < len(items) else None
        with recorder.test(item.nodeid, str(item.path), left_out=False):
            warm.watcher.run(item, following)
    return [
        {"function": call.target, "source": call.source, "imports": list(call.imports)}
        for call in recorder.result().calls
    ]

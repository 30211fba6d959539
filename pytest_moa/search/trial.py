"""Run a written test in this process, with small stand-ins for what it uses of pytest.

The search's own check before pytest has the last word; standard library only.
"""

# ruff: noqa: S102, PT017 - it runs code, and stands in for pytest.raises

from __future__ import annotations

import contextlib
import functools
import io
import re
import signal
import sys
import warnings
from collections.abc import Iterator
from types import CodeType, SimpleNamespace
from typing import Any

from pytest_moa.candidate import Candidate
from pytest_moa.search.alarm import TooSlow, arm, stop_timer, uninterrupted
from pytest_moa.search.patching import Undo

#: Seconds for one test.
SECONDS = 0.5


def passes(candidate: Candidate, seconds: float = SECONDS, module: str = "candidate") -> bool:
    """Whether the test, in a module of that name, passes with the code as it is at the moment."""
    names: dict[str, Any] = {"__name__": module, "pytest": _PYTEST}
    output, kept = io.StringIO(), (sys.stdout, sys.stderr)
    undo = Undo()
    fixtures = {
        "monkeypatch": undo,
        "capsys": SimpleNamespace(readouterr=lambda: SimpleNamespace(out=output.getvalue(), err="")),
    }
    arm()
    try:
        sys.stdout, sys.stderr = output, io.StringIO()
        signal.setitimer(signal.ITIMER_PROF, seconds, 0.02)
        exec(_code(candidate.module_source()), names)
        test = names[candidate.name]
        given = test.__code__.co_varnames[: test.__code__.co_argcount]
        test(**{name: fixtures[name] for name in given})
    except BaseException:
        return False
    else:
        return True
    finally:
        stop_timer()
        sys.stdout, sys.stderr = kept
        undo.undo()


@functools.lru_cache(maxsize=2_000)
def _code(source: str) -> CodeType:
    lines = ("" if line == "import pytest" else line for line in source.split("\n"))
    return compile("\n".join(lines), "<test>", "exec")


@contextlib.contextmanager
def _raises(expected: type[BaseException], match: str | None = None) -> Iterator[SimpleNamespace]:
    caught = SimpleNamespace(value=None)
    try:
        yield caught
    except TooSlow:
        raise
    except expected as error:
        caught.value = error
        assert match is None or re.search(match, str(error))
    else:
        raise AssertionError


@contextlib.contextmanager
def _warns(expected: type[Warning], match: str | None = None) -> Iterator[None]:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        yield
    fitting = (one for one in seen if issubclass(one.category, expected))
    assert any(match is None or re.search(match, str(one.message)) for one in fitting)


class _Approx:
    def __init__(self, expected: float) -> None:
        self.expected = expected

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (int, float)):
            return False
        return abs(other - self.expected) <= max(1e-12, 1e-6 * abs(self.expected))

    __hash__ = None  # type: ignore[assignment]


_PYTEST = SimpleNamespace(raises=_raises, warns=_warns, approx=_Approx)

uninterrupted(passes)

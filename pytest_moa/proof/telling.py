"""What a run showed, in words and source: for people, and for the test that will be written."""

from __future__ import annotations

import contextlib
from typing import Any

from pytest_moa.proof.observing import Observer
from pytest_moa.proof.texts import masked, shortened
from pytest_moa.search.observation import value_at
from pytest_moa.values import Expression, source_of

#: Characters of a value's source that a test may show.
LONGEST = 300


def told(observer: Observer) -> dict[str, Any]:
    """All of a run as JSON.

    "facts": [{"at", "part", "path", "digest", "source", "imports", "text"}], "error": {"kind", "message",
    "line", "told"} or None, "output", "warned".
    """
    facts = []
    for (at, part, path, digest), (where, _, _) in zip(observer.listed(), observer.facts, strict=True):
        source, imports, text = _written(observer.values.get(where, _GONE), path)
        facts.append(
            {
                "at": at,
                "part": part,
                "path": path,
                "digest": digest,
                "source": source,
                "imports": imports,
                "text": text,
            }
        )
    raised = observer.raised
    error = None
    if raised is not None:
        error = {"kind": raised.kind, "message": raised.message, "line": raised.line, "told": raised.told}
    return {
        "facts": facts,
        "error": error,
        "output": masked(observer.output),
        "warned": list(observer.warned),
    }


_GONE = object()


def _written(value: Any, path: str) -> tuple[str, list[str], str]:
    """Source of what a path leads to ("" without one), its imports, and words for it."""
    if value is _GONE:
        return "", [], ""
    with contextlib.suppress(Exception):
        seen = value if path == "{}" or path.startswith(_DRIVING) else value_at(path, value)
        written = source_of(seen) or _of_plainer(seen)
        if written is not None and len(written.source) <= LONGEST:
            return written.source, sorted(written.imports), shortened(written.source)
        return "", [], shortened(repr(seen))
    return "", [], f"<{type(value).__name__}>"


def _of_plainer(value: Any) -> Expression | None:
    """Source of a builtin that is equal to an instance of a subclass: a defaultdict, a list of one's own."""
    for plain in (dict, list, tuple, set, str, int):
        if isinstance(value, plain) and type(value) is not plain:
            make: Any = plain
            again = make(value)
            return source_of(again) if again == value else None
    return None


_DRIVING = ("list(islice(", "asyncio.run(")

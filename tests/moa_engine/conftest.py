"""A session with real parts: settings, plug-ins, a record on disk, members at a scripted endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from moa_engine.session import Session, open_session


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Session]]:
    """`opened(base_url, names, **settings)`: a session whose chat members are at one endpoint."""
    with ExitStack() as stack:

        def open_one(base_url: str, names: str = "ann bob cid", **settings: Any) -> Session:
            members = {name: {"model": f"model-{name}", "base_url": base_url} for name in names.split()}
            for name, own in settings.pop("members", {}).items():
                members[name] = {**members.get(name, {}), **own}
            flags = {
                "record": str(tmp_path / "record.sqlite"),
                "members": members,
                "aggregator": names.split()[:1],
                **settings,
                # A busy machine must not look like a straggler: only tests of stragglers have any.
                "stragglers": {"hedge": False, "quorum": 1.0, **settings.get("stragglers", {})},
            }
            return stack.enter_context(open_session(start=tmp_path, flags=flags, environ={}))

        yield open_one

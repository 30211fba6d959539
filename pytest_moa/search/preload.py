"""What a warm process does before it serves searches: import the target."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def imported(args: dict[str, Any], serve: Callable[[Any, Any], None]) -> None:
    """Import `args["module"]` and serve with its name and source as the state."""
    module = importlib.import_module(args["module"])
    for name in ("pytest_moa.search.job", "asyncio", "copy", "pickle", "random"):
        importlib.import_module(name)
    serve({"module": args["module"]}, {"module": module.__name__, "file": getattr(module, "__file__", "")})

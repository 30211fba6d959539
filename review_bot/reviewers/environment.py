"""The Python environment in which the reviewed code's foreign imports are looked up."""

from __future__ import annotations

import itertools
import os
import sys
from pathlib import Path


def environment() -> str:
    """Its folder: the environment that is active, else our own."""
    return os.environ.get("VIRTUAL_ENV") or sys.prefix


def state() -> str:
    """What stands for the packages in it: the times at which their folders last changed."""
    root = Path(environment())
    folders = itertools.chain(root.glob("lib/python*/site-packages"), root.glob("Lib/site-packages"))
    return " ".join(str(folder.stat().st_mtime_ns) for folder in sorted(folders))

"""What a review that failed looks like to whoever started it: exit codes, with a model that is none."""

from __future__ import annotations

import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks.side_by_side.comparison import Cell, Table
from benchmarks.side_by_side.counting_proxy import proxy
from benchmarks.side_by_side.review_systems import Reviewer, run
from benchmarks.side_by_side.reviewed_cases import Change, git
from review_bot.bench.cases import CaseHunk

#: Seconds for each; what takes longer is killed.
PATIENCE = 40

#: Makes a reviewer that asks at a base URL.
Asking = Callable[[str], Reviewer]

_NOTE = (
    "In brackets: seconds. A job of a CI goes on after 0. Where every model failed, the product still has "
    "its tools' review, marked as partial: it exits with 0, and with 3 under `--strict`; `alone` has no "
    "tools. An empty diff is no failure."
)


def failures(systems: Mapping[str, Asking], change: Change, ends: float) -> Table:
    """One row a system; what the time does not suffice for is left out, and said."""
    rows: dict[str, list[Cell]] = {name: [name] for name in systems}
    with proxy() as garbage, proxy(status=401) as refused, tempfile.TemporaryDirectory() as scratch:
        places = [(garbage.base_url, change), (refused.base_url, change), (_nobody(), change)]
        places.append((garbage.base_url, _unchanged(Path(scratch))))
        for base_url, about in places:
            for name, asking in systems.items():  # in turn
                left = min(PATIENCE, ends - time.monotonic())
                rows[name].append(_exit(asking(base_url), about, left) if left > 1 else "no time left")
    columns = ("", "garbage for an answer", "refused key (401)", "endpoint down", "empty diff")
    return Table("Exit codes when something is wrong", columns, tuple(map(tuple, rows.values())), _NOTE)


def _exit(reviewer: Reviewer, change: Change, patience: float) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        ended = run(reviewer(change, Path(scratch)), patience)
    return f"killed after {patience:.0f} s" if ended.exit is None else f"{ended.exit} ({ended.seconds:.1f})"


def _nobody() -> str:
    """A base URL at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/v1"


def _unchanged(folder: Path) -> Change:
    (folder / "same.py").write_text("same = True\n")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "same.py")
    git(folder, "commit", "--quiet", "--message", "The code")
    git(folder, "tag", "base")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Nothing")
    git(folder, "tag", "head")
    nothing = CaseHunk("none", "clean", None, "", "", "", 0, 0, "", "", "")
    return Change("none", folder, "", (), nothing)

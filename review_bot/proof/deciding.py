"""Whether a review proves: whether the code under review is run, and for how long."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from review_bot.change import Change

Mode = Literal["auto", "on", "off", "unsafe"]

#: Names of variables that hold what others must not get.
_SECRET = re.compile(
    r"(^|_)(TOKEN|SECRET|SECRETS|PASSWORD|PASSWD|CREDENTIALS|(API|ACCESS|PRIVATE|SIGNING|SECRET)_?KEY)(_|$)",
    re.IGNORECASE,
)

#: Secrets that are named in a note.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """Whether to prove, within how many seconds, and if not why, where that is not evident.

    `runtime` is what decides, besides both trees, what a proof finds: this package and Python.
    """

    on: bool = False
    seconds: float = 60.0
    unsafe: bool = False
    why: str = ""
    runtime: str = ""

    def to_json(self) -> dict[str, Any]:
        """For the record: with the trees it makes a proof the same one."""
        return asdict(self)


def decide(
    mode: Mode, seconds: float, change: Change, *, repository: bool, environ: Mapping[str, str]
) -> ProofPlan:
    """The plan for this change, here.

    "auto" proves, but not in a CI job that has secrets in its environment: a job is where strangers'
    changes are run without anybody looking.
    """
    if mode == "off" or not _changes_python(change):
        return ProofPlan(seconds=seconds)
    if not repository:
        why = "" if mode == "auto" else "proof is off: a patch without its repository cannot be run"
        return ProofPlan(seconds=seconds, why=why)
    if mode == "auto" and in_ci(environ) and (names := secrets_in(environ)):
        listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if names[_NAMED:] else "")
        why = f"proof is off: this is a CI job with secrets in its environment ({listed}); --prove on insists"
        return ProofPlan(seconds=seconds, why=why)
    return ProofPlan(True, seconds, mode == "unsafe", runtime=_runtime())


def in_ci(environ: Mapping[str, str]) -> bool:
    """Whether this is a job of a CI service: they all set CI."""
    return environ.get("CI", "").strip().lower() not in ("", "0", "false", "no")


def secrets_in(environ: Mapping[str, str]) -> list[str]:
    """Names of variables that hold tokens, keys or passwords, sorted."""
    return sorted(name for name, value in environ.items() if value.strip() and _SECRET.search(name))


def _changes_python(change: Change) -> bool:
    return any(file.path.endswith(".py") and file.hunks for file in change.files)


def _runtime() -> str:
    import platform
    from importlib.metadata import version

    return (
        f"pytest-moa {version('pytest-moa')}, {platform.python_implementation()} {platform.python_version()}"
    )

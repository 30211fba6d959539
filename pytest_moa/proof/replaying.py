"""Run a test in fresh processes on both sides: it must pass on base and fail on head, every time."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from pytest_moa.project import Project
from pytest_moa.proof.clock import Clock
from pytest_moa.proof.pair import Live, Tree, awaited, close_all
from pytest_moa.sandbox import Limits
from pytest_moa.warm import WarmProcess

#: Settings and marks of plug-ins that are not here must not be errors.
NO_CONFIG_WARNINGS = (
    "-W",
    "ignore::pytest.PytestConfigWarning",
    "-W",
    "ignore::pytest.PytestUnknownMarkWarning",
)
#: Each side runs a test so often, in a fresh fork each time, under these seeds of hashes.
HASH_SEEDS = (0, 1, 1)
#: Seconds for one run of one test.
SECONDS = 12.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How often of three a test passed on each side, and what it said when it failed."""

    base: int
    head: int
    base_message: str = ""
    head_message: str = ""

    @property
    def proves(self) -> bool:
        """Whether it is a witness."""
        return self.base == len(HASH_SEEDS) and self.head == 0


class Replayer:
    """Warm processes that have imported pytest and nothing of the project; a context manager."""

    def __init__(
        self, base: Tree, head: Tree, *, confined: bool, workers: int = 2, clock: Clock | None = None
    ) -> None:
        self.clock = clock or Clock(math.inf)
        self.base, self.head = (
            {seed: _live(tree, seed, self.clock, confined=confined) for seed in sorted(set(HASH_SEEDS))}
            for tree in (base, head)
        )
        self._trees = {"base": base, "head": head}
        self._projects: dict[str, Project] = {}
        self._threads = ThreadPoolExecutor(min(2, workers))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all processes."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        close_all((*self.base.values(), *self.head.values()))

    def warm_up(self) -> None:
        """Begin to start the processes; whoever needs one waits for it."""
        for seed in self.base:
            for lives in (self.base, self.head):
                self._threads.submit(lives[seed].start)

    def verdict(self, test: str) -> Verdict:
        """Run a test; as soon as one run tells that it is no witness, no other is made on that side.

        Raises TimeIsOver.
        """
        sides = [
            self._threads.submit(self._side, self.head, "head", test, False),
            self._threads.submit(self._side, self.base, "base", test, True),
        ]
        (head, head_message), (base, base_message) = (awaited(one, self.clock) for one in sides)
        return Verdict(base, head, base_message, head_message)

    def whole(self, test: str) -> tuple[bool, bool]:
        """Whether it passes every time, on base and on head."""
        sides = [
            self._threads.submit(self._side, lives, side, test, True)
            for lives, side in ((self.base, "base"), (self.head, "head"))
        ]
        base, head = (awaited(one, self.clock)[0] == len(HASH_SEEDS) for one in sides)
        return base, head

    def _side(self, lives: Mapping[int, Live], side: str, test: str, wanted: bool) -> tuple[int, str]:
        tree = self._trees[side]
        project = self._projects.setdefault(side, Project.find(tree.root))
        args = {
            "test": test,
            "name": "witness",
            "root": str(tree.root),
            "ini": str(project.ini) if project.ini else None,
            "options": [*project.options, *NO_CONFIG_WARNINGS],
        }
        passed, message = 0, ""
        for seed in HASH_SEEDS:
            ended = lives[seed].call("pytest_moa.proof.fresh:check", args, Limits(wall=SECONDS, cpu=SECONDS))
            told = ended.value if ended.status == "returned" and ended.value else {"passed": False}
            message = message or str(told.get("message", ended.error))
            passed += bool(told["passed"])
            if bool(told["passed"]) is not wanted:
                break
        return passed, message


def _live(tree: Tree, seed: int, clock: Clock, *, confined: bool) -> Live:
    return Live(
        lambda: WarmProcess(
            root=tree.root,
            preload="pytest_moa.proof.fresh:ready",
            preload_args={"root": str(tree.root)},
            python_path=[str(path) for path in tree.python_path],
            readable=[tree.root, *tree.python_path],
            limits=Limits(wall=SECONDS, cpu=SECONDS),
            confined=confined,
            hash_seed=seed,
        ),
        clock,
    )


def tree_of(root: Path) -> Tree:
    """A version's tree: its pytest settings, src layout, and itself in front of `sys.path`."""
    root = root.resolve()
    project = Project.find(root)
    found = [
        *project.python_path,
        *(folder for folder in (root / "src", root / "lib") if folder.is_dir()),
        root,
    ]
    return Tree(root, tuple(dict.fromkeys(path for path in found if path.is_relative_to(root))))

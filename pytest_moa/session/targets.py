"""What tests are wanted for in this session, and what is wanted most."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from pytest_moa.project import Project
from pytest_moa.session.changed import changed_targets
from pytest_moa.session.options import Options
from pytest_moa.session.repository import NoRepository, changes
from pytest_moa.suggestions import Skipped
from pytest_moa.target import Target


@dataclass(frozen=True, slots=True)
class Chosen:
    """The targets; what could be none; and why there are none, in words ("" if there are some)."""

    targets: tuple[Target, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    nothing: str = ""


def choose(project: Project, options: Options) -> Chosen:
    """The targets that the options name; without any, what changed.

    Raises:
        ConfigError: a target or revision that was named does not exist.
    """
    if options.targets:
        return _chosen(target for text in options.targets for target in project.targets(text))
    if options.all:
        return _everything(project)
    try:
        changed = changes(project.root, options.base)
    except NoRepository as error:
        return Chosen(nothing=str(error))
    targets, skipped = changed_targets(project, changed)
    chosen = _chosen(targets, tuple(skipped))
    why = f"no function has changed since {changed.base}"
    return chosen if chosen.targets or skipped else replace(chosen, nothing=why)


def ranked(
    targets: Iterable[Target], branches: Mapping[str, set[str]], reached: Mapping[str, set[str]]
) -> tuple[Target, ...]:
    """The targets, those with most branches that no test takes first, then the most complex ones.

    A target that was never imported has all to gain: what is known of it is its length.
    """

    def wanted(target: Target) -> tuple[bool, int, int]:
        all, taken = branches.get(target.name), reached.get(target.name, set())
        if all is None:
            return True, target.last_line - target.first_line, 0
        return False, len(all - taken), len(all)

    return tuple(sorted(targets, key=wanted, reverse=True))


def dumped(targets: Iterable[Target]) -> str:
    """The targets as text, for the workers of pytest-xdist."""
    return json.dumps([asdict(target) for target in targets])


def loaded(text: str) -> list[Target]:
    """What `dumped` wrote on the controller of this session."""
    return [Target(**one) for one in json.loads(text)]


def _everything(project: Project) -> Chosen:
    from moa_engine.errors import ConfigError

    targets: list[Target] = []
    skipped: list[Skipped] = []
    for path in project.sources(project.root):
        try:
            targets += project.functions(path, "all")
        except ConfigError as error:
            skipped.append(Skipped(project.shown(path), error.message))
    chosen = _chosen(targets, tuple(skipped))
    return chosen if targets or skipped else replace(chosen, nothing="the project has no functions")


def _chosen(targets: Iterable[Target], skipped: tuple[Skipped, ...] = ()) -> Chosen:
    return Chosen(tuple({target.name: target for target in targets}.values()), skipped)

"""What `--moa` adds to a session: a watcher where tests run, and a suggester where the session is led."""

from __future__ import annotations

from typing import Any

import pytest

from moa_engine.errors import MoaError
from pytest_moa.project import Project
from pytest_moa.session.options import Options
from pytest_moa.session.recording import Recorder
from pytest_moa.session.suggesting import Suggesting
from pytest_moa.session.targets import Chosen, choose, loaded
from pytest_moa.session.watching import KEY, Watching
from pytest_moa.suggestions import Effort


def register(config: pytest.Config) -> None:
    """Add the objects that this process needs.

    Raises:
        pytest.UsageError: an option or a setting is wrong.
    """
    given: dict[str, Any] | None = getattr(config, "workerinput", None)
    if given is not None:
        _watch(config, Recorder(config.rootpath, loaded(given.get(KEY, "[]"))))
        return
    options = Options.of(config)
    if config.getoption("collectonly"):
        return
    try:
        project = Project.of_config(config)
        chosen = choose(project, options)
        effort, header = effort_of(config, options)
    except MoaError as error:
        raise pytest.UsageError(str(error)) from error
    targets = list(chosen.targets)
    config.hook.pytest_moa_targets(config=config, targets=targets)
    chosen = Chosen(tuple(targets), chosen.skipped, "" if targets else chosen.nothing)
    recorder = Recorder(config.rootpath, targets)
    _watch(config, recorder)
    suggesting = Suggesting(config, options, effort, project, chosen, recorder, header)
    config.pluginmanager.register(suggesting, "moa-suggesting")


def effort_of(config: pytest.Config, options: Options) -> tuple[Effort, str]:
    """How much to do, and the header line: who sits on the committee, and what confines generated code.

    Raises:
        ConfigError: a setting is wrong.
    """
    from moa_engine.committee import build_committee
    from moa_engine.session import open_session
    from pytest_moa.sandbox import probe
    from pytest_moa.settings import TestsSettings

    flags = {
        "committee": options.committee,
        "budget": options.budget,
        "tests.max": options.max,
        "tests.seconds": options.seconds,
    }
    with open_session(start=config.rootpath, flags=flags) as session:
        committee = build_committee(session.settings, session.plugins)
        settings = session.sections["tests"]
    assert isinstance(settings, TestsSettings)
    members = ", ".join(committee.members) or "no model, deterministic members only"
    nodes = config.getoption("tx", default=None)  # of pytest-xdist
    workers = len(nodes) if nodes else settings.workers  # as many as xdist has
    effort = Effort(settings.max, settings.seconds, workers)
    return effort, f"moa: committee {committee.name} ({members}); sandbox: {probe().name}"


def _watch(config: pytest.Config, recorder: Recorder) -> None:
    config.pluginmanager.register(Watching(config, recorder), "moa-watching")

"""The hooks of `pytest --moa` that other pytest plug-ins can implement.

They are pytest hooks: a conftest.py or a plug-in implements them with `@pytest.hookimpl`. Where it may
run without pytest-moa, mark them `@pytest.hookimpl(optionalhook=True)`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_moa.candidate import Candidate
    from pytest_moa.suggestions import Facts, Observer, Proposer, Suggestion, Suggestions, SuggestRequest
    from pytest_moa.target import Target


@pytest.hookspec
def pytest_moa_targets(config: pytest.Config, targets: list[Target]) -> None:
    """Change the list of targets in place: add, remove or reorder functions that tests are wanted for.

    Called once, before tests run; with pytest-xdist on the controller only.
    """


@pytest.hookspec
def pytest_moa_proposers(config: pytest.Config) -> Mapping[str, Proposer] | None:
    """More proposers, by the name under which they are shown.

    Each is called once with the `SuggestRequest` and gives candidates, which are executed and judged
    like those of everybody else.
    """


@pytest.hookspec
def pytest_moa_candidate(config: pytest.Config, candidate: Candidate, facts: Facts) -> str | None:
    """Look at a test that is about to be suggested, with what executing it showed.

    A returned text is the reason not to suggest it; it stays in the report's candidates.
    """


@pytest.hookspec
def pytest_moa_accept(config: pytest.Config, suggestion: Suggestion, path: str) -> str | None:
    """Look at a suggestion that is about to be written into `path`, relative to the root.

    A returned text is the reason not to write it.
    """


@pytest.hookspec(firstresult=True)
def pytest_moa_suggest(
    config: pytest.Config, request: SuggestRequest, progress: Observer
) -> Suggestions | None:
    """Make the suggestions. The built-in implementation comes last and asks the committee."""

"""The pytest plug-in's entry point. It is imported in every session: nothing but pytest up here.

PYTEST_DONT_REWRITE: it asserts nothing.
"""

from __future__ import annotations

import pytest

#: With one of these the rest of the plug-in is imported; without, it costs nothing.
_ANSWERED_AT_ONCE = ("moa_status", "moa_merge", "moa_accept", "moa_review")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `--moa*` options."""
    group = parser.getgroup("moa", "committee of language models (pytest-moa)")
    add = group.addoption
    add("--moa", action="store_true", help="suggest tests for the functions that changed, after the tests")
    add("--moa-accept", action="store_true", help="write the suggestions; without --moa the last run's")
    add(
        "--moa-review",
        action="store_true",
        help="ask for each suggestion whether to write it, edit it or skip it",
    )
    add(
        "--moa-target",
        action="append",
        default=[],
        metavar="PATH[::qualname]",
        help="suggest tests for this file, class or function (repeatable)",
    )
    add("--moa-all", action="store_true", help="suggest tests for every function of the project")
    add(
        "--moa-base",
        metavar="REV",
        help="what counts as changed: since this revision, not the default branch",
    )
    add("--moa-max", type=int, metavar="N", help="suggestions at most (default: 10, or as configured)")
    add("--moa-seconds", type=float, metavar="S", help="time for suggestions (default: 60, or as configured)")
    add("--moa-committee", metavar="NAME", help="a preset or committee, as in `moa ask --committee`")
    add("--moa-budget", type=float, metavar="USD", help="spend no more than this")
    add("--moa-plan", action="store_true", help="show what suggestions would cost, call nobody")
    add("--moa-report", metavar="FILE", help="write everything that was found as JSON")
    add(
        "--moa-merge",
        action="extend",
        nargs="+",
        metavar="FILE",
        help="show what several reports suggest together, run no test (also --moa-accept, --moa-review)",
    )
    add(
        "--moa-fail-under",
        type=float,
        metavar="MUTATION_SCORE",
        help="fail when the tests kill less than this many percent of the targets' mutants",
    )
    add("--moa-unsafe", action="store_true", help="run generated code even where nothing can confine it")
    add("--moa-status", action="store_true", help="show the configured committee, run no test")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Let other plug-ins take part."""
    from pytest_moa import hookspecs

    pluginmanager.add_hookspecs(hookspecs)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and with `--moa` what watches the session and suggests tests."""
    config.addinivalue_line(
        "markers", "moa(skip=False): with skip=True, pytest --moa leaves the test and what it tests alone"
    )
    if config.getoption("--moa"):
        from pytest_moa.session.registering import register

        register(config)


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer `--moa-status`, `--moa-merge`, and `--moa-accept` without `--moa` instead of running tests."""
    if config.getoption("--moa") or not any(config.getoption(name) for name in _ANSWERED_AT_ONCE):
        return None
    from pytest_moa.session.answering import answer

    return answer(config)

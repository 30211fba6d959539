"""The pytest plug-in's entry point. It is imported in every session: nothing but pytest up here."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `--moa*` options."""
    group = parser.getgroup("moa", "committee of language models (pytest-moa)")
    group.addoption("--moa-status", action="store_true", help="show the configured committee, run no test")


def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Answer `--moa-status` instead of running tests."""
    if not config.getoption("--moa-status"):
        return None
    from moa_engine.errors import MoaError
    from moa_engine.session import open_session
    from moa_engine.status import status_lines

    try:
        with open_session(start=config.rootpath) as session:
            for line in status_lines(session):
                print(line)
    except MoaError as error:
        raise pytest.UsageError(str(error)) from error
    return 0

"""Databases of both kinds for the server's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.review_bot.server.postgresql import NewDatabase, NoPostgresql, postgresql


@pytest.fixture(scope="session")
def postgres() -> Iterator[NewDatabase]:
    """One PostgreSQL for all tests of this process; it need not survive a power cut."""
    try:
        with postgresql("fsync=off") as new_database:
            yield new_database
    except NoPostgresql as error:
        pytest.skip(str(error))


@pytest.fixture
def postgres_url(postgres: NewDatabase) -> str:
    """An empty database on PostgreSQL."""
    return postgres()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'server.sqlite'}"
    postgres: NewDatabase = request.getfixturevalue("postgres")
    return postgres()

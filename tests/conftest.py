"""Fixtures that every area uses: both databases, and a clock that is turned by hand."""

from __future__ import annotations

import itertools
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from core.clock import SteppedClock
from core.database import CORE_SCHEMA, Database, Schema, migrate_up, open_database

# Both folders have a part of the package support.
sys.path.insert(0, str(Path(__file__).parents[1] / "sandbox" / "server" / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

from support.heartbeats import no_heartbeat_stays  # noqa: F401 - a fixture of every test
from support.judged_worlds import judged_worlds  # noqa: F401 - a fixture of every test
from support.long_tests import is_long
from support.postgres import PostgresServer, start_postgres

_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what takes long."""
    for item in items:
        if is_long(item.nodeid):
            item.add_marker(pytest.mark.soak)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A real PostgreSQL, started when the first test asks and stopped with the last."""
    server = start_postgres()
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of the test's own, on each backend."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    schema = f"t{next(_numbers)}"
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema}")
    yield server.url(schema=schema)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def stepped_clock() -> SteppedClock:
    """A clock at Sunday, 2026-03-01 18:00 UTC that only the test turns."""
    return SteppedClock(datetime(2026, 3, 1, 18, tzinfo=UTC))


@pytest.fixture
def schemas() -> Sequence[Schema]:
    """The schemas that `database` is migrated with; override it to add a plugin's."""
    return [CORE_SCHEMA]


@pytest.fixture
async def database(
    database_url: str, schemas: Sequence[Schema], stepped_clock: SteppedClock
) -> AsyncIterator[Database]:
    """An open, migrated, started database on `stepped_clock`, on each backend."""
    opened = open_database(database_url, clock=stepped_clock)
    migrate_up(opened, schemas)
    await opened.start()
    yield opened
    await opened.close()

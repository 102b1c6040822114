"""Fixtures that every area uses: both databases, and a clock that is turned by hand."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

import core.runtime
from core.clock import SteppedClock
from core.database import CORE_SCHEMA, Database, Schema, migrate_up, open_database
from core.database.engine import POLITE_LIMIT
from core.plugins.migrations import migrate_all

# Both folders have a part of the package support.
sys.path.insert(0, str(Path(__file__).parents[1] / "sandbox" / "server" / "tests"))
sys.path.insert(0, str(Path(__file__).parent))

from support.heartbeats import no_heartbeat_stays  # noqa: F401 - a fixture of every test
from support.judged_worlds import judged_worlds  # noqa: F401 - a fixture of every test
from support.long_tests import is_long
from support.migrated import copying, key_of, migrate_or_copy
from support.postgres import PostgresServer, start_postgres
from support.postgres_schemas import Schemas


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


@pytest.fixture(scope="session")
def postgres_schemas(postgres_server: PostgresServer) -> Schemas:
    """The schemas of the tests on that server."""
    return Schemas(postgres_server)


@pytest.fixture(autouse=True)
def _bots_migrate_by_copying(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a bot that starts on a new SQLite file of our own tables begin with a copy of a migrated one."""
    monkeypatch.setattr(core.runtime, "migrate_all", copying(migrate_all))


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of the test's own, on each backend; empty, unless it is `database` that asks."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    schemas: Schemas = request.getfixturevalue("postgres_schemas")
    with ExitStack() as stack:
        key = key_of(request.getfixturevalue("schemas")) if "database" in request.fixturenames else None
        name = stack.enter_context(schemas.empty() if key is None else schemas.migrated(key))
        yield server.url(schema=name)


@pytest.fixture
def stepped_clock() -> SteppedClock:
    """A clock at Sunday, 2026-03-01 18:00 UTC that only the test turns."""
    return SteppedClock(datetime(2026, 3, 1, 18, tzinfo=UTC))


@pytest.fixture
def schemas() -> Sequence[Schema]:
    """The schemas that `database` is migrated with; override it to add a plugin's."""
    return [CORE_SCHEMA]


@pytest.fixture
def polite_limit() -> float:
    """After how many seconds a slow call of `database` makes room; override it where none may run twice."""
    return POLITE_LIMIT


@pytest.fixture
async def database(
    database_url: str,
    schemas: Sequence[Schema],
    stepped_clock: SteppedClock,
    polite_limit: float,
    request: pytest.FixtureRequest,
) -> AsyncIterator[Database]:
    """An open, migrated, started database on `stepped_clock`, on each backend."""
    opened = open_database(database_url, clock=stepped_clock, polite_limit=polite_limit)
    migrate_or_copy(opened, schemas, lambda: migrate_up(opened, schemas))
    if opened.is_postgres:
        request.getfixturevalue("postgres_schemas").note(database_url)
    await opened.start()
    yield opened
    await opened.close()

"""Databases of a test's own, empty or with rows in every table of the project."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from support.postgres import PostgresServer
from support.tables import all_schemas, fill

from core.database import migrate_up
from core.database.backup import back_up

NewUrl = Callable[[str], str]


@pytest.fixture
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[NewUrl]:
    """Makes empty databases: `new_url("sqlite")`, `new_url("postgresql")`."""
    numbers, made = itertools.count(1), []

    def make(kind: str) -> str:
        number = next(numbers)
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'{number}.sqlite3'}"
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute(f"CREATE SCHEMA backup_{number}")
        made.append((server, f"backup_{number}"))
        return server.url(schema=f"backup_{number}")

    yield make
    for server, schema in made:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            connection.execute("SET client_min_messages = error")
            connection.execute(f"DROP SCHEMA {schema} CASCADE")


@pytest.fixture
def filled(database_url: str) -> str:
    """A database with odd values in all tables, of each kind."""
    schemas = all_schemas()
    migrate_up(database_url, schemas)
    fill(database_url, schemas)
    return database_url


@pytest.fixture
def backup(filled: str, tmp_path: Path) -> Path:
    """A backup of a database with rows in all tables."""
    path = tmp_path / "good.zip"
    back_up(filled, all_schemas(), path)
    return path

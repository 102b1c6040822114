"""Differences between a live database and the models are found by name."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from support.drift_kinds import KINDS
from support.drift_making import apply
from support.postgres import PostgresServer
from support.tables import all_schemas

from core.database import CORE_SCHEMA, drift, migrate_up
from core.database.schema import own_connection
from core.errors import StartupError
from core.settings import PluginSelection
from sandbox.stage import open_stage

CASES = [
    pytest.param(database, kind, id=f"{kind} on {database}")
    for kind, (sqlite, postgres, *_) in KINDS.items()
    for database, change in (("sqlite", sqlite), ("postgresql", postgres))
    if change is not None
]


def as_wanted(line: str, wanted: str) -> bool:
    return line.startswith(wanted[:-3]) if wanted.endswith("...") else line == wanted


@pytest.mark.parametrize(("database_url", "kind"), CASES, indirect=["database_url"])
def test_each_kind_is_found_by_name(database_url: str, kind: str) -> None:
    sqlite, postgres, *lines = KINDS[kind]
    is_sqlite = database_url.startswith("sqlite")
    migrate_up(database_url, [CORE_SCHEMA])
    assert drift(database_url, [CORE_SCHEMA]) == []
    with own_connection(database_url) as backend:
        apply(backend, sqlite if is_sqlite else postgres)
    found, wanted = drift(database_url, [CORE_SCHEMA]), sorted(lines[0 if is_sqlite else -1])
    assert len(found) == len(wanted), found
    for line, words in zip(sorted(found), wanted, strict=True):
        assert as_wanted(line, words)


def test_there_are_enough_kinds_on_both() -> None:
    assert sum(kind[0] is not None for kind in KINDS.values()) >= 22
    assert sum(kind[1] is not None for kind in KINDS.values()) >= 22


def test_migrations_of_all_plugins_make_what_the_models_say(database_url: str) -> None:
    schemas = all_schemas()
    migrate_up(database_url, schemas)
    assert drift(database_url, schemas) == []
    with own_connection(database_url) as backend:
        backend.execute_sql("DROP INDEX payroll_payroll_one_locked")
        backend.execute_sql("CREATE TABLE payroll_bonus (x int)")
    assert drift(database_url, schemas) == [
        "payroll_payroll: index payroll_payroll_one_locked is missing",
        "payroll_bonus: the table is in no model",
    ]


def test_tables_of_a_plugin_that_is_not_loaded_are_left_alone(database_url: str) -> None:
    migrate_up(database_url, [CORE_SCHEMA])
    with own_connection(database_url) as backend:
        backend.execute_sql("CREATE TABLE gone_migration (x int)")
        backend.execute_sql("CREATE TABLE gone_rows (x int)")
    assert drift(database_url, [CORE_SCHEMA]) == []


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_looking_leaves_nothing_behind(database_url: str) -> None:
    migrate_up(database_url, [CORE_SCHEMA])
    drift(database_url, [CORE_SCHEMA])
    with own_connection(database_url) as backend:
        left = "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, 'shadow_')"
        assert backend.execute_sql(left).fetchone() == (0,)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_user_who_may_make_no_schema_is_told_so(database_url: str, postgres_server: PostgresServer) -> None:
    migrate_up(database_url, [CORE_SCHEMA])
    schema = database_url.rpartition("%3D")[2]
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS drift_reader")
        connection.execute("CREATE ROLE drift_reader LOGIN")
        connection.execute(f"GRANT USAGE ON SCHEMA {schema} TO drift_reader")
        try:
            with pytest.raises(StartupError, match="run GRANT CREATE ON DATABASE"):
                drift(postgres_server.url(schema=schema, user="drift_reader"), [CORE_SCHEMA])
        finally:
            connection.execute("DROP OWNED BY drift_reader")
            connection.execute("DROP ROLE drift_reader")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_looking_makes_no_files(database_url: str, tmp_path: Path) -> None:
    migrate_up(database_url, [CORE_SCHEMA])
    before = {path.name for path in tmp_path.iterdir()}
    assert drift(database_url, [CORE_SCHEMA]) == []
    assert {path.name for path in tmp_path.iterdir()} <= before | {"test.sqlite3-wal", "test.sqlite3-shm"}


async def test_the_bot_says_at_its_start_what_differs_and_starts(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = "the database differs from what this version expects: "
    async with open_stage(database_url, plugins=PluginSelection(), members=2, channels=2) as stage:
        await stage.start_bot()
        assert said not in caplog.text
        await stage.stop_bot()
        with own_connection(database_url) as backend:
            backend.execute_sql("DROP INDEX jobs_state_due")
        await stage.start_bot()
        assert f"{said}jobs: index jobs_state_due is missing" in caplog.text

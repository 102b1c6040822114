"""Migrations are tried on PostgreSQL too where the bot is configured for one, and nothing is left there."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from support.plugin_desk import Desk
from support.postgres import PostgresServer

from core.cli.app import main
from core.database.scratch import NoScratch, scratch_on

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)

TABLE = """
from pathlib import Path
from redlegion.database import BaseModel, Money

class Row(BaseModel):
    size = Money()

    class Meta:
        table_name = "odd_row"

@hookimpl
def register_schema():
    return Schema("odd", (Row,), Path(__file__).parent / "migrations")
"""
TABLE_MIGRATION = """
from redlegion.database import BigAutoField, Instant, Money

def _models(db):
    class Row(db.Model):
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        size = Money()

        class Meta:
            table_name = "odd_row"
    return [Row]

def up(migrator, db):
    db.create_tables(_models(db), safe=False)
    {more}

def down(migrator, db):
    db.drop_tables(_models(db), safe=False)
"""
#: SQLite has it, PostgreSQL does not.
ONLY_SQLITE = "db.execute_sql(\"SELECT julianday('now')\")"
SECOND = """
def up(migrator, db):
    {work}

def down(migrator, db):
    pass
"""


@pytest.fixture
def left_over(postgres_server: PostgresServer) -> Iterator[None]:
    """Whatever was made on the server is gone at the end."""
    yield
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        found = connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'redlegion_scratch%' "
            "UNION ALL SELECT nspname FROM pg_namespace WHERE nspname LIKE 'redlegion_scratch%'"
        ).fetchall()
    assert found == []


@pytest.fixture
def odd(desk: Desk, database_url: str, monkeypatch: pytest.MonkeyPatch, left_over: None) -> Desk:
    """A desk with a plugin that has a table, and a PostgreSQL that is configured."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    desk.write("odd", TABLE)
    return desk


def as_nobody(server: PostgresServer, grants: str = "") -> str:
    """Return the URL of a user with no rights but these, in a schema of its own."""
    with psycopg.connect(server.url(), autocommit=True) as connection:
        for statement in (
            "DROP SCHEMA IF EXISTS nobodys CASCADE",
            "DROP OWNED BY nobody_s",
            "DROP ROLE nobody_s",
        ):
            try:
                connection.execute(statement)
            except psycopg.Error:
                continue
        connection.execute("CREATE ROLE nobody_s LOGIN")
        connection.execute("CREATE SCHEMA nobodys AUTHORIZATION nobody_s")
        if grants:
            connection.execute(grants)
    return server.url(schema="nobodys", user="nobody_s")


def test_what_works_on_sqlite_only_is_a_problem(odd: Desk) -> None:
    odd.migration("odd", TABLE_MIGRATION.format(more=ONLY_SQLITE))
    status, out = odd.run("check", "odd")
    assert status == 1
    [line] = [line for line in out.splitlines() if line.startswith("PROBLEM")]
    assert "register_schema: on PostgreSQL: its migration 0001_initial fails" in line
    assert "julianday" in line


def test_what_works_on_both_has_no_problem(odd: Desk) -> None:
    odd.migration("odd", TABLE_MIGRATION.format(more="pass"))
    status, out = odd.run("check", "odd")
    assert (status, "PROBLEM" in out, "SQLite only" in out) == (0, False, False)


def test_doctor_tries_what_is_pending_on_a_copy_with_its_rows(
    odd: Desk, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    odd.migration("odd", TABLE_MIGRATION.format(more="pass"))
    odd.run("list")
    assert main(["migrate"]) == 0
    insert = "INSERT INTO odd_row (created_at, updated_at, size) VALUES (now(), now(), 0)"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(insert)
    # Only where there are rows does it divide by zero.
    odd.migration("odd", SECOND.format(work='db.execute_sql("SELECT 1 / size FROM odd_row")'), "0002_share")
    capsys.readouterr()
    assert main(["doctor"]) == 1
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("FAIL")]
    assert line.startswith("FAIL  migrations  odd: its migration 0002_share fails: ")
    assert "division by zero" in line
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT size FROM odd_row").fetchall() == [(0,)]
        assert connection.execute("SELECT name FROM odd_migration").fetchall() == [("0001_initial",)]
    odd.migration(
        "odd", SECOND.format(work='db.execute_sql("UPDATE odd_row SET size = size + 1")'), "0002_share"
    )
    assert main(["doctor"]) == 0
    assert "1 pending" in capsys.readouterr().out
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT size FROM odd_row").fetchall() == [(0,)]


def test_who_may_make_a_schema_only_gets_one(
    odd: Desk, postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = as_nobody(postgres_server, "GRANT CREATE ON DATABASE postgres TO nobody_s")
    with scratch_on(url) as place, psycopg.connect(place) as connection:
        found = connection.execute("SELECT current_schema() LIKE 'redlegion_scratch_%', current_database()")
        assert found.fetchone() == (True, "postgres")
    monkeypatch.setenv("DATABASE_URL", url)
    odd.migration("odd", TABLE_MIGRATION.format(more=ONLY_SQLITE))
    status, out = odd.run("check", "odd")
    assert (status, "on PostgreSQL: its migration" in out) == (1, True)


def test_who_may_make_nothing_is_told_so(
    odd: Desk,
    postgres_server: PostgresServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = as_nobody(postgres_server)
    with pytest.raises(NoScratch, match=r"neither a database nor a schema .* CREATEDB"), scratch_on(url):
        pass
    monkeypatch.setenv("DATABASE_URL", url)
    odd.migration("odd", TABLE_MIGRATION.format(more=ONLY_SQLITE))
    status, out = odd.run("check", "odd")
    assert (status, "on PostgreSQL" in out) == (0, False)
    assert "DATABASE_URL" in out
    assert "migrations are tried on SQLite only: PostgreSQL lets this user make neither" in out
    assert main(["doctor"]) == 0
    assert "note  migrations  the pending ones are tried on SQLite only" in capsys.readouterr().out


def test_a_server_that_does_not_answer_is_a_note(odd: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    odd.migration("odd", TABLE_MIGRATION.format(more="pass"))
    status, out = odd.run("check", "odd")
    assert status == 0
    assert "tried on SQLite only: PostgreSQL at 127.0.0.1 does not answer" in out

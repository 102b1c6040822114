"""Migrations of several plugins: up, down, refusals, and what must not get lost on the way."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.database import (
    CORE_SCHEMA,
    MigrationFailed,
    Schema,
    migrate_down,
    migrate_status,
    migrate_up,
    open_database,
)
from core.database.catalog import read_catalog
from core.database.opening import connect
from core.database.schema import refuse_newer
from core.errors import StartupError

CORE_STEPS = [f"core/{path.stem}" for path in sorted(CORE_SCHEMA.migrations.glob("0*.py"))]

FIRST = """
from core.database.fields import Reference, Snowflake, Text

def models(db):
    class Mine(db.Model):
        name = Text()
        class Meta:
            table_name = "{0}_mine"
    class Ore(db.Model):
        mine_id = Reference(Mine, on_delete="CASCADE")
        amount = Snowflake()
        class Meta:
            table_name = "{0}_ore"
    return [Mine, Ore]

def up(migrator, db):
    db.create_tables(models(db), safe=False)

def down(migrator, db):
    db.drop_tables(models(db), safe=False)
"""


@contextmanager
def connected(url: str) -> Any:
    backend, lock = connect(url)
    backend.connect()
    try:
        yield backend
    finally:
        backend.close()
        if lock is not None:
            lock.release()


def catalog(url: str) -> Any:
    with connected(url) as backend:
        tables = read_catalog(backend)
    return {name: table for name, table in tables.items() if not name.endswith(("_migration", "_checksum"))}


@pytest.fixture
def plugin(tmp_path: Path) -> Callable[..., Schema]:
    """Make a plugin's schema from the texts of its migrations."""

    def make(name: str, *bodies: str) -> Schema:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        for number, body in enumerate(bodies, 1):
            (folder / f"{number:04}_step.py").write_text(body)
        return Schema(name, [], folder)

    return make


def fill(url: str, name: str) -> None:
    with connected(url) as backend:
        backend.execute_sql(f"INSERT INTO {name}_mine (id, name) VALUES (1, 'a')")
        backend.execute_sql(f"INSERT INTO {name}_ore (id, mine_id, amount) VALUES (1, 1, 5), (2, 1, 6)")


def rows(url: str, table: str) -> int:
    with connected(url) as backend:
        return int(backend.execute_sql(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_up_down_up_leaves_the_same_catalog(database_url: str, plugin: Callable[..., Schema]) -> None:
    schemas = [CORE_SCHEMA, plugin("rock", FIRST.format("rock")), plugin("ice", FIRST.format("ice"))]
    assert migrate_up(database_url, schemas) == [*CORE_STEPS, "rock/0001_step", "ice/0001_step"]
    assert migrate_up(database_url, schemas) == []
    before = catalog(database_url)
    assert {"guilds", "rock_ore", "ice_ore"} <= set(before)
    for schema in reversed(schemas):
        assert migrate_down(database_url, schema)
    assert catalog(database_url) == {}
    assert {state.state for state in migrate_status(database_url, schemas)} == {"pending"}
    migrate_up(database_url, schemas)
    assert catalog(database_url) == before
    assert {state.state for state in migrate_status(database_url, schemas)} == {"applied"}


def test_down_to_a_migration(database_url: str, plugin: Callable[..., Schema]) -> None:
    more = (
        "def up(m, db): db.execute_sql('CREATE TABLE {0} (x int)')\n"
        "def down(m, db): db.execute_sql('DROP TABLE {0}')"
    )
    schema = plugin("rock", FIRST.format("rock"), more.format("rock_b"), more.format("rock_c"))
    migrate_up(database_url, [schema])
    assert migrate_down(database_url, schema, "0001_step") == ["rock/0003_step", "rock/0002_step"]
    with pytest.raises(StartupError, match="0009_none of rock is not applied"):
        migrate_down(database_url, schema, "0009_none")
    assert [state.state for state in migrate_status(database_url, [schema])] == [
        "applied",
        "pending",
        "pending",
    ]


def test_an_edited_file_is_refused(database_url: str, plugin: Callable[..., Schema]) -> None:
    schema = plugin("rock", FIRST.format("rock"))
    migrate_up(database_url, [schema])
    path = schema.migrations / "0001_step.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert migrate_up(database_url, [schema]) == []
    path.write_text(path.read_text() + "# harmless?\n")
    with pytest.raises(
        StartupError, match="0001_step of rock was edited after it was applied: restore the file"
    ):
        migrate_up(database_url, [schema])
    assert [state.state for state in migrate_status(database_url, [schema])] == ["edited"]


async def test_a_database_newer_than_the_code_is_refused(
    database_url: str, plugin: Callable[..., Schema]
) -> None:
    schema = plugin("rock", FIRST.format("rock"), "def up(migrator, db): pass")
    migrate_up(database_url, [schema])
    (schema.migrations / "0002_step.py").unlink()
    for call in (migrate_up, refuse_newer):
        with pytest.raises(
            StartupError, match=r"newer than this version of rock \(it has 0002_step\): install"
        ):
            call(database_url, [schema])
    assert [state.state for state in migrate_status(database_url, [schema])] == ["applied", "unknown"]
    # The same through an open database, whose SQLite lock is this process's own.
    database = open_database(database_url)
    with pytest.raises(StartupError, match="newer"):
        migrate_up(database, [schema])
    await database.close()


def test_a_failing_migration_leaves_nothing_behind(database_url: str, plugin: Callable[..., Schema]) -> None:
    broken = (
        "def up(m, db):\n    db.execute_sql('CREATE TABLE rock_half (x int)')\n    raise RuntimeError('half')"
    )
    schema = plugin("rock", FIRST.format("rock"), broken)
    with pytest.raises(RuntimeError, match="half"):
        migrate_up(database_url, [schema])
    assert set(catalog(database_url)) == {"rock_mine", "rock_ore"}
    assert [state.state for state in migrate_status(database_url, [schema])] == ["applied", "pending"]


def test_lost_rows_are_refused_unless_announced(database_url: str, plugin: Callable[..., Schema]) -> None:
    first, losing = FIRST.format("rock"), "def up(migrator, db): db.execute_sql('DELETE FROM rock_ore')"
    schema = plugin("rock", first)
    migrate_up(database_url, [schema])
    fill(database_url, "rock")
    plugin("rock", first, losing)
    with pytest.raises(MigrationFailed, match="would lose data of rock_ore"):
        migrate_up(database_url, [schema])
    assert rows(database_url, "rock_ore") == 2
    plugin("rock", first, "removes = {'rock_ore'}\n" + losing)
    assert migrate_up(database_url, [schema]) == ["rock/0002_step"]
    assert rows(database_url, "rock_ore") == 0


@pytest.mark.parametrize("removes", ["", "removes = {'guilds', 'ice_ore'}\n"])
@pytest.mark.parametrize("table", ["guilds", "ice_ore"])
def test_rows_of_others_are_never_to_go(
    database_url: str, plugin: Callable[..., Schema], removes: str, table: str
) -> None:
    body = f"{removes}def up(migrator, db): db.execute_sql('DELETE FROM {table}')"
    ice, rock = plugin("ice", FIRST.format("ice")), plugin("rock", body)
    migrate_up(database_url, [CORE_SCHEMA, ice])
    fill(database_url, "ice")
    with connected(database_url) as backend:
        now = "now()" if database_url.startswith("postgres") else "0"
        backend.execute_sql(
            "INSERT INTO guilds (id, name, settings, created_at, updated_at)"
            f" VALUES (7, 'x', '{{}}', {now}, {now})"
        )
    before = rows(database_url, table)
    with pytest.raises(MigrationFailed, match=f"deletes rows of {table} .*not one of its own") as failed:
        migrate_up(database_url, [rock])
    assert "removes" not in str(failed.value)
    assert rows(database_url, table) == before


@pytest.mark.parametrize(
    ("what", "word"),
    [
        ("db.execute_sql('COMMIT')", "COMMIT"),
        ("db.execute_sql('/* x */ commit;')", "COMMIT"),
        ("db.execute_sql('ROLLBACK')", "ROLLBACK"),
        ("db.execute_sql('BEGIN')", "BEGIN"),
        ("db.execute_sql('END')", "END"),
        ("m.migrate(m.sql('COMMIT'))", "COMMIT"),
        ("db.commit()", r"commit\(\)"),
        ("db.rollback()", r"rollback\(\)"),
    ],
)
def test_a_migration_cannot_leave_its_transaction(
    database_url: str, plugin: Callable[..., Schema], what: str, word: str
) -> None:
    first = FIRST.format("rock")
    body = f"def up(m, db):\n    db.execute_sql('CREATE TABLE rock_b (x int)')\n    {what}"
    schema = plugin("rock", first, body)
    with pytest.raises(
        MigrationFailed, match=f"rock/0002_step says {word}, which would end .*: remove {word}"
    ):
        migrate_up(database_url, [schema])
    assert set(catalog(database_url)) == {"rock_mine", "rock_ore"}
    assert [state.state for state in migrate_status(database_url, [schema])] == ["applied", "pending"]


def test_what_goes_past_the_database_object_is_stopped_too(
    tmp_path: Path, plugin: Callable[..., Schema]
) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    for what in ("execute('COMMIT')", "executescript('CREATE TABLE rock_b (x int)')"):
        schema = plugin("rock", f"def up(m, db): db.connection().{what}")
        with pytest.raises(MigrationFailed, match="remove COMMIT"):
            migrate_up(url, [schema])
        assert catalog(url) == {}


def test_savepoints_and_migrations_without_a_transaction(
    database_url: str, plugin: Callable[..., Schema]
) -> None:
    inner = (
        "def up(m, db):\n"
        "    with db.atomic():\n"
        "        db.execute_sql('CREATE TABLE rock_{0} (x int)')\n"
        "    db.execute_sql(\"INSERT INTO rock_{0} (x) SELECT 1 WHERE 'a; COMMIT' = '; END'\")\n"
        "def down(m, db): db.execute_sql('DROP TABLE rock_{0}')\n"
    )
    alone = (
        "atomic = False\n"
        "def up(m, db):\n"
        "    db.execute_sql('BEGIN')\n"
        "    db.execute_sql('CREATE TABLE rock_c (x int)')\n"
        "    db.execute_sql('COMMIT')\n"
        "def down(m, db):\n"
        "    db.execute_sql('BEGIN')\n"
        "    db.execute_sql('DROP TABLE rock_c')\n"
        "    db.execute_sql('COMMIT')\n"
    )
    schema = plugin("rock", inner.format("b"), alone)
    assert len(migrate_up(database_url, [schema])) == 2
    assert migrate_down(database_url, schema) == ["rock/0002_step", "rock/0001_step"]
    assert catalog(database_url) == {}


def test_a_rebuild_keeps_children_triggers_and_strict(
    database_url: str, plugin: Callable[..., Schema]
) -> None:
    first = FIRST.format("rock")
    schema = plugin("rock", first)
    migrate_up(database_url, [schema])
    fill(database_url, "rock")
    sqlite = database_url.startswith("sqlite")
    if sqlite:
        with connected(database_url) as backend:
            backend.execute_sql(
                "CREATE TRIGGER rock_note AFTER INSERT ON rock_mine BEGIN"
                " UPDATE rock_ore SET amount = amount + 1; END"
            )
    plugin("rock", first, "def up(m, db): m.migrate(m.drop_not_null('rock_mine', 'name'))")
    assert migrate_up(database_url, [schema]) == ["rock/0002_step"]
    after = catalog(database_url)
    assert after["rock_mine"].columns["name"]["null"] == "allowed"
    assert after["rock_ore"].rules["foreign key (mine_id) to rock_mine (id)"] == "ON DELETE CASCADE"
    assert rows(database_url, "rock_ore") == 2
    if sqlite:
        assert after["rock_mine"].rules["STRICT"] == "yes"
        with connected(database_url) as backend:
            backend.execute_sql("INSERT INTO rock_mine (id, name) VALUES (2, 'b')")
            assert backend.execute_sql("SELECT sum(amount) FROM rock_ore").fetchone() == (13,)


def test_references_into_nothing_are_refused(tmp_path: Path, plugin: Callable[..., Schema]) -> None:
    url = f"sqlite:///{tmp_path / 'x.sqlite3'}"
    orphan = "def up(m, db): db.execute_sql('INSERT INTO rock_ore (mine_id, amount) VALUES (99, 1)')"
    schema = plugin("rock", FIRST.format("rock"), orphan)
    with pytest.raises(MigrationFailed, match="1 rows in rock_ore that refer to nothing"):
        migrate_up(url, [schema])


START = """
import sys
from core.database import CORE_SCHEMA, migrate_up
from core.errors import StartupError
sys.stdin.readline()
try:
    print(migrate_up(sys.argv[1], [CORE_SCHEMA]))
except StartupError as error:
    print(error.sentence)
"""


def test_three_processes_that_start_together_migrate_once(database_url: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", START, database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    results = [process.communicate(timeout=60) for process in processes]
    assert [error for _, error in results] == ["", "", ""]
    said = sorted(text.strip() for text, _ in results)
    if database_url.startswith("sqlite"):
        # One process per file: who comes too early is told so.
        said = [
            "[]" if "is in use by another process: stop that one first" in text else text for text in said
        ]
    assert sorted(said) == sorted(["[]", "[]", str(CORE_STEPS)])
    assert {state.state for state in migrate_status(database_url, [CORE_SCHEMA])} == {"applied"}

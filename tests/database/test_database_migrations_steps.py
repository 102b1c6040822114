"""Every migration of the project, one step at a time: down, and up again, with and without rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from support.tables import ROWS, all_schemas, fill

from core.database import Schema, drift, migrate_down, migrate_up
from core.database.catalog import Table, read_catalog
from core.database.schema import own_connection, runner_of


def tables(url: str) -> dict[str, Table]:
    """The catalog, without history."""
    with own_connection(url) as backend:
        found = read_catalog(backend)
    return {name: table for name, table in found.items() if not name.endswith(("_migration", "_checksum"))}


def steps(schemas: Sequence[Schema]) -> list[tuple[Schema, str | None, str]]:
    """Every migration of all schemas: its schema, the one before it, its name; in the order of applying."""
    found = []
    for schema in schemas:
        names = [path.stem for path in sorted(schema.migrations.glob("[0-9]*.py"))]
        found += [(schema, before, name) for before, name in zip([None, *names], names, strict=False)]
    return found


#: Columns that a down fills anew, by migration and table; a test of its own says with what.
REMADE = {("core/0003_voice", "voice_sessions"): frozenset({"estimated", "status", "left"})}


def test_every_migration_can_be_undone_and_done_again(database_url: str) -> None:
    schemas = all_schemas()
    migrate_up(database_url, schemas)
    wanted, undone = tables(database_url), []
    for schema, before, name in reversed(steps(schemas)):
        undone.append(tables(database_url))
        assert migrate_down(database_url, schema, before) == [f"{schema.name}/{name}"]
    assert tables(database_url) == {}
    for schema, _, name in steps(schemas):
        with own_connection(database_url) as backend:
            runner_of(backend, schema).apply([name])
        assert tables(database_url) == undone.pop()
    assert tables(database_url) == wanted
    assert drift(database_url, schemas) == []


def test_what_a_down_keeps_is_kept_with_its_rows(database_url: str) -> None:
    schemas = all_schemas()
    migrate_up(database_url, schemas)
    fill(database_url, schemas)
    for schema, before, name in reversed(steps(schemas)):
        old = contents(database_url)
        migrate_down(database_url, schema, before)
        new = contents(database_url)
        assert set(new) <= set(old)
        for table, (columns, lines) in new.items():
            assert len(lines) == ROWS, f"{schema.name}/{name} loses rows of {table}"
            remade = REMADE.get((f"{schema.name}/{name}", table), frozenset())
            kept = [column for column in columns if column not in remade]
            assert _only(kept, columns, lines) == _only(kept, *old[table])
        if before is not None:
            migrate_up(database_url, [schema])
            again = contents(database_url)
            assert all(len(again[table][1]) == ROWS for table in new)
            migrate_down(database_url, schema, before)


def _only(kept: list[str], columns: list[str], lines: list[Any]) -> list[tuple[Any, ...]]:
    places = [columns.index(column) for column in kept]
    return [tuple(line[place] for place in places) for line in lines]


def contents(url: str) -> dict[str, tuple[list[str], list[Any]]]:
    """The columns and rows of each table, without history."""
    found = {}
    with own_connection(url) as backend:
        for name, table in read_catalog(backend).items():
            if not name.endswith(("_migration", "_checksum")):
                columns = ", ".join(f'"{column}"' for column in table.columns)
                lines = backend.execute_sql(
                    f'SELECT {columns} FROM "{name}" ORDER BY "{table.key[0]}"'
                ).fetchall()
                found[name] = (list(table.columns), [tuple(line) for line in lines])
    return found

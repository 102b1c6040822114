"""Schemas of the tests' PostgreSQL server, handed on migrated after a test that left only rows."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from support.migrated import Key
from support.postgres import PostgresServer

#: Everything that a migration makes, in one line of text.
_SHAPE = """
    SELECT md5(string_agg(line, E'\\n' ORDER BY line)) FROM (
        SELECT format('%%s %%s %%s %%s %%s %%s', c.relname, c.relkind, a.attname, a.atttypid, a.attnotnull,
            pg_get_expr(d.adbin, d.adrelid)) AS line
        FROM pg_class c
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = %(schema)s::regnamespace
        UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
            FROM pg_constraint WHERE connamespace = %(schema)s::regnamespace
    ) AS lines"""
#: The tables whose sequence has given a number, even if the row is gone.
_NUMBERED = """
    SELECT t.relname FROM pg_sequence q
    JOIN pg_class s ON s.oid = q.seqrelid AND s.relnamespace = %s::regnamespace
    JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refobjsubid > 0
    JOIN pg_class t ON d.refclassid = 'pg_class'::regclass AND t.oid = d.refobjid
    WHERE pg_sequence_last_value(q.seqrelid) IS NOT NULL"""
_TABLES = "SELECT relname FROM pg_class WHERE relnamespace = %s::regnamespace AND relkind = 'r'"
_HISTORY = ("_migration", "core_migration_checksum")


class Schemas:
    """Hands out schemas of a server, each to one test at a time.

    :param server: running.
    """

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._numbers = itertools.count(1)
        self._spare: dict[Key, list[str]] = defaultdict(list)
        self._shapes: dict[str, str] = {}
        self._history: dict[str, Any] = {}

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Yield the name of a new schema without tables, and drop it afterwards."""
        name = self._make()
        yield name
        self._drop(name)

    @contextmanager
    def migrated(self, key: Key) -> Iterator[str]:
        """Yield the name of a schema, new or migrated by an earlier test that asked for the same tables.

        :param key: of the tables; whoever asks migrates, and then calls `note`.
        """
        name = self._spare[key].pop() if self._spare[key] else self._make()
        yield name
        if not self._emptied(name):
            self._drop(name)
        else:
            self._spare[key].append(name)

    def note(self, url: str) -> None:
        """Remember how the schema of a URL looks, which has just been migrated."""
        name = url.rpartition("%3D")[2]
        if name not in self._shapes:
            with self._connected() as connection:
                self._shapes[name] = _one(connection, _SHAPE, {"schema": name})
                self._history[name] = _history(connection, name)

    def _make(self) -> str:
        name = f"t{next(self._numbers)}"
        with self._connected() as connection:
            connection.execute(f"CREATE SCHEMA {name}")
        return name

    def _drop(self, name: str) -> None:
        with self._connected() as connection:
            connection.execute("SET client_min_messages = error")
            connection.execute(f"DROP SCHEMA {name} CASCADE")
        self._shapes.pop(name, None)

    def _emptied(self, name: str) -> bool:
        """Delete all rows; say whether the schema is now as it was when it was migrated."""
        if name not in self._shapes:
            return False
        with self._connected() as connection:
            if _one(connection, _SHAPE, {"schema": name}) != self._shapes[name]:
                return False
            if _history(connection, name) != self._history[name]:
                return False
            connection.execute("SET client_min_messages = error")
            tables = _tables(connection, name)
            # Hardly any table was written to, and truncating one costs more than a look.
            looks = [f"SELECT '{table}' WHERE EXISTS (SELECT FROM {name}.{table})" for table in tables]
            written = {table for (table,) in connection.execute(" UNION ALL ".join(looks))}
            written |= {table for (table,) in connection.execute(_NUMBERED, (name,)) if table in tables}
            if written:
                several = ", ".join(f"{name}.{table}" for table in sorted(written))
                connection.execute(f"TRUNCATE {several} RESTART IDENTITY CASCADE")
        return True

    def _connected(self) -> psycopg.Connection:
        return psycopg.connect(self._server.url(), autocommit=True)


def _one(connection: psycopg.Connection, query: str, given: Any) -> str:
    row = connection.execute(query, given).fetchone()
    assert row is not None
    return str(row[0])


def _tables(connection: psycopg.Connection, name: str) -> list[str]:
    """Return the tables of a schema without those that tell which migrations were applied."""
    return [table for (table,) in connection.execute(_TABLES, (name,)) if not table.endswith(_HISTORY)]


def _history(connection: psycopg.Connection, name: str) -> list[Any]:
    """Return what the schema says of its migrations."""
    tables = [table for (table,) in connection.execute(_TABLES, (name,)) if table.endswith(_HISTORY)]
    rows = {table: connection.execute(f"SELECT * FROM {name}.{table}").fetchall() for table in sorted(tables)}
    return [(table, sorted(map(str, found))) for table, found in rows.items()]

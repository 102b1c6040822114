"""From a backup to an empty database, in one transaction: all of it, or nothing."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import peewee

from core.database.backends import (
    Backend,
    EmbeddedSqlite,
    ServerPostgres,
    connection_lost,
    driver_error,
    sqlstate,
    transaction_gone,
)
from core.database.backup.archive import Archive, TableEntry
from core.database.backup.dump import sequence_of
from core.database.backup.plan import RestorePlan, make_plan
from core.database.backup.values import postgres_readers, quoted
from core.database.catalog import Table, read_catalog
from core.database.drift import compare
from core.database.errors import MigrationFailed
from core.database.migrating import CHECKSUMS, HISTORY
from core.database.schema import Schema, own_connection, runner_of
from core.errors import StartupError

log = logging.getLogger(__name__)

_DISK_FULL = "53100"


@dataclass(frozen=True, slots=True)
class RestoreDone:
    """What was restored.

    :param migrated: migrations, as "schema/name", that the backup did not have yet.
    :param failed: why migrations that the backup did not have stay pending, by the name of their plugin.
    :param differences: where the tables differ now from what the models say.
    """

    tables: int
    rows: int
    migrated: tuple[str, ...]
    differences: tuple[str, ...]
    failed: Mapping[str, str] = field(default_factory=dict)


def restore(
    url: str,
    schemas: Sequence[Schema],
    path: Path,
    *,
    without: Collection[str] = (),
    needs: Mapping[str, Collection[str]] = MappingProxyType({}),
    tell: Callable[[str], None] = lambda line: None,
    bring_up: bool = True,
) -> RestoreDone:
    """Put the rows of a backup into an empty database, and bring its tables up to date.

    The backup is read and checked from end to end before anything is changed. Tables are made by the
    migrations that the backup names, filled, counted, and only then migrated further. A plugin that fails at
    that keeps what was restored of it; so does what needs it.

    :param schemas: the core's and the plugins', in load order.
    :param without: plugins, tables and columns (as table.column) that are left out.
    :param needs: by a plugin's name, the names of those that it requires.
    :param tell: told one line per table.
    :param bring_up: apply the migrations that the backup did not have.
    :raises StartupError: the backup or the database cannot be used; the database is as it was.
    """
    with Archive(path) as archive:
        plan = make_plan(archive, schemas, without)
        archive.check()
        with own_connection(url) as backend:
            _refuse_rows(backend)
            with _whole(backend):
                _make_tables(backend, schemas, plan)
                with _unchecked(backend, [table.name for table in plan.tables]):
                    for table in plan.tables:
                        _fill(backend, archive, table, plan.skipped)
                        tell(f"{table.name}: {table.rows:,} rows")
                _count(backend, plan.tables)
                migrated, failed = _bring_up(backend, schemas if bring_up else (), needs)
            sound = [schema for schema in schemas if schema.name not in failed]
            named = {schema.name: schema.models for schema in sound}
            differences = compare(backend, named) if bring_up else []
    rows = sum(table.rows for table in plan.tables)
    return RestoreDone(len(plan.tables), rows, tuple(migrated), tuple(differences), failed)


def _bring_up(
    backend: Backend, schemas: Sequence[Schema], needs: Mapping[str, Collection[str]]
) -> tuple[list[str], dict[str, str]]:
    migrated: list[str] = []
    failed: dict[str, str] = {}
    for schema in schemas:
        missing = next((name for name in needs.get(schema.name, ()) if name in failed), None)
        if missing is not None:
            failed[schema.name] = f"it requires {missing}, which failed"
            continue
        runner = runner_of(backend, schema)
        before = set(runner.applied())
        try:
            # Each migration has a savepoint of its own, so that one that fails leaves nothing.
            runner.apply_pending()
        except Exception as error:
            if schema is schemas[0] or transaction_gone(backend) or connection_lost(backend):
                raise
            if sqlstate(error) == _DISK_FULL:
                raise
            log.debug("the migrations of %s failed", schema.name, exc_info=True)
            pending = [each.name for each in runner.status() if not each.applied]
            failed[schema.name] = (
                str(error)
                if isinstance(error, MigrationFailed)
                else f"its migration {pending[0]} could not be applied: {type(error).__name__}: {error}"
            )
        migrated += [f"{schema.name}/{name}" for name in sorted(set(runner.applied()) - before)]
    return migrated, failed


def _refuse_rows(backend: Backend) -> None:
    filled = []
    for name in sorted(read_catalog(backend)):
        if name == CHECKSUMS or name.endswith(HISTORY):
            continue
        if backend.execute_sql(f"SELECT 1 FROM {quoted(name)} LIMIT 1").fetchone() is not None:
            filled.append(name)
    if filled:
        more = f" and {len(filled) - 3} more" if len(filled) > 3 else ""
        raise StartupError(
            f"The database holds rows already (in {', '.join(filled[:3])}{more}): a backup goes into an empty"
            " one only, so make a new database and set DATABASE_URL to it."
        )


@contextmanager
def _whole(backend: Backend) -> Iterator[None]:
    """One transaction around everything, and the database's refusals as sentences."""
    try:
        if isinstance(backend, EmbeddedSqlite):
            # Only outside of a transaction can this be set; all references are checked before the commit.
            backend.execute_sql("PRAGMA foreign_keys = 0")
        with backend.atomic():
            yield
            if isinstance(backend, EmbeddedSqlite):
                _refuse_loose_ends(backend)
    except peewee.PeeweeException as error:
        # SQLite rolls back by itself when its disk is full, whereupon rolling back is what fails.
        first, earlier = error, error.__context__
        while earlier is not None and not isinstance(earlier, StartupError):
            first = earlier if isinstance(earlier, peewee.PeeweeException) else first
            earlier = earlier.__context__
        raise earlier or _refused(first) from error


def _refused(error: BaseException) -> StartupError:
    words = (str(driver_error(error)).strip().splitlines() or [type(error).__name__])[0]
    if sqlstate(error) == _DISK_FULL or "disk is full" in words or "disk I/O" in words:
        return StartupError(
            "The disk of the database is full or fails: nothing was restored, make room and try again."
        )
    return StartupError(f"The database refused the backup, nothing was restored: {words[:200]}.")


def _make_tables(backend: Backend, schemas: Sequence[Schema], plan: RestorePlan) -> None:
    """Replace the empty tables that are there by those that the backup was made of."""
    live = read_catalog(backend)
    ours = {name.removesuffix(HISTORY) for name in live if name.endswith(HISTORY)}
    known = {model._meta.table_name for schema in schemas for model in schema.models}
    known |= {table.name for table in plan.tables} | {CHECKSUMS}
    prefixes = tuple(f"{name}_" for name in ours)
    old = [name for name in live if name in known or (prefixes and name.startswith(prefixes))]
    if isinstance(backend, EmbeddedSqlite):
        for name in old:
            backend.execute_sql(f"DROP TABLE {quoted(name)}")
    elif old:
        backend.execute_sql(f"DROP TABLE {', '.join(map(quoted, old))}")
    for schema in schemas:
        names = plan.migrations.get(schema.name)
        if names is not None:
            runner_of(backend, schema).apply(names)
    live = read_catalog(backend)
    for table in plan.tables:
        columns = live[table.name].columns if table.name in live else {}
        for column in table.columns:
            full = f"{table.name}.{column}"
            if column not in columns and full not in plan.skipped:
                odd = full if table.name in live else table.name
                raise StartupError(
                    f"The backup has {odd}, which no migration makes: leave it out with --without {odd}."
                )


@contextmanager
def _unchecked(backend: Backend, names: Sequence[str]) -> Iterator[None]:
    """Empty the tables; while the block runs no trigger fires, and references may point forward."""
    if not names:
        yield
        return
    if isinstance(backend, EmbeddedSqlite):
        triggers = backend.execute_sql(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            backend.execute_sql(f"DROP TRIGGER {quoted(name)}")
        for name in names:
            backend.execute_sql(f"DELETE FROM {quoted(name)}")
        yield
        for _, sql in triggers:
            backend.execute_sql(sql)
        return
    backend.execute_sql(f"TRUNCATE {', '.join(map(quoted, names))}")
    keys = backend.execute_sql(
        "SELECT t.relname, c.conname FROM pg_constraint AS c JOIN pg_class AS t ON t.oid = c.conrelid"
        " JOIN pg_namespace AS n ON n.oid = t.relnamespace AND n.nspname = current_schema()"
        " WHERE c.contype = 'f' AND NOT c.condeferrable"
    ).fetchall()
    for table, key in keys:
        backend.execute_sql(
            f"ALTER TABLE {quoted(table)} ALTER CONSTRAINT {quoted(key)} DEFERRABLE INITIALLY DEFERRED"
        )
    for name in names:
        backend.execute_sql(f"ALTER TABLE {quoted(name)} DISABLE TRIGGER USER")
    yield
    backend.execute_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for name in names:
        backend.execute_sql(f"ALTER TABLE {quoted(name)} ENABLE TRIGGER USER")
    for table, key in keys:
        backend.execute_sql(f"ALTER TABLE {quoted(table)} ALTER CONSTRAINT {quoted(key)} NOT DEFERRABLE")


def _fill(backend: Backend, archive: Archive, table: TableEntry, skipped: Collection[str]) -> None:
    taken = [n for n, column in enumerate(table.columns) if f"{table.name}.{column}" not in skipped]
    chosen = ", ".join(quoted(table.columns[n]) for n in taken)
    with closing(archive.rows(table)) as found:
        rows = ([row[n] for n in taken] for row in found)
        if isinstance(backend, ServerPostgres):
            live = read_catalog(backend)[table.name]
            kinds = [live.columns[table.columns[n]]["type"] for n in taken]
            _copy(backend, table, chosen, rows, kinds)
            _set_sequence(backend, table, live)
            return
        marks = ", ".join("?" * len(taken))
        try:
            backend.connection().executemany(
                f"INSERT INTO {quoted(table.name)} ({chosen}) VALUES ({marks})", rows
            )
        except sqlite3.Error as error:
            raise _row_refused(table, error) from error


def _copy(
    backend: ServerPostgres, table: TableEntry, chosen: str, rows: Iterator[list[Any]], kinds: list[str]
) -> None:
    # Installed, or there would be no connection.
    import psycopg

    readers = postgres_readers(kinds)
    statement = f"COPY {quoted(table.name)} ({chosen}) FROM STDIN"
    try:
        with backend.connection().cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(
                    [
                        value if reader is None else reader(value)
                        for value, reader in zip(row, readers, strict=True)
                    ]
                )
    except (psycopg.Error, ValueError) as error:
        raise _row_refused(table, error) from error


def _set_sequence(backend: ServerPostgres, table: TableEntry, live: Table) -> None:
    if len(live.key) != 1 or (sequence := sequence_of(backend, table.name, live.key[0])) is None:
        return
    column = quoted(live.key[0])
    # Ids are never used again: neither those of the rows nor those of rows that were deleted.
    backend.execute_sql(
        f"SELECT setval('{sequence}', greatest(%s, (SELECT coalesce(max({column}), 0) + 1"
        f" FROM {quoted(table.name)})), false)",
        (table.next_id or 1,),
    )


def _count(backend: Backend, tables: Sequence[TableEntry]) -> None:
    for table in tables:
        (found,) = backend.execute_sql(f"SELECT count(*) FROM {quoted(table.name)}").fetchone()
        if found != table.rows:
            raise StartupError(
                f"{table.name} has {found} rows after the restore instead of {table.rows}: nothing was kept."
            )


def _refuse_loose_ends(backend: Backend) -> None:
    broken = backend.execute_sql("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise StartupError(
            f"{len(broken)} rows of {broken[0][0]} refer to rows of {broken[0][2]} that are not restored:"
            " leave out both or none."
        )


def _row_refused(table: TableEntry, error: BaseException) -> StartupError:
    words = (str(error).strip().splitlines() or [type(error).__name__])[0]
    if getattr(error, "sqlstate", None) == _DISK_FULL or "full" in words or "disk I/O" in words:
        return _refused(error)
    return StartupError(
        f"A row of {table.name} does not fit into this database, nothing was restored: {words[:200]}."
    )

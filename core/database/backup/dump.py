"""From the tables to a backup, in one consistent snapshot, beside whatever else works with the database."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import peewee

from core.clock import SystemClock
from core.database.backends import Backend, EmbeddedSqlite, ServerPostgres
from core.database.backup.archive import FORMAT, AppliedMigration, ArchiveWriter, Manifest, write_archive
from core.database.backup.values import quoted, selected
from core.database.catalog import Table, read_catalog
from core.database.migrating import CHECKSUMS, HISTORY
from core.database.opening import sqlite_path
from core.database.schema import Schema, own_connection
from core.errors import StartupError

#: Rows that are fetched at a time; memory does not grow with a table.
_FETCH = 500
#: Milliseconds that a backup waits for a migration that is running.
_LOCK_WAIT = 60_000


@dataclass(frozen=True, slots=True)
class BackupDone:
    """What was written.

    :param size: bytes of the file.
    """

    path: Path
    tables: int
    rows: int
    size: int


def back_up(
    url: str,
    schemas: Sequence[Schema],
    path: Path,
    *,
    force: bool = False,
    tell: Callable[[str], None] = lambda line: None,
) -> BackupDone:
    """Write everything in the database's tables into one file.

    :param schemas: to say whose a table is; all tables are taken, whether known or not.
    :param force: a file of that name may be replaced.
    :param tell: told one line per table.
    :raises StartupError: the database cannot be read or the file not written; then there is no file.
    """
    if url.startswith("sqlite:") and not sqlite_path(url).exists():
        raise StartupError(f"There is no database {sqlite_path(url)}: check DATABASE_URL.")
    with own_connection(url, lock=False, shared=True) as backend, write_archive(path, force=force) as writer:
        try:
            with _snapshot(backend):
                manifest = _write_tables(backend, schemas, writer, tell)
        except (peewee.PeeweeException, UnicodeError) as error:
            raise StartupError(f"The database could not be read to its end: {error}".strip() + ".") from error
        writer.finish(manifest)
    rows = sum(table.rows for table in manifest.tables)
    return BackupDone(path, len(manifest.tables), rows, path.stat().st_size)


def _write_tables(
    backend: Backend, schemas: Sequence[Schema], writer: ArchiveWriter, tell: Callable[[str], None]
) -> Manifest:
    live = read_catalog(backend)
    if not any(name.endswith(HISTORY) for name in live):
        raise StartupError("The database has no tables of this bot: check DATABASE_URL.")
    plugins = sorted(name.removesuffix(HISTORY) for name in live if name.endswith(HISTORY))
    owners = {model._meta.table_name: schema.name for schema in schemas for model in schema.models}
    entries = []
    for name in sorted(live):
        table = live[name]
        columns = table.stored
        owner, next_id = owners.get(name) or _owner(name, plugins), _next_id(backend, name, table)
        with closing(_rows(backend, name, table, columns)) as rows:
            entry = writer.table(name, owner, columns, rows, next_id)
        entries.append(entry)
        tell(f"{name}: {entry.rows:,} rows")
    return Manifest(
        format=FORMAT,
        version=_version(),
        made_at=SystemClock().now().isoformat(),
        database="postgresql" if isinstance(backend, ServerPostgres) else "sqlite",
        migrations={plugin: _applied(backend, plugin, live) for plugin in plugins},
        tables=tuple(entries),
    )


def _owner(table: str, plugins: Sequence[str]) -> str:
    """Return whose table it is by its name: the longest plugin's name that it begins with."""
    return max((name for name in plugins if table.startswith(f"{name}_")), key=len, default="core")


def _applied(backend: Backend, plugin: str, live: Mapping[str, Table]) -> tuple[AppliedMigration, ...]:
    known = backend.execute_sql(f"SELECT plugin, name, sha256 FROM {CHECKSUMS}") if CHECKSUMS in live else ()
    sums = {name: sha256 for owner, name, sha256 in known if owner == plugin}
    rows = backend.execute_sql(f"SELECT name FROM {quoted(plugin + HISTORY)}").fetchall()
    return tuple(
        AppliedMigration(name=name, sha256=sums.get(name, "")) for name in sorted(n for (n,) in rows)
    )


def _rows(backend: Backend, name: str, table: Table, columns: Sequence[str]) -> Generator[Sequence[Any]]:
    # In the order of the key, so that equal tables make equal files.
    if isinstance(backend, EmbeddedSqlite):
        order = ", ".join(map(quoted, table.key)) or "rowid"
        chosen = ", ".join(map(quoted, columns))
        statement = f"SELECT {chosen} FROM {quoted(name)} ORDER BY {order}"
        with closing(backend.connection().execute(statement)) as cursor:
            yield from cursor
        return
    kinds = {column: facts["type"] for column, facts in table.columns.items()}
    order = ", ".join(
        quoted(column) + (' COLLATE "C"' if kinds[column] == "text" else "") for column in table.key
    )
    chosen = ", ".join(selected(column, kinds[column]) for column in columns)
    backend.execute_sql(
        f"DECLARE backup_rows NO SCROLL CURSOR FOR SELECT {chosen} FROM {quoted(name)}"
        f" ORDER BY {order or 'ctid'}"
    )
    while found := backend.execute_sql(f"FETCH {_FETCH} FROM backup_rows").fetchall():
        yield from found
    backend.execute_sql("CLOSE backup_rows")


def _next_id(backend: Backend, name: str, table: Table) -> int | None:
    if isinstance(backend, EmbeddedSqlite) or len(table.key) != 1:
        return None
    sequence = sequence_of(backend, name, table.key[0])
    if sequence is None:
        return None
    last, called = backend.execute_sql(f"SELECT last_value, is_called FROM {sequence}").fetchone()
    return int(last) + int(called)


def sequence_of(backend: ServerPostgres, table: str, column: str) -> str | None:
    """Return the sequence that fills a column, as SQL, or None."""
    found = backend.execute_sql("SELECT pg_get_serial_sequence(%s, %s)", (quoted(table), column)).fetchone()
    return str(found[0]) if found[0] is not None else None


@contextmanager
def _snapshot(backend: Backend) -> Iterator[None]:
    if isinstance(backend, EmbeddedSqlite):
        # Deferred: it must never ask for the lock with which the bot writes.
        with backend.atomic("DEFERRED"):
            backend.execute_sql("SELECT count(*) FROM sqlite_master").fetchone()
            yield
        return
    backend.execute_sql(f"SET lock_timeout = {_LOCK_WAIT}")
    tables = ", ".join(quoted(name) for name in sorted(read_catalog(backend)))
    with backend.atomic("REPEATABLE READ"):
        backend.execute_sql("SET TRANSACTION READ ONLY")
        if tables:
            # What changes a table waits until the backup is done; what changes rows does not.
            backend.execute_sql(f"LOCK TABLE {tables} IN ACCESS SHARE MODE")
        yield


def _version() -> str:
    try:
        return metadata.version("redlegion")
    except metadata.PackageNotFoundError:
        return "unknown"

"""Migrations, per plugin: apply, revert, list; and the same for the core's own tables."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import peewee

from core.database.backends import Backend, ServerPostgres, sqlstate
from core.database.drift import compare
from core.database.engine import Database
from core.database.migrating import EditedFile, SchemaRunner
from core.database.models import CORE_MODELS, BaseModel
from core.database.opening import connect, make_backend
from core.errors import StartupError

log = logging.getLogger(__name__)

#: Milliseconds that a process waits for another one that is migrating.
_LOCK_WAIT = 60_000
_NO_PRIVILEGE = "42501"


@dataclass(frozen=True, slots=True)
class Schema:
    """The tables of the core or of one plugin.

    :param name: the plugin's name; its history is in the table `<name>_migration`.
    :param models: every model, in any order.
    :param migrations: the folder of its migration files (`0001_initial.py` ...).
    """

    name: str
    models: Sequence[type[BaseModel]]
    migrations: Path


@dataclass(frozen=True, slots=True)
class MigrationState:
    """One migration as it stands.

    :param state: applied, pending, edited (its file changed afterwards) or unknown (no file for it).
    :param applied_at: when, or None.
    """

    schema: str
    name: str
    state: str
    applied_at: datetime | None


CORE_SCHEMA = Schema("core", CORE_MODELS, Path(__file__).parent / "migrations")


def migrate_up(target: str | Database, schemas: Sequence[Schema]) -> list[str]:
    """Apply what is pending, in the order of `schemas`; each migration in a transaction of its own.

    :param target: a URL, or an open database.
    :returns: the applied ones as "schema/name".
    :raises StartupError: the database is newer than the code, an applied file was edited, or another process
        is migrating for too long.
    :raises MigrationFailed: a migration broke a rule; it is rolled back, earlier ones stay.
    """
    applied: list[str] = []
    with own_connection(target) as backend:
        runners = [runner_of(backend, schema) for schema in schemas]
        for runner in runners:
            _refuse(runner)
        for runner in runners:
            applied.extend(f"{runner.name}/{name}" for name in runner.apply_pending())
    return applied


def migrate_down(target: str | Database, schema: Schema, to: str | None = None) -> list[str]:
    """Revert migrations of one schema, newest first: all that are asked for, or none of them.

    :param to: the last one to keep; None reverts all.
    :returns: the reverted ones as "schema/name".
    :raises StartupError: as `migrate_up`, or `to` is not applied.
    """
    with own_connection(target) as backend:
        runner = runner_of(backend, schema)
        _refuse(runner)
        names = [migration.name for migration in runner.status() if migration.applied]
        if to is not None and to not in names:
            raise StartupError(
                f"Migration {to} of {schema.name} is not applied: see redlegion migrate status."
            )
        first = names.index(to) + 1 if to is not None else 0
        return [f"{schema.name}/{name}" for name in runner.revert(names[first:])]


def migrate_status(target: str | Database, schemas: Sequence[Schema]) -> list[MigrationState]:
    """Return every migration of the schemas, with its state; changes nothing."""
    with own_connection(target, lock=False, shared=True) as backend:
        return states_of(backend, schemas)


def states_of(backend: Backend, schemas: Sequence[Schema]) -> list[MigrationState]:
    """Return what `migrate_status` does, from a connection that is open."""
    found: list[MigrationState] = []
    for schema in schemas:
        runner = runner_of(backend, schema)
        edited = set(runner.edited())
        for migration in runner.status():
            state = "applied" if migration.applied else "pending"
            if migration.path is None:
                state = "unknown"
            elif migration.name in edited:
                state = "edited"
            found.append(MigrationState(schema.name, migration.name, state, migration.applied))
    return found


def rows_of(target: str | Database, schema: Schema) -> dict[str, int]:
    """Return how many rows there are in each table of a schema's models; empty tables are left out."""
    with own_connection(target, lock=False, shared=True) as backend:
        live = set(backend.get_tables())
        names = sorted(model._meta.table_name for model in schema.models)
        counts = {
            name: int(backend.execute_sql(f'SELECT count(*) FROM "{name}"').fetchone()[0])
            for name in names
            if name in live
        }
        return {name: count for name, count in counts.items() if count}


def refuse_newer(target: str | Database, schemas: Sequence[Schema]) -> None:
    """Raise StartupError if the database has migrations that this code does not know, or edited ones."""
    with own_connection(target) as backend:
        for schema in schemas:
            _refuse(runner_of(backend, schema))


def drift(target: str | Database, schemas: Sequence[Schema]) -> list[str]:
    """Compare the database with what the models say, by making their tables in a scratch schema.

    :returns: one line per difference, by table and column; empty when there is none.
    :raises StartupError: PostgreSQL does not let this user make the scratch schema.
    """
    with own_connection(target, lock=False, shared=True) as backend:
        try:
            return compare(backend, {schema.name: schema.models for schema in schemas})
        except peewee.PeeweeException as error:
            if sqlstate(error) != _NO_PRIVILEGE:
                raise
            raise StartupError(
                "The tables cannot be compared with the models, since PostgreSQL does not let this user make"
                " a scratch schema for it: run GRANT CREATE ON DATABASE for its user."
            ) from error


def warn_of_drift(target: str | Database, schemas: Sequence[Schema]) -> None:
    """Write what `drift` finds to the log; for a start, which it must not prevent."""
    try:
        differences = drift(target, schemas)
    except StartupError as error:
        log.warning("%s", error.sentence)
        return
    for difference in differences:
        log.warning("the database differs from what this version expects: %s", difference)


@contextmanager
def own_connection(target: str | Database, *, lock: bool = True, shared: bool = False) -> Iterator[Backend]:
    """Connect in this thread, apart from the connections of an open database, while the block runs.

    :param target: a URL, or an open database.
    :param lock: keep other processes from migrating meanwhile.
    :param shared: for a look beside a running bot, which keeps nobody out.
    """
    file_lock = None
    if isinstance(target, Database):
        backend = make_backend(target.url)
    else:
        backend, file_lock = connect(target, shared=shared)
    try:
        backend.connect()
        if lock and isinstance(backend, ServerPostgres):
            _lock_server(backend)
        yield backend
    finally:
        # Closing the connection also frees the advisory lock.
        if not backend.is_closed():
            backend.close()
        if file_lock is not None:
            file_lock.release()


def _lock_server(backend: ServerPostgres) -> None:
    backend.execute_sql(f"SET lock_timeout = {_LOCK_WAIT}")
    try:
        backend.execute_sql("SELECT pg_advisory_lock(hashtext('redlegion/' || current_schema()))")
    except peewee.PeeweeException as error:
        raise StartupError(
            "Another process has been migrating this database for a minute: wait until it is done, then start"
            " again."
        ) from error


def runner_of(backend: Backend, schema: Schema) -> SchemaRunner:
    """Return what runs the migrations of a schema on a connected database."""
    return SchemaRunner(backend, schema.name, schema.migrations)


def _refuse(runner: SchemaRunner) -> None:
    unknown = [migration.name for migration in runner.status() if migration.path is None]
    if unknown:
        raise StartupError(
            f"The database is newer than this version of {runner.name} (it has {unknown[-1]}): install the"
            " newer version again, or restore a backup made before the upgrade."
        )
    try:
        runner.refuse_edited()
    except EditedFile as error:
        raise StartupError(
            f"Migration {error.name} of {runner.name} was edited after it was applied: restore the file and"
            " put the change into a new migration."
        ) from error

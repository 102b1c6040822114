"""The two databases as peewee sees them, and what their errors mean."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

import peewee

from core.database.driver import load_driver
from core.database.errors import Stopped
from core.database.operations import running

#: SQLSTATEs after which a transaction may simply be run again: serialization failure, deadlock, lock timeout.
_RETRY_STATES = frozenset({"40001", "40P01", "55P03"})
_CANCELED = "57014"


def _frozen_base(database: peewee.Database, strict: bool) -> Any:
    # What a migration's inline models inherit: the same defaults as BaseModel, bound to this database.
    meta = type("Meta", (), {"database": database, "legacy_table_names": False, "strict_tables": strict})
    return type("FrozenModel", (peewee.Model,), {"Meta": meta, "id": peewee.BigAutoField()})


class _Watched:
    """Stops a call that takes too long before its next statement; within one the database does that."""

    def execute_sql(self, sql: Any, params: Any = None) -> Any:
        self._stop_if_late()
        try:
            return super().execute_sql(sql, params)  # type: ignore[misc]
        except Exception as error:
            # Noted, for the function may catch it.
            running.stopped = running.stopped or was_too_slow(error)
            raise

    def _stop_if_late(self) -> None:
        if running.late is not None and running.late():
            running.stopped = True
            raise Stopped("this store function takes too long and was stopped")


class EmbeddedSqlite(_Watched, peewee.SqliteDatabase):
    """SQLite as this project uses it: WAL, synchronous FULL, foreign keys, BEGIN IMMEDIATE, STRICT tables."""

    def __init__(self, path: str, **options: Any) -> None:
        pragmas = {"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1}
        super().__init__(
            path,
            pragmas=pragmas if path != ":memory:" else {"foreign_keys": 1},
            lock_type="IMMEDIATE",
            timeout=10,
            returning_clause=True,
            autoconnect=False,
            field_types={"INSTANT": "INTEGER"},
            **options,
        )

    def execute_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for each row, prepared once; parameters are written `?`."""
        self._stop_if_late()
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            self.cursor().executemany(sql, rows)

    @property
    def Model(self) -> Any:
        if not hasattr(self, "_Model"):
            self._Model = _frozen_base(self, strict=True)
        return self._Model

    def create_tables(self, models: Any, **options: Any) -> Any:
        for model in models:
            model._meta.strict_tables = True
        return super().create_tables(models, **options)


class ServerPostgres(_Watched, peewee.PostgresqlDatabase):
    """PostgreSQL through psycopg 3."""

    def __init__(self, url: str, **options: Any) -> None:
        load_driver()
        super().__init__(
            url,
            prefer_psycopg3=True,
            autoconnect=False,
            connect_timeout=5,
            field_types={"INSTANT": "TIMESTAMPTZ"},
            **options,
        )

    def _initialize_connection(self, conn: Any) -> None:
        conn.execute("SET TIME ZONE 'UTC'")
        conn.adapters.register_loader("numeric", _number_loader())

    @property
    def Model(self) -> Any:
        if not hasattr(self, "_Model"):
            self._Model = _frozen_base(self, strict=False)
        return self._Model

    def create_tables(self, models: Any, **options: Any) -> Any:
        for model in models:
            model._meta.strict_tables = None
        return super().create_tables(models, **options)


@functools.cache
def _number_loader() -> Any:
    from psycopg.adapt import Loader

    class Number(Loader):
        """SUM of a BIGINT is NUMERIC on PostgreSQL: whole ones become int, others float, as on SQLite."""

        def load(self, data: Any) -> int | float:
            text = bytes(data)
            return int(text) if text.lstrip(b"-").isdigit() else float(text)

    return Number


Backend = EmbeddedSqlite | ServerPostgres


def driver_error(error: BaseException) -> BaseException:
    """Return the driver's own error inside a peewee error, or the error itself."""
    original = getattr(error, "orig", None)
    return original if isinstance(original, BaseException) else error


def sqlstate(error: BaseException) -> str | None:
    """Return PostgreSQL's five-letter code of an error, or None."""
    state = getattr(driver_error(error), "sqlstate", None)
    return state if isinstance(state, str) else None


def may_retry(error: BaseException) -> bool:
    """Return whether the transaction failed only because of others and can run again."""
    return sqlstate(error) in _RETRY_STATES


def was_too_slow(error: BaseException) -> bool:
    """Return whether the statement limit stopped it."""
    if isinstance(error, Stopped):
        return True
    if sqlstate(error) == _CANCELED:
        return True
    return isinstance(driver_error(error), sqlite3.OperationalError) and str(error) == "interrupted"


def connection_lost(database: Backend) -> bool:
    """Return whether this thread's connection to a server is dead."""
    if isinstance(database, EmbeddedSqlite):
        return False
    return database.is_closed() or bool(database.connection().closed)


def transaction_gone(database: Backend) -> bool:
    """Return whether SQLite has rolled back the running transaction by itself (disk full, interrupt)."""
    return isinstance(database, EmbeddedSqlite) and not database.connection().in_transaction


def set_up_writer(database: Backend, statement_limit: float, *, lock_limit: float = 0.0) -> None:
    """Give this thread's open connection the limits of a writer.

    :param statement_limit: seconds that a statement may take, locks that it waits for included.
    :param lock_limit: seconds that it may wait for a lock; 0 for no limit but the other.
    """
    if isinstance(database, ServerPostgres):
        database.execute_sql(f"SET statement_timeout = {int(statement_limit * 1000)}")
        database.execute_sql(f"SET lock_timeout = {int(lock_limit * 1000)}")


def set_up_reader(database: Backend, statement_limit: float) -> None:
    """Make this thread's open connection read-only; `statement_limit` in seconds."""
    if isinstance(database, ServerPostgres):
        database.execute_sql("SET default_transaction_read_only = on")
        database.execute_sql(f"SET statement_timeout = {int(statement_limit * 1000)}")
    else:
        database.execute_sql("PRAGMA query_only = 1")

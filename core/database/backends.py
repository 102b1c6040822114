"""The two databases as peewee sees them, and what their errors mean."""

from __future__ import annotations

import functools
import sqlite3
from typing import Any

import peewee

#: SQLSTATEs after which a transaction may simply be run again: serialization failure, deadlock, lock timeout.
_RETRY_STATES = frozenset({"40001", "40P01", "55P03"})
_CANCELED = "57014"


def _frozen_base(database: peewee.Database, strict: bool) -> Any:
    # What a migration's inline models inherit: the same defaults as BaseModel, bound to this database.
    meta = type("Meta", (), {"database": database, "legacy_table_names": False, "strict_tables": strict})
    return type("FrozenModel", (peewee.Model,), {"Meta": meta, "id": peewee.BigAutoField()})


class EmbeddedSqlite(peewee.SqliteDatabase):
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

    @property
    def Model(self) -> Any:
        if not hasattr(self, "_Model"):
            self._Model = _frozen_base(self, strict=True)
        return self._Model

    def create_tables(self, models: Any, **options: Any) -> Any:
        for model in models:
            model._meta.strict_tables = True
        return super().create_tables(models, **options)


class ServerPostgres(peewee.PostgresqlDatabase):
    """PostgreSQL through psycopg 3."""

    def __init__(self, url: str, **options: Any) -> None:
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


def set_up_writer(database: Backend, statement_limit: float) -> None:
    """Give this thread's open connection the limits of a writer, `statement_limit` in seconds."""
    if isinstance(database, ServerPostgres):
        milliseconds = int(statement_limit * 1000)
        database.execute_sql(f"SET statement_timeout = {milliseconds}")
        database.execute_sql(f"SET lock_timeout = {min(10_000, milliseconds)}")


def set_up_reader(database: Backend, statement_limit: float) -> None:
    """Make this thread's open connection read-only; `statement_limit` in seconds."""
    if isinstance(database, ServerPostgres):
        database.execute_sql("SET default_transaction_read_only = on")
        database.execute_sql(f"SET statement_timeout = {int(statement_limit * 1000)}")
    else:
        database.execute_sql("PRAGMA query_only = 1")

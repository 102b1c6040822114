"""From a URL to a database, and from each thing that can go wrong to one sentence."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from core.clock import Clock, SystemClock
from core.database import current
from core.database.backends import Backend, EmbeddedSqlite, ServerPostgres, driver_error, sqlstate
from core.database.driver import load_driver
from core.database.engine import Database
from core.database.lock import FileBusy, FileLock
from core.database.models import all_models
from core.errors import StartupError

_FORMS = "sqlite:///folder/file.sqlite3 or postgresql://user:password@host/database"
_WRONG_PASSWORD = frozenset({"28P01", "28000"})
_NO_DATABASE = "3D000"
_HEADER = b"SQLite format 3\0"
#: Milliseconds that another program may hold the file before it counts as in use.
_BUSY_MS = 2_000


def open_database(url: str, *, clock: Clock | None = None, **options: Any) -> Database:
    """Open a database, check that it works, and make it the one that models use.

    :param url: `sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://user:password@host/name`.
    :param clock: what time columns read; the machine's clock if left out.
    :param options: writers, statement_limit, patience, queue_limit of `Database`.
    :raises StartupError: it cannot be used, with what to do about it.
    """
    clock = clock or SystemClock()
    backend, lock = connect(url)
    use(backend, clock)
    return Database(url, backend, lock=lock, clock=clock, **options)


def use(backend: Backend, clock: Clock) -> None:
    """Bind all models to `backend`, and their time columns to `clock`."""
    current.use_clock(clock)
    current.proxy.initialize(backend)
    strict = True if isinstance(backend, EmbeddedSqlite) else None
    for model in all_models():
        model._meta.strict_tables = strict


def connect(url: str, *, shared: bool = False) -> tuple[Backend, FileLock | None]:
    """Return a peewee database for `url` that could be connected to, and the SQLite lock, held.

    :param shared: for a look beside a running bot: no lock is taken, so that nobody is kept out meanwhile.
    :raises StartupError: see `open_database`.
    """
    try:
        scheme = urlsplit(url).scheme
    except ValueError:
        scheme = ""
    if scheme == "sqlite":
        return _connect_sqlite(sqlite_path(url), shared=shared)
    if scheme in {"postgresql", "postgres"}:
        return _connect_postgres(url), None
    raise StartupError(f"DATABASE_URL is not understood: write it as {_FORMS}.")


def sqlite_path(url: str) -> Path:
    """Return the file that a sqlite URL names.

    :raises StartupError: it names none.
    """
    name = unquote(urlsplit(url).path)[1:]
    if not url.startswith("sqlite:///") or not name or name == ":memory:":
        raise StartupError("DATABASE_URL names no file: write it as sqlite:///folder/file.sqlite3.")
    return Path(name)


def make_backend(url: str) -> Backend:
    """Return a fresh peewee database for a URL that was opened before, not yet connected."""
    if urlsplit(url).scheme == "sqlite":
        return EmbeddedSqlite(str(sqlite_path(url)))
    return ServerPostgres(_normal(url))


def _normal(url: str) -> str:
    return "postgresql" + url[len("postgres") :] if url.startswith("postgres:") else url


def _connect_sqlite(path: Path, *, shared: bool) -> tuple[Backend, FileLock | None]:
    lock: FileLock | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise IsADirectoryError
        # Looked at before anything is made beside it: a slip in the path must leave no trace.
        _refuse_other_files(path)
        if not shared:
            lock = FileLock(path.with_name(path.name + ".lock"))
    except FileBusy as error:
        raise _in_use(path) from error
    except (OSError, sqlite3.Error) as error:
        raise StartupError(
            f"The database {path} cannot be written: make its folder writable for this user, or set"
            " DATABASE_URL to a file elsewhere."
        ) from error
    backend = EmbeddedSqlite(str(path))
    try:
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError
        backend.connect()
        backend.execute_sql("SELECT count(*) FROM sqlite_master").fetchone()
        if lock is not None:
            # A program that knows nothing of our lock file may hold the database itself.
            backend.execute_sql(f"PRAGMA busy_timeout = {_BUSY_MS}")
            backend.execute_sql("BEGIN IMMEDIATE")
            backend.execute_sql("ROLLBACK")
    except Exception as error:
        if lock is not None:
            lock.release()
        if isinstance(driver_error(error), sqlite3.DatabaseError) and "not a database" in str(error):
            raise _no_database(path) from error
        if "locked" in str(error):
            raise _in_use(path) from error
        raise StartupError(
            f"The database {path} cannot be opened ({_short(error)}): check the file's permissions and the"
            " free space on its disk."
        ) from error
    finally:
        if not backend.is_closed():
            backend.close()
    return backend, lock


def _refuse_other_files(path: Path) -> None:
    """:raises StartupError: the file holds something that is not SQLite's."""
    if path.is_file() and path.stat().st_size > 0:
        with path.open("rb") as file:
            if file.read(len(_HEADER)) != _HEADER:
                raise _no_database(path)


def _in_use(path: Path) -> StartupError:
    return StartupError(
        f"The database {path} is in use by another process: stop that one first, or set DATABASE_URL to"
        " another file."
    )


def _no_database(path: Path) -> StartupError:
    return StartupError(
        f"The file {path} is not a SQLite database: move it away, or set DATABASE_URL to another file."
    )


def _connect_postgres(url: str) -> Backend:
    try:
        load_driver()
    except ImportError as error:
        raise StartupError(
            "DATABASE_URL asks for PostgreSQL, whose driver is missing: run"
            ' pip install "redlegion[postgres]".'
        ) from error
    backend = ServerPostgres(_normal(url))
    where = urlsplit(url)
    host = where.hostname or "the local socket"
    name = where.path.lstrip("/") or where.username or "?"
    try:
        backend.connect()
    except Exception as error:
        text = str(error)
        if sqlstate(error) in _WRONG_PASSWORD or "authentication failed" in text or "no password" in text:
            raise StartupError(
                f"PostgreSQL at {host} refuses the user {where.username or '?'}: check user and password in"
                " DATABASE_URL."
            ) from error
        if sqlstate(error) == _NO_DATABASE or ("database" in text and "does not exist" in text):
            raise StartupError(
                f"PostgreSQL at {host} has no database {name}: create it with createdb {name}, or correct"
                " DATABASE_URL."
            ) from error
        if "role" in text and "does not exist" in text:
            raise StartupError(
                f"PostgreSQL at {host} has no user {where.username or '?'}: create it with createuser, or"
                " correct DATABASE_URL."
            ) from error
        raise StartupError(
            f"PostgreSQL at {host} does not answer ({_short(error)}): start it, or correct DATABASE_URL."
        ) from error
    backend.close()
    return backend


def _short(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__

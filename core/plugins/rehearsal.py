"""Migrations tried on a scratch database, where nothing can be lost: up, compared with models, down, up.

The scratch database is a SQLite file, or one on a PostgreSQL server; what is tried is the same.
"""

from __future__ import annotations

import logging
import sqlite3
import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from core.database import Schema, drift, migrate_down, migrate_status, migrate_up
from core.database.backup import back_up, restore
from core.database.backup.archive import Archive
from core.database.opening import sqlite_path
from core.database.scratch import scratch_on, size_of
from core.errors import StartupError
from core.plugins.interrupts import ctrl_c_noted
from core.plugins.loading import in_words, not_ctrl_c

#: A database that is larger is not copied to try something on it.
LARGEST_COPY = 512 * 1024 * 1024
#: The same of one on a server, whose rows go through a backup: a minute for every 200 MB.
LARGEST_SERVER_COPY = 64 * 1024 * 1024

log = logging.getLogger(__name__)


def rehearse(before: Sequence[Schema], schema: Schema, server: str | None = None) -> Iterator[str]:
    """Yield what is wrong with a plugin's migrations, tried on an empty database.

    :param before: the schemas that it rests on, the core's first; theirs are taken to be right.
    :param server: the URL of a database on a PostgreSQL server to try them on; None for SQLite.
    :raises NoScratch: the server gives no place for it.
    """
    with _scratch(server) as url:
        migrate_up(url, before)
        known = {*drift(url, before)}
        if (failure := _attempt(url, schema)) is not None:
            yield failure
            return
        yield from (
            f"migrations and models differ: {line}"
            for line in drift(url, [*before, schema])
            if line not in known
        )
        try:
            with ctrl_c_noted():
                reverted = migrate_down(url, schema)
        except BaseException as error:
            not_ctrl_c(error)
            yield f"its migrations cannot be reverted: {in_words(error)}"
            return
        nothing = Schema(schema.name, (), schema.migrations)
        yield from (
            f"after all is reverted: {line}" for line in drift(url, [*before, nothing]) if line not in known
        )
        if reverted and (failure := _attempt(url, schema)) is not None:
            yield f"after all is reverted: {failure}"


def failures(
    database_url: str, schemas: Sequence[Schema], waiting: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Yield the plugins whose pending migrations would fail, and why, tried on a copy with all rows.

    A database that is too large, or cannot be read, is not copied: then they are tried on an empty one.

    :param database_url: of the database where they are pending; it is only read.
    :param schemas: those that can be migrated, the core's first.
    :param waiting: names of those that have pending migrations.
    :raises NoScratch: PostgreSQL gives no place for it.
    """
    server = database_url.startswith("postgres")
    with _scratch(database_url if server else None) as url:
        (_copy_server if server else _copy_file)(database_url, url, schemas)
        for schema in schemas:
            if schema is schemas[0] or schema.name not in waiting:
                migrate_up(url, [schema])
            elif (failure := _attempt(url, schema)) is not None:
                yield schema.name, failure


def _copy_file(source_url: str, target_url: str, _: Sequence[Schema]) -> None:
    database = sqlite_path(source_url)
    if database.is_file() and database.stat().st_size <= LARGEST_COPY:
        with (
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(sqlite_path(target_url))) as target,
        ):
            source.backup(target)


def _copy_server(source_url: str, target_url: str, schemas: Sequence[Schema]) -> None:
    if size_of(source_url) > LARGEST_SERVER_COPY:
        return
    known = {schema.name for schema in schemas}
    with tempfile.TemporaryDirectory(prefix="redlegion-") as folder:
        path = Path(folder) / "copy.zip"
        try:
            back_up(source_url, schemas, path)
            with Archive(path) as archive:
                without = [name for name in archive.manifest.migrations if name not in known]
            restore(target_url, schemas, path, without=without, bring_up=False)
        except StartupError as error:
            log.debug("the rows could not be copied: %s", error.sentence)


def _attempt(url: str, schema: Schema) -> str | None:
    try:
        with ctrl_c_noted():
            migrate_up(url, [schema])
    except BaseException as error:
        not_ctrl_c(error)
        pending = [state.name for state in migrate_status(url, [schema]) if state.state == "pending"]
        which = f"its migration {pending[0]}" if pending else "one of its migrations"
        return f"{which} fails: {in_words(error)}"
    return None


@contextmanager
def _scratch(server: str | None = None) -> Iterator[str]:
    if server is not None:
        with scratch_on(server) as url:
            yield url
        return
    with tempfile.TemporaryDirectory(prefix="redlegion-") as folder:
        yield f"sqlite:///{folder}/scratch.sqlite3"

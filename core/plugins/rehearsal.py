"""Migrations tried on a scratch database, where nothing can be lost: up, compared with models, down, up."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from core.database import Schema, drift, migrate_down, migrate_status, migrate_up
from core.plugins.interrupts import ctrl_c_noted
from core.plugins.loading import in_words, not_ctrl_c

#: A database that is larger is not copied to try something on it.
LARGEST_COPY = 512 * 1024 * 1024


def rehearse(before: Sequence[Schema], schema: Schema) -> Iterator[str]:
    """Yield what is wrong with a plugin's migrations, tried on an empty SQLite database.

    :param before: the schemas that it rests on, the core's first; theirs are taken to be right.
    """
    with _scratch() as url:
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


def first_failure(database: Path | None, before: Sequence[Schema], schema: Schema) -> str | None:
    """Return why the pending migrations of a plugin would fail, or None.

    :param database: a SQLite file that a copy of is taken, with its rows; None for an empty database.
    """
    with _scratch() as url:
        if database is not None and database.is_file() and database.stat().st_size <= LARGEST_COPY:
            copy = Path(url.removeprefix("sqlite:///"))
            with (
                closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
                closing(sqlite3.connect(copy)) as target,
            ):
                source.backup(target)
        migrate_up(url, before)
        return _attempt(url, schema)


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
def _scratch() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="redlegion-") as folder:
        yield f"sqlite:///{folder}/scratch.sqlite3"

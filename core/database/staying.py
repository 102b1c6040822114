"""A migration stays in the transaction that it runs in: what would end that is refused before it is run."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.database.backends import Backend, EmbeddedSqlite
from core.database.errors import MigrationFailed

#: Texts, names and comments, in which words mean nothing.
_OPAQUE = re.compile(
    r"""--[^\n]* | /\*.*?\*/ | '(?:[^']|'')*' | "(?:[^"]|"")*" | (\$\w*\$).*?\1""", re.DOTALL | re.VERBOSE
)
_ENDS = re.compile(
    r"\s*(BEGIN|START\s+TRANSACTION|COMMIT|END|ABORT|PREPARE\s+TRANSACTION|ROLLBACK(?!.*\bTO\b))\b",
    re.IGNORECASE | re.DOTALL,
)


def ending_word(sql: str, *, several: bool) -> str | None:
    """Return the word of a statement that begins or ends a transaction, None if there is none.

    Savepoints, and going back to one, stay inside of it.

    :param several: the driver runs all statements of the text, not just one; only one may have a body with
        semicolons (a trigger of SQLite).
    """
    statements = _OPAQUE.sub(" ", sql)
    if re.search(r"\bBEGIN\s+ATOMIC\b", statements, re.IGNORECASE):
        return None
    for statement in statements.split(";") if several else [statements.lstrip("; \t\r\n")]:
        if (found := _ENDS.match(statement)) is not None:
            return " ".join(found[1].upper().split())
    return None


@contextmanager
def staying_inside(database: Backend, migration: str) -> Iterator[None]:
    """While the block runs, refuse what would end the transaction; without one, watch nothing.

    :raises MigrationFailed: the block tried it; nothing of that statement was run.
    """
    if not database.in_transaction():
        yield
        return
    run: Any = database.execute_sql
    several = not isinstance(database, EmbeddedSqlite)

    def execute_sql(sql: Any, *args: Any, **options: Any) -> Any:
        if isinstance(sql, str) and (word := ending_word(sql, several=several)) is not None:
            raise _refused(migration, word)
        return run(sql, *args, **options)

    def refuse(word: str) -> Any:
        def call(*_args: Any, **_options: Any) -> None:
            raise _refused(migration, word)

        return call

    # peewee's own atomic() around this calls none of them meanwhile, and a nested one makes savepoints.
    shadows = {
        "execute_sql": execute_sql,
        "begin": refuse("begin()"),
        "commit": refuse("commit()"),
        "rollback": refuse("rollback()"),
    }
    vars(database).update(shadows)
    tried: list[str] = []
    if isinstance(database, EmbeddedSqlite):
        database.connection().set_authorizer(_authorizer(tried))
    try:
        yield
    except Exception as error:
        if tried and not isinstance(error, MigrationFailed):
            raise _refused(migration, tried[0]) from error
        raise
    finally:
        for name in shadows:
            del vars(database)[name]
        if isinstance(database, EmbeddedSqlite):
            database.connection().set_authorizer(None)


def _authorizer(tried: list[str]) -> Any:
    # Sees what goes past execute_sql too: a cursor of its own, executescript, which commits first.
    def allow(action: int, what: str | None, *_where: str | None) -> int:
        if action != sqlite3.SQLITE_TRANSACTION:
            return sqlite3.SQLITE_OK
        tried.append(str(what))
        return sqlite3.SQLITE_DENY

    return allow


def _refused(migration: str, word: str) -> MigrationFailed:
    return MigrationFailed(
        f"Migration {migration} says {word}, which would end the transaction that it runs in: remove {word}"
    )

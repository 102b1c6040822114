"""Counting what a database is asked, so that a loop of queries shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from core.database import Database, open_database

#: What belongs to a transaction or a connection, and not to what is asked.
_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "SET ", "PRAGMA ")


class Queries:
    """The statements of a database's threads, in their order."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def __len__(self) -> int:
        return len(self.seen)

    def attach(self, database: Database) -> None:
        """Count from now on."""
        database.backend.query_hooks.append(self._note)

    def detach(self, database: Database) -> None:
        """Count no more."""
        database.backend.query_hooks.remove(self._note)

    def repeated(self) -> str:
        """Return the statements by how often they came, most often first; for a failure's message."""
        return "\n".join(f"{times} x {sql}" for sql, times in Counter(self.seen).most_common(10))

    def _note(self, event: Any) -> None:
        if not event.sql.startswith(_FRAME):
            self.seen.append(event.sql)


@contextmanager
def counting_queries(database: Database) -> Iterator[Queries]:
    """Count the statements of a database that is open while the block runs."""
    queries = Queries()
    queries.attach(database)
    try:
        yield queries
    finally:
        queries.detach(database)


@contextmanager
def counting_from_the_start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Queries]:
    """Count the statements of the bot that is started in the block, from its first; migrations left out."""
    queries = Queries()

    def opened(*args: Any, **options: Any) -> Database:
        database = open_database(*args, **options)
        queries.attach(database)
        return database

    with monkeypatch.context() as patch:
        patch.setattr("core.runtime.open_database", opened)
        yield queries

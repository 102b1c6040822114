"""What a database says about its own tables, in words that can be compared."""

from __future__ import annotations

from core.database.backends import Backend, EmbeddedSqlite
from core.database.catalog.postgres import read_postgres
from core.database.catalog.sqlite import read_sqlite
from core.database.catalog.tables import Table

__all__ = ["Table", "read_catalog"]


def read_catalog(database: Backend) -> dict[str, Table]:
    """Return the tables of the current schema, by name; `database` is connected in this thread."""
    return read_sqlite(database) if isinstance(database, EmbeddedSqlite) else read_postgres(database)

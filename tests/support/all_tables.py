"""Every row of every table of a database as it stands, to look for what must not be there."""

from __future__ import annotations

from typing import Any

from core.database import User
from core.database.catalog import read_catalog


def everything_stored() -> dict[str, list[str]]:
    """Return the rows of all tables, histories of migrations included, each as one text. Store function."""
    database: Any = User._meta.database.obj
    found = {}
    for table in read_catalog(database):
        rows = database.execute_sql(f'SELECT * FROM "{table}"').fetchall()
        found[table] = [" | ".join(str(value) for value in row) for row in rows]
    return found


def tables_with(needle: str) -> dict[str, list[str]]:
    """Return the rows that hold a text, by table. Store function."""
    hits = {table: [row for row in rows if needle in row] for table, rows in everything_stored().items()}
    return {table: rows for table, rows in hits.items() if rows}

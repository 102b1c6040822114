"""Most tests begin with the same tables on SQLite: those of the first one are copied for the others."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from core.database import Database, Schema
from core.database.schema import own_connection
from core.plugins.manager import PluginManager

ROOT = Path(__file__).parents[2]

Key = tuple[tuple[str, str], ...]

_copies: dict[Key, tuple[sqlite3.Connection, list[str]]] = {}


def key_of(schemas: Sequence[Schema]) -> Key | None:
    """Return what tells these tables from others, or None for those of a plugin that a test has written."""
    if not all(schema.migrations.is_relative_to(ROOT) for schema in schemas):
        return None
    return tuple((schema.name, _digest(schema.migrations)) for schema in schemas)


def migrate_or_copy(
    database: Database, schemas: Sequence[Schema], migrate: Callable[[], list[str]]
) -> list[str]:
    """Do what `migrate` does to `database`, by a copy where that is possible.

    :returns: what `migrate` returned when it was called for these tables.
    """
    key = key_of(schemas)
    if database.is_postgres or key is None or not _is_empty(database):
        return migrate()
    if key in _copies:
        saved, applied = _copies[key]
        with own_connection(database) as backend:
            saved.backup(backend.connection())
        return list(applied)
    applied = migrate()
    saved = sqlite3.connect(":memory:", check_same_thread=False)
    with own_connection(database) as backend:
        backend.connection().backup(saved)
    _copies[key] = saved, list(applied)
    return applied


def copying(
    migrate_all: Callable[[Database, PluginManager], list[str]],
) -> Callable[[Database, PluginManager], list[str]]:
    """Return a `migrate_all` that copies where it can."""

    def quick(database: Database, manager: PluginManager) -> list[str]:
        from core.database import CORE_SCHEMA

        return migrate_or_copy(
            database, [CORE_SCHEMA, *manager.schemas], lambda: migrate_all(database, manager)
        )

    return quick


def _is_empty(database: Database) -> bool:
    with own_connection(database) as backend:
        return not backend.execute_sql("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()

"""Ways to change a table by hand, behind the migrations' backs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.database.backends import Backend

Change = str | Sequence[str] | Callable[[Backend], None]


def rebuilt(table: str, *pairs: tuple[str, str]) -> Callable[[Backend], None]:
    """Make an (empty) table of SQLite anew, with other words in its definition."""

    def change(backend: Backend) -> None:
        backend.execute_sql("PRAGMA foreign_keys = 0")
        ((sql,),) = backend.execute_sql(f"SELECT sql FROM sqlite_master WHERE name = '{table}'").fetchall()
        others = backend.execute_sql(
            f"SELECT sql FROM sqlite_master WHERE tbl_name = '{table}' AND type = 'index' AND sql IS NOT NULL"
        ).fetchall()
        for old, new in pairs:
            assert old in sql, f"{old} is not in {sql}"
            sql = sql.replace(old, new)
        backend.execute_sql(f"DROP TABLE {table}")
        backend.execute_sql(sql)
        for (other,) in others:
            backend.execute_sql(other)

    return change


def constraint(table: str, words: str) -> Callable[[Backend], None]:
    """Drop the one constraint of a table of PostgreSQL whose definition has these words."""

    def change(backend: Backend) -> None:
        ((name,),) = backend.execute_sql(
            "SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass"
            " AND position(%s IN pg_get_constraintdef(oid)) > 0",
            (table, words),
        ).fetchall()
        backend.execute_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    return change


def invalid(index: str) -> Callable[[Backend], None]:
    """Mark an index as what a CREATE INDEX CONCURRENTLY that failed leaves behind."""
    return lambda backend: backend.execute_sql(
        f"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass"
    )


def each(*changes: Change) -> Callable[[Backend], None]:
    def change(backend: Backend) -> None:
        for one in changes:
            apply(backend, one)

    return change


def apply(backend: Backend, change: Change) -> None:
    if callable(change):
        change(backend)
    else:
        for statement in [change] if isinstance(change, str) else change:
            backend.execute_sql(statement)


def renamed_index(table: str, index: str, definition: str) -> list[str]:
    return [f"DROP INDEX {index}", f"CREATE {definition.replace('INDEX', f'INDEX {index} ON {table}')}"]

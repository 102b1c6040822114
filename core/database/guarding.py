"""What a migration must not lose: rows; and on SQLite STRICT and triggers, which a rebuild silently drops."""

from __future__ import annotations

import re
from typing import Any

from core.database.backends import Backend, EmbeddedSqlite
from core.database.errors import MigrationFailed


def needed(migration: str, table: str) -> MigrationFailed:
    """Return what is said when a table cannot go because rows of another one may refer to it."""
    return MigrationFailed(
        f"Migration {migration} cannot be reverted, since {table} refers to its tables: revert the migrations"
        f" that made {table} first."
    )


class TableGuard:
    """Looks at all tables before a migration, and checks them afterwards, inside its transaction.

    :param database: connected in this thread.
    """

    def __init__(self, database: Backend) -> None:
        self._database = database
        self._rows = self._count()
        self._triggers = self._read_triggers()
        self._strict = self._read_strict()

    def check(self, migration: str, removes: frozenset[str], *, reverting: bool) -> None:
        """Put back what SQLite's rebuild drops, and refuse what cannot be put back.

        :param removes: tables that may vanish or lose rows.
        :param reverting: rows and tables may go, since that is what a down is for.
        :raises MigrationFailed: rows are missing, or references point nowhere.
        """
        after = self._count()
        if not reverting:
            for table, before in self._rows.items():
                now = after.get(table)
                if table not in removes and (now is None or now < before):
                    what = "the table is gone" if now is None else f"it had {before} rows and has {now}"
                    raise MigrationFailed(
                        f"Migration {migration} would lose data of {table} ({what}): keep the rows, or say"
                        f' removes = {{"{table}"}} in it.'
                    )
        if not isinstance(self._database, EmbeddedSqlite):
            return
        if reverting:
            self._refuse_needed(migration, set(self._rows) - set(after))
        for table in sorted(self._strict - self._read_strict()):
            if table in after:
                self._make_strict(table)
        present = self._read_triggers()
        for name, (table, sql) in self._triggers.items():
            if name not in present and table in after:
                self._database.execute_sql(sql)
        broken = self._database.execute_sql("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise MigrationFailed(
                f"Migration {migration} leaves {len(broken)} rows in {broken[0][0]} that refer to nothing:"
                " move or delete them in it."
            )

    def _refuse_needed(self, migration: str, gone: set[str]) -> None:
        # PostgreSQL refuses by itself to drop such a table; here foreign keys are off meanwhile.
        for table in self._database.get_tables():
            for row in self._database.execute_sql(f'PRAGMA foreign_key_list("{table}")').fetchall():
                if row[2] in gone:
                    raise needed(migration, table)

    def _count(self) -> dict[str, int]:
        names = self._database.get_tables()
        return {name: self._one(f'SELECT count(*) FROM "{name}"') for name in names}

    def _one(self, sql: str) -> Any:
        return self._database.execute_sql(sql).fetchone()[0]

    def _read_triggers(self) -> dict[str, tuple[str, str]]:
        if not isinstance(self._database, EmbeddedSqlite):
            return {}
        rows = self._database.execute_sql(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'"
        )
        return {name: (table, sql) for name, table, sql in rows.fetchall()}

    def _read_strict(self) -> set[str]:
        if not isinstance(self._database, EmbeddedSqlite):
            return set()
        rows = self._database.execute_sql(
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 1"
        )
        return {name for (name,) in rows.fetchall()}

    def _make_strict(self, table: str) -> None:
        # SQLite's manual gives this way for what ALTER TABLE cannot do; foreign keys are off meanwhile.
        execute: Any = self._database.execute_sql
        sql = self._one(f"SELECT sql FROM sqlite_master WHERE type = 'table' AND name = '{table}'")
        others = execute(
            "SELECT sql FROM sqlite_master WHERE tbl_name = ? AND type IN ('index', 'trigger')"
            " AND sql IS NOT NULL",
            (table,),
        ).fetchall()
        scratch = f"{table}__strict"
        head = re.compile(r'^CREATE TABLE\s+("[^"]+"|\w+)', re.IGNORECASE)
        execute(head.sub(f'CREATE TABLE "{scratch}"', sql, count=1) + " STRICT")
        execute(f'INSERT INTO "{scratch}" SELECT * FROM "{table}"')
        execute(f'DROP TABLE "{table}"')
        execute("PRAGMA legacy_alter_table = 1")
        execute(f'ALTER TABLE "{scratch}" RENAME TO "{table}"')
        execute("PRAGMA legacy_alter_table = 0")
        for (other,) in others:
            execute(other)

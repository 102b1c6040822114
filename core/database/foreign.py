"""What a plugin's migration must leave as it is: the tables and rows of the core and of other plugins."""

from __future__ import annotations

from collections.abc import Iterable

from core.database.backends import Backend
from core.database.catalog import Table, read_catalog
from core.database.errors import MigrationFailed

#: The schema that may touch any table, as all others rest on it.
CORE = "core"
_HISTORY = "_migration"


class ForeignTables:
    """Looks at the tables of others before a migration, and again afterwards, inside its transaction.

    :param database: connected in this thread.
    :param name: the plugin whose migration it is; its own tables begin with it.
    """

    def __init__(self, database: Backend, name: str) -> None:
        self._database = database
        self._name = name
        self._before = self._others()
        self._rows = self._count(self._before)

    def check(self, migration: str) -> None:
        """Compare.

        :raises MigrationFailed: a table of somebody else came, went, looks different or lost rows.
        """
        after = self._others()
        for table in sorted({*self._before, *after}):
            if self._before.get(table) == after.get(table):
                continue
            what = "makes" if table not in self._before else "drops" if table not in after else "changes"
            raise MigrationFailed(
                f"Migration {migration} {what} the table {table}, which is not one of its own: leave it"
                f" alone, and name your own {self._name}_..."
            )
        for table, now in self._count(self._rows).items():
            if now < self._rows[table]:
                raise MigrationFailed(
                    f"Migration {migration} deletes rows of {table} (it had {self._rows[table]} and has"
                    f" {now}), which is not one of its own tables: leave them alone."
                )

    def _count(self, tables: Iterable[str]) -> dict[str, int]:
        return {
            name: int(self._database.execute_sql(f'SELECT count(*) FROM "{name}"').fetchone()[0])
            for name in tables
        }

    def _others(self) -> dict[str, Table]:
        if self._name == CORE:
            return {}
        tables = read_catalog(self._database)
        installed = {name.removesuffix(_HISTORY) for name in tables if name.endswith(_HISTORY)}
        owners = {*installed, self._name}
        # A plugin `loans_extra` beside `loans`: the longest name that fits is the owner.
        return {
            table: facts
            for table, facts in tables.items()
            if max((n for n in owners if table.startswith(f"{n}_")), key=len, default=None) != self._name
        }

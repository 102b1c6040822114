"""peewee's migration runner, with checksums and with checks that nothing was lost on the way."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import peewee
from playhouse.migrations import Migration, Runner

from core.database.backends import Backend
from core.database.current import current_now
from core.database.fields import Instant, Text
from core.database.foreign import ForeignTables
from core.database.guarding import TableGuard, needed
from core.database.staying import staying_inside

CHECKSUMS = "core_migration_checksum"
#: What the name of a schema's history table ends with.
HISTORY = "_migration"
#: How PostgreSQL names the table because of which another one cannot be dropped.
_DEPENDS = re.compile(r"on table (\S+) depends on table")


class EditedFile(Exception):
    """An applied migration's file is not the one that was applied."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def checksum(path: str | Path) -> str:
    """Return the SHA-256 of a migration file, the same whatever its line endings."""
    return hashlib.sha256(Path(path).read_bytes().replace(b"\r\n", b"\n")).hexdigest()


class SchemaRunner(Runner):  # type: ignore[misc, unused-ignore]
    """Runs the migrations of one plugin, with history in `<name>_migration`.

    A module may say `removes = {"table"}` when its up() drops, renames or empties a table: rows that vanish
    otherwise are an error, since a rebuilt table on SQLite deletes child rows by cascade.
    """

    def __init__(self, database: Backend, name: str, directory: Path) -> None:
        super().__init__(database, str(directory), table_name=f"{name}{HISTORY}")
        self.name = name
        base = database.Model

        class History(base):  # type: ignore[misc, valid-type]
            name = Text(unique=True)
            applied = Instant(default=current_now)

            class Meta:
                table_name = f"{self.name}{HISTORY}"

        class Checksum(base):  # type: ignore[misc, valid-type]
            plugin = Text()
            name = Text()
            sha256 = Text()

            class Meta:
                table_name = CHECKSUMS
                primary_key = peewee.CompositeKey("plugin", "name")

        self.History = History
        self.Checksum = Checksum

    def apply_pending(self) -> list[str]:
        """Apply what is pending and return the names."""
        self.database.create_tables([self.Checksum], safe=True)
        return list(self.up())

    def apply(self, names: Collection[str]) -> None:
        """Apply these pending migrations, and no others."""
        self.database.create_tables([self.Checksum, self.History], safe=True)
        for migration in self.migrations():
            if migration.name in names:
                self._run(migration.name, migration.load(), "up")

    def revert(self, names: Iterable[str]) -> list[str]:
        """Revert these applied migrations, newest first; return them in that order.

        All of them or none, in one transaction; except where one of them wants none (`atomic = False`).
        """
        ordered = sorted(names)
        if not ordered:
            return []
        going = [migration for migration in self.migrations() if migration.name in ordered]
        whole = all(getattr(migration.load(), "atomic", True) for migration in going)
        with self.migrator.migration_context(whole):
            return list(self.down(ordered[0]))

    def edited(self) -> list[str]:
        """Return the applied migrations whose file has changed since."""
        if not self.Checksum.table_exists():
            return []
        stored = {
            row.name: row.sha256 for row in self.Checksum.select().where(self.Checksum.plugin == self.name)
        }
        return [
            migration.name
            for migration in self.status()
            if migration.path is not None
            and stored.get(migration.name, "") not in {"", checksum(migration.path)}
        ]

    def refuse_edited(self) -> None:
        """:raises EditedFile: an applied file was edited."""
        for name in self.edited():
            raise EditedFile(name)

    def _run(self, name: str, module: Any, direction: str, fake: bool = False) -> None:
        path = next(migration.path for migration in self.migrations() if migration.name == name)
        step = getattr(module, direction)
        removes = frozenset(getattr(module, "removes", ()))

        def guarded(migrator: Any, database: Any) -> None:
            guard, others = TableGuard(database), ForeignTables(database, self.name)
            try:
                with staying_inside(database, f"{self.name}/{name}"):
                    step(migrator, database)
            except peewee.PeeweeException as error:
                words = str(error)
                if direction == "down" and (found := _DEPENDS.search(words)):
                    raise needed(f"{self.name}/{name}", found[1]) from error
                raise
            others.check(f"{self.name}/{name}")
            guard.check(f"{self.name}/{name}", removes, reverting=direction == "down")
            self._remember(name, path if direction == "up" else None)

        shim = SimpleNamespace(atomic=getattr(module, "atomic", True), **{direction: guarded})
        super()._run(name, shim, direction, fake=fake)

    def _remember(self, name: str, path: str | None) -> None:
        mine = (self.Checksum.plugin == self.name) & (self.Checksum.name == name)
        self.Checksum.delete().where(mine).execute()
        if path is not None:
            self.Checksum.insert(plugin=self.name, name=name, sha256=checksum(path)).execute()


__all__ = ["CHECKSUMS", "HISTORY", "EditedFile", "Migration", "SchemaRunner", "checksum"]

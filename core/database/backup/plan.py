"""What of a backup can be restored with the code that is installed; decided before anything is touched."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from core.database.backup.archive import AppliedMigration, Archive, Manifest, TableEntry
from core.database.migrating import HISTORY, Migration, checksum
from core.database.schema import Schema
from core.errors import StartupError


@dataclass(frozen=True, slots=True)
class RestorePlan:
    """What will be restored.

    :param tables: those that get rows.
    :param migrations: per schema, the names of those that made the tables.
    :param skipped: columns, as table.column, that get no values.
    """

    tables: tuple[TableEntry, ...]
    migrations: Mapping[str, tuple[str, ...]]
    skipped: frozenset[str]


def make_plan(archive: Archive, schemas: Sequence[Schema], without: Collection[str]) -> RestorePlan:
    """Compare the backup's manifest with the code.

    :param without: plugins, tables and columns (as table.column) to leave out.
    :raises StartupError: the backup is newer than the code, or not of this code, or `without` names nothing.
    """
    manifest = archive.manifest
    _refuse_unknown_names(manifest, without)
    known = {schema.name: schema for schema in schemas}
    migrations = {}
    for name, applied in manifest.migrations.items():
        if name in without:
            continue
        if name not in known:
            raise StartupError(
                f"The backup has data of the plugin {name}, which is not loaded: install it and name it in"
                f" plugins.toml, or leave its data out with --without {name}."
            )
        _refuse_other_files(known[name], applied, manifest.version)
        migrations[name] = tuple(migration.name for migration in applied)
    tables = tuple(
        table for table in manifest.tables if table.name not in without and table.plugin not in without
    )
    return RestorePlan(tables, migrations, frozenset(name for name in without if "." in name))


def _refuse_unknown_names(manifest: Manifest, without: Collection[str]) -> None:
    names = set(manifest.migrations) - {"core"}
    for table in manifest.tables:
        names |= {table.name, *(f"{table.name}.{column}" for column in table.columns)}
    histories = {f"{name}{HISTORY}" for name in manifest.migrations}
    for name in without:
        if name not in names - histories:
            raise StartupError(
                f"--without {name} names nothing of the backup: give a plugin, a table or table.column; its"
                f" plugins are {', '.join(sorted(set(manifest.migrations) - {'core'})) or 'none'}."
            )


def _refuse_other_files(schema: Schema, applied: Sequence[AppliedMigration], version: str) -> None:
    files = {each.name: each.path for each in Migration.load_directory(str(schema.migrations))}
    for migration in applied:
        path = files.get(migration.name)
        if path is None:
            raise StartupError(
                f"The backup is newer than this version of {schema.name} (it has {migration.name}): install"
                f" the version that made it ({version}), then restore."
            )
        if migration.sha256 not in {"", checksum(path)}:
            raise StartupError(
                f"Migration {migration.name} of {schema.name} is not the one that the backup was made with:"
                f" install the version that made it ({version}), then restore."
            )

"""Where a member's id stands: in tables of the core, of loaded plugins, and of those that are not loaded."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from core.database import CORE_SCHEMA, JobRow, Schema, User
from core.database.catalog import read_catalog
from core.database.migrating import HISTORY
from core.privacy.paths import by_table, guild_rows, id_fields


def rows_about(guild_id: int, user_id: int, schemas: Sequence[Schema]) -> dict[str, dict[str, int]]:
    """Return how many rows of a guild hold a member's id, by schema and "table.column". Store function.

    :param schemas: of the plugins to look at; what belongs to no guild is left out.
    """
    tables = by_table([model for schema in schemas for model in schema.models])
    found: dict[str, dict[str, int]] = {}
    for schema in schemas:
        for model in schema.models:
            here: Any = guild_rows(model, tables)
            if here is None:
                continue
            for field in id_fields(model):
                query: Any = model.select().where(here(guild_id), field == user_id)
                if count := query.count():
                    name = f"{model.__dict__['_meta'].table_name}.{field.column_name}"
                    found.setdefault(schema.name, {})[name] = count
    return found


def unloaded_with(guild_id: int, user_id: int, loaded: Collection[str]) -> list[str]:
    """Return the plugins that are not loaded and whose tables hold a member's id. Store function.

    Their models are not known: of a table that has no column guild_id all rows are looked at.

    :param loaded: the names of the plugins that are loaded.
    """
    database: Any = User._meta.database
    backend = getattr(database, "obj", database)
    catalog = read_catalog(backend)
    known = {model.__dict__["_meta"].table_name for model in CORE_SCHEMA.models}
    names = {table.removesuffix(HISTORY) for table in catalog if table.endswith(HISTORY)}
    found = set()
    for table, facts in catalog.items():
        owner = max((name for name in names if table.startswith(f"{name}_")), key=len, default=None)
        if owner is None or owner == "core" or owner in loaded or table in known:
            continue
        if table == f"{owner}{HISTORY}":
            continue
        for column in facts.columns:
            sql = f'SELECT 1 FROM "{table}" WHERE CAST("{column}" AS TEXT) LIKE {backend.param}'
            values: list[Any] = [f"%{user_id}%"]
            if "guild_id" in facts.columns:
                sql += f' AND "guild_id" = {backend.param}'
                values.append(guild_id)
            if backend.execute_sql(f"{sql} LIMIT 1", values).fetchone() is not None:
                found.add(owner)
                break
    return sorted(found)


def elsewhere(user_id: int, schemas: Sequence[Schema]) -> bool:
    """Say whether any row of the core or of a plugin still needs the person's row. Store function."""
    for schema in (CORE_SCHEMA, *schemas):
        for model in schema.models:
            if model in {User, JobRow}:
                continue
            for field in id_fields(model):
                # Asked without a guild, this must not read the core's largest tables from end to end.
                if schema is CORE_SCHEMA and field.column_name != "user_id":
                    continue
                query: Any = model.select().where(field == user_id)
                if query.exists():
                    return True
    return False

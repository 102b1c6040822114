"""All rows of one guild, in every table of the project, however far from the guild they hang."""

from __future__ import annotations

from typing import Any

from support.tables import all_schemas, models_of

from core.database import Reference


def rows_of_guild(guild_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return the rows by table; store function. Tables that belong to no guild are left out."""
    found: dict[Any, list[dict[str, Any]]] = {}
    for model in models_of(all_schemas()):
        condition = _of_guild(model, guild_id, found)
        if condition is not None:
            key = model._meta.primary_key
            found[model] = list(model.select().where(condition).order_by(key).dicts())
    return {model._meta.table_name: rows for model, rows in found.items()}


def _of_guild(model: Any, guild_id: int, found: dict[Any, list[dict[str, Any]]]) -> Any:
    """Return what makes a row the guild's: its own column, or a parent that is the guild's."""
    fields = model._meta.fields
    if model._meta.table_name == "guilds":
        return model.id == guild_id
    if "guild_id" in fields:
        return fields["guild_id"] == guild_id
    for field in fields.values():
        if isinstance(field, Reference) and field.rel_model in found:
            key = field.rel_model._meta.primary_key.name
            return field.in_([row[key] for row in found[field.rel_model]])
    return None

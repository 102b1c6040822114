"""Which rows of a table belong to a guild: by a column guild_id, or by a key that leads to one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from core.database import CORE_SCHEMA, BaseModel, CentiScu, Guild, Money, Snowflake, User

Model = type[BaseModel]
#: Returns the condition under which a row belongs to a guild.
OfGuild = Callable[[int], Any]
_REFERENCES = re.compile(r"\bREFERENCES\s+\"?(\w+)\"?\s*(?:\(\s*\"?(\w+)\"?\s*\))?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Key:
    """A foreign key of one column.

    :param field: the column.
    :param table: what it points at.
    :param column: which column of that.
    """

    field: Any
    table: str
    column: str


def keys_of(model: Any) -> Iterator[Key]:
    """Return the foreign keys of a model, those in plain SQL at a column included."""
    for field in model._meta.sorted_fields:
        if isinstance(field, peewee.ForeignKeyField) and field.rel_model is not None:
            yield Key(field, field.rel_model._meta.table_name, field.rel_field.column_name)
        for constraint in field.constraints or ():
            for table, column in _REFERENCES.findall(str(getattr(constraint, "sql", constraint))):
                yield Key(field, table, column or "id")


def by_table(models: Sequence[Model]) -> dict[str, Any]:
    """Return models by the names of their tables, those of the core included."""
    return {model._meta.table_name: model for model in (*CORE_SCHEMA.models, *models)}


def guild_rows(model: Any, tables: Mapping[str, Any]) -> OfGuild | None:
    """Return what tells which rows of a model belong to a guild, None when nothing does.

    :param tables: all models that keys may lead to, by table.
    """
    return _guild_rows(model, tables, frozenset())


def core_id_fields(model: Any) -> list[Any]:
    """Return the columns of one of the core's models that hold a member's id.

    By their names: the core's tables are too large to look through all columns for nothing.
    """
    return [
        field
        for field in id_fields(model)
        if field.column_name in {"user_id", "actor_id"} or field.column_name.endswith("_by")
    ]


def core_tables() -> list[tuple[Any, OfGuild]]:
    """Return the core's models that hold rows of guilds, with what tells whose a row is."""
    tables = by_table([])
    models = [model for model in CORE_SCHEMA.models if model is not Guild]
    return [(model, here) for model in models if (here := guild_rows(model, tables)) is not None]


def _guild_rows(model: Any, tables: Mapping[str, Any], passed: frozenset[Any]) -> OfGuild | None:
    if model is Guild:
        return lambda guild_id: Guild.id == guild_id
    for field in model._meta.sorted_fields:
        if field.column_name == "guild_id":
            return _equals(field)
    ways = sorted(keys_of(model), key=lambda key: key.table != Guild._meta.table_name)
    for key in ways:
        target = tables.get(key.table)
        # A key that may be empty would leave rows behind that belong to nobody.
        if target is None or target is User or target is model or target in passed or key.field.null:
            continue
        beyond = _guild_rows(target, tables, passed | {model})
        if beyond is not None:
            return _leads_to(key, target, beyond)
    return None


def _equals(field: Any) -> OfGuild:
    return lambda guild_id: field == guild_id


def _leads_to(key: Key, target: Any, beyond: OfGuild) -> OfGuild:
    column = target._meta.columns[key.column]
    return lambda guild_id: key.field.in_(target.select(column).where(beyond(guild_id)))


def id_fields(model: Any) -> list[Any]:
    """Return the columns of a model that may hold a member's id."""
    return [
        field
        for field in model._meta.sorted_fields
        if not field.primary_key
        and field.column_name != "guild_id"
        and not isinstance(field, Money | CentiScu)
        and (
            isinstance(field, Snowflake | peewee.BigIntegerField)
            or (isinstance(field, peewee.ForeignKeyField) and field.rel_model is User)
        )
    ]

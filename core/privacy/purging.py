"""The rows of one plugin in one guild: read all of them, and delete all of them. Store functions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any

from peewee import IntegrityError

from core.database import AuditEntry, GuildPlugin, JobRow, Schema
from core.guilds import audit
from core.privacy.files import jsonable
from core.privacy.paths import by_table, guild_rows, keys_of

EXPORTED, PURGED = "plugin.export", "plugin.purge"
#: How long an export counts as one made before.
FRESH = timedelta(hours=24)


class NoGuild(Exception):
    """A table of the plugin has no way to tell whose its rows are; the message names the tables."""


class Circle(Exception):
    """Tables of the plugin refer to each other in a circle; the message names them."""


class StillOn(Exception):
    """The plugin has been switched on meanwhile."""


class Nothing(Exception):
    """There are no rows, or none any more."""


class NotExported(Exception):
    """There is no export from the last hours."""


class Changed(Exception):
    """The rows are not those of the export any more."""


class Rests(Exception):
    """Rows of somebody else rest on these.

    :param plugin: whose they are, None when it is not known.
    :param count: how many, 0 when it is not known.
    """

    def __init__(self, plugin: str | None, count: int) -> None:
        super().__init__(f"{count} rows of {plugin} rest on them")
        self.plugin = plugin
        self.count = count


@dataclass(frozen=True, slots=True)
class Rows:
    """All rows of a plugin in a guild.

    :param tables: JSON values by table.
    :param digest: changes whenever a row does.
    """

    tables: dict[str, list[Any]]
    digest: str

    @property
    def counts(self) -> dict[str, int]:
        """How many rows each table has."""
        return {table: len(rows) for table, rows in self.tables.items()}


def refuse_unreachable(schema: Schema, schemas: Sequence[Schema]) -> None:
    """Make sure that of every row of a plugin it can be told which guild it belongs to.

    :param schemas: of all loaded plugins.
    :raises NoGuild: of some it cannot.
    """
    known = by_table([model for each in schemas for model in each.models])
    lost = [_name(model) for model in schema.models if guild_rows(model, known) is None]
    if lost:
        raise NoGuild(", ".join(sorted(lost)))


def rows_of(guild_id: int, schema: Schema, schemas: Sequence[Schema]) -> Rows:
    """Return all rows of a plugin in a guild.

    :raises NoGuild: as `refuse_unreachable`.
    """
    refuse_unreachable(schema, schemas)
    known = by_table([model for each in schemas for model in each.models])
    tables = {}
    models: list[Any] = sorted(schema.models, key=_name)
    for model in models:
        query = _here(model, known, model.select(), guild_id).order_by(model._meta.primary_key)
        tables[_name(model)] = [jsonable(row) for row in query.dicts()]
    return Rows(tables, hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest())


def jobs_of(guild_id: int, plugin: str) -> list[dict[str, Any]]:
    """Return the jobs of a plugin in a guild, as JSON values."""
    query: Any = JobRow.select(JobRow.name, JobRow.key, JobRow.state, JobRow.due, JobRow.payload)
    mine = query.where(JobRow.plugin == plugin, JobRow.guild_id == guild_id)
    return [jsonable(row) for row in mine.order_by(JobRow.id).dicts()]


def note_export(guild_id: int, plugin: str, rows: Rows, actor_id: int, at: datetime) -> None:
    """Note that an admin was given all rows of a plugin."""
    after = {"rows": rows.counts, "digest": rows.digest}
    audit.record(guild_id, actor_id, EXPORTED, plugin, None, after, at)


def refuse_unready(guild_id: int, schema: Schema, schemas: Sequence[Schema], at: datetime) -> Rows:
    """Make sure that a plugin's rows can be deleted now; returns them.

    :raises Nothing: there are none.
    :raises NotExported: nobody has exported them within the last day.
    :raises Changed: they are not the same any more.
    :raises Rests: rows of another plugin rest on them.
    :raises Circle: there is no order in which they could be deleted.
    :raises NoGuild: as `refuse_unreachable`.
    """
    _children_first(schema)
    rows = rows_of(guild_id, schema, schemas)
    if not any(rows.counts.values()):
        raise Nothing
    entry = (
        AuditEntry.select()
        .where(
            AuditEntry.guild_id == guild_id,
            AuditEntry.action == EXPORTED,
            AuditEntry.target == schema.name,
            AuditEntry.at >= at - FRESH,
        )
        .order_by(AuditEntry.at.desc(), AuditEntry.id.desc())
        .first()
    )
    if entry is None:
        raise NotExported
    if entry.after["digest"] != rows.digest:
        raise Changed
    _refuse_resting(guild_id, schema, schemas)
    return rows


def purge(  # noqa: PLR0917 - the engine hands arguments on by position
    guild_id: int,
    schema: Schema,
    schemas: Sequence[Schema],
    switches: Collection[str],
    actor_id: int,
    at: datetime,
) -> dict[str, int]:
    """Delete every row of a plugin in a guild, and its jobs there, and audit it.

    :param schemas: of all loaded plugins.
    :param switches: the features with which the plugin is on.
    :returns: how many rows went, by table.
    :raises StillOn: one of them has been switched on.
    :raises Nothing: there are no rows.
    :raises Rests: somebody else's rows rest on these.
    """
    on = GuildPlugin.select().where(
        GuildPlugin.guild_id == guild_id, GuildPlugin.plugin.in_(sorted(switches)), GuildPlugin.enabled
    )
    if on.exists():
        raise StillOn
    counts = refuse_unready(guild_id, schema, schemas, at).counts
    known = by_table([model for each in schemas for model in each.models])
    try:
        for model in _children_first(schema):
            _delete(model, known, guild_id)
    except IntegrityError as error:
        # A plugin that is not loaded: its models are not known, but the database knows its keys.
        raise Rests(None, 0) from error
    JobRow.delete().where(JobRow.plugin == schema.name, JobRow.guild_id == guild_id).execute()
    audit.record(guild_id, actor_id, PURGED, schema.name, {"rows": counts}, None, at)
    return counts


def _refuse_resting(guild_id: int, schema: Schema, schemas: Sequence[Schema]) -> None:
    known = by_table([model for each in schemas for model in each.models])
    mine = {_name(model): model for model in schema.models}
    for other in schemas:
        if other.name == schema.name:
            continue
        count = 0
        for model in other.models:
            for key in keys_of(model):
                if key.table in mine:
                    target: Any = mine[key.table]
                    column = target._meta.columns[key.column]
                    there = _here(target, known, target.select(column), guild_id)
                    resting: Any = model.select().where(key.field.in_(there))
                    count += resting.count()
        if count:
            raise Rests(other.name, count)


def _children_first(schema: Schema) -> list[Any]:
    """Return the models in an order in which each comes before those that it refers to."""
    mine: dict[str, Any] = {_name(model): model for model in schema.models}
    before: dict[str, set[str]] = {
        name: {key.table for key in keys_of(model) if key.table in mine and key.table != name}
        for name, model in mine.items()
    }
    try:
        order = list(TopologicalSorter(before).static_order())
    except CycleError as error:
        raise Circle(", ".join(sorted(set(error.args[1])))) from None
    return [mine[name] for name in reversed(order)]


def _delete(model: Any, known: Any, guild_id: int) -> None:
    own = [key for key in keys_of(model) if key.table == _name(model)]
    # Rows that others of the same table refer to go after those.
    while own:
        leaves = _here(model, known, model.select(model._meta.primary_key), guild_id)
        for key in own:
            inner = model.alias()
            parents = inner.select(getattr(inner, key.field.name)).where(
                getattr(inner, key.field.name).is_null(False)
            )
            leaves = leaves.where(model._meta.columns[key.column].not_in(parents))
        if not model.delete().where(model._meta.primary_key.in_(leaves)).execute():
            break
    _here(model, known, model.delete(), guild_id).execute()


def _here(model: Any, known: Any, query: Any, guild_id: int) -> Any:
    here = guild_rows(model, known)
    if here is None:
        raise NoGuild(_name(model))
    return query.where(here(guild_id))


def _name(model: Any) -> str:
    name: str = model._meta.table_name
    return name

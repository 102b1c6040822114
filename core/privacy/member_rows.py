"""What the core itself keeps about a member in a guild, as JSON values."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Sequence
from functools import reduce
from typing import Any

from core.database import AuditEntry, Guild, GuildPlugin, JobRow, Schema, User
from core.privacy.paths import core_id_fields, core_tables
from core.privacy.traces import rows_about

#: Columns that say nothing about the member.
_LEFT_OUT = frozenset({"updated_at"})


def known_here(guild_id: int, user_id: int, schemas: Sequence[Schema]) -> bool:
    """Say whether somebody left anything in a guild; that others asked there about them is nothing.

    Store function. Users belong to no guild: without this an admin could learn of strangers what they are
    called elsewhere, and that they are known there.

    :param schemas: of the plugins to look at.
    """
    for model, here in core_tables():
        if model is not JobRow and (fields := list(core_id_fields(model))):
            theirs = reduce(operator.or_, [field == user_id for field in fields])
            if model.select().where(here(guild_id), theirs).exists():
                return True
    return bool(rows_about(guild_id, user_id, schemas))


def core_data(guild_id: int, user_id: int, *, named: bool) -> dict[str, Any]:
    """Return all that the core keeps about a member here, by table. Store function.

    :param named: whether the name may be told that is kept for all guilds, see `known_here`.
    """
    found: dict[str, Any] = {}
    person = User.select().where(User.id == user_id).dicts().first()
    if named and person is not None:
        found["users"] = [_row(person)]
    for model, query in _theirs(guild_id, user_id):
        if model is GuildPlugin:
            # The settings are the guild's; who changed them last is all that is personal about them.
            rows = [{"plugin": row.plugin, "changed_by": row.changed_by} for row in query]
        else:
            rows = [_row(row) for row in query.dicts()]
        if rows:
            found[model._meta.table_name] = rows
    guild = Guild.get_or_none(Guild.id == guild_id)
    drafts = dict(guild.settings or {}).get("drafts", {}) if guild is not None else {}
    typed = [draft for draft in drafts.values() if draft.get("user") == user_id]
    if typed:
        found["forms_not_taken"] = typed
    return found


def core_counts(guild_id: int, user_id: int, *, named: bool) -> dict[str, int]:
    """Return how many rows the core keeps about a member here, by table. Store function.

    :param named: whether the name counts that is kept for all guilds, see `known_here`.
    """
    counts = {"users": User.select().where(User.id == user_id, User.name != "").count() if named else 0}
    counts |= {model._meta.table_name: query.count() for model, query in _theirs(guild_id, user_id)}
    return {table: count for table, count in counts.items() if count}


def _theirs(guild_id: int, user_id: int) -> Iterator[tuple[Any, Any]]:
    for model, here in core_tables():
        if model is JobRow:
            continue
        conditions = [field == user_id for field in core_id_fields(model)]
        if model is AuditEntry:
            conditions.append(AuditEntry.target == str(user_id))
        if conditions:
            about = reduce(operator.or_, conditions)
            yield model, model.select().where(here(guild_id), about).order_by(model._meta.primary_key)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _LEFT_OUT}

"""Store functions of guilds: which plugin is wanted where, its settings, and which role gives which rank."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import Guild, GuildPlugin, GuildRank, ensure_guild
from core.guilds import audit

CHUNK = 500


@dataclass(frozen=True, slots=True)
class PluginRow:
    """What a guild has said about a plugin."""

    guild_id: int
    plugin: str
    enabled: bool
    settings: Mapping[str, Any]


def ensure_guilds(guilds: Mapping[int, str]) -> None:
    """Make sure that every guild has a row with its current name.

    :param guilds: names by guild id.
    """
    known = guild_names(list(guilds))
    fresh = [{"id": guild_id, "name": name} for guild_id, name in guilds.items() if guild_id not in known]
    for start in range(0, len(fresh), CHUNK):
        query: Any = Guild.insert_many(fresh[start : start + CHUNK])
        query.on_conflict(action="ignore", conflict_target=[Guild.id]).execute()
    for guild_id, name in guilds.items():
        if known.get(guild_id, name) != name:
            ensure_guild(guild_id, name)


def guild_names(guild_ids: Sequence[int]) -> dict[int, str]:
    """Return the stored names of the guilds that have a row."""
    found: dict[int, str] = {}
    for start in range(0, len(guild_ids), CHUNK):
        query: Any = Guild.select(Guild.id, Guild.name).where(Guild.id.in_(guild_ids[start : start + CHUNK]))
        found.update(dict(query.tuples()))
    return found


def plugin_rows(guild_ids: Sequence[int]) -> list[PluginRow]:
    """Return all that the guilds have said about plugins."""
    found: list[PluginRow] = []
    for start in range(0, len(guild_ids), CHUNK):
        query: Any = GuildPlugin.select(
            GuildPlugin.guild_id, GuildPlugin.plugin, GuildPlugin.enabled, GuildPlugin.settings
        ).where(GuildPlugin.guild_id.in_(guild_ids[start : start + CHUNK]))
        found += [PluginRow(*row) for row in query.tuples()]
    return found


def set_enabled(guild_id: int, plugin: str, enabled: bool, actor_id: int | None, at: datetime) -> None:
    """Store that a guild wants or does not want a plugin, and audit it.

    :param actor_id: the member who asked, None for the system.
    """
    before = GuildPlugin.get_or_none(GuildPlugin.guild_id == guild_id, GuildPlugin.plugin == plugin)
    GuildPlugin.insert(
        guild_id=guild_id, plugin=plugin, enabled=enabled, changed_by=actor_id, updated_at=at
    ).on_conflict(
        conflict_target=[GuildPlugin.guild_id, GuildPlugin.plugin],
        preserve=[GuildPlugin.enabled, GuildPlugin.changed_by, GuildPlugin.updated_at],
    ).execute()
    audit.record(
        guild_id,
        actor_id,
        "plugin.enable" if enabled else "plugin.disable",
        plugin,
        None if before is None else {"enabled": before.enabled},
        {"enabled": enabled},
        at,
    )


def take_defaults(features: Mapping[int, Sequence[str]], at: datetime) -> None:
    """Store that guilds want what is on by default, and audit it; what one of them has said stays.

    :param features: by guild id.
    """
    rows = [
        {"guild_id": guild_id, "plugin": plugin, "enabled": True, "changed_by": None, "updated_at": at}
        for guild_id, plugins in features.items()
        for plugin in plugins
    ]
    taken: list[tuple[int, str]] = []
    for start in range(0, len(rows), CHUNK):
        query: Any = GuildPlugin.insert_many(rows[start : start + CHUNK]).on_conflict(
            action="ignore", conflict_target=[GuildPlugin.guild_id, GuildPlugin.plugin]
        )
        taken += query.returning(GuildPlugin.guild_id, GuildPlugin.plugin).tuples().execute()
    audit.record_many(taken, None, "plugin.enable", None, {"enabled": True}, at)


def set_settings(  # noqa: PLR0917 - the engine hands arguments on by position
    guild_id: int,
    plugin: str,
    wanted: bool,
    stored: Mapping[str, Any],
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    actor_id: int | None,
    at: datetime,
) -> None:
    """Store what a guild has set for a plugin, and audit the fields that changed.

    :param wanted: whether the guild wants the plugin, for the case that it has said nothing of it yet.
    :param stored: all that the guild has set, as JSON values by field.
    :param before: the fields that change, as they were in effect or stood there.
    :param after: the same fields as they are from now on.
    """
    GuildPlugin.insert(
        guild_id=guild_id,
        plugin=plugin,
        enabled=wanted,
        settings=dict(stored),
        changed_by=actor_id,
        updated_at=at,
    ).on_conflict(
        conflict_target=[GuildPlugin.guild_id, GuildPlugin.plugin],
        preserve=[GuildPlugin.settings, GuildPlugin.changed_by, GuildPlugin.updated_at],
    ).execute()
    audit.record(guild_id, actor_id, "settings.change", plugin, before, after, at)


def rank_rows(guild_ids: Sequence[int]) -> list[tuple[int, int, str]]:
    """Return (guild, role, rank) of every role that gives a rank in one of the guilds."""
    found: list[tuple[int, int, str]] = []
    for start in range(0, len(guild_ids), CHUNK):
        query: Any = (
            GuildRank.select(GuildRank.guild_id, GuildRank.role_id, GuildRank.rank)
            .where(GuildRank.guild_id.in_(guild_ids[start : start + CHUNK]))
            .order_by(GuildRank.role_id)
        )
        found.extend(query.tuples())
    return found


def change_ranks(  # noqa: PLR0917 - the engine hands arguments on by position
    guild_id: int,
    given: Mapping[int, str],
    taken: Collection[int],
    action: str,
    actor_id: int | None,
    at: datetime,
) -> dict[int, str]:
    """Map roles to ranks, take others out, and audit the roles that changed; the rest stays as it is.

    :param given: ranks by role id.
    :param taken: roles that give no rank any more.
    :param action: for the audit, such as "ranks.change".
    :returns: the whole mapping after it.
    """
    ensure_guild(guild_id)
    before = {role_id: rank for _guild_id, role_id, rank in rank_rows([guild_id])}
    after = {role_id: rank for role_id, rank in {**before, **given}.items() if role_id not in taken}
    changed = [role for role in sorted({*before, *after}) if before.get(role) != after.get(role)]
    if not changed:
        return after
    gone = [role_id for role_id in changed if role_id not in after]
    if gone:
        GuildRank.delete().where(GuildRank.guild_id == guild_id, GuildRank.role_id.in_(gone)).execute()
    rows = [
        {"guild_id": guild_id, "role_id": role_id, "rank": after[role_id], "updated_at": at}
        for role_id in changed
        if role_id in after
    ]
    if rows:
        GuildRank.insert_many(rows).on_conflict(
            conflict_target=[GuildRank.guild_id, GuildRank.role_id],
            preserve=[GuildRank.rank, GuildRank.updated_at],
        ).execute()
    audit.record(
        guild_id,
        actor_id,
        action,
        None,
        {str(role_id): before.get(role_id) for role_id in changed},
        {str(role_id): after.get(role_id) for role_id in changed},
        at,
    )
    return after

"""Store functions of guilds: which plugin is wanted where, and who changed it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.database import AuditEntry, Guild, GuildPlugin, ensure_guild

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
    for guild_id, name in guilds.items():
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
    AuditEntry.insert(
        guild_id=guild_id,
        actor_id=actor_id,
        action="plugin.enable" if enabled else "plugin.disable",
        target=plugin,
        before=None if before is None else {"enabled": before.enabled},
        after={"enabled": enabled},
        at=at,
    ).execute()

"""What the core itself keeps about a member in a guild, as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from core.database import AuditEntry, Guild, GuildMembership, GuildPlugin, User, VoiceSession
from core.voice.store import records_of

#: Columns that say nothing about anybody.
_OWN = frozenset({"updated_at"})


def core_data(guild_id: int, user_id: int) -> dict[str, Any]:
    """Return all that the core keeps about a member here. Store function."""
    person = User.select().where(User.id == user_id).dicts().first()
    about: Any = (AuditEntry.actor_id == user_id) | (AuditEntry.target == str(user_id))
    log: Any = AuditEntry.select().where(AuditEntry.guild_id == guild_id, about).order_by(AuditEntry.id)
    membership: Any = GuildMembership.select().where(
        GuildMembership.guild_id == guild_id, GuildMembership.user_id == user_id
    )
    switched: Any = GuildPlugin.select(GuildPlugin.plugin).where(
        GuildPlugin.guild_id == guild_id, GuildPlugin.changed_by == user_id
    )
    guild = Guild.get_or_none(Guild.id == guild_id)
    drafts = dict(guild.settings or {}).get("drafts", {}) if guild is not None else {}
    return {
        "user": _without_own(person) if person is not None else None,
        "membership": [_without_own(row) for row in membership.dicts()],
        "voice_sessions": [asdict(record) for record in records_of(guild_id, user_id)],
        "audit_log": [_without_own(row) for row in log.dicts()],
        "last_changed_settings_of": [plugin for (plugin,) in switched.tuples()],
        "forms_not_taken": [draft for draft in drafts.values() if draft.get("user") == user_id],
    }


def core_counts(guild_id: int, user_id: int) -> dict[str, int]:
    """Return how many rows of which kind the core keeps about a member here. Store function."""
    return {
        "user": User.select().where(User.id == user_id, User.name != "").count(),
        "voice_sessions": VoiceSession.select()
        .where(VoiceSession.guild_id == guild_id, VoiceSession.user_id == user_id)
        .count(),
        "audit_log": AuditEntry.select()
        .where(AuditEntry.guild_id == guild_id, AuditEntry.actor_id == user_id)
        .count(),
        "membership": GuildMembership.select()
        .where(GuildMembership.guild_id == guild_id, GuildMembership.user_id == user_id)
        .count(),
    }


def _without_own(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in _OWN}

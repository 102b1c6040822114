"""The tables of the core."""

from __future__ import annotations

from typing import Any

from peewee import SQL, BooleanField, Check

from core.database.fields import Instant, JsonText, Reference, Snowflake, Text


def _models(db: Any) -> list[Any]:
    class Entity(db.Model):  # type: ignore[misc]
        created_at = Instant()
        updated_at = Instant()

    class Guild(Entity):
        id = Snowflake(primary_key=True)
        name = Text()
        settings = JsonText()
        afk_channel_id = Snowflake(null=True)

        class Meta:
            table_name = "guilds"

    class User(Entity):
        id = Snowflake(primary_key=True)
        name = Text()

        class Meta:
            table_name = "users"

    class GuildMembership(Entity):
        guild_id = Reference(Guild, index=False)
        user_id = Reference(User)
        is_org_member = BooleanField()
        rank = Text(null=True)

        class Meta:
            table_name = "guild_memberships"
            indexes = ((("guild_id", "user_id"), True),)

    class GuildPlugin(Entity):
        guild_id = Reference(Guild, index=False)
        plugin = Text()
        enabled = BooleanField()
        settings = JsonText()
        changed_by = Snowflake(null=True)

        class Meta:
            table_name = "guild_plugins"
            indexes = ((("guild_id", "plugin"), True),)

    class VoiceSession(Entity):
        id = Snowflake(primary_key=True)
        guild_id = Snowflake()
        user_id = Snowflake()
        channel_id = Snowflake()
        joined = Instant()
        left = Instant(null=True)
        deafened_us = Snowflake()
        status = Text()
        previous_id = Snowflake(null=True)
        estimated = BooleanField()

        class Meta:
            table_name = "voice_sessions"
            constraints = (
                Check("\"status\" IN ('active', 'completed', 'cancelled')", name="voice_sessions_status"),
                Check('"left" IS NULL OR "left" >= "joined"', name="voice_sessions_order"),
            )
            indexes = ((("user_id", "guild_id"), False), (("guild_id", "joined"), False))

    VoiceSession.add_index(
        VoiceSession.guild_id,
        VoiceSession.user_id,
        unique=True,
        where=SQL('"left" IS NULL'),
        name="voice_sessions_one_open",
    )

    class ShardHeartbeat(Entity):
        shard_id = Snowflake(primary_key=True)
        at = Instant()

        class Meta:
            table_name = "shard_heartbeats"

    class Job(Entity):
        id = Snowflake(primary_key=True)
        plugin = Text()
        guild_id = Snowflake()
        name = Text()
        key = Text()
        payload = JsonText()
        due = Instant()
        state = Text()
        attempts = Snowflake()
        last_error = Text(null=True)

        class Meta:
            table_name = "jobs"
            constraints = (Check("\"state\" IN ('waiting', 'running', 'done', 'dead')", name="jobs_state"),)
            indexes = ((("plugin", "guild_id", "name", "key"), True), (("state", "due"), False))

    class AuditEntry(Entity):
        guild_id = Snowflake()
        actor_id = Snowflake(null=True)
        action = Text()
        target = Text(null=True)
        before = JsonText(null=True)
        after = JsonText(null=True)
        at = Instant()

        class Meta:
            table_name = "audit_log"
            indexes = ((("guild_id", "at"), False),)

    class CommandMenu(Entity):
        guild_id = Snowflake(primary_key=True)
        hash = Text()
        synced_at = Instant()

        class Meta:
            table_name = "command_menus"

    return [
        Guild,
        User,
        GuildMembership,
        GuildPlugin,
        VoiceSession,
        ShardHeartbeat,
        Job,
        AuditEntry,
        CommandMenu,
    ]


def up(migrator: Any, db: Any) -> None:
    """Create them."""
    db.create_tables(_models(db), safe=False)


def down(migrator: Any, db: Any) -> None:
    """Drop them."""
    db.drop_tables(_models(db), safe=False)

"""Which bound of a session is estimated; AFK stays; who is deafened; hubs; voided and folded sessions."""

from __future__ import annotations

from typing import Any

from peewee import BooleanField

from core.database.fields import Instant, Reference, Snowflake, Text


def _tables(db: Any) -> list[Any]:
    # The table of sessions is there already: only the reference needs it.
    class VoiceSession(db.Model):  # type: ignore[misc]
        id = Snowflake(primary_key=True)

        class Meta:
            table_name = "voice_sessions"

    class VoiceVoid(db.Model):  # type: ignore[misc]
        created_at = Instant()
        updated_at = Instant()
        session_id = Reference(VoiceSession, unique=True)
        guild_id = Snowflake()
        reason = Text()
        voided_by = Snowflake(null=True)
        at = Instant()

        class Meta:
            table_name = "voice_voids"

    class VoiceDay(db.Model):  # type: ignore[misc]
        created_at = Instant()
        updated_at = Instant()
        guild_id = Snowflake()
        user_id = Snowflake()
        channel_id = Snowflake()
        day = Instant()
        present_us = Snowflake()
        deafened_us = Snowflake()
        afk_us = Snowflake()
        stays = Snowflake()
        estimated = Snowflake()

        class Meta:
            table_name = "voice_daily"
            indexes = ((("user_id", "guild_id", "channel_id", "day"), True), (("guild_id", "day"), False))

    return [VoiceVoid, VoiceDay]


def up(migrator: Any, db: Any) -> None:
    """Split the flag, which stood for both bounds, and add the rest."""
    migrator.migrate(
        migrator.rename_column("voice_sessions", "estimated", "joined_estimated"),
        migrator.add_column("voice_sessions", "left_estimated", BooleanField(default=False)),
        migrator.add_column("voice_sessions", "afk", BooleanField(default=False)),
        migrator.add_column("voice_sessions", "deafened_since", Instant(null=True)),
        migrator.add_column("voice_sessions", "via_channel_id", Snowflake(null=True)),
    )
    # Which of the bounds it was is not known any more; the end of an open session is yet to come.
    db.execute_sql('UPDATE voice_sessions SET left_estimated = joined_estimated WHERE "left" IS NOT NULL')
    db.create_tables(_tables(db), safe=False)


def down(migrator: Any, db: Any) -> None:
    """Take it out again; AFK stays become void ones, which credit nothing either."""
    db.drop_tables(_tables(db), safe=False)
    db.execute_sql(
        'UPDATE voice_sessions SET status = \'cancelled\', "left" = COALESCE("left", joined) WHERE afk'
    )
    db.execute_sql("UPDATE voice_sessions SET joined_estimated = (joined_estimated OR left_estimated)")
    migrator.migrate(
        *(
            migrator.drop_column("voice_sessions", name)
            for name in ("via_channel_id", "deafened_since", "afk", "left_estimated")
        ),
        migrator.rename_column("voice_sessions", "joined_estimated", "estimated"),
    )

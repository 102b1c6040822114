"""Until when each guild was seen: a shard may be connected while one of its guilds is out."""

from __future__ import annotations

from typing import Any

from core.database.fields import Instant, Snowflake


def _tables(db: Any) -> list[Any]:
    class GuildSight(db.Model):  # type: ignore[misc]
        guild_id = Snowflake(primary_key=True)
        created_at = Instant()
        updated_at = Instant()
        seen_until = Instant()
        newest = Instant()

        class Meta:
            table_name = "guild_sights"

    return [GuildSight]


def up(migrator: Any, db: Any) -> None:
    """Add the table; guilds with open sessions were seen when any shard was, as far as is known."""
    db.create_tables(_tables(db), safe=False)
    db.execute_sql(
        "INSERT INTO guild_sights (guild_id, created_at, updated_at, seen_until, newest) "
        "SELECT seated.guild_id, beats.at, beats.at, beats.at, beats.at "
        'FROM (SELECT DISTINCT guild_id FROM voice_sessions WHERE "left" IS NULL) AS seated, '
        '(SELECT MAX("at") AS at FROM shard_heartbeats) AS beats WHERE beats.at IS NOT NULL'
    )


def down(migrator: Any, db: Any) -> None:
    """Take it out again."""
    db.drop_tables(_tables(db), safe=False)

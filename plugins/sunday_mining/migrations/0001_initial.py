"""The configured channels."""

from __future__ import annotations

from typing import Any

from redlegion.database import BigAutoField, BooleanField, Instant, IntegerField, Reference, Snowflake, Text


def _models(db: Any) -> list[Any]:
    class Guild(db.Model):  # type: ignore[misc]
        id = Snowflake(primary_key=True)

        class Meta:
            table_name = "guilds"

    class Channel(db.Model):  # type: ignore[misc]
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        guild_id = Reference(Guild)
        channel_id = Snowflake()
        name = Text()
        dispatch = BooleanField()
        sort = IntegerField()

        class Meta:
            table_name = "sunday_mining_channel"
            indexes = ((("guild_id", "channel_id"), True),)

    return [Channel]


def up(migrator: Any, db: Any) -> None:
    """Create it."""
    db.create_tables(_models(db), safe=False)


def down(migrator: Any, db: Any) -> None:
    """Drop it."""
    db.drop_tables(_models(db), safe=False)

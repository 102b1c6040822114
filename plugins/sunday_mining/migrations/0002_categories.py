"""Categories whose voice channels count as they come, and channels that were taken out of them."""

from __future__ import annotations

from typing import Any

from redlegion.database import BigAutoField, Instant, Reference, Snowflake, Text


def _models(db: Any) -> list[Any]:
    class Guild(db.Model):  # type: ignore[misc]
        id = Snowflake(primary_key=True)

        class Meta:
            table_name = "guilds"

    class Category(db.Model):  # type: ignore[misc]
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        guild_id = Reference(Guild)
        category_id = Snowflake()
        name = Text()
        since = Instant()

        class Meta:
            table_name = "sunday_mining_category"
            indexes = ((("guild_id", "category_id"), True),)

    class LeftOut(db.Model):  # type: ignore[misc]
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()
        guild_id = Reference(Guild)
        channel_id = Snowflake()

        class Meta:
            table_name = "sunday_mining_left_out"
            indexes = ((("guild_id", "channel_id"), True),)

    return [Category, LeftOut]


def up(migrator: Any, db: Any) -> None:
    """Create them."""
    db.create_tables(_models(db), safe=False)


def down(migrator: Any, db: Any) -> None:
    """Drop them."""
    db.drop_tables(_models(db), safe=False)

"""Remarks and the tally."""

from __future__ import annotations

from typing import Any

from redlegion.database import BigAutoField, Instant, IntegerField, Reference, Snowflake, Text


def _models(db: Any) -> list[Any]:
    # The core's table, so that references have something to point at; it is not created here.
    class Guild(db.Model):  # type: ignore[misc]
        id = Snowflake(primary_key=True)

        class Meta:
            table_name = "guilds"

    # As they were in this version, for ever: nothing here is imported from models.py.
    class Entity(db.Model):  # type: ignore[misc]
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()

    class Remark(Entity):
        guild_id = Reference(Guild, index=False)
        user_id = Snowflake()
        name = Text()
        text = Text()
        channel_id = Snowflake()
        request_id = Snowflake(unique=True)
        read_by = Snowflake(null=True)

        class Meta:
            table_name = "shift_log_remark"
            indexes = ((("guild_id", "created_at"), False),)

    class Tally(Entity):
        guild_id = Reference(Guild, unique=True)
        ended = IntegerField()

        class Meta:
            table_name = "shift_log_tally"

    return [Remark, Tally]


def up(migrator: Any, db: Any) -> None:
    """Create them."""
    db.create_tables(_models(db), safe=False)


def down(migrator: Any, db: Any) -> None:
    """Drop them."""
    db.drop_tables(_models(db), safe=False)

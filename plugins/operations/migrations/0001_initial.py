"""Operations with their windows, channels and participants."""

from __future__ import annotations

from typing import Any

from redlegion.database import SQL, BigAutoField, BooleanField, Check, Instant, Reference, Snowflake, Text


def _models(db: Any) -> list[Any]:
    class Guild(db.Model):  # type: ignore[misc]
        id = Snowflake(primary_key=True)

        class Meta:
            table_name = "guilds"

    class Entity(db.Model):  # type: ignore[misc]
        id = BigAutoField()
        created_at = Instant()
        updated_at = Instant()

    class Operation(Entity):
        guild_id = Reference(Guild)
        type = Text()
        title = Text()
        badge = Text()
        status = Text()
        initiator_id = Snowflake()
        request_id = Snowflake(null=True, unique=True)
        text_channel_id = Snowflake(null=True)
        started_at = Instant()
        ended_at = Instant(null=True)
        ended_by = Snowflake(null=True)
        termination_type = Text(null=True)
        payroll_processed = BooleanField()

        class Meta:
            table_name = "operations_operation"
            constraints = (
                Check(
                    "\"status\" IN ('planned', 'active', 'ending', 'syncing',"
                    " 'ended', 'completed', 'cancelled')",
                    name="operations_operation_status",
                ),
                Check(
                    '"termination_type" IS NULL'
                    " OR \"termination_type\" IN ('manual', 'inactivity', 'system')",
                    name="operations_operation_termination",
                ),
                Check('"ended_at" IS NULL OR "ended_at" >= "started_at"', name="operations_operation_order"),
            )
            indexes = ((("guild_id", "status", "ended_at"), False),)

    Operation.add_index(
        Operation.guild_id,
        Operation.type,
        unique=True,
        where=SQL("\"status\" = 'active'"),
        name="operations_operation_one_active",
    )

    class Window(Entity):
        operation_id = Reference(Operation)
        opened = Instant()
        closed = Instant(null=True)

        class Meta:
            table_name = "operations_window"
            constraints = (Check('"closed" IS NULL OR "closed" >= "opened"', name="operations_window_order"),)

    class Channel(Entity):
        operation_id = Reference(Operation)
        channel_id = Snowflake()
        name = Text()
        dispatch = BooleanField()
        added = Instant()
        removed = Instant(null=True)

        class Meta:
            table_name = "operations_channel"
            constraints = (
                Check('"removed" IS NULL OR "removed" >= "added"', name="operations_channel_order"),
            )

    Channel.add_index(
        Channel.channel_id,
        unique=True,
        where=SQL('"removed" IS NULL'),
        name="operations_channel_one_operation",
    )

    class Participant(Entity):
        operation_id = Reference(Operation)
        user_id = Snowflake()
        name = Text()
        seconds = Snowflake()
        estimated = BooleanField()
        status = Text()

        class Meta:
            table_name = "operations_participant"
            constraints = (
                Check('"seconds" >= 0', name="operations_participant_seconds"),
                Check(
                    "\"status\" IN ('active', 'left', 'kicked', 'banned')",
                    name="operations_participant_status",
                ),
            )
            indexes = ((("operation_id", "user_id"), True),)

    return [Operation, Window, Channel, Participant]


def up(migrator: Any, db: Any) -> None:
    """Create them."""
    db.create_tables(_models(db), safe=False)


def down(migrator: Any, db: Any) -> None:
    """Drop them."""
    db.drop_tables(_models(db), safe=False)

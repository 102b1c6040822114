"""Tables of the operations plugin."""

from __future__ import annotations

from redlegion.database import (
    SQL,
    BaseModel,
    BooleanField,
    Check,
    Guild,
    Instant,
    Reference,
    Snowflake,
    Text,
)


class Operation(BaseModel):
    """One operation; its small id is what people read.

    `request_id` is the interaction that started it: the same request twice starts one operation.
    """

    guild_id = Reference(Guild)
    type = Text()
    title = Text()
    badge = Text()
    status = Text(default="planned")
    initiator_id = Snowflake()
    request_id = Snowflake(null=True, unique=True)
    text_channel_id = Snowflake(null=True)
    started_at = Instant()
    ended_at = Instant(null=True)
    ended_by = Snowflake(null=True)
    termination_type = Text(null=True)
    payroll_processed = BooleanField(default=False)

    class Meta:
        table_name = "operations_operation"
        constraints = (
            Check(
                "\"status\" IN ('planned', 'active', 'ending', 'syncing', 'ended', 'completed', 'cancelled')",
                name="operations_operation_status",
            ),
            Check(
                "\"termination_type\" IS NULL OR \"termination_type\" IN ('manual', 'inactivity', 'system')",
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


class OperationWindow(BaseModel):
    """A span in which an operation ran."""

    operation_id = Reference(Operation)
    opened = Instant()
    closed = Instant(null=True)

    class Meta:
        table_name = "operations_window"
        constraints = (Check('"closed" IS NULL OR "closed" >= "opened"', name="operations_window_order"),)


class OperationChannel(BaseModel):
    """A span in which a voice channel counted for an operation; open while `removed` is empty."""

    operation_id = Reference(Operation)
    channel_id = Snowflake()
    name = Text()
    dispatch = BooleanField(default=False)
    added = Instant()
    removed = Instant(null=True)

    class Meta:
        table_name = "operations_channel"
        constraints = (Check('"removed" IS NULL OR "removed" >= "added"', name="operations_channel_order"),)


OperationChannel.add_index(
    OperationChannel.channel_id,
    unique=True,
    where=SQL('"removed" IS NULL'),
    name="operations_channel_one_operation",
)


class OperationParticipant(BaseModel):
    """A member's credit, written when the operation ends."""

    operation_id = Reference(Operation)
    user_id = Snowflake()
    name = Text()
    seconds = Snowflake()
    estimated = BooleanField(default=False)
    status = Text(default="active")

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


class OperationSession(BaseModel):
    """Whether a voice session counts for an operation, from `since` until the next row of the same session.

    No key to the session: the core drops one that turns out to be too short, which a key would forbid.
    """

    operation_id = Reference(Operation, index=False)
    session_id = Snowflake()
    user_id = Snowflake()
    since = Instant()
    linked = BooleanField()
    reason = Text()
    held = BooleanField(null=True)
    decided_at = Instant()
    unseen_since = Instant(null=True)

    class Meta:
        table_name = "operations_session"
        constraints = (
            Check(
                "\"reason\" IN ('counts', 'unknown', 'closed', 'untracked', 'role')",
                name="operations_session_reason",
            ),
        )
        indexes = (
            (("operation_id", "session_id", "since"), True),
            (("operation_id", "user_id"), False),
        )


MODELS: tuple[type[BaseModel], ...] = (
    Operation,
    OperationWindow,
    OperationChannel,
    OperationParticipant,
    OperationSession,
)

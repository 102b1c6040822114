"""The tables, as the code of this version sees them."""

from __future__ import annotations

from redlegion.database import BaseModel, Guild, Instant, IntegerField, Reference, Snowflake, Text


class RemarkRow(BaseModel):
    """What a member had to say; BaseModel adds id, created_at and updated_at.

    :param request_id: the interaction that it came with; asked twice, it is stored once.
    :param read_by: the officer who has read it.
    :param reminded_at: when the officers were reminded of it.
    """

    guild_id = Reference(Guild, index=False)
    user_id = Snowflake()
    name = Text()
    text = Text()
    channel_id = Snowflake()
    request_id = Snowflake(unique=True)
    read_by = Snowflake(null=True)
    reminded_at = Instant(null=True)

    class Meta:
        table_name = "shift_log_remark"
        indexes = ((("guild_id", "created_at"), False),)


class TallyRow(BaseModel):
    """How many voice sessions have ended in a guild."""

    guild_id = Reference(Guild, unique=True)
    ended = IntegerField(default=0)

    class Meta:
        table_name = "shift_log_tally"


MODELS: tuple[type[BaseModel], ...] = (RemarkRow, TallyRow)

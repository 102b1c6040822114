"""Tables of the Sunday mining plugin."""

from __future__ import annotations

from redlegion.database import (
    BaseModel,
    BooleanField,
    Guild,
    Instant,
    IntegerField,
    Reference,
    Snowflake,
    Text,
)


class SundayChannel(BaseModel):
    """A voice channel that the next Sunday operation tracks.

    :param dispatch: the bot's own seat is here; one channel per guild has it.
    :param sort: rises in the order in which the channels were added.
    """

    guild_id = Reference(Guild)
    channel_id = Snowflake()
    name = Text()
    dispatch = BooleanField(default=False)
    sort = IntegerField()

    class Meta:
        table_name = "sunday_mining_channel"
        indexes = ((("guild_id", "channel_id"), True),)


class SundayCategory(BaseModel):
    """A category whose voice channels count, also those that come into it later.

    :param since: when it was added.
    """

    guild_id = Reference(Guild)
    category_id = Snowflake()
    name = Text()
    since = Instant()

    class Meta:
        table_name = "sunday_mining_category"
        indexes = ((("guild_id", "category_id"), True),)


class SundayLeftOut(BaseModel):
    """A channel that an officer took out, so that its category does not bring it back."""

    guild_id = Reference(Guild)
    channel_id = Snowflake()

    class Meta:
        table_name = "sunday_mining_left_out"
        indexes = ((("guild_id", "channel_id"), True),)


MODELS: tuple[type[BaseModel], ...] = (SundayChannel, SundayCategory, SundayLeftOut)

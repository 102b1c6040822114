"""Store functions of Sunday mining: channels and categories, for `ctx.write` and `ctx.read`."""

from __future__ import annotations

from plugins.sunday_mining.store.categories import (
    CategoryRef,
    add_category,
    catch_up,
    channel_came,
    configured_categories,
    further_channels,
    remove_category,
)
from plugins.sunday_mining.store.channels import (
    CHANNEL_LIMIT,
    TYPE,
    Added,
    Removed,
    TooManyChannels,
    add_channels,
    configured_channels,
    current_channels,
    remove_channel,
    seat_in,
)

__all__ = [
    "CHANNEL_LIMIT",
    "TYPE",
    "Added",
    "CategoryRef",
    "Removed",
    "TooManyChannels",
    "add_category",
    "add_channels",
    "catch_up",
    "channel_came",
    "configured_categories",
    "configured_channels",
    "current_channels",
    "further_channels",
    "remove_category",
    "remove_channel",
    "seat_in",
]

"""Channels that are made in a category of Sunday mining, or moved into it, while an operation runs."""

from __future__ import annotations

from collections import defaultdict

import discord

from core.events import ChannelChanged, Resync
from core.voice.tracker import SHORTEST_STAY
from plugins.operations import ChannelRef, anything_runs, settle_seat
from plugins.sunday_mining import store
from redlegion import Context

VOICE_TYPES = (discord.ChannelType.voice, discord.ChannelType.stage_voice)


def voice_channels(guild: discord.Guild) -> dict[int, list[ChannelRef]]:
    """Return the voice channels of each category as they stand there, without the AFK channel."""
    found: dict[int, list[ChannelRef]] = defaultdict(list)
    afk = guild.afk_channel.id if guild.afk_channel is not None else None
    for category in guild.categories:
        for channel in category.channels:
            if channel.type in VOICE_TYPES and channel.id != afk:
                found[category.id].append(ChannelRef(channel.id, channel.name))
    return found


async def channel_changed(ctx: Context, event: ChannelChanged) -> None:
    """Let a channel count from when it is made in a category of Sunday mining, or moved into it."""
    category_id = event.category_id
    if category_id is None or category_id == event.former_category_id or event.type not in _VOICE_NAMES:
        return
    categories = await ctx.read(store.configured_categories, ctx.guild_id)
    if all(each.category_id != category_id for each in categories):
        return
    since = event.at
    if event.change == "created":
        # Who comes from a hub brings a moment along that was spent before there was the channel.
        since -= SHORTEST_STAY
    channel = ChannelRef(event.channel_id, event.name)
    now = ctx.clock.now()
    if await ctx.write(store.channel_came, ctx.guild_id, category_id, channel, since, now) is not None:
        await settle_seat(ctx)


async def look_again(ctx: Context, event: Resync) -> None:
    """Let those count that came unseen; from now on, as nobody can tell when they did."""
    guild = ctx.guild
    # That is known without a look at the database, which at a start all guilds would want at once.
    if guild is None or not await anything_runs(ctx):
        return
    if not await ctx.read(store.configured_categories, ctx.guild_id):
        return
    now = ctx.clock.now()
    # The stays in them began when the bot was back, a moment before this is handled.
    since = now if event.unseen_since is None else max(event.unseen_since, now - SHORTEST_STAY)
    await ctx.write(store.catch_up, ctx.guild_id, voice_channels(guild), since, now)


_VOICE_NAMES = frozenset(each.name for each in VOICE_TYPES)

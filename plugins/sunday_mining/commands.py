"""/mining start and /mining channels."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from plugins.operations import (
    ChannelRef,
    ChannelsTaken,
    OperationView,
    already_running,
    channels_taken,
    plain,
    running_operations,
    settle_seat,
    start_operation,
)
from plugins.sunday_mining import store, views
from plugins.sunday_mining.rules import SUNDAY
from redlegion import Context, UserError, deferred_if_slow, plural, reply, requires
from redlegion import translate as _

Interaction = discord.Interaction[Any]
VOICE_TYPES = (discord.ChannelType.voice, discord.ChannelType.stage_voice)

mining = app_commands.Group(name="mining", description="Mining operations", guild_only=True)
channels = app_commands.Group(
    name="channels", description="The voice channels of Sunday mining", parent=mining
)


@mining.command(
    name="start", description="Start Sunday mining: time in its voice channels counts from now on"
)
@requires("officer")
async def start(interaction: Interaction) -> None:
    """Start the weekly operation over the configured channels."""
    ctx = Context.of(interaction)
    guild = _guild(ctx)
    configured = await ctx.read(store.configured_channels, ctx.guild_id)
    if not configured:
        raise UserError(
            _("Sunday mining has no voice channels yet."),
            _("Add them with /mining channels add; picking a category adds all voice channels in it."),
        )
    present, missing = [], []
    for channel in configured:
        found = guild.get_channel(channel.channel_id)
        if found is None or found.type not in VOICE_TYPES:
            missing.append(channel)
        else:
            present.append(ChannelRef(channel.channel_id, found.name, channel.dispatch))
    if not present:
        raise UserError(
            _("None of the channels of Sunday mining exists any more."),
            _("Add others with /mining channels add."),
        )
    if running := await ctx.read(running_operations, ctx.guild_id, SUNDAY.name):
        raise already_running(running[0])
    async with deferred_if_slow(interaction):
        started = await start_operation(
            ctx,
            SUNDAY.name,
            present,
            interaction.user.id,
            interaction.channel_id,
            request_id=interaction.id,
        )
    await reply(interaction, embed=views.started_embed(started, _sitting(ctx, guild, present), missing))


@channels.command(name="add", description="Let time in a voice channel count for Sunday mining")
@app_commands.describe(channel="A voice channel, or a category for all voice channels in it")
@requires("officer")
async def add(interaction: Interaction, channel: app_commands.AppCommandChannel) -> None:
    """Configure one channel, or all voice channels of a category."""
    ctx = Context.of(interaction)
    wanted = _voice_channels(_guild(ctx), channel)
    try:
        done = await ctx.write(store.add_channels, ctx.guild_id, wanted, ctx.clock.now())
    except store.TooManyChannels as error:
        raise UserError(
            _(
                "Sunday mining can have {limit} channels; {have} are on the list and these are {wanted} more."
            ).format(limit=store.CHANNEL_LIMIT, have=error.have, wanted=error.wanted),
            _("Remove some with /mining channels remove, or add single channels."),
        ) from None
    except ChannelsTaken as error:
        raise channels_taken(error) from None
    parts = []
    if done.added:
        parts.append(_("Added {channels}.").format(channels=views.mentions(done.added)))
        parts.append(_effect(done.operation))
    if done.already:
        parts.append(
            plural(
                len(done.already), "{channels} is on the list already.", "{channels} are on the list already."
            ).format(channels=views.mentions(done.already), n=len(done.already))
        )
    if done.operation is not None:
        await settle_seat(ctx)
    await reply(interaction, " ".join(parts), ephemeral=True)


@channels.command(name="remove", description="Let time in a voice channel no longer count for Sunday mining")
@app_commands.describe(channel="One of the channels on the list")
@requires("officer")
async def remove(interaction: Interaction, channel: str) -> None:
    """Take one channel off the list."""
    ctx = Context.of(interaction)
    configured = await ctx.read(store.configured_channels, ctx.guild_id)
    chosen = _named(configured, channel)
    done = None
    if chosen is not None:
        done = await ctx.write(store.remove_channel, ctx.guild_id, chosen.channel_id, ctx.clock.now())
    if done is None:
        raise UserError(
            _("“{name}” is not one of the channels of Sunday mining.").format(name=plain(channel[:100])),
            _("Pick one from the list that the option offers, or look at /mining channels list."),
        )
    text = _("Removed {channel}.").format(channel=plain(done.channel.name))
    if done.operation is not None:
        text += " " + _("{title} is running: time there no longer counts, what was earned stays.").format(
            title=done.operation.title
        )
        await settle_seat(ctx)
    await reply(interaction, text, ephemeral=True)


@remove.autocomplete("channel")
async def configured_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the configured channels whose name holds what was typed."""
    ctx = Context.of(interaction)
    configured = await ctx.read(store.configured_channels, ctx.guild_id)
    return [
        app_commands.Choice(name=each.name[:100] or str(each.channel_id), value=str(each.channel_id))
        for each in configured
        if typed.casefold() in each.name.casefold()
    ][: store.CHANNEL_LIMIT]


@channels.command(name="list", description="See the voice channels of Sunday mining")
@requires("officer")
async def list_(interaction: Interaction) -> None:
    """Show the configured channels."""
    ctx = Context.of(interaction)
    configured = await ctx.read(store.configured_channels, ctx.guild_id)
    if not configured:
        await reply(
            interaction,
            _("Sunday mining has no voice channels yet. Add them with /mining channels add."),
            ephemeral=True,
        )
        return
    guild = _guild(ctx)
    existing = frozenset(
        each.channel_id for each in configured if guild.get_channel(each.channel_id) is not None
    )
    await reply(interaction, embed=views.channels_embed(configured, existing), ephemeral=True)


def _guild(ctx: Context) -> discord.Guild:
    if ctx.guild is None:
        raise UserError(_("Discord has not sent me this server's channels yet."), _("Try again in a minute."))
    return ctx.guild


def _voice_channels(guild: discord.Guild, picked: app_commands.AppCommandChannel) -> list[ChannelRef]:
    """Return the voice channels that are meant by what was picked.

    :raises UserError: there is none, or it is the AFK channel, where no time counts.
    """
    afk = guild.afk_channel.id if guild.afk_channel is not None else None
    if picked.type is discord.ChannelType.category:
        category = guild.get_channel(picked.id)
        children = category.channels if isinstance(category, discord.CategoryChannel) else []
        found = [
            ChannelRef(each.id, each.name) for each in children if each.type in VOICE_TYPES and each.id != afk
        ]
        if not found:
            raise UserError(
                _("The category {name} has no voice channels that I can see.").format(
                    name=plain(picked.name)
                ),
                _("Pick another category, or a voice channel."),
            )
        return found
    if picked.type not in VOICE_TYPES:
        raise UserError(
            _("{channel} is not a voice channel.").format(channel=f"<#{picked.id}>"),
            _("Pick a voice channel, or a category to add all voice channels in it."),
        )
    if picked.id == afk:
        raise UserError(
            _("{channel} is the AFK channel, where no time counts.").format(channel=f"<#{picked.id}>"),
            _("Pick another voice channel."),
        )
    return [ChannelRef(picked.id, picked.name)]


def _effect(operation: OperationView | None) -> str:
    if operation is None:
        return _("Time there counts from the next /mining start on.")
    return _("{title} is running: time there counts from now on.").format(title=operation.title)


def _named(configured: list[ChannelRef], wanted: str) -> ChannelRef | None:
    """Return the channel meant by an id from the menu, a mention, or a name as typed."""
    text = wanted.strip().strip("<#>").casefold()
    for each in configured:
        if text in (str(each.channel_id), each.name.casefold()):
            return each
    return None


def _sitting(ctx: Context, guild: discord.Guild, tracked: list[ChannelRef]) -> dict[int, list[str]]:
    """Return the names of those who sit in each channel now, in the order in which they sat down."""
    wanted = {channel.channel_id for channel in tracked}
    found: dict[int, list[str]] = {}
    for session in sorted(ctx.voice.open_sessions(), key=lambda each: (each.joined, each.id)):
        if session.channel_id in wanted:
            member = guild.get_member(session.user_id)
            name = member.display_name if member is not None else _("member {id}").format(id=session.user_id)
            found.setdefault(session.channel_id, []).append(name)
    return found

"""/mining start and /mining channels."""

from __future__ import annotations

from dataclasses import replace
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
from plugins.sunday_mining.categories import VOICE_TYPES, voice_channels
from plugins.sunday_mining.rules import SUNDAY, choose_dispatch, looks_like_hub
from redlegion import Context, UserError, deferred_if_slow, plural, reply, requires
from redlegion import translate as _

Interaction = discord.Interaction[Any]
#: Choices that Discord takes.
MOST_CHOICES = 25

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
    categories = await ctx.read(store.configured_categories, ctx.guild_id)
    if not configured and not categories:
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
    present += await ctx.read(store.further_channels, ctx.guild_id, voice_channels(guild))
    if not present and not missing:
        raise UserError(
            _("The categories of Sunday mining have no voice channel that I can see."),
            _("Make one in {categories}, or add one with /mining channels add.").format(
                categories=", ".join(plain(each.name) for each in categories)
            ),
        )
    if not present:
        raise UserError(
            _("None of the channels of Sunday mining exists any more."),
            _("Add others with /mining channels add."),
        )
    if not any(each.dispatch for each in present):
        dispatch_id = choose_dispatch(present)
        present = [replace(each, dispatch=each.channel_id == dispatch_id) for each in present]
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
@app_commands.describe(
    channel="A voice channel, or a category for all voice channels in it, also new ones",
    dispatch="Whether I sit in this voice channel while it runs",
)
@requires("officer")
async def add(
    interaction: Interaction, channel: app_commands.AppCommandChannel, dispatch: bool = False
) -> None:
    """Configure one channel, or a category with all its voice channels."""
    ctx = Context.of(interaction)
    category = channel.type is discord.ChannelType.category
    if category and dispatch:
        raise UserError(
            _("I can sit in one voice channel only, not in a whole category."),
            _("Add the category, and then the voice channel with `dispatch`."),
        )
    wanted = _voice_channels(_guild(ctx), channel)
    seat = choose_dispatch(wanted)
    try:
        if category:
            found = store.CategoryRef(channel.id, channel.name)
            done = await ctx.write(store.add_category, ctx.guild_id, found, wanted, ctx.clock.now(), seat)
        else:
            done = await ctx.write(store.add_channels, ctx.guild_id, wanted, ctx.clock.now(), seat)
        if dispatch:
            await ctx.write(store.seat_in, ctx.guild_id, channel.id)
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
    if category:
        parts.append(_category_words(channel.name, empty=not wanted))
    if dispatch or any(each.dispatch for each in done.added):
        sits = channel.id if dispatch else next(each.channel_id for each in done.added if each.dispatch)
        parts.append(_seat_words(_guild(ctx), sits, chosen=dispatch))
    if done.operation is not None or dispatch:
        await settle_seat(ctx)
    await reply(interaction, " ".join(parts), ephemeral=True)


@channels.command(name="remove", description="Let time in a voice channel no longer count for Sunday mining")
@app_commands.describe(channel="One of the channels on the list")
@requires("officer")
async def remove(interaction: Interaction, channel: str) -> None:
    """Take one channel off the list."""
    ctx = Context.of(interaction)
    categories = await ctx.read(store.configured_categories, ctx.guild_id)
    if (category := _category_named(categories, channel)) is not None:
        await ctx.write(store.remove_category, ctx.guild_id, category.category_id)
        await reply(
            interaction,
            _(
                "Removed the category {name}: voice channels that come into it later do not count. Those on "
                "the list, and those that count already, stay until you remove them."
            ).format(name=plain(category.name)),
            ephemeral=True,
        )
        return
    chosen = _named(await ctx.read(store.current_channels, ctx.guild_id), channel)
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
    current = await ctx.read(store.current_channels, ctx.guild_id)
    categories = await ctx.read(store.configured_categories, ctx.guild_id)
    offered = [(each.channel_id, each.name) for each in current]
    offered += [(each.category_id, f"📁 {each.name}") for each in categories]
    return [
        app_commands.Choice(name=name[:100] or str(number), value=str(number))
        for number, name in offered
        if typed.casefold() in name.casefold()
    ][:MOST_CHOICES]


@channels.command(name="list", description="See the voice channels of Sunday mining")
@requires("officer")
async def list_(interaction: Interaction) -> None:
    """Show the configured channels."""
    ctx = Context.of(interaction)
    configured = await ctx.read(store.configured_channels, ctx.guild_id)
    categories = await ctx.read(store.configured_categories, ctx.guild_id)
    if not configured and not categories:
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
    await reply(interaction, embed=views.channels_embed(configured, existing, categories), ephemeral=True)


def _guild(ctx: Context) -> discord.Guild:
    if ctx.guild is None:
        raise UserError(_("Discord has not sent me this server's channels yet."), _("Try again in a minute."))
    return ctx.guild


def _voice_channels(guild: discord.Guild, picked: app_commands.AppCommandChannel) -> list[ChannelRef]:
    """Return the voice channels that are meant by what was picked; a category may have none yet.

    :raises UserError: it is no voice channel, or the AFK channel, where no time counts.
    """
    afk = guild.afk_channel.id if guild.afk_channel is not None else None
    if picked.type is discord.ChannelType.category:
        return voice_channels(guild).get(picked.id, [])
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


def _seat_words(guild: discord.Guild, channel_id: int, *, chosen: bool) -> str:
    found = guild.get_channel(channel_id)
    mention = f"<#{channel_id}>"
    if found is not None and looks_like_hub(found.name):
        return _(
            "I sit in {channel} while it runs; if that is a hub in which nobody can stay, pick another one "
            "with /mining channels add and `dispatch`."
        ).format(channel=mention)
    if chosen:
        return _("I sit in {channel} while it runs.").format(channel=mention)
    return _(
        "I sit in {channel} while it runs; /mining channels add with `dispatch` picks another one."
    ).format(channel=mention)


def _category_words(name: str, *, empty: bool) -> str:
    later = _("Voice channels that are made in the category {category} later, or moved into it, count, too.")
    words = later.format(category=plain(name))
    if empty:
        words = (
            _("The category {name} has no voice channels that I can see.").format(name=plain(name))
            + " "
            + words
        )
    return words


def _category_named(configured: list[store.CategoryRef], wanted: str) -> store.CategoryRef | None:
    text = wanted.strip().strip("<#>").casefold()
    for each in configured:
        if text in (str(each.category_id), each.name.casefold(), f"📁 {each.name}".casefold()):
            return each
    return None


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

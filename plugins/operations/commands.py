"""/mining stop and /mining status."""

from __future__ import annotations

from typing import Any

import discord
from discord import app_commands

from plugins.operations import service, store, views
from plugins.operations.roles import is_gone, roles_now
from plugins.operations.rules.values import OperationView
from redlegion import Context, Rank, UserError, deferred_if_slow, reply, requires
from redlegion import translate as _

Interaction = discord.Interaction[Any]

#: Embeds in one message share 6,000 characters.
STATUS_EMBEDS = 3

mining = app_commands.Group(name="mining", description="Mining operations", guild_only=True)


@mining.command(name="stop", description="End the running operation and see who took part for how long")
@app_commands.describe(operation="Which one, when several are running")
@requires("officer")
async def stop(interaction: Interaction, operation: str | None = None) -> None:
    """End an operation and show its summary."""
    ctx = Context.of(interaction)
    running = await ctx.read(store.running_operations, ctx.guild_id)
    chosen = _choose(ctx, running, operation)
    async with deferred_if_slow(interaction):
        summary = await service.stop_operation(ctx, chosen.id, interaction.user.id)
    await reply(interaction, embed=views.summary_embed(summary))


@stop.autocomplete("operation")
async def running_choices(interaction: Interaction, typed: str) -> list[app_commands.Choice[str]]:
    """Offer the running operations whose title holds what was typed."""
    ctx = Context.of(interaction)
    running = await ctx.read(store.running_operations, ctx.guild_id)
    return [
        app_commands.Choice(name=f"{each.badge} {each.title}"[:100], value=str(each.id))
        for each in running
        if typed.casefold() in each.title.casefold()
    ][:25]


@mining.command(name="status", description="See what is running, who sits where and what is credited so far")
@requires("member")
async def status(interaction: Interaction) -> None:
    """Show the running operations as they stand."""
    ctx = Context.of(interaction)
    now = ctx.clock.now()
    await ctx.voice.settled()
    running = await ctx.read(store.running_operations, ctx.guild_id)
    if not running:
        await reply(
            interaction, _("No operation is running. {hint}").format(hint=_start_hint(ctx)), ephemeral=True
        )
        return
    shown = running[:STATUS_EMBEDS]
    roles = roles_now(ctx)
    embeds = []
    for operation in shown:
        progress = await ctx.read(store.progress, ctx.guild_id, operation.id, now, roles)
        if progress is None:
            continue
        people = {user for users in progress.sitting.values() for user in users} | progress.credits.keys()
        names = service.display_names(ctx, people)
        embeds.append(views.status_embed(progress, names, now, views.LIST_LIMIT // len(shown)))
    rank = ctx.runtime.guilds.rank_of(ctx.guild_id, interaction.user, interaction.permissions)
    if embeds and is_gone(ctx) and rank.includes(Rank.OFFICER):
        views.add_role_gone(embeds[0])
    left = len(running) - len(shown)
    content = _("{count} more operations are running.").format(count=left) if left else None
    await reply(interaction, content, embeds=embeds, ephemeral=True)


def _choose(ctx: Context, running: list[OperationView], wanted: str | None) -> OperationView:
    """Return the operation that is meant.

    :param wanted: its id from the menu, or its title as typed; None for the only one.
    :raises UserError: none runs, none is called so, or several run and none is named.
    """
    if not running:
        raise UserError(_("No operation is running, so there is nothing to stop."), _start_hint(ctx))
    if wanted is None:
        if len(running) > 1:
            titles = ", ".join(each.title for each in running[:5])
            raise UserError(
                _("Several operations are running: {titles}.").format(titles=titles),
                _("Say which one with the option `operation`."),
            )
        return running[0]
    named = wanted.strip().removeprefix("#").casefold()
    for each in running:
        if named in (str(each.id), each.title.casefold()):
            return each
    raise UserError(
        _("No running operation is called “{name}”.").format(name=views.plain(wanted[:100])),
        _("Pick one from the list that the option `operation` offers."),
    )


def _start_hint(ctx: Context) -> str:
    if service.operation_types(ctx):
        return _("An officer starts one with /mining start.")
    return _("An admin can switch on a kind of operation with /plugins enable.")

"""/shift note, /shift list and /shift voice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import discord
from discord import app_commands

from redlegion import Context, deferred_if_slow, reply, requires
from shift_log import store, views

Interaction = discord.Interaction[Any]

shift = app_commands.Group(name="shift", description="Remarks on your shift", guild_only=True)


@shift.command(name="note", description="Leave a remark for the officers")
@requires("member")
async def note(interaction: Interaction) -> None:
    """Open the form; a modal must be the first response."""
    await interaction.response.send_modal(views.note_form())


@shift.command(name="list", description="See the newest remarks")
@requires("member")
async def list_(interaction: Interaction) -> None:
    """Show the newest remarks."""
    ctx = Context.of(interaction)
    async with deferred_if_slow(interaction, ephemeral=True):
        remarks = await ctx.read(store.newest_remarks, ctx.guild_id, ctx.settings.shown)
        ended = await ctx.read(store.ended_sessions, ctx.guild_id)
    await reply(interaction, embed=views.list_embed(remarks, ended), ephemeral=True)


@shift.command(name="voice", description="See how long you sat in voice in the last seven days")
@requires("member")
async def voice(interaction: Interaction) -> None:
    """Tell a member their own time."""
    ctx = Context.of(interaction)
    async with deferred_if_slow(interaction, ephemeral=True):
        await ctx.voice.settled()
        now = ctx.clock.now()
        spent = await ctx.read(
            store.voice_time, ctx.guild_id, interaction.user.id, now - timedelta(days=7), now
        )
    await reply(interaction, views.voice_text(spent), ephemeral=True)

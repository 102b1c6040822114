"""Brings up a remark that nobody has read: a job, so it survives a restart."""

from __future__ import annotations

from typing import Any

import discord

from redlegion import Context
from shift_log import store, views


async def remind(ctx: Context, payload: dict[str, Any]) -> None:
    """Post the remark again, once; this may be called again after a failure, so it looks first.

    :param payload: {"remark_id": id}
    :raises discord.HTTPException: Discord did not take it; the job is tried again.
    """
    remark = await ctx.read(store.get_remark, ctx.guild_id, payload["remark_id"])
    if remark is None or remark.read_by is not None or remark.reminded_at is not None:
        return
    channel = ctx.bot.get_partial_messageable(remark.channel_id, guild_id=ctx.guild_id)
    try:
        await channel.send(
            embed=views.remark_embed(remark, again=True),
            view=views.read_button(remark),
            # Should the process be lost before the next line, Discord drops the second copy that follows.
            nonce=f"shift-log-{remark.id}",
        )
    except (discord.NotFound, discord.Forbidden) as error:
        # Trying again would not help: said once, and done with.
        ctx.log.warning("remark %s cannot be brought up in %s: %s", remark.id, remark.channel_id, error)
    await ctx.write(store.note_reminder, ctx.guild_id, remark.id, ctx.clock.now())

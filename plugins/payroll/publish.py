"""Posts a locked payroll, once: a job that may be called again after a failure or a restart."""

from __future__ import annotations

import io
from typing import Any

import discord

from plugins.payroll import store
from plugins.payroll.output.csv import build_csv
from plugins.payroll.rules.report import Sheet
from plugins.payroll.service import sheet_of
from plugins.payroll.views import summary_embed
from redlegion import Context

LOOK_BACK = 200


async def publish(ctx: Context, payload: dict[str, Any]) -> None:
    """Build PDF and CSV and post them where the command was given.

    :param payload: {"payroll_id": id}
    :raises discord.HTTPException: Discord did not take it; the job is tried again.
    """
    payroll = await ctx.read(store.get_payroll, ctx.guild_id, payload["payroll_id"])
    if payroll is None or payroll.state != "locked" or payroll.message_id is not None:
        return
    sheet = await sheet_of(ctx, payroll)
    channel = ctx.bot.get_partial_messageable(payroll.channel_id, guild_id=ctx.guild_id)
    files = await files_of(ctx, sheet)
    first = await ctx.write(store.begin_post, ctx.guild_id, payroll.id, ctx.clock.now())
    message_id = None if first else await _posted_before(ctx, channel, sheet)
    if message_id is None:
        # The nonce makes Discord itself drop a second copy that follows within minutes.
        sent = await channel.send(
            embed=summary_embed(sheet),
            files=files,
            nonce=f"payroll-{payroll.id}",
            allowed_mentions=discord.AllowedMentions.none(),
        )
        message_id = sent.id
    await ctx.write(store.note_post, ctx.guild_id, payroll.id, message_id)


async def files_of(ctx: Context, sheet: Sheet) -> list[discord.File]:
    """Return PDF and CSV of a locked payroll, built off the event loop."""
    pdf = await ctx.to_thread(_pdf_of, sheet)
    table = await ctx.to_thread(build_csv, sheet)
    return [
        discord.File(io.BytesIO(pdf), filename=f"{sheet.file_stem}.pdf"),
        discord.File(io.BytesIO(table), filename=f"{sheet.file_stem}.csv"),
    ]


def _pdf_of(sheet: Sheet) -> bytes:
    # Here and not at the top: reportlab takes a tenth of a second and 20 MB, and most starts print nothing.
    from plugins.payroll.output.pdf import build_pdf

    return build_pdf(sheet)


async def _posted_before(ctx: Context, channel: discord.PartialMessageable, sheet: Sheet) -> int | None:
    """Look for the message that an earlier try posted but could not note."""
    me = ctx.bot.user
    try:
        async for message in channel.history(limit=LOOK_BACK, after=sheet.payroll.locked_at):
            names = {attachment.filename for attachment in message.attachments}
            if me is not None and message.author.id == me.id and f"{sheet.file_stem}.pdf" in names:
                return message.id
    except discord.Forbidden:
        ctx.log.warning(
            "may not read the history of channel %s: posting payroll %s, perhaps again",
            sheet.payroll.channel_id,
            sheet.payroll.id,
        )
    return None

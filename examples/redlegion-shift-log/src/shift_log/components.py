"""The form and the button; both work after a restart, because all state is in the database."""

from __future__ import annotations

from datetime import timedelta

from redlegion import Context, UserError, clean_name, modal_values, reply
from redlegion import translate as _
from shift_log import store, views
from shift_log.commands import Interaction


async def take_remark(interaction: Interaction, ctx: Context, key: str) -> None:
    """The form was sent: store the remark and show it to everybody."""
    text = str(modal_values(interaction)["text"]).strip()
    if not text:
        raise UserError(_("The remark is empty."), _("Write a word or two, then send it again."))
    remark = await ctx.write(
        store.add_remark,
        ctx.guild_id,
        interaction.user.id,
        clean_name(interaction.user.display_name),
        text,
        channel_id=interaction.channel_id or 0,
        request_id=interaction.id,
        job_id=ctx.ids.next(),
        at=ctx.clock.now(),
        wait=timedelta(minutes=ctx.settings.remind_minutes),
    )
    await reply(interaction, embed=views.remark_embed(remark), view=views.read_button(remark))


async def take_read(interaction: Interaction, ctx: Context, key: str) -> None:
    """The button was pressed: `key` is what `custom_id` was given for it, here the remark's id."""
    remark = await ctx.write(store.mark_read, ctx.guild_id, int(key), interaction.user.id)
    if remark is None:
        raise UserError(_("This remark is gone."), _("See what there is with /shift list."))
    await interaction.response.edit_message(embed=views.remark_embed(remark), view=None)

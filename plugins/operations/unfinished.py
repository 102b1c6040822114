"""What becomes of running operations when a feature is switched off."""

from __future__ import annotations

from core.events import SwitchedOff
from plugins.operations import store
from plugins.operations.service import operation_types
from redlegion import Context
from redlegion import translate as _


async def unfinished(ctx: Context, event: SwitchedOff) -> str | None:
    """Return what goes on, or waits, although a feature is off now; None where nothing changes."""
    running = await ctx.read(store.running_operations, ctx.guild_id)
    stays_on = ctx.plugin not in event.plugins
    if stays_on:
        kinds = operation_types(ctx)
        running = [each for each in running if each.type not in kinds]
    if not running:
        return None
    titles = ", ".join(each.title for each in running)
    if stays_on:
        return _("Still running, and counting time: {titles}. An officer ends it with /mining stop.").format(
            titles=titles
        )
    if event.records_voice:
        return _(
            "Not ended: {titles}. Voice is recorded for other features, so its time goes on counting; it can "
            "be stopped once a kind of operation is on again, and its end corrected with /operation edit."
        ).format(titles=titles)
    return _("Not ended: {titles}. It can be stopped once a kind of operation is on again.").format(
        titles=titles
    )

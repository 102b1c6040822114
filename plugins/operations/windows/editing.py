"""An edit of windows: read from what was typed, shown with what follows, done by a button."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import discord

from plugins.operations import service, store
from plugins.operations.choosing import choose_operation
from plugins.operations.keys import numbers, old_message
from plugins.operations.roles import roles_now
from plugins.operations.rules.moments import read_moment
from plugins.operations.rules.windows import Bounds, Edit, Kind, Wrong
from plugins.operations.store import Planned
from plugins.operations.windows import embeds
from plugins.operations.windows.refusals import refusal, refusals
from redlegion import Component, Context, UserError, custom_id, deferred_if_slow, reply, shown
from redlegion import translate as _

Interaction = discord.Interaction[Any]

ACTION = "windows_edit"
#: Numbers in a button's key: operation, kind, window, start, end, mark.
_NUMBERS = 6
#: How long before its beginning of now an operation can be made to begin: further back a date is a slip.
EARLIER = timedelta(days=7)


async def show(interaction: Interaction, ctx: Context, wanted: str | None) -> None:
    """Answer with the windows of an operation."""
    operation = await choose_operation(ctx, wanted)
    windows = await ctx.read(store.windows_of, ctx.guild_id, operation.id)
    namesakes = await ctx.read(store.namesakes, ctx.guild_id, operation)
    embed = embeds.windows_embed(operation, windows, ctx.clock.now(), namesakes)
    await reply(interaction, embed=embed, ephemeral=True)


async def ask(
    interaction: Interaction,
    ctx: Context,
    wanted: str | None,
    kind: Kind,
    *,
    start: str | None,
    end: str | None,
    window: int = 0,
) -> None:
    """Show what an edit would come to, with a button that makes it.

    :param wanted: the operation, as `choose_operation` takes it.
    :param start: as typed; of a move, None leaves it as it is.
    :param end: as `start`.
    :param window: of a move, its place from 1; 0 for the first start and the last end.
    :raises UserError: it cannot be; it says why.
    """
    if start is None and end is None:
        raise UserError(
            _("Nothing was given to change."),
            _("Fill in the option `start`, the option `end`, or both, such as 21:05 or 20 min ago."),
        )
    async with deferred_if_slow(interaction, ephemeral=True):
        operation = await choose_operation(ctx, wanted)
        windows = await ctx.read(store.windows_of, ctx.guild_id, operation.id)
        edit = _typed(ctx, windows, kind, start, end, window)
        await ctx.voice.settled()
        now = ctx.clock.now()
        with refusals(windows, edit):
            planned = await ctx.read(
                store.plan_windows, ctx.guild_id, operation.id, edit, now, roles_now(ctx)
            )
    view = discord.ui.View(timeout=None)
    view.add_item(
        discord.ui.Button(
            label=_("Change the windows"),
            style=discord.ButtonStyle.danger,
            custom_id=custom_id(service.NAME, ACTION, _key(operation.id, edit, planned.mark)),
        )
    )
    embed = embeds.edit_embed(planned, _called(ctx, planned), now, done=False)
    await reply(interaction, embed=embed, view=shown(view), ephemeral=True)


async def confirmed(interaction: Interaction, ctx: Context, key: str) -> None:
    """Make the edit: the button under the question."""
    operation_id, kind, window, start, end, mark = numbers(key, _NUMBERS)
    try:
        edit = Edit(Kind(kind), _instant(start), _instant(end), window)
    except (ValueError, OverflowError, OSError):
        raise old_message() from None
    windows = await ctx.read(store.windows_of, ctx.guild_id, operation_id)
    async with deferred_if_slow(interaction):
        # What was said before must be committed before credit is computed anew.
        await ctx.voice.settled()
        now = ctx.clock.now()
        roles = roles_now(ctx)
        guild = ctx.guild
        names = service.display_names(ctx, [each.id for each in guild.members] if guild is not None else ())
        with refusals(windows, edit):
            done = await ctx.write(
                store.edit_windows,
                ctx.guild_id,
                operation_id,
                edit,
                interaction.user.id,
                now,
                roles,
                names,
                mark,
            )
    embed = embeds.edit_embed(done, _called(ctx, done), now, done=True)
    if interaction.response.is_done():
        await interaction.edit_original_response(embed=embed, view=None)
    else:
        await interaction.response.edit_message(embed=embed, view=None)


def components() -> list[Component]:
    """Return the handler of the button that edits."""
    return [Component(action=ACTION, handler=confirmed, rank="officer")]


def _typed(  # noqa: PLR0917 - what was typed
    ctx: Context, windows: list[Bounds], kind: Kind, start: str | None, end: str | None, window: int
) -> Edit:
    """Return the edit that was typed.

    :raises UserError: a time cannot be read, or there is no such window.
    """
    if not windows or window > len(windows):
        raise refusal(windows, Wrong.NO_WINDOW)
    last = windows[window - 1][1] if window else windows[-1][1]
    beside_end = last or ctx.clock.now()
    beside_start = windows[max(window - 1, 0)][0] if kind is Kind.MOVE else beside_end
    begin = None if start is None else _moment(ctx, start, beside_start)
    if kind is not Kind.MOVE and begin is not None:
        beside_end = begin
    finish = None if end is None else _moment(ctx, end, beside_end)
    earliest = windows[0][0] - EARLIER
    for each in (begin, finish):
        if each is not None and each < earliest:
            raise UserError(
                _("{time} is long before this operation began.").format(
                    time=f"{each.date()} {each:%H:%M} UTC"
                ),
                _("Its windows may begin at most {days} days before they do now.").format(days=EARLIER.days),
            )
    return Edit(kind, begin, finish, window)


def _moment(ctx: Context, text: str, near: datetime) -> datetime:
    try:
        return read_moment(text, zone=ctx.settings.tz, now=ctx.clock.now(), near=near)
    except ValueError as error:
        raise UserError(
            str(error),
            _("Write it like 21:05, 2026-09-06 21:05 or 20 min ago. Times are those of {zone}.").format(
                zone=ctx.settings.timezone
            ),
        ) from None


def _key(operation_id: int, edit: Edit, mark: int) -> str:
    start, end = (0 if each is None else int(each.timestamp()) for each in (edit.start, edit.end))
    return f"{operation_id}.{edit.kind.value}.{edit.window}.{start}.{end}.{mark}"


def _instant(seconds: int) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None


def _called(ctx: Context, planned: Planned) -> embeds.Named:
    names = service.display_names(ctx, [each.user_id for each in planned.gains])

    def called(user_id: int) -> str:
        return names.get(user_id) or planned.names.get(user_id) or _("member {id}").format(id=user_id)

    return called

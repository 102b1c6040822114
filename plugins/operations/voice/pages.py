"""The pages of /voice: what is looked up, and the buttons that turn them; they work after a restart."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Any

import discord

from plugins.operations import service, store
from plugins.operations.choosing import NothingToShow, choose_operation
from plugins.operations.keys import numbers
from plugins.operations.roles import is_gone, roles_now
from plugins.operations.rules.spans import seconds
from plugins.operations.rules.statistics import MemberEvening
from plugins.operations.store import Evening
from plugins.operations.views import add_role_gone, plain, timed
from plugins.operations.voice import embeds, totals
from plugins.operations.voice.timeline import MOST_ROWS, Row, Timeline, clocks_change, looks_for
from redlegion import (
    Component,
    Context,
    UserError,
    clean_name,
    custom_id,
    deferred_if_slow,
    reply,
    shown,
)
from redlegion import translate as _

Interaction = discord.Interaction[Any]
#: A message: its embed, its buttons, and its picture if it has one.
Page = tuple[discord.Embed, discord.ui.View, bytes | None]

PICTURE = "timeline.png"


async def show_member(interaction: Interaction, ctx: Context, wanted: str | None, user_id: int) -> None:
    """Answer with one member's evening, and with all of their recorded time."""
    own = user_id == interaction.user.id
    async with deferred_if_slow(interaction, ephemeral=True):
        try:
            operation = await choose_operation(ctx, wanted)
            embed, view, _picture = await _member_page(ctx, operation.id, user_id, 0, own=own)
        except NothingToShow as error:
            embed, view = await _only_totals(ctx, user_id, error), None
    await reply(interaction, embed=embed, view=view, ephemeral=True)


async def show_operation(
    interaction: Interaction, ctx: Context, wanted: str | None, *, everybody: bool
) -> None:
    """Answer with an operation: everybody and a picture for officers, sums for the others."""
    async with deferred_if_slow(interaction, ephemeral=True):
        operation = await choose_operation(ctx, wanted)
        if not everybody:
            evening = await _evening(ctx, operation.id)
            embed = embeds.totals_embed(evening, channel_names(ctx, evening.channels))
            picture, view = None, None
        else:
            embed, view, picture = await _operation_page(ctx, operation.id, 0)
    file = _file(picture)
    await reply(interaction, embed=embed, view=view, file=file, ephemeral=True)


async def turn_own(interaction: Interaction, ctx: Context, key: str) -> None:
    """Show another page of one's own evening."""
    operation_id, page = numbers(key, 2)
    async with deferred_if_slow(interaction):
        shown_page = await _member_page(ctx, operation_id, interaction.user.id, page, own=True)
    await replace(interaction, shown_page)


async def turn_member(interaction: Interaction, ctx: Context, key: str) -> None:
    """Show another page of somebody's evening."""
    operation_id, user_id, page = numbers(key, 3)
    async with deferred_if_slow(interaction):
        shown_page = await _member_page(ctx, operation_id, user_id, page, own=False)
    await replace(interaction, shown_page)


async def turn_operation(interaction: Interaction, ctx: Context, key: str) -> None:
    """Show other members of an operation."""
    operation_id, page = numbers(key, 2)
    async with deferred_if_slow(interaction):
        shown_page = await _operation_page(ctx, operation_id, page)
    await replace(interaction, shown_page)


def components() -> list[Component]:
    """Return the handlers of the buttons."""
    return [
        Component(action="voice_me", handler=turn_own, rank="member"),
        Component(action="voice_member", handler=turn_member, rank="officer"),
        Component(action="voice_operation", handler=turn_operation, rank="officer"),
    ]


async def _evening(ctx: Context, operation_id: int, user_id: int | None = None) -> Evening:
    """Look up an operation as it stands now.

    :raises UserError: there is none of this id here.
    """
    now = ctx.clock.now()
    await ctx.voice.settled()
    roles = roles_now(ctx)
    found = await ctx.read(store.evening, ctx.guild_id, operation_id, now, roles, user_id)
    if found is None:
        raise UserError(_("There is no such operation here."), _("Run the command again and pick one."))
    return found


async def _member_page(ctx: Context, operation_id: int, user_id: int, page: int, *, own: bool) -> Page:
    evening = await _evening(ctx, operation_id, user_id)
    member = next((each for each in evening.members if each.user_id == user_id), None)
    if member is None:
        title = _titled(evening)
        raise NothingToShow(
            _("You have not sat in a tracked channel during {title}.").format(title=title)
            if own
            else _("<@{user}> has not sat in a tracked channel during {title}.").format(
                user=user_id, title=title
            ),
            _("/mining status shows which channels count; another operation can be picked with `operation`."),
        )
    page = min(page, embeds.pages_of(member) - 1)
    name = _called(ctx, evening)(user_id)
    channel = channel_names(ctx, evening.channels)
    embed = embeds.member_embed(evening, member, name, page, channel)
    if not page:
        found, days = await ctx.read(store.voice_totals, ctx.guild_id, user_id, ctx.clock.now())
        more = seconds(found.all.present_us) > sum(member.channels.values()) + 1
        # Who has no other time reads nothing twice.
        if more or found.folded_until is not None:
            totals.add_totals(embed, found, days, channel)
    action, head = ("voice_me", f"{operation_id}") if own else ("voice_member", f"{operation_id}.{user_id}")
    return embed, turning(action, head, page, embeds.pages_of(member)), None


async def _only_totals(ctx: Context, user_id: int, error: NothingToShow) -> discord.Embed:
    """Return all of the recorded time of a member who has no evening to show.

    :raises NothingToShow: there is no such time either.
    """
    await ctx.voice.settled()
    found, days = await ctx.read(store.voice_totals, ctx.guild_id, user_id, ctx.clock.now())
    if not found.channels:
        raise error
    # Who was never seen in voice may not be known by name; a mention shows it all the same.
    known = service.display_names(ctx, [user_id]).get(user_id)
    name = plain(known) if known else f"<@{user_id}>"
    return totals.totals_embed(name, found, days, channel_names(ctx, {}), error.what)


async def _operation_page(ctx: Context, operation_id: int, page: int) -> Page:
    evening = await _evening(ctx, operation_id)
    called = _called(ctx, evening)
    pages = max(-(-len(evening.members) // MOST_ROWS), 1)
    page = min(page, pages - 1)
    first = page * MOST_ROWS
    members = evening.members[first : first + MOST_ROWS]
    embed = embeds.operation_embed(evening, members, first + 1, (page, pages), called)
    if evening.operation.ended_at is None and is_gone(ctx):
        add_role_gone(embed)
    picture = None
    if members:
        names = {member.user_id: called(member.user_id) for member in members}
        drawn = timeline_of(evening, members, first + 1, names, ctx.settings.tz)
        picture = await ctx.to_thread(_draw, drawn)
        embed.set_image(url=f"attachment://{PICTURE}")
    return embed, turning("voice_operation", str(operation_id), page, pages), picture


def timeline_of(
    evening: Evening,
    members: tuple[MemberEvening, ...],
    first: int,
    names: Mapping[int, str],
    zone: tzinfo,
) -> Timeline:
    """Return what the picture of some members of an operation shows.

    :param first: the place of the first of them.
    :param names: what they are called.
    """
    start, end = evening.windows[0][0], max(closed for _opened, closed in evening.windows)
    return Timeline(
        title=_titled(evening),
        subtitle=_("{start} to {end} ({zone})").format(
            start=_local(start, zone, before=end), end=_local(end, zone, start), zone=_zone_name(start, zone)
        ),
        windows=evening.windows,
        channels=evening.channels,
        looks=looks_for(evening.members, evening.channels),
        rows=tuple(
            Row(
                f"{place}. {names[member.user_id]}",
                timed(member.seconds, member.estimated, exact=True),
                member.steps,
            )
            for place, member in enumerate(members, first)
        ),
        zone=zone,
        words={
            "running": _("operation running"),
            "estimated": _("estimated: I was offline"),
            "uncounted": _("not counted: required role missing"),
            "voided": _("not counted: voided"),
            "either": _("not counted: voided, or required role missing"),
            "others": _("other channels"),
            "nobody": _("Nobody sat in a tracked channel."),
        },
    )


def _titled(evening: Evening) -> str:
    operation = evening.operation
    return f"{operation.title} · #{operation.id}" if evening.namesakes else operation.title


def _draw(timeline: Timeline) -> bytes:
    # Pillow is loaded when the first picture is drawn: not every process draws one.
    from plugins.operations.voice.picture import draw_timeline

    return draw_timeline(timeline)


def _local(
    at: datetime, zone: tzinfo, after: datetime | None = None, *, before: datetime | None = None
) -> str:
    local = at.astimezone(zone)
    same_day = after is not None and after.astimezone(zone).date() == local.date()
    words = local.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M")
    # 02:10 to 03:17 may be two hours.
    return f"{words} {local.tzname()}" if clocks_change(after or at, before or at, zone) else words


def _zone_name(at: datetime, zone: tzinfo) -> str:
    return str(getattr(zone, "key", None) or at.astimezone(zone).tzname())


def _called(ctx: Context, evening: Evening) -> embeds.Named:
    guild = ctx.guild

    def called(user_id: int) -> str:
        member = guild.get_member(user_id) if guild is not None else None
        if member is not None:
            return clean_name(member.display_name)
        return evening.names.get(user_id) or _("member {id}").format(id=user_id)

    return called


def channel_names(ctx: Context, known: Mapping[int, str]) -> embeds.Named:
    """Return how channels are named: as mentions, or as they were once called.

    :param known: names of channels that may be gone, by id.
    """
    guild = ctx.guild

    def named(channel_id: int) -> str:
        if guild is not None and guild.get_channel(channel_id) is not None:
            return f"<#{channel_id}>"
        return plain(known.get(channel_id) or _("a channel that is gone"))

    return named


def turning(action: str, head: str, page: int, pages: int) -> discord.ui.View:
    """Return the buttons that lead to the pages before and after; none for a single page."""
    view = discord.ui.View(timeout=None)
    if pages > 1:
        for label, to in ((_("Previous"), page - 1), (_("Next page"), page + 1)):
            key = custom_id(service.NAME, action, f"{head}.{to}")
            view.add_item(discord.ui.Button(label=label, custom_id=key, disabled=not 0 <= to < pages))
    return shown(view)


async def replace(interaction: Interaction, page: Page) -> None:
    """Put a page in the place of the one whose button was pressed."""
    embed, view, picture = page
    file = _file(picture)
    files = [file] if file is not None else []
    if interaction.response.is_done():
        await interaction.edit_original_response(embed=embed, view=view, attachments=files)
    else:
        await interaction.response.edit_message(embed=embed, view=view, attachments=files)


def _file(picture: bytes | None) -> discord.File | None:
    return discord.File(io.BytesIO(picture), filename=PICTURE) if picture is not None else None

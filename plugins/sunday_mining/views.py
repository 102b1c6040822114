"""What members see of Sunday mining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import discord

from plugins.operations import ChannelRef, Started, fit, plain
from plugins.sunday_mining.store import CHANNEL_LIMIT, CategoryRef
from redlegion import plural
from redlegion import translate as _

COLOUR = discord.Colour.from_rgb(196, 57, 43)
NAMES_SHOWN = 3
LIST_LIMIT = 3500


def started_embed(
    started: Started, sitting: Mapping[int, Sequence[str]], missing: Sequence[ChannelRef]
) -> discord.Embed:
    """Return the answer to a start: the channels, who is there, how to stop.

    :param sitting: names of those who sit in each channel now, by channel id.
    :param missing: configured channels that no longer exist.
    """
    operation = started.operation
    embed = discord.Embed(
        title=_("{title} has started").format(title=f"{operation.badge} {operation.title}"), colour=COLOUR
    )
    lines = [_channel_line(channel, sitting.get(channel.channel_id, ())) for channel in started.channels]
    total = sum(len(names) for names in sitting.values())
    count = plural(
        total,
        "{n} member is in voice and counts from now on.",
        "{n} members are in voice and count from now on.",
    )
    words = count.format(n=total) if total else _("Nobody is in voice yet; time counts from now on.")
    embed.description = f"{words}\n\n{fit(lines, LIST_LIMIT)}"
    if missing:
        gone = ", ".join(plain(channel.name) for channel in missing)
        embed.add_field(
            name=_("Left out"),
            value=_(
                "These channels no longer exist: {names}. Remove them with /mining channels remove."
            ).format(names=gone)[:1024],
            inline=False,
        )
    if started.seat_problem is not None:
        embed.add_field(
            name=_("Time is tracked, but I do not sit with you"),
            value=started.seat_problem[:1024],
            inline=False,
        )
    embed.set_footer(text=_("An officer ends it with /mining stop. /mining status shows how it stands."))
    return embed


def channels_embed(
    channels: Sequence[ChannelRef], existing: frozenset[int], categories: Sequence[CategoryRef]
) -> discord.Embed:
    """Return the list of configured channels.

    :param existing: ids of those that Discord still has.
    :param categories: those whose channels count as they come.
    """
    lines = []
    for channel in channels:
        if channel.channel_id in existing:
            lines.append(f"<#{channel.channel_id}>" + (" · " + _("dispatch") if channel.dispatch else ""))
        else:
            lines.append(_("{name} · no longer exists").format(name=plain(channel.name)))
    embed = discord.Embed(
        title=_("Channels of Sunday mining"), colour=COLOUR, description=fit(lines, LIST_LIMIT)
    )
    if categories:
        embed.add_field(
            name=_("Categories"),
            value=fit([f"📁 {plain(each.name)}" for each in categories], 900)
            + "\n"
            + _("Voice channels that are made in them, or moved into them, count as well."),
            inline=False,
        )
    embed.set_footer(
        text=_("{count} of {limit}. Time in these channels counts; I sit in dispatch.").format(
            count=len(channels), limit=CHANNEL_LIMIT
        )
    )
    return embed


def mentions(channels: Sequence[ChannelRef]) -> str:
    """Return channels as Discord shows them, separated by commas."""
    return ", ".join(f"<#{channel.channel_id}>" for channel in channels)


def _channel_line(channel: ChannelRef, names: Sequence[str]) -> str:
    marker = " · " + _("dispatch") if channel.dispatch else ""
    people = ", ".join(plain(name) for name in names[:NAMES_SHOWN]) or "—"
    if len(names) > NAMES_SHOWN:
        people += f" +{len(names) - NAMES_SHOWN}"
    return f"<#{channel.channel_id}>{marker}: {people}"

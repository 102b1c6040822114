"""All of a member's voice time in words, with what is kept of it as daily sums only."""

from __future__ import annotations

from collections.abc import Callable

import discord

from plugins.operations.rules.spans import seconds
from plugins.operations.rules.statistics import apportioned
from plugins.operations.views import COLOUR, duration, fit
from redlegion import plural
from redlegion import translate as _
from redlegion.voice import Sums, Totals

#: Channels that are named.
_MOST = 3

Named = Callable[[int], str]


def add_totals(embed: discord.Embed, totals: Totals, days: int, channel: Named) -> None:
    """Add all of a member's recorded time to an embed; nothing where there is none.

    :param days: for how many days sessions are kept one by one; 0 for ever.
    :param channel: how a channel is named.
    """
    if totals.channels:
        embed.add_field(name=_("All voice time here"), value=_words(totals, days, channel), inline=False)


def totals_embed(name: str, totals: Totals, days: int, channel: Named, note: str) -> discord.Embed:
    """Return all of the recorded time of a member who was in no operation.

    :param name: what the member is called, as Discord is to read it.
    :param note: why there is nothing else to show.
    """
    embed = discord.Embed(title=_("Voice time"), colour=COLOUR)
    embed.description = f"**{name}**\n{note}"
    add_totals(embed, totals, days, channel)
    return embed


def _words(totals: Totals, days: int, channel: Named) -> str:
    everything = totals.all
    stays = plural(everything.stays, "{n} stay", "{n} stays").format(n=f"{everything.stays:,}")
    lines = [f"**{_length(everything.present_us)}** · {stays}"]
    aside = []
    if everything.deafened_us:
        aside.append(_("deafened {length}").format(length=_length(everything.deafened_us)))
    if everything.afk_us:
        aside.append(_("AFK {length}, not in the sum").format(length=_length(everything.afk_us)))
    lines += aside
    lines += _by_channel(totals, channel)
    if totals.folded_until is not None:
        lines.append(_folded(totals.folded, int(totals.folded_until.timestamp()), days))
    return fit(lines, 1_000)


def _by_channel(totals: Totals, channel: Named) -> list[str]:
    there = sorted(
        ((each, sums.present_us) for each, sums in totals.channels.items() if sums.present_us),
        key=lambda each: (-each[1], each[0]),
    )
    named = [(channel(each), present) for each, present in there[:_MOST]]
    if len(there) > _MOST:
        more = len(there) - _MOST
        words = plural(more, "{n} more channel", "{n} more channels").format(n=more)
        named.append((words, sum(present for _channel, present in there[_MOST:])))
    parts = [present for _words, present in named]
    # As whole seconds that make up the sum above them.
    whole = apportioned(parts, seconds(sum(parts)))
    return [
        f"{words} · {duration(each, exact=True)}" for (words, _us), each in zip(named, whole, strict=True)
    ]


def _folded(folded: Sums, until: int, days: int) -> str:
    length = _length(folded.present_us)
    if days:
        return _("Older than {days} days: {length}, kept as daily sums.").format(days=days, length=length)
    return _("Before {day}: {length}, kept as daily sums.").format(day=f"<t:{until}:D>", length=length)


def _length(microseconds: int) -> str:
    return duration(seconds(microseconds), exact=True)

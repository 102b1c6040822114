"""What can keep the bot from sitting down in a channel, said in words before Discord is asked."""

from __future__ import annotations

from dataclasses import dataclass

import discord

from core.i18n import translate as _

VocalChannel = discord.VoiceChannel | discord.StageChannel


@dataclass(frozen=True, slots=True)
class SeatProblem:
    """Why the bot cannot sit in a channel; tracking goes on without it.

    :param words: what is in the way and what to do, one or two sentences, translated.
    """

    words: str


def seat_problem(channel: object) -> SeatProblem | None:
    """Return what is in the way of the bot joining `channel`, by what the cache knows, or None.

    :param channel: what the guild's cache holds under the id, None when nothing.
    """
    if channel is None:
        return SeatProblem(_("That channel is gone, or I may not see it."))
    if not isinstance(channel, VocalChannel):
        return SeatProblem(_("That is not a voice channel. Choose a voice channel."))
    permissions = channel.permissions_for(channel.guild.me)
    missing = [
        name
        for name, held in (
            (_("View Channel"), permissions.view_channel),
            (_("Connect"), permissions.connect),
        )
        if not held
    ]
    if missing:
        return SeatProblem(
            _("I cannot join {channel}. Give my role there: {permissions}.").format(
                channel=channel.mention, permissions=", ".join(missing)
            )
        )
    afk_channel = channel.guild.afk_channel
    if afk_channel is not None and afk_channel.id == channel.id:
        return SeatProblem(
            _("{channel} is the AFK channel, where no time counts. Choose another.").format(
                channel=channel.mention
            )
        )
    return _full(channel, may_squeeze_in=permissions.move_members)


def _full(channel: VocalChannel, *, may_squeeze_in: bool) -> SeatProblem | None:
    limit, sitting = channel.user_limit, channel.voice_states
    if not limit or may_squeeze_in or len(sitting) < limit or channel.guild.me.id in sitting:
        return None
    return SeatProblem(
        _("{channel} is full ({limit}). Raise its user limit, or give my role Move Members there.").format(
            channel=channel.mention, limit=limit
        )
    )

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
    :param cause: the same for code, whatever the language: "gone", "kind" (no voice channel), "timed out",
        "missing" and the permissions, "afk", "full", "refused", "taken out" or "installation".
    """

    words: str
    cause: str

    @property
    def final(self) -> bool:
        """Whether no change in the guild takes it away."""
        return self.cause in {"gone", "kind"}


def seat_problem(channel: object) -> SeatProblem | None:
    """Return what is in the way of the bot joining `channel`, by what the cache knows, or None.

    In a stage channel the bot sits in the audience, for which it needs no more than in a voice channel.

    :param channel: what the guild's cache holds under the id, None when nothing.
    """
    if channel is None:
        return SeatProblem(_("That channel is gone, or I may not see it."), "gone")
    if not isinstance(channel, VocalChannel):
        return SeatProblem(_("That is not a voice channel. Choose a voice channel."), "kind")
    permissions = channel.permissions_for(channel.guild.me)
    if not permissions.administrator and channel.guild.me.is_timed_out():
        words = _("I am timed out in this server and cannot join {channel}. Remove my time-out.")
        return SeatProblem(words.format(channel=channel.mention), "timed out")
    needed = {
        "view_channel": (_("View Channel"), permissions.view_channel),
        "connect": (_("Connect"), permissions.connect),
    }
    missing = {name: title for name, (title, held) in needed.items() if not held}
    if missing:
        words = _("I cannot join {channel}. Give my role there: {permissions}.")
        words = words.format(channel=channel.mention, permissions=", ".join(missing.values()))
        return SeatProblem(words, " ".join(("missing", *missing)))
    afk_channel = channel.guild.afk_channel
    if afk_channel is not None and afk_channel.id == channel.id:
        words = _("{channel} is the AFK channel, where no time counts. Choose another.")
        return SeatProblem(words.format(channel=channel.mention), "afk")
    return _full(channel, may_squeeze_in=permissions.move_members)


def _full(channel: VocalChannel, *, may_squeeze_in: bool) -> SeatProblem | None:
    limit, sitting = channel.user_limit, channel.voice_states
    if not limit or may_squeeze_in or len(sitting) < limit or channel.guild.me.id in sitting:
        return None
    words = _("{channel} is full ({limit}). Raise its user limit, or give my role Move Members there.")
    return SeatProblem(words.format(channel=channel.mention, limit=limit), "full")

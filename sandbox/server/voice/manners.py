"""Who may be heard where: suppression, requests to speak, and people who fall idle."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sandbox.server import permissions
from sandbox.server.channels import STAGE
from sandbox.server.errors import Refused

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member
    from sandbox.server.world import World


def suppressed(guild: Guild, member: Member, channel_id: int) -> bool:
    """Whether a member who sits down in a channel is heard by nobody there.

    So it is in the AFK channel, in a stage channel until somebody makes them a speaker, and without the
    permission to speak.
    """
    channel = guild.channels[channel_id]
    if channel_id == guild.afk_channel_id or channel.type == STAGE:
        return True
    return not permissions.in_channel(guild, member, channel) & permissions.SPEAK


def request_to_speak(world: World, guild: Guild, user_id: int, when: datetime | None) -> None:
    """Raise a hand in a stage channel, or with None take it down. Raises Refused (403, 409)."""
    state = guild.voice_states.get(user_id)
    name = guild.members[user_id].user.username
    channel = guild.channels.get(state.channel_id or 0) if state is not None else None
    if state is None or channel is None or channel.type != STAGE:
        raise Refused(f"{name} sits in no stage channel", 409)
    bits = permissions.in_channel(guild, guild.members[user_id], channel)
    if when is not None and not bits & permissions.REQUEST_TO_SPEAK:
        raise Refused(f"{name} may not ask to speak in {channel.name}", 403)
    state.request_to_speak_at = when
    world.voice.set_flags(guild, user_id)


def idle(world: World, guild: Guild, user_id: int) -> None:
    """Let a seated person do nothing any more: the AFK channel gets them after the guild's ``afk_timeout``.

    Whoever changes the channel in between stays. Raises Refused (409) for who sits nowhere, or without an
    AFK channel.
    """
    state = guild.voice_states.get(user_id)
    if state is None:
        raise Refused(f"{guild.members[user_id].user.username} sits in no voice channel", 409)
    if guild.afk_channel_id is None:
        raise Refused(f"{guild.name} has no AFK channel", 409)
    sat_in = state.channel_id

    async def put_away() -> None:
        now, target = guild.voice_states.get(user_id), guild.afk_channel_id
        if now is state and now.channel_id == sat_in and target is not None and target != sat_in:
            world.voice.move(guild, user_id, target)

    world.clock.call_later(guild.afk_timeout, put_away)

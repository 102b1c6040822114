"""People talking: silent Opus frames, sealed with the session's key, that reach the bot's UDP socket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sandbox.server import permissions
from sandbox.server.errors import Refused
from sandbox.server.voice import cipher, rtp

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.world import World

MOST_FRAMES = 1_000
_SPEAKING = 5
_BURST = 32
_PAUSE = 0.002


async def talk(world: World, guild: Guild, user_id: int, frames: int) -> int:
    """Let a person send ``frames`` packets of one silent Opus frame; returns how many went to the bot.

    That is none when the bot sits elsewhere, is deafened, or has no connection that stands. Raises Refused
    for who sits nowhere (409), may not be heard there (403), or is muted (409).
    """
    if not 1 <= frames <= MOST_FRAMES:
        raise Refused(f"frames must be 1 to {MOST_FRAMES}, not {frames}")
    member, state = guild.members[user_id], guild.voice_states.get(user_id)
    name = member.user.username
    if state is None or state.channel_id is None:
        raise Refused(f"{name} sits in no voice channel", 409)
    channel = guild.channels[state.channel_id]
    if not permissions.in_channel(guild, member, channel) & permissions.SPEAK:
        raise Refused(f"{name} may not speak in {channel.name}", 403)
    if state.mute or state.self_mute or state.suppress:
        raise Refused(f"{name} is {'suppressed' if state.suppress else 'muted'} in {channel.name}", 409)
    voice = world.bot_voice
    me, seat = guild.voice_states.get(world.bot_user.id), voice.seats.get(guild.id)
    if me is None or me.channel_id != channel.id or seat is None or seat.line is None:
        return 0
    if me.deaf or me.self_deaf or seat.mode is None or seat.address is None or voice.udp is None:
        return 0
    if not cipher.can_open(seat.mode):
        raise Refused("people cannot talk here: PyNaCl is not installed")
    mouth, sender = voice.voice_of(seat, user_id), voice.stats(guild.id).sender(user_id)
    told = {"user_id": str(user_id), "ssrc": mouth.ssrc}
    line = seat.line
    line.push(_SPEAKING, {**told, "speaking": 1})
    for number in range(frames):
        if seat.lost:
            return number
        header = rtp.header(mouth.sequence, mouth.timestamp, mouth.ssrc)
        packet = cipher.seal(seat.mode, seat.key, header, rtp.SILENCE, seat.sealed)
        voice.udp.send(packet, seat.address)
        sender.count(rtp.SILENCE, heard=True)
        seat.sealed = seat.sealed + 1 & 0xFFFFFFFF
        mouth.sequence, mouth.timestamp = mouth.sequence + 1, mouth.timestamp + rtp.FRAME_TICKS
        if number % _BURST == _BURST - 1:
            # A receiver's socket buffer is small: without a breath the kernel would drop some.
            await asyncio.sleep(_PAUSE)
    line.push(_SPEAKING, {**told, "speaking": 0})
    return frames

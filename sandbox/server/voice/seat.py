"""The bot's seat in each guild: what it asks for by op 4, and the connection that belongs to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from sandbox.server import permissions

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.world import World

DISCONNECTED = 4014


class Line(Protocol):
    """An open voice websocket."""

    def end(self, code: int) -> None:
        """Close it with a code."""
        ...


@dataclass(slots=True)
class Seat:
    """One guild's voice connection, from VOICE_SERVER_UPDATE on."""

    guild_id: int
    token: str
    line: Line | None = None


class BotVoice:
    """Follows the bot from channel to channel in every guild."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asking = False
        self.seats: dict[int, Seat] = {}
        self.udp_port = 0
        self.packets = 0
        world.voice.on_bot_moved = self._moved

    def asked(self, guild: Guild, channel_id: int | None, flags: Mapping[str, bool]) -> None:
        """Take the bot's op 4."""
        bot = self._world.bot_user.id
        state = guild.voice_states.get(bot)
        if state is None and channel_id is None:
            return
        before = state.channel_id if state else None
        if channel_id not in {None, before} and not self._may_sit(guild, channel_id):
            # Discord drops such a wish without a word.
            return
        self._asking = True
        try:
            self._world.voice.move(guild, bot, channel_id, flags=flags)
        finally:
            self._asking = False
        seat = self.seats.get(guild.id)
        if before == channel_id and (seat is None or seat.line is None):
            # A client that lost its voice connection repeats op 4 and waits for both updates.
            self._offer(guild)

    def _may_sit(self, guild: Guild, channel_id: int | None) -> bool:
        channel = guild.channels.get(channel_id or 0)
        if channel is None or not channel.is_voice:
            return False
        bits = permissions.in_channel(guild, guild.members[self._world.bot_user.id], channel)
        seated = sum(1 for state in guild.voice_states.values() if state.channel_id == channel_id)
        room = not channel.user_limit or seated < channel.user_limit or bits & permissions.MOVE_MEMBERS
        return bool(bits & permissions.CONNECT and room)

    def packet(self, size: int) -> None:
        """Count a datagram of audio."""
        self.packets += 1

    def _moved(self, guild: Guild, before: int | None, after: int | None) -> None:
        seat = self.seats.get(guild.id)
        if seat is not None and seat.line is not None and (after is None or self._asking):
            # Moved by somebody else the client closes by itself; moved by its own wish it waits for this.
            seat.line.end(DISCONNECTED)
            seat.line = None
        if after is None:
            self.seats.pop(guild.id, None)
        else:
            self._offer(guild)

    def _offer(self, guild: Guild) -> None:
        world = self._world
        token = f"{world.random.getrandbits(64):016x}"
        line = self.seats[guild.id].line if guild.id in self.seats else None
        self.seats[guild.id] = Seat(guild.id, token, line)
        for session in world.hub.sessions.values():
            if session.sees(guild.id):
                data = {"token": token, "guild_id": str(guild.id), "endpoint": session.voice_endpoint}
                world.hub.send(session, "VOICE_SERVER_UPDATE", data)

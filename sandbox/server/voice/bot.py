"""The bot's voice in every guild: what it asks for by op 4, where it is put, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sandbox.server import permissions
from sandbox.server.voice.refusals import VoiceRefusal, VoiceRefusals
from sandbox.server.voice.seat import Seat, Voice
from sandbox.server.voice.stats import VoiceStats

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.voice.udp import VoiceUdp
    from sandbox.server.world import World

HEARTBEAT_MS = 13_750
DISCONNECTED, CRASHED, CALL_ENDED = 4014, 4015, 4022
CLIENTS_CONNECT, CLIENT_DISCONNECT = 11, 13


class BotVoice:
    """Follows the bot from channel to channel in every guild.

    ``heartbeat_ms``: how often clients beat; twice that without a beat ends the session (4009), in real time.
    ``repeats_description``: a resume sends the session description again. Discord does not promise that, but
    discord.py waits for one before it believes in a resume.
    """

    def __init__(self, world: World, seed: int) -> None:
        self._world = world
        self._asking = False
        self.seats: dict[int, Seat] = {}
        self.refusals = VoiceRefusals(seed, world.log.note)
        self.heartbeat_ms = HEARTBEAT_MS
        self.repeats_description = True
        self.udp: VoiceUdp | None = None
        self.packets = 0
        self._stats: dict[int, VoiceStats] = {}
        world.voice.on_bot_moved = self._moved
        world.voice.on_member_moved = self._member_moved

    @property
    def udp_port(self) -> int:
        """Where audio goes, 0 while the server is not up."""
        return self.udp.port if self.udp is not None else 0

    def stats(self, guild_id: int) -> VoiceStats:
        """Return a guild's counts, with how the connection stands now."""
        found = self._stats.setdefault(guild_id, VoiceStats(guild_id))
        seat, guild = self.seats.get(guild_id), self._world.guilds[guild_id]
        state = guild.voice_states.get(self._world.bot_user.id)
        found.channel_id = state.channel_id if state else None
        found.connected = bool(seat and seat.line and seat.mode)
        found.mode = seat.mode if seat else None
        found.speaking = seat.speaking if seat else 0
        return found

    def refusal(self, step: str, guild_id: int) -> VoiceRefusal | None:
        """Return the refusal that is due at a step, counted in the guild's figures."""
        one = self.refusals.take(step, guild_id)
        if one is not None:
            self._stats.setdefault(guild_id, VoiceStats(guild_id)).refusals[step] += 1
        return one

    def closed(self, guild_id: int, code: int) -> None:
        """Count a voice socket that ended."""
        if guild_id in self._world.guilds:
            self.stats(guild_id).closes[code] += 1

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
        if channel_id is not None and self.refusal("no_answer", guild.id):
            return
        seat = self.seats.get(guild.id)
        if before == channel_id and (seat is None or seat.line is None):
            # A client that lost its voice connection repeats op 4 and waits for both updates. The server's
            # goes first: discord.py, still thinking itself connected, overlooks a voice state before it.
            self._offer(guild)
        self._asking = True
        try:
            self._world.voice.move(guild, bot, channel_id, flags=flags)
        finally:
            self._asking = False

    def _may_sit(self, guild: Guild, channel_id: int | None) -> bool:
        channel = guild.channels.get(channel_id or 0)
        if channel is None or not channel.is_voice:
            return False
        bits = permissions.in_channel(guild, guild.members[self._world.bot_user.id], channel)
        seated = sum(1 for state in guild.voice_states.values() if state.channel_id == channel_id)
        room = not channel.user_limit or seated < channel.user_limit or bits & permissions.MOVE_MEMBERS
        return bool(bits & permissions.CONNECT and room)

    def end(self, guild_id: int, code: int) -> bool:
        """Close the connection of a guild with a code; returns whether there was one.

        After 4015 the session can be resumed, after 4014 and 4022 the bot is out of voice.
        """
        seat = self.seats.get(guild_id)
        if seat is None or seat.line is None:
            return False
        line, seat.line = seat.line, None
        seat.lost = code != CRASHED
        line.end(code)
        if code in {DISCONNECTED, CALL_ENDED}:
            self._world.voice.leave_if_seated(self._world.guilds[guild_id], self._world.bot_user.id)
        return True

    def change_region(self, guild: Guild, after_seconds: float = 0.0) -> bool:
        """Move the bot's voice to another server; returns whether it sits in that guild.

        The endpoint is null first, as while Discord looks for a server, and there ``after_seconds`` of
        sandbox time later.
        """
        seat = self.seats.get(guild.id)
        if seat is None:
            return False
        seat.lost = True
        self._announce(guild, seat.token, found=False)

        async def found() -> None:
            if self.seats.get(guild.id) is seat:
                self._offer(guild)

        if after_seconds:
            self._world.clock.call_later(after_seconds, found)
        else:
            self._offer(guild)
        return True

    def _moved(self, guild: Guild, before: int | None, after: int | None) -> None:
        seat = self.seats.get(guild.id)
        if seat is not None:
            seat.lost = True
            if after is None or self._asking:
                # Moved by somebody else the client closes by itself; moved by its own wish it waits for this.
                seat.end(DISCONNECTED)
        if after is None:
            self.seats.pop(guild.id, None)
        else:
            self._offer(guild)

    def _offer(self, guild: Guild) -> None:
        """Say which voice server has the guild: the same session if it can be resumed, else a new one."""
        world = self._world
        seat = self.seats.get(guild.id)
        if seat is None or seat.lost:
            state = guild.voice_states[world.bot_user.id]
            previous = (seat.line or seat.previous) if seat is not None else None
            token = f"{world.random.getrandbits(64):016x}"
            seat = Seat(guild.id, token, state.session_id, world.random.getrandbits(31), previous=previous)
            self.seats[guild.id] = seat
        if self.refusal("no_server_update", guild.id):
            return
        if self.refusal("no_endpoint", guild.id):
            self._announce(guild, seat.token, found=False)
            return
        self._announce(guild, seat.token)

    def _announce(self, guild: Guild, token: str, *, found: bool = True) -> None:
        for session in self._world.hub.sessions.values():
            if session.sees(guild.id):
                endpoint = _endpoint(session.voice_endpoint, guild.id) if found else None
                data = {"token": token, "guild_id": str(guild.id), "endpoint": endpoint}
                self._world.hub.send(session, "VOICE_SERVER_UPDATE", data)

    def others(self, guild: Guild) -> list[int]:
        """Return who else sits in the bot's channel."""
        me = guild.voice_states.get(self._world.bot_user.id)
        if me is None:
            return []
        return [
            user_id
            for user_id, state in guild.voice_states.items()
            if state.channel_id == me.channel_id and user_id != me.user_id
        ]

    def _member_moved(self, guild: Guild, user_id: int, before: int | None, after: int | None) -> None:
        seat, me = self.seats.get(guild.id), guild.voice_states.get(self._world.bot_user.id)
        if seat is None or seat.line is None or me is None or user_id == me.user_id:
            return
        if after == me.channel_id:
            seat.line.push(CLIENTS_CONNECT, {"user_ids": [str(user_id)]})
        elif before == me.channel_id:
            seat.voices.pop(user_id, None)
            seat.line.push(CLIENT_DISCONNECT, {"user_id": str(user_id)})

    def voice_of(self, seat: Seat, user_id: int) -> Voice:
        """Return a person's voice towards the bot, with a source of its own."""
        if user_id not in seat.voices:
            dice = self._world.random
            seat.voices[user_id] = Voice(dice.getrandbits(31), dice.getrandbits(16), dice.getrandbits(31))
        return seat.voices[user_id]

    def by_ssrc(self, ssrc: int) -> Seat | None:
        """Return the session that a datagram names."""
        for seat in self.seats.values():
            if seat.ssrc == ssrc:
                return seat
        return None


def _endpoint(given: str, guild_id: int) -> str:
    """Return the guild's own endpoint on a voice host: its label, or else its path, tells the guild."""
    host, dot, rest = given.partition(".discord.media")
    return f"{host}-{guild_id}{dot}{rest}" if dot else f"{given}/{guild_id}"

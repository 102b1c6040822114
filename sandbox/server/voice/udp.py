"""The UDP side of voice: address discovery, the bot's audio read and counted, people's audio sent."""

from __future__ import annotations

import asyncio
import struct
from typing import TYPE_CHECKING, cast

from sandbox.server.voice import cipher, rtp

if TYPE_CHECKING:
    from sandbox.server.voice.bot import BotVoice
    from sandbox.server.voice.seat import Seat
    from sandbox.server.world import World

_DISCOVERY = struct.Struct(">HHI64sH")
_REQUEST, _RESPONSE, _LENGTH = 1, 2, 70
_KEEP_ALIVE = 8
_NUDGE_AFTER = 0.05
_RECEIVER_REPORT = struct.pack(">BBHI", 0x80, 201, 1, 0)

Address = tuple[str, int]


class VoiceUdp(asyncio.DatagramProtocol):
    """Serves one port for all connections."""

    def __init__(self, world: World, voice: BotVoice) -> None:
        self._world = world
        self._voice = voice
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        # Until Python 3.12 the loop's own datagram transport is no DatagramTransport by class.
        self._transport = cast(asyncio.DatagramTransport, transport)

    @property
    def port(self) -> int:
        """The UDP port, 0 while there is none."""
        return int(self._transport.get_extra_info("sockname")[1]) if self._transport else 0

    def close(self) -> None:
        """Stop listening."""
        if self._transport is not None:
            self._transport.close()

    def send(self, data: bytes, address: Address) -> None:
        """Send a datagram; nothing happens once the port is closed."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, address)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """Answer a discovery or a sign of life; take anything else for audio."""
        if len(data) == _DISCOVERY.size:
            kind, length, ssrc, _, _ = _DISCOVERY.unpack(data)
            if (kind, length) == (_REQUEST, _LENGTH):
                self._discovered(ssrc, addr)
                return
        if len(data) == _KEEP_ALIVE and data[0] >> 6 != 2:
            # The counter that @discordjs/voice sends comes back as it was.
            self.send(data, addr)
            return
        self._voice.packets += 1
        if not rtp.is_rtcp(data):
            self._audio(data)

    def _discovered(self, ssrc: int, addr: Address) -> None:
        seat = self._voice.by_ssrc(ssrc)
        if seat is None:
            return
        if self._voice.refusal("no_discovery", seat.guild_id):
            return
        seat.address = addr
        self.send(_DISCOVERY.pack(_RESPONSE, _LENGTH, ssrc, addr[0].encode(), addr[1]), addr)
        # discord.py's reader thread may already sit in a 30 s select again when it changes channels:
        # one more datagram wakes it, as the traffic of a real channel would.
        asyncio.get_running_loop().call_later(_NUDGE_AFTER, self.send, _RECEIVER_REPORT, addr)

    def _audio(self, data: bytes) -> None:
        try:
            header = rtp.parse(data)
        except ValueError:
            return
        seat = self._voice.by_ssrc(header.ssrc)
        if seat is None or seat.mode is None:
            return
        stats = self._voice.stats(seat.guild_id)
        me = self._world.bot_user.id
        opus = b""
        if cipher.can_open(seat.mode):
            try:
                opus = cipher.unseal(seat.mode, seat.key, data, header.clear)[header.extension_size :]
            except cipher.Unreadable:
                stats.unreadable += 1
                return
        stats.sender(me).count(opus, heard=self._is_heard(seat, me))

    def _is_heard(self, seat: Seat, user_id: int) -> bool:
        state = self._world.guilds[seat.guild_id].voice_states.get(user_id)
        return state is not None and not (state.mute or state.self_mute or state.suppress)


async def listen(host: str, world: World) -> VoiceUdp:
    """Open a UDP port on ``host`` for a world's voice, and return what serves it."""
    loop = asyncio.get_running_loop()
    voice = world.bot_voice
    _, protocol = await loop.create_datagram_endpoint(lambda: VoiceUdp(world, voice), local_addr=(host, 0))
    voice.udp = protocol
    return protocol

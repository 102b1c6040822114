"""The UDP side of voice: address discovery; audio is counted and dropped."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import cast

_DISCOVERY = struct.Struct(">HHI64sH")
_REQUEST, _RESPONSE, _LENGTH = 1, 2, 70
_NUDGE_AFTER = 0.05
_RECEIVER_REPORT = struct.pack(">BBHI", 0x80, 201, 1, 0)


class VoiceUdp(asyncio.DatagramProtocol):
    """Answers discovery requests on one port for all connections."""

    def __init__(self, on_packet: Callable[[int], None]) -> None:
        self._on_packet = on_packet
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

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Answer a discovery; count anything else."""
        if len(data) == _DISCOVERY.size:
            kind, length, ssrc, _, _ = _DISCOVERY.unpack(data)
            if (kind, length) == (_REQUEST, _LENGTH):
                self._send(_DISCOVERY.pack(_RESPONSE, _LENGTH, ssrc, addr[0].encode(), addr[1]), addr)
                # discord.py's reader thread may already sit in a 30 s select again when it changes channels:
                # one more datagram wakes it, as the traffic of a real channel would.
                asyncio.get_running_loop().call_later(_NUDGE_AFTER, self._send, _RECEIVER_REPORT, addr)
                return
        self._on_packet(len(data))

    def _send(self, data: bytes, addr: tuple[str, int]) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data, addr)


async def listen(host: str, on_packet: Callable[[int], None]) -> VoiceUdp:
    """Open a UDP port on ``host`` and return what serves it."""
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(lambda: VoiceUdp(on_packet), local_addr=(host, 0))
    return protocol

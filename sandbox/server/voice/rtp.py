"""RTP headers, and as much of Opus as counting its frames takes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

_HEADER: Final = struct.Struct(">BBHII")
_EXTENSION: Final = struct.Struct(">HH")
OPUS_TYPE: Final = 0x78
SILENCE: Final = b"\xf8\xff\xfe"
"""The Opus frame that Discord's clients send five times when they stop talking."""
FRAME_TICKS: Final = 960
"""20 ms at 48 kHz."""
_VERSION: Final = 2
_RTCP: Final = range(200, 208)


@dataclass(frozen=True, slots=True)
class Rtp:
    """What the header of a packet says; ``clear`` is how many bytes of it are not sealed."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    clear: int
    extension_size: int


def is_rtcp(packet: bytes) -> bool:
    """Whether a datagram is a control packet of RTP."""
    return len(packet) > 1 and packet[0] >> 6 == _VERSION and packet[1] in _RTCP


def parse(packet: bytes) -> Rtp:
    """Read a header. Raises ValueError when it is none."""
    if len(packet) < _HEADER.size or packet[0] >> 6 != _VERSION:
        raise ValueError("no RTP packet")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(packet)
    clear = _HEADER.size + 4 * (first & 0x0F)
    words = 0
    if first & 0x10:
        if len(packet) < clear + _EXTENSION.size:
            raise ValueError("an RTP packet that ends in its header")
        words = _EXTENSION.unpack_from(packet, clear)[1]
        clear += _EXTENSION.size
    return Rtp(second & 0x7F, sequence, timestamp, ssrc, clear, 4 * words)


def header(sequence: int, timestamp: int, ssrc: int) -> bytes:
    """Return the header of an Opus packet."""
    return _HEADER.pack(_VERSION << 6, OPUS_TYPE, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)


def opus_frames(payload: bytes) -> int:
    """Return how many frames an Opus packet holds, by its first bytes (RFC 6716, 3.1 and 3.2.5)."""
    if not payload:
        return 0
    code = payload[0] & 0x03
    if code < 3:
        return 1 if code == 0 else 2
    return payload[1] & 0x3F if len(payload) > 1 else 0

"""As much of Discord's end-to-end encryption (DAVE 1) as one bot alone in a call meets.

The delivery service is not modelled: no proposals, commits, welcomes or transitions are ever sent, so a
client that has sent its key package stays pending and its frames pass without end-to-end encryption, as they
do on Discord for whoever is alone.
"""

from __future__ import annotations

import struct
from typing import Final

EXTERNAL_SENDER: Final = 25
KEY_PACKAGE: Final = 26
NEWEST: Final = 1

# The generator of P-256: a valid public key for the suite that DAVE uses. Nothing is ever signed with it.
_POINT: Final = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
_BASIC_CREDENTIAL: Final = 1


def _vector(data: bytes) -> bytes:
    """Return a vector of MLS: its length as a QUIC integer, then the data."""
    length = struct.pack(">B", len(data)) if len(data) < 64 else struct.pack(">H", 0x4000 | len(data))
    return length + data


def external_sender() -> bytes:
    """Return the MLS struct of the voice server as an external sender."""
    identity = struct.pack(">Q", 1)
    return _vector(_POINT) + struct.pack(">H", _BASIC_CREDENTIAL) + _vector(identity)


def frame(sequence: int, op: int, body: bytes) -> bytes:
    """Return a binary message of the server."""
    return struct.pack(">HB", sequence & 0xFFFF, op) + body

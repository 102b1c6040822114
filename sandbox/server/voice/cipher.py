"""The transport encryption of voice packets: the header stays readable, the rest is sealed."""

from __future__ import annotations

import struct
from typing import Final

try:
    from nacl import bindings as sodium
    from nacl.exceptions import CryptoError
except ImportError:  # pragma: no cover - voice then works without reading what is said
    sodium = None  # type: ignore[assignment]
try:
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
except ImportError:  # pragma: no cover
    AESGCM = None  # type: ignore[assignment,misc]

XCHACHA: Final = "aead_xchacha20_poly1305_rtpsize"
AES_GCM: Final = "aead_aes256_gcm_rtpsize"
MODES: Final = (AES_GCM, XCHACHA) if AESGCM is not None else (XCHACHA,)
"""What is offered; AES needs the library ``cryptography``. XChaCha is never missing, as on Discord."""
KEY_SIZE: Final = 32
_COUNTER: Final = 4
_NONCE_SIZE: Final = {XCHACHA: 24, AES_GCM: 12}


class Unreadable(Exception):
    """A packet that the key does not open."""


def can_open(mode: str) -> bool:
    """Whether packets of a mode can be read here; without PyNaCl they are only counted."""
    return mode in MODES and (mode != XCHACHA or sodium is not None)


def seal(mode: str, key: bytes, header: bytes, body: bytes, counter: int) -> bytes:
    """Return a packet: header, sealed body, and the counter that makes the nonce (4 bytes)."""
    tail = struct.pack(">I", counter)
    nonce = tail.ljust(_NONCE_SIZE[mode], b"\0")
    if mode == AES_GCM:
        return header + AESGCM(key).encrypt(nonce, body, header) + tail
    return header + sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(body, header, nonce, key) + tail


def unseal(mode: str, key: bytes, packet: bytes, header_size: int) -> bytes:
    """Return the body of a packet whose first ``header_size`` bytes are in the clear. Raises Unreadable."""
    header, sealed, tail = packet[:header_size], packet[header_size:-_COUNTER], packet[-_COUNTER:]
    nonce = tail.ljust(_NONCE_SIZE[mode], b"\0")
    if mode == AES_GCM:
        try:
            return AESGCM(key).decrypt(nonce, sealed, header)
        except (InvalidTag, ValueError) as error:
            raise Unreadable("the key does not open the packet") from error
    try:
        return sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, header, nonce, key)
    except (CryptoError, ValueError) as error:
        raise Unreadable("the key does not open the packet") from error

"""Transport compression: one context per connection, flushed after every message."""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from typing import Any, cast


class Zlib:
    """Discord's ``zlib-stream``."""

    def __init__(self) -> None:
        self._context = zlib.compressobj(level=1)

    def pack(self, frame: bytes) -> bytes:
        """Return one message of the stream."""
        return self._context.compress(frame) + self._context.flush(zlib.Z_SYNC_FLUSH)


class Zstd:
    """Discord's ``zstd-stream``, by Python's own library (3.14 on)."""

    def __init__(self, library: Any) -> None:
        self._context = library.ZstdCompressor(level=1)
        self._flush_block = library.ZstdCompressor.FLUSH_BLOCK

    def pack(self, frame: bytes) -> bytes:
        """Return one message of the stream."""
        return cast(bytes, self._context.compress(frame, mode=self._flush_block))


class ZstdPackage:
    """Discord's ``zstd-stream``, by the zstandard package."""

    def __init__(self, library: Any) -> None:
        self._context = library.ZstdCompressor(level=1).compressobj()
        self._flush_block = library.COMPRESSOBJ_FLUSH_BLOCK

    def pack(self, frame: bytes) -> bytes:
        """Return one message of the stream."""
        return cast(bytes, self._context.compress(frame) + self._context.flush(self._flush_block))


_ZSTD = (("compression.zstd", Zstd), ("backports.zstd", Zstd), ("zstandard", ZstdPackage))


def packer(asked: str | None) -> Callable[[bytes], bytes] | None:
    """Return what packs the frames of one connection, or None to send plain text.

    A client that asks for zstd where there is no library for it gets plain text, which discord.py reads too.
    """
    if asked == "zlib-stream":
        return Zlib().pack
    if asked == "zstd-stream":
        for name, kind in _ZSTD:
            try:
                return kind(importlib.import_module(name)).pack
            except ImportError:
                continue
    return None

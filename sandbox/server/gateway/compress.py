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
    """Discord's ``zstd-stream``; needs the zstandard package."""

    def __init__(self, library: Any) -> None:
        self._context = library.ZstdCompressor(level=1).compressobj()
        self._flush_block = library.COMPRESSOBJ_FLUSH_BLOCK

    def pack(self, frame: bytes) -> bytes:
        """Return one message of the stream."""
        return cast(bytes, self._context.compress(frame) + self._context.flush(self._flush_block))


def packer(asked: str | None) -> Callable[[bytes], bytes] | None:
    """Return what packs the frames of one connection, or None to send plain text.

    A client that asks for zstd while the library is missing here gets plain text, which discord.py reads as
    well.
    """
    if asked == "zlib-stream":
        return Zlib().pack
    if asked == "zstd-stream":
        try:
            library = importlib.import_module("zstandard")
        except ImportError:
            return None
        return Zstd(library).pack
    return None

"""The writing side of a gateway connection: what is queued leaves in as few writes as possible."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

_log = logging.getLogger(__name__)
MOST_QUEUED = 100_000
"""Frames that wait for a client that does not read; with one more its connection is torn down."""
_WRITE_BYTES = 256 * 1024
_TEXT, _BINARY = b"\x81", b"\x82"


class Outlet:
    """Queues frames and writes them. ``pack`` compresses them one by one, in the order they leave."""

    def __init__(
        self, ws: web.WebSocketResponse, request: web.Request, pack: Callable[[bytes], bytes] | None
    ) -> None:
        self._ws = ws
        self._transport = request.transport
        self._pack = pack
        self._kind = _TEXT if pack is None else _BINARY
        self._queue: deque[tuple[str, ...] | int] = deque()
        self._news = asyncio.Event()
        self.frozen = False

    def put(self, frames: Sequence[str]) -> None:
        """Queue frames that leave in one write."""
        if not self.frozen:
            if len(self._queue) >= MOST_QUEUED and self._transport is not None:
                _log.warning("a gateway client does not read; its connection is torn down")
                self._transport.abort()
            self._queue.append(tuple(frames))
            self._news.set()

    def close(self, code: int) -> None:
        """Close with a code after what is queued."""
        self._queue.append(code)
        self._news.set()

    def freeze(self) -> None:
        """Let nothing out any more, as on a connection whose other end has gone without a word."""
        self.frozen = True
        self._queue.clear()

    async def run(self, stream: AbstractStreamWriter) -> None:
        """Write until the connection is closed; ``stream`` tells when the client has read enough."""
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                while self._queue:
                    if isinstance(self._queue[0], int):
                        await self._ws.close(code=self._queue[0])
                        return
                    self._write()
                    await stream.drain()
        except (ConnectionError, RuntimeError) as error:
            # The client has gone; the reader sees it too, and the session keeps the events for a resume.
            _log.debug("gateway connection lost while writing: %s", error)

    def _write(self) -> None:
        """Write what is queued up to a close, in one piece up to a size."""
        parts: list[bytes] = []
        size = 0
        while self._queue and size < _WRITE_BYTES:
            frames = self._queue[0]
            if isinstance(frames, int):
                break
            self._queue.popleft()
            for frame in frames:
                payload = frame.encode()
                if self._pack is not None:
                    payload = self._pack(payload)
                length = len(payload)
                parts.append(self._kind + _length(length))
                parts.append(payload)
                size += length
        # Not by send_str: that is one system call for each frame, and no burst would arrive as one.
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(parts))


def _length(size: int) -> bytes:
    if size < 126:
        return bytes((size,))
    if size < 1 << 16:
        return b"\x7e" + size.to_bytes(2, "big")
    return b"\x7f" + size.to_bytes(8, "big")

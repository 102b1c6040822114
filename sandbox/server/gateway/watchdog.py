"""What a client owes its connection in real time: heartbeats, and not too many frames."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from sandbox.server.gateway import closing
from sandbox.server.gateway.closing import Closing

_PATIENCE = 1.5
"""Intervals without a heartbeat after which a client counts as gone."""
_WINDOW = 60.0


class Watchdog:
    """Watches one connection.

    ``interval`` is that of the heartbeats in seconds, ``most`` the frames allowed in 60 s; ``on_silence`` is
    called once when the heartbeats stay away.
    """

    def __init__(self, interval: float, most: int, on_silence: Callable[[], None]) -> None:
        self._patience = interval * _PATIENCE
        self._most = most
        self._on_silence = on_silence
        self._frames: deque[float] = deque()
        self._timer: asyncio.TimerHandle | None = None

    def beat(self) -> None:
        """Note a heartbeat, or the beginning of the connection."""
        self.stop()
        self._timer = asyncio.get_running_loop().call_later(self._patience, self._on_silence)

    def frame(self) -> None:
        """Note a frame of the client. Raises Closing 4008 when it is one too many."""
        now = time.monotonic()
        while self._frames and now - self._frames[0] >= _WINDOW:
            self._frames.popleft()
        if len(self._frames) >= self._most:
            raise Closing(closing.RATE_LIMITED)
        self._frames.append(now)

    def stop(self) -> None:
        """Watch no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

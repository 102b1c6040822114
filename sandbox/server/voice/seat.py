"""A voice session of the bot, from VOICE_SERVER_UPDATE to its end."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Protocol

KEPT = 256
"""Messages kept for a resume of a voice session."""


class Line(Protocol):
    """An open voice websocket."""

    version: int

    def end(self, code: int) -> None:
        """Close it with a code."""
        ...

    def push(self, op: int, data: Any) -> None:
        """Send a message that a resume repeats when it was missed; never blocks."""
        ...


@dataclass(slots=True)
class Voice:
    """What a person's next packet to the bot carries in its header."""

    ssrc: int
    sequence: int
    timestamp: int


@dataclass(slots=True)
class Seat:
    """One guild's voice session.

    ``previous`` is the line of the session before, until the client has closed it. ``mode`` and ``key`` are
    set once the session was described, ``address`` once the client has discovered its own. ``lost``: the
    voice server knows the session no more.
    """

    guild_id: int
    token: str
    session_id: str
    ssrc: int
    line: Line | None = None
    previous: Line | None = None
    lost: bool = False
    mode: str | None = None
    key: bytes = b""
    dave: int = 0
    address: tuple[str, int] | None = None
    speaking: int = 0
    sequence: int = 0
    sealed: int = 0
    kept: deque[tuple[int, int, Any]] = field(default_factory=lambda: deque(maxlen=KEPT))
    voices: dict[int, Voice] = field(default_factory=dict)

    @property
    def resumable(self) -> bool:
        """Whether op 7 may bring this session back."""
        return self.mode is not None and not self.lost

    def keep(self, op: int, data: Any) -> int:
        """Number a message and keep it for a resume; returns its number."""
        self.sequence += 1
        self.kept.append((self.sequence, op, data))
        return self.sequence

    def missed(self, after: int) -> list[tuple[int, int, Any]]:
        """Return what was sent after a number: number, op, data. -1 for everything kept."""
        return [one for one in self.kept if one[0] > after]

    def end(self, code: int) -> None:
        """Close whatever line there is."""
        for line in (self.line, self.previous):
            if line is not None:
                line.end(code)
        self.line = self.previous = None

"""One gateway session: what it may hear, what it has been sent, and the connection it has right now."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.server.gateway import intents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.server.gateway.line import Line

REPLAY = 10_000
"""Events kept for a resume; a session that missed more has to identify anew."""


class Connection(Protocol):
    """The websocket of a session."""

    acknowledging: bool
    """Whether heartbeats are answered."""

    @property
    def frozen(self) -> bool:
        """Whether nothing passes in either direction."""
        ...

    def send(self, frame: str) -> None:
        """Queue one frame; never blocks."""
        ...

    def send_together(self, frames: Sequence[str]) -> None:
        """Queue frames that leave in one write."""
        ...

    def invalidate(self, resumable: bool) -> None:
        """Say that the session is no longer this connection's, and let it begin another one."""
        ...

    def freeze(self) -> None:
        """Let nothing pass any more, without a word to anybody."""
        ...

    def abort(self) -> None:
        """Tear the TCP connection down without a close frame."""
        ...

    def close(self, code: int) -> None:
        """Close with a code, after what is queued."""
        ...


@dataclass(slots=True)
class Session:
    """A session lives from IDENTIFY until the client closes it cleanly or it is invalidated.

    ``awaited_until``: a fault hit it, and until that moment (monotonic, seconds) time waits for its return.
    ``delivered`` is the number of the dispatch that left last, ``line`` what is wrong with their way.
    """

    id: str
    intents: int
    shard: tuple[int, int] = (0, 1)
    large_threshold: int = 50
    sequence: int = 0
    connection: Connection | None = None
    voice_endpoint: str = ""
    losses: int = 0
    awaited_until: float | None = None
    delivered: int = 0
    line: Line | None = None
    replay: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=REPLAY))

    def sees(self, guild_id: int) -> bool:
        """Whether events of a guild belong to this session's shard; direct messages go to shard 0."""
        return (guild_id >> 22) % self.shard[1] == self.shard[0]

    def may_hear(self, event: str, *, in_guild: bool) -> bool:
        """Whether the session's intents let an event through."""
        needed = intents.required(event, in_guild=in_guild)
        return not needed or bool(self.intents & needed)

    def push(self, event: str, encoded: str) -> int:
        """Number an event, keep it for a resume, send it when connected; returns its number."""
        self.sequence += 1
        frame = f'{{"op":0,"t":"{event}","s":{self.sequence},"d":{encoded}}}'
        self.replay.append((self.sequence, frame))
        if self.connection is not None:
            if self.line is None:
                self.connection.send(frame)
                self.delivered = self.sequence
            else:
                self.line.take(self, event, (self.sequence, frame))
        return self.sequence

    def deliver(self, dispatches: Sequence[tuple[int, str]]) -> None:
        """Send numbered dispatches in one write, in the order given."""
        if self.connection is not None and dispatches:
            self.connection.send_together([frame for _, frame in dispatches])
            self.delivered = dispatches[-1][0]

    @property
    def kept_from(self) -> int:
        """The number of the first dispatch that can still be replayed."""
        return self.replay[0][0] if self.replay else self.sequence + 1

    def missed(self, after: int) -> list[str] | None:
        """Return the frames after a number, or None when some of them are no longer kept."""
        if after > self.sequence:
            return None
        if after + 1 < self.kept_from:
            return None
        return [frame for number, frame in self.replay if number > after]


def plain(frame: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a client's frame with its token blanked, for the log."""
    data = frame.get("d")
    if isinstance(data, dict) and "token" in data:
        return {**frame, "d": {**data, "token": "..."}}
    return frame

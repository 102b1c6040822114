"""The numbers by which the gateway judges its clients; tests change them to see the ends of things soon."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class GatewaySettings:
    """What holds for every connection from the moment it is changed.

    Heartbeats and the frames of a client are timed by the machine's clock, as clients time them so too; what
    is told by ``session_start_limit`` goes by sandbox time.
    """

    shards: int = 1
    """How many shards GET /gateway/bot recommends."""
    guilds_per_shard: int = 2_500
    """A shard that would have more is refused with 4011."""
    sessions_per_day: int = 1_000
    """IDENTIFY calls in 24 hours; one more ends all sessions and makes the token invalid."""
    max_concurrency: int = 1
    """IDENTIFY calls in 5 s, for each remainder of the shard's number."""
    pace_identifies: bool = False
    """Whether ``max_concurrency`` is insisted on (op 9); while the clock stands nobody else gets in."""
    heartbeat_seconds: float = 41.25
    """The interval told in HELLO; who is silent for half as long again is closed with 4009."""
    frames_per_minute: int = 120
    """Frames of a client within 60 s; one more closes the connection with 4008."""
    largest_frame: int = 4_096
    """Bytes of a client's frame; a larger one closes the connection with 4002."""

"""Discord ids: a time in milliseconds, shifted left by 22 bits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol

DISCORD_EPOCH = 1_420_070_400_000
"""Milliseconds between the Unix epoch and Discord's first second of 2015."""

_FOUNDED_BEFORE = timedelta(days=400)


class Now(Protocol):
    """Whatever tells the sandbox time."""

    def now(self) -> datetime: ...


def milliseconds(moment: datetime) -> int:
    """Return an aware moment as whole milliseconds since the Unix epoch."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)


def created_at(snowflake: int) -> datetime:
    """Return the moment an id was made."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=(snowflake >> 22) + DISCORD_EPOCH)


class Mint:
    """Makes ids of which each has a millisecond of its own.

    discord.py hashes users, members and guilds by ``id >> 22``: ids that share a millisecond would all
    collide and turn every set of members quadratic.
    """

    def __init__(self, clock: Now) -> None:
        self._clock = clock
        start = milliseconds(clock.now())
        self._founded = start - _FOUNDED_BEFORE // timedelta(milliseconds=1)
        self._last = start - 1
        self.first = (start - DISCORD_EPOCH) << 22
        """The least id of what comes into being after the scene was set."""

    def founding(self) -> int:
        """Return the id of something that was there long before the scene begins."""
        self._founded += 1_009
        return (self._founded - DISCORD_EPOCH) << 22

    def next(self) -> int:
        """Return the id of something that comes into being now; strictly greater than every one before."""
        self._last = max(self._last + 1, milliseconds(self._clock.now()))
        return (self._last - DISCORD_EPOCH) << 22

"""Heartbeats of shards: until when each was connected, and whether another process beats for it too.

A process names itself in every beat. Who finds another name there, after its own stood there, knows that the
other one has beaten in between: two bots run on one database with the same shard, and each of them records
everybody's time. What a process finds before its first beat is its predecessor, however lately that was
killed; of that one a single beat may still be under way to the server, so it takes two.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from core.clock import Clock
from core.database.errors import DatabaseClosed, DatabaseUnavailable
from core.voice.store import beat, last_beat

_log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 15.0
#: Beats of another process, after ours, that make it sure.
SURE_AFTER = 2
#: Without a further beat for so long, the other one is gone.
GONE_AFTER = timedelta(seconds=4 * HEARTBEAT_SECONDS)


class Store(Protocol):
    """The part of the database that heartbeats need."""

    def write(self, fn: Callable[..., Any], /, *args: Any, key: int) -> Awaitable[Any]:
        """Run `fn` in the writer and return its result after the commit."""

    def read(self, fn: Callable[..., Any], /, *args: Any) -> Awaitable[Any]:
        """Run `fn` on a read-only connection."""


@dataclass(frozen=True, slots=True)
class Rival:
    """Another process that beats for a shard of ours.

    :param owner: its name: host, process number and a random part.
    :param beats: how many of its beats were noticed.
    :param seen: when the last one was.
    """

    shard_id: int
    owner: str
    beats: int
    seen: datetime

    def __str__(self) -> str:
        host, _, rest = self.owner.partition("/")
        return (
            f"another bot (process {rest.partition('/')[0]} on {host}) runs on this database and has shard "
            f"{self.shard_id} too, so voice is recorded twice; stop one of them, or give it a database of "
            "its own"
        )


class ShardBeats:
    """Writes the heartbeats of this process.

    :param db: where they are written.
    :param clock: what they are timed by.
    """

    def __init__(self, db: Store, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self.owner = f"{socket.gethostname().replace('/', '-')}/{os.getpid()}/{secrets.token_hex(4)}"
        self._first: dict[int, asyncio.Task[datetime | None]] = {}
        #: Shards whose stored beat was ours when we last wrote one.
        self._ours: set[int] = set()
        self._rivals: dict[int, Rival] = {}

    def rivals(self) -> list[Rival]:
        """Return the processes that surely beat for a shard of ours, by shard."""
        return [self._rivals[shard] for shard in sorted(self._rivals) if _sure(self._rivals[shard])]

    async def run(self, shard_id: int, connected: Callable[[], bool], every: float) -> None:
        """Store every `every` seconds that a shard is connected, until cancelled."""
        # The last beat of the process before us must be read before ours takes its place.
        await self.first(shard_id)
        while True:
            began = self._clock.monotonic()
            if connected():
                await self.now(shard_id)
            # A beat that waited for the database is old when it is stored: the next one must not be late too.
            await self._clock.sleep(max(0.0, began + every - self._clock.monotonic()))

    async def now(self, shard_id: int) -> None:
        """Store that a shard is connected now; a beat that cannot be stored is told to the log."""
        at = self._clock.now()
        was_ours = shard_id in self._ours
        self._ours.discard(shard_id)
        try:
            found = await self._db.write(beat, shard_id, at, self.owner, key=shard_id)
        except (DatabaseUnavailable, DatabaseClosed) as error:
            # A beat that is missing only widens what a later recovery estimates.
            _log.error("the heartbeat of shard %d could not be stored: %s", shard_id, error)
            return
        except Exception:
            _log.exception("storing the heartbeat of shard %d failed", shard_id)
            return
        self._ours.add(shard_id)
        if was_ours:
            self._judge(shard_id, found, at)

    async def first(self, shard_id: int) -> datetime | None:
        """Return the beat that an earlier process left, read once per shard and process."""
        task = self._first.get(shard_id)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = self._first[shard_id] = asyncio.ensure_future(self._read(shard_id))
        return await asyncio.shield(task)

    async def _read(self, shard_id: int) -> datetime | None:
        found: datetime | None = await self._db.read(last_beat, shard_id)
        return found

    def _judge(self, shard_id: int, found: str | None, at: datetime) -> None:
        """Take what stood where our last beat was written."""
        known = self._rivals.get(shard_id)
        if found is not None and found != self.owner:
            rival = Rival(shard_id, found, 1 if known is None else known.beats + 1, at)
            self._rivals[shard_id] = rival
            if rival.beats == SURE_AFTER:
                _log.error("%s", rival)
        elif known is not None and at - known.seen > GONE_AFTER:
            del self._rivals[shard_id]
            if _sure(known):
                _log.warning("the other bot with shard %d beats no more: %s", shard_id, known.owner)


def _sure(rival: Rival) -> bool:
    return rival.beats >= SURE_AFTER

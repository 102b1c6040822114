"""One process of the recorder for stories: its clock, its way to the database, and what it has stored."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import peewee

from core.clock import SteppedClock
from core.database import Database, GuildSight, VoiceSession
from core.events import SessionRecord
from core.voice.sessions import VoiceRecorder
from core.voice.sights import see
from core.voice.store import beat


class WallClock(SteppedClock):
    """A stepped clock whose time of day can be set, while what has elapsed goes on as it did."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.offset = timedelta()

    def now(self) -> datetime:
        return super().now() + self.offset


class Gate:
    """The way from one process to the database: it can be held up, and ends with the process."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.free = asyncio.Event()
        self.free.set()
        self.voice_free = asyncio.Event()
        """While it is not set, nothing but heartbeats gets through."""
        self.voice_free.set()
        self.dead = False
        self.under_way = 0
        self.refused: list[str] = []

    async def write(self, fn: Callable[..., Any], *args: Any, key: int) -> Any:
        await self.free.wait()
        if fn not in {beat, see}:
            await self.voice_free.wait()
        if self.dead:
            await asyncio.Event().wait()
        self.under_way += 1
        try:
            return await self.db.write(fn, *args, key=key)
        except peewee.DatabaseError as error:
            self.refused.append(repr(error))
            raise
        finally:
            self.under_way -= 1

    async def read(self, fn: Callable[..., Any], *args: Any) -> Any:
        self.under_way += 1
        try:
            return await self.db.read(fn, *args)
        finally:
            self.under_way -= 1

    def open(self) -> None:
        """Let everything through again."""
        self.free.set()
        self.voice_free.set()

    def there(self) -> Awaitable[None]:
        return self.db.there()


@dataclass
class Process:
    """A running recorder and what belongs to it."""

    gate: Gate
    recorder: VoiceRecorder
    beating: asyncio.Task[None] | None = None
    recovering: asyncio.Task[None] | None = None


def all_rows(guild_id: int) -> list[SessionRecord]:
    """Return every row of a guild, whatever its status. Store function."""
    return _records(VoiceSession.select().where(VoiceSession.guild_id == guild_id))


def last_sight(guild_id: int) -> datetime | None:
    """Return until when a guild was last seen. Store function."""
    row = GuildSight.get_or_none(GuildSight.guild_id == guild_id)
    return None if row is None else row.seen_until


def open_rows(guild_id: int) -> list[SessionRecord]:
    """Return the open rows of a guild. Store function."""
    return [row for row in all_rows(guild_id) if row.left is None]


def _records(query: Any) -> list[SessionRecord]:
    names = SessionRecord.__dataclass_fields__
    return [SessionRecord(**{name: getattr(row, name) for name in names}) for row in query]

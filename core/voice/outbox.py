"""From transitions to committed rows to hooks, in order, per guild.

What the tracker says is queued in the tick in which it is said. One task per guild, alive only while there
is work, writes everything queued in one batch and delivers the hooks once that batch is committed.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import peewee

from core.clock import Clock
from core.database.errors import DatabaseClosed, DatabaseUnavailable
from core.events import (
    Resync,
    SessionRecord,
    VoiceSessionEnded,
    VoiceSessionMoved,
    VoiceSessionStarted,
    VoiceStateChanged,
)
from core.values import quick_maker
from core.voice.journal import Journal
from core.voice.store import apply_transitions
from core.voice.transitions import (
    Corrected,
    Discarded,
    Ended,
    Moved,
    Rewritten,
    Started,
    StateChanged,
    Transition,
)

_log = logging.getLogger(__name__)

FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 30.0
#: Failed attempts after which data that the database refuses is looked at piece by piece.
TRIES_OF_BAD_DATA = 4
_BAD_DATA = (peewee.IntegrityError, peewee.DataError, ValueError, TypeError)
LARGEST_BATCH = 2_000
ANNOUNCED_AT_ONCE = 250
#: Items that wait in memory, of some 400 bytes each; beyond that they wait in a file.
LIMIT = 200_000
#: Items that are taken back from the file in one step of the event loop.
READ_AT_ONCE = 500
DATA = Path("data")

_moved_event = quick_maker(VoiceSessionMoved)

Deliver = Callable[[int, str, object], None]


class Writer(Protocol):
    """The part of the database that voice needs."""

    def write(self, fn: Callable[..., Any], /, *args: Any, key: int) -> Awaitable[Any]:
        """Run `fn` in the writer and return its result after the commit."""

    def read(self, fn: Callable[..., Any], /, *args: Any) -> Awaitable[Any]:
        """Run `fn` on a read-only connection."""

    def there(self) -> Awaitable[None]:
        """Return once the database answers."""


@dataclass(frozen=True, slots=True)
class Overflow:
    """More waits for the database than memory is to hold.

    :param waiting: how many voice events wait.
    :param aside: how many of these wait in a file.
    :param limit: how many may wait in memory.
    :param problem: why the file cannot be written, so that they do wait in memory all the same; or None.
    """

    waiting: int
    aside: int
    limit: int
    problem: str | None

    def __str__(self) -> str:
        words = f"{self.waiting} voice events wait for the database, {self.aside} of them beyond the "
        words += f"{self.limit} that memory is to hold (VOICE_QUEUE_LIMIT)"
        if self.problem is None:
            return f"{words}, in a file; all are written when it is back"
        return f"{words}; a file for them cannot be written ({self.problem}), so make room on the disk"


class Outbox:
    """Writes and announces transitions; a failing write is repeated until it succeeds.

    :param db: where they are written.
    :param clock: what the waits between attempts run on.
    :param deliver: called with guild, hook and event after the commit, in order; must not block.
    :param limit: how many items of all guilds wait in memory; further ones wait in a file in `folder`.
    """

    def __init__(
        self, db: Writer, clock: Clock, deliver: Deliver, *, limit: int = LIMIT, folder: Path = DATA
    ) -> None:
        self._db = db
        self._clock = clock
        self._deliver = deliver
        self._limit = limit
        self._queues: dict[int, deque[Transition | Resync]] = {}
        self._held = 0
        """How many items are in all the queues."""
        self._journal = Journal(folder)
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._working: set[int] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def put(self, guild_id: int, items: Sequence[Transition | Resync]) -> None:
        """Queue `items` of one guild behind what is queued already."""
        if self._held >= self._limit or self._journal:
            self._put_aside(guild_id, items)
        else:
            self._put(guild_id, items)

    def _put(self, guild_id: int, items: Sequence[Transition | Resync]) -> None:
        queue = self._queues.get(guild_id)
        if queue is None:
            queue = deque(items)
            if not queue:
                return
            self._queues[guild_id] = queue
        else:
            queue.extend(items)
        self._held += len(items)
        if guild_id not in self._tasks:
            self._mark(guild_id, working=True)
            self._tasks[guild_id] = asyncio.create_task(self._drain(guild_id), name=f"voice:{guild_id}")

    def waiting(self) -> int:
        """Return how many items are neither written nor announced yet."""
        return sum(len(queue) for queue in self._queues.values()) + len(self._journal)

    def overflow(self) -> Overflow | None:
        """Return what waits beside memory, None when nothing does."""
        if not self._journal:
            return None
        return Overflow(self.waiting(), len(self._journal), self._limit, self._journal.problem)

    def holds(self, guild_id: int) -> bool:
        """Say whether anything of this guild is neither committed nor announced yet."""
        return guild_id in self._queues or bool(self._journal.of(guild_id))

    async def flushed(self, guild_id: int) -> None:
        """Return once nothing of this guild is queued."""
        while True:
            if (task := self._tasks.get(guild_id)) is not None:
                await asyncio.wait([task])
            elif self._journal.of(guild_id) and self._tasks:
                # Whoever is done reads on in the file.
                await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            else:
                return

    async def idle(self) -> None:
        """Return once nothing is being written; what waits for a repeated attempt counts as idle."""
        await self._quiet.wait()

    async def close(self, grace_seconds: float = 10.0) -> None:
        """Write what is queued, for at most `grace_seconds` of real time, then stop."""
        tasks = list(self._tasks.values())
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=grace_seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)
            _log.error("%d voice transitions could not be written before the stop", self.waiting())
        self._journal.close()

    async def _drain(self, guild_id: int) -> None:
        queue = self._queues[guild_id]
        try:
            while queue:
                await _gathered(queue)
                batch = list(islice(queue, LARGEST_BATCH))
                await self._write(guild_id, [item for item in batch if not isinstance(item, Resync)])
                # Taken off only now: neither a failure nor a cancellation loses it.
                for number in range(1, len(batch) + 1):
                    item = queue.popleft()
                    self._held -= 1
                    self._announce(guild_id, item)
                    if number % ANNOUNCED_AT_ONCE == 0:
                        await asyncio.sleep(0)
                if self._journal:
                    self._read_on()
            del self._queues[guild_id]
        finally:
            del self._tasks[guild_id]
            self._mark(guild_id, working=False)

    def _put_aside(self, guild_id: int, items: Sequence[Transition | Resync]) -> None:
        if not items:
            return
        if not self._journal:
            _log.warning(
                "%d voice events wait for the database: further ones wait in a file until it is back",
                self._held,
            )
        self._journal.append(guild_id, items)

    def _read_on(self) -> None:
        """Take what was put aside back into memory, a bit at a time, once half of that is free."""
        room = min(max(self._limit // 2, 1) - self._held, READ_AT_ONCE)
        while room > 0 and (found := self._journal.pop()) is not None:
            self._put(*found)
            room -= len(found[1])
        if not self._journal:
            _log.warning("all voice events that waited in a file are back in memory and are written")

    async def _write(
        self, guild_id: int, transitions: list[Transition], tries_of_bad_data: int = TRIES_OF_BAD_DATA
    ) -> None:
        if not any(_has_row(transition) for transition in transitions):
            return
        wait = FIRST_RETRY_SECONDS
        tries = 0
        while True:
            try:
                await self._db.write(apply_transitions, transitions, key=guild_id)
            except DatabaseUnavailable:
                # It says so itself, once for all; and it says when it is back.
                self._mark(guild_id, working=False)
                await self._db.there()
                self._mark(guild_id, working=True)
                continue
            except Exception as error:
                tries += 1
                if tries >= tries_of_bad_data and isinstance(error, _BAD_DATA):
                    await self._write_what_can_be(guild_id, transitions, error)
                    return
                _log.error(
                    "writing %d voice transitions of guild %d failed; next attempt in %.1f s: %s",
                    len(transitions),
                    guild_id,
                    wait,
                    error,
                    exc_info=not isinstance(error, DatabaseClosed),
                )
            else:
                return
            self._mark(guild_id, working=False)
            await self._clock.sleep(wait)
            self._mark(guild_id, working=True)
            wait = min(wait * 2, LONGEST_RETRY_SECONDS)

    async def _write_what_can_be(
        self, guild_id: int, transitions: list[Transition], error: Exception
    ) -> None:
        """Write the transitions one by one; what the database will never take is left to the log."""
        if len(transitions) == 1:
            _log.error(
                "a voice transition of guild %d cannot be stored and is left out: %r",
                guild_id,
                transitions[0],
                exc_info=error,
            )
            return
        for transition in transitions:
            await self._write(guild_id, [transition], tries_of_bad_data=1)

    def _announce(self, guild_id: int, item: Transition | Resync) -> None:
        told = _hook_of(item)
        if told is None:
            return
        hook, event = told
        try:
            self._deliver(guild_id, hook, event)
        except Exception:
            _log.exception("delivering %s in guild %d failed", hook, guild_id)

    def _mark(self, guild_id: int, *, working: bool) -> None:
        (self._working.add if working else self._working.discard)(guild_id)
        (self._quiet.clear if self._working else self._quiet.set)()


async def _gathered(queue: deque[Transition | Resync]) -> None:
    """Return once a turn of the event loop brings nothing further, or a batch is full.

    A flood lasts for many turns, and a transaction for each of them costs more than the rows.
    """
    size = 0
    while size < len(queue) < LARGEST_BATCH:
        size = len(queue)
        await asyncio.sleep(0)


def _has_row(transition: Transition) -> bool:
    return not isinstance(transition, StateChanged) or transition.session is not None


def _hook_of(item: Transition | Resync) -> tuple[str, object] | None:
    """Return what plugins hear of an item; for them the AFK channel is nowhere."""
    match item:
        case Moved(closed, opened):
            return _moved(closed, opened)
        case Started(session):
            return _moved(None, session)
        case Ended(session) | Discarded(session):
            return _moved(session, None)
        case Rewritten(session, former):
            voided = replace(
                former, left=former.joined, deafened_us=0, deafened_since=None, status="cancelled"
            )
            return _moved(voided, session)
        case StateChanged(snapshot, _):
            return None if snapshot.afk else ("on_voice_state_changed", VoiceStateChanged(snapshot))
        case Corrected():
            return None
        case Resync():
            return "on_resync", item


def _moved(closed: SessionRecord | None, opened: SessionRecord | None) -> tuple[str, object] | None:
    gone = None if closed is None or closed.afk else closed
    come = None if opened is None or opened.afk else opened
    if gone is not None and come is not None:
        return "on_voice_session_moved", _moved_event(gone, come)
    if come is not None:
        return "on_voice_session_started", VoiceSessionStarted(come)
    if gone is not None:
        return "on_voice_session_ended", VoiceSessionEnded(gone)
    return None

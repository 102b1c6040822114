"""The only source of now() and of sleep().

Production runs on `SystemClock`. Tests, the demo and a bot attached to a sandbox run on
`SteppedClock`, whose time stands still until somebody turns it.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What everything that needs time is handed."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never go backwards, from an arbitrary start."""

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` have passed on this clock."""

    async def sleep_until(self, when: datetime) -> None:
        """Return once this clock shows `when` or later."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def sleep_until(self, when: datetime) -> None:
        # A wall clock can be set while we sleep: look again instead of trusting one long sleep.
        while (left := (when - self.now()).total_seconds()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(min(left, 60.0))


class SteppedClock:
    """A clock that somebody turns: sleepers wake in the order of their times.

    :param start: the time it shows at first; aware.
    """

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise ValueError("a clock starts at an aware time, for example datetime.now(UTC)")
        self._now = start.astimezone(UTC)
        self._elapsed = 0.0
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._asleep: set[asyncio.Task[object]] = set()
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._elapsed

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self._now + timedelta(seconds=seconds))

    async def sleep_until(self, when: datetime) -> None:
        if when <= self._now:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (when, next(self._order), future))
        task = asyncio.current_task()
        if task is None:
            await future
            return
        self._asleep.add(task)
        future.add_done_callback(lambda _: self._asleep.discard(task))
        await future

    def is_asleep(self, task: asyncio.Task[object]) -> bool:
        """Say whether a task waits for this clock to be turned, and for nothing else."""
        return task in self._asleep

    def next_due(self) -> datetime | None:
        """Return when the next sleeper wakes, or None if nobody sleeps."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    async def advance_to(self, when: datetime, settle: Callable[[], Awaitable[None]] | None = None) -> None:
        """Turn the clock to `when`, waking sleepers in order on the way.

        :param when: the new time; an earlier one than now() is allowed (a clock set back) and wakes nobody.
        :param settle: awaited after each wake-up, so that what a sleeper does is done before time goes on.
        """
        while (due := self.next_due()) is not None and due <= when:
            self._set(due)
            while self.next_due() == due:
                _, _, future = heapq.heappop(self._sleepers)
                if not future.done():
                    future.set_result(None)
            await asyncio.sleep(0)
            if settle is not None:
                await settle()
        self._set(when)

    async def advance(self, seconds: float, settle: Callable[[], Awaitable[None]] | None = None) -> None:
        """Turn the clock on by `seconds`; see `advance_to`."""
        await self.advance_to(self._now + timedelta(seconds=seconds), settle)

    def _set(self, when: datetime) -> None:
        self._elapsed += max(0.0, (when - self._now).total_seconds())
        self._now = when

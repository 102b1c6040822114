"""The sandbox's time: it stands still until somebody advances it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sandbox.server.acts import carried

_log = logging.getLogger(__name__)

ANSWER_WITHIN = 10.0
"""Real seconds within which an attached clock has to answer a tick."""
_SETTLE_ROUNDS = 200
_LEAST_STEP = timedelta(milliseconds=1)

Action = Callable[[], Awaitable[object]]


class AttachedClock(Protocol):
    """The clock of one bot process, stepped together with the sandbox."""

    async def tick(self, now: datetime, sequences: dict[str, int]) -> datetime | None:
        """Return, once idle at ``now`` with all up to ``sequences`` handled, when the next timer is due.

        ``sequences`` holds the number of the last event sent to each gateway session. Raises
        ConnectionError when the process behind it has gone.
        """
        ...


async def _at_once() -> None:
    return


class WorldClock:
    """Aware UTC time that moves only in steps, each waited for by everything that is attached."""

    def __init__(self, start: datetime | None = None) -> None:
        if start is None:
            start = datetime.now(UTC).replace(microsecond=0)
        if start.tzinfo is None:
            raise ValueError("the sandbox's clock needs an aware time: pass datetime(..., tzinfo=UTC)")
        self.start = start.astimezone(UTC)
        self._now = self.start
        self._timers: list[tuple[datetime, int, Action]] = []
        self._order = itertools.count()
        self._attached: list[AttachedClock] = []
        self._due: dict[int, datetime | None] = {}
        self._advancing = asyncio.Lock()
        self.sequences: Callable[[], dict[str, int]] = dict
        self.ready: Callable[[], Awaitable[None]] = _at_once
        self.on_moved: Callable[[], None] = lambda: None
        self.on_advance: Callable[[datetime], Callable[[], None]] = lambda target: lambda: None
        """Called with the time that the clock is to reach; what it returns, once that is reached."""
        self.on_detached: Callable[[str], None] = lambda reason: None

    def now(self) -> datetime:
        """Return the sandbox time, aware UTC."""
        return self._now

    @property
    def attached(self) -> int:
        """How many clocks are stepped along."""
        return len(self._attached)

    def call_at(self, when: datetime, action: Action) -> None:
        """Run ``action`` while the clock passes ``when``; timers of one moment run in order."""
        heapq.heappush(self._timers, (when, next(self._order), carried(action)))

    def call_later(self, seconds: float, action: Action) -> None:
        """Run ``action`` once ``seconds`` of sandbox time have passed."""
        self.call_at(self._now + timedelta(seconds=seconds), action)

    def attach(self, clock: AttachedClock) -> None:
        """Step ``clock`` along from now on."""
        self._attached.append(clock)

    def detach(self, clock: AttachedClock) -> None:
        """Stop stepping ``clock``; unknown ones are ignored."""
        if clock in self._attached:
            self._attached.remove(clock)
        self._due.pop(id(clock), None)

    async def advance(self, seconds: float) -> None:
        """Move the time on by ``seconds``, firing what is due on the way, and return when all are idle.

        Raises ValueError for a negative number of seconds.
        """
        if not 0 <= seconds < float("inf"):
            raise ValueError("time only goes forward: give a number of seconds from 0 up")
        async with self._advancing:
            target = self._now + timedelta(seconds=seconds)
            reached = self.on_advance(target)
            await self._settle()
            await self._fire_due()
            while self._now < target:
                self._now = self._next_stop(target)
                self.on_moved()
                if self._timers and self._timers[0][0] <= self._now:
                    # Who hears of what happens now is to hear it at this time, not at the stop before.
                    await self._tell()
                    await self._fire_due()
                else:
                    await self._settle()
            reached()

    def _next_stop(self, target: datetime) -> datetime:
        stops = [target]
        if self._timers:
            stops.append(self._timers[0][0])
        stops.extend(due for due in self._due.values() if due is not None)
        return min(target, max(min(stops), self._now + _LEAST_STEP))

    async def _fire_due(self) -> None:
        fired = False
        while self._timers and self._timers[0][0] <= self._now:
            _, _, action = heapq.heappop(self._timers)
            await action()
            fired = True
        if fired:
            await self._settle()

    async def _settle(self) -> None:
        """Tick until nobody has anything left to do: what a bot does on a tick may send it further events."""
        await self.ready()
        await self._tell()

    async def _tell(self) -> None:
        """Tick without waiting for those who are thrown out."""
        if not self._attached:
            await asyncio.sleep(0)
            return
        for _ in range(_SETTLE_ROUNDS):
            before = self.sequences()
            await asyncio.gather(*(self._tick(clock, before) for clock in tuple(self._attached)))
            if self.sequences() == before:
                return
        _log.warning("the bot still causes events after %d ticks at %s; going on", _SETTLE_ROUNDS, self._now)

    async def _tick(self, clock: AttachedClock, sequences: dict[str, int]) -> None:
        try:
            due = await asyncio.wait_for(clock.tick(self._now, sequences), ANSWER_WITHIN)
        except TimeoutError:
            self._drop(clock, f"an attached clock did not answer within {ANSWER_WITHIN:g} s and was detached")
        except ConnectionError as error:
            self._drop(clock, f"an attached clock went away and was detached: {error}")
        else:
            if clock in self._attached:
                self._due[id(clock)] = due

    def _drop(self, clock: AttachedClock, reason: str) -> None:
        _log.warning("%s", reason)
        self.detach(clock)
        self.on_detached(reason)

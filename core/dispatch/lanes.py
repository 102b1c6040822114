"""Lanes: first in, first out, one per (plugin, guild), with a task only while there is work.

A plugin that sleeps, raises or hangs holds up nobody but itself in that one guild.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core import tasks
from core.dispatch import limits
from core.dispatch.breakers import Breakers
from core.dispatch.calls import Call, Calls
from core.dispatch.errors import BreakerOpen, DeliveryDropped
from core.dispatch.figures import Figures
from core.dispatch.outcomes import failure_of, name_failure, what_happened
from core.dispatch.trace import Trace
from core.events import Resync

if TYPE_CHECKING:
    from core.plugins.manager import Target

log = logging.getLogger(__name__)

Key = tuple[str, int]


@dataclass(slots=True, eq=False)
class Lane:
    """What waits for one plugin in one guild, and what runs now."""

    plugin: str
    guild_id: int
    waiting: deque[Call] = field(default_factory=deque)
    worker: asyncio.Task[None] | None = None
    call: Call | None = None
    #: Events lost since it was last empty, and how often it was full.
    lost: int = 0
    overflows: int = 0


class Lanes:
    """All lanes of the process.

    :param calls: runs the calls.
    :param resync_of: a plugin's `on_resync`, None if it has none.
    :param locale_of: the language of what is said in a guild; None leaves what holds already.
    """

    def __init__(
        self,
        calls: Calls,
        figures: Figures,
        trace: Trace,
        *,
        resync_of: Callable[[str], Target | None],
        locale_of: Callable[[int], str | None],
    ) -> None:
        self._calls = calls
        self._locale_of = locale_of
        self._figures = figures
        self._trace = trace
        self._resync_of = resync_of
        self._lanes: dict[Key, Lane] = {}
        self._nonsense: set[tuple[str, str]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.breakers: Breakers

    def put(
        self,
        target: Target,
        guild_id: int,
        event: object,
        answer: asyncio.Future[None] | None = None,
        delivery: int | None = None,
    ) -> None:
        """Queue a delivery behind what waits already, or drop and count it where the breaker is open.

        :param answer: what becomes done with the delivery's end.
        """
        if self.breakers.is_open(target.plugin, guild_id) and target.hook not in limits.LIFE:
            self._drop(Call(target, guild_id, event, answer=answer), BreakerOpen(target.plugin, guild_id))
            return
        key = (target.plugin, guild_id)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes[key] = Lane(target.plugin, guild_id)
        # Asked for once: in Python 3.11 each look at the running loop is a call of the system.
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
        call = Call(target, guild_id, event, loop.time(), answer, delivery)
        if len(lane.waiting) >= limits.LANE_LIMIT and target.hook not in limits.LIFE:
            self._overflow(lane, call)
        else:
            lane.waiting.append(call)
        if lane.worker is None:
            self._start(lane, loop)
        elif lane.worker.done():
            self._revive(lane)

    def clear(self, plugin: str, guild_id: int, error: Exception) -> int:
        """Drop what waits in a lane, but for the plugin's own coming and going; returns how many."""
        lane = self._lanes.get((plugin, guild_id))
        return self._clear(lane, error) if lane is not None else 0

    async def drain(self, plugin: str, guild_id: int, within: float, *, leave: bool = False) -> None:
        """Wait until a lane is empty; what is left after `within` seconds is dropped and named in the log.

        A call that does not end even then keeps its lane shut: what comes later waits behind it.

        :param leave: give the lane up instead, for the process ends.
        """
        lane = self._lanes.get((plugin, guild_id))
        if lane is None or await self._empty(lane, within):
            return
        waiting = len(lane.waiting)
        for call in list(lane.waiting):
            self._drop(call, DeliveryDropped(plugin, call.target.hook, "it did not come in time"))
        lane.waiting.clear()
        log.error(
            "%s in guild %s did not finish %s events in time", plugin, guild_id, waiting + bool(lane.call)
        )
        if lane.call is not None:
            self._calls.stop(lane.call)
        # A little longer than it takes until one that does not heed it is named.
        if await self._empty(lane, tasks.CANCEL_GRACE + 0.05):
            return
        if leave:
            log.error("%s in guild %s is left behind", plugin, guild_id)
            self._lanes.pop((plugin, guild_id), None)

    def busy(self) -> list[Key]:
        """Return the lanes that have work."""
        return list(self._lanes)

    def workers(self) -> list[asyncio.Task[None]]:
        """Return the tasks of the lanes that have work."""
        lanes = [lane for lane in list(self._lanes.values()) if self._at_work(lane)]
        return [lane.worker for lane in lanes if lane.worker is not None]

    def depths(self) -> dict[Key, int]:
        """Return how many deliveries wait or run in each lane that has any."""
        return {key: len(lane.waiting) + (lane.call is not None) for key, lane in self._lanes.items()}

    async def _empty(self, lane: Lane, within: float) -> bool:
        try:
            async with asyncio.timeout(within):
                while self._at_work(lane):
                    assert lane.worker is not None
                    await asyncio.wait({lane.worker})
        except TimeoutError:
            return False
        return True

    def _start(self, lane: Lane, loop: asyncio.AbstractEventLoop) -> None:
        # In a context of its own: whoever delivers may be a plugin, whose scope is nobody else's.
        lane.worker = asyncio.Task(
            self._work(lane, loop),
            loop=loop,
            name=f"lane {lane.plugin} {lane.guild_id}",
            context=Context(),
        )

    def _at_work(self, lane: Lane) -> bool:
        if lane.worker is not None and lane.worker.done():
            self._revive(lane)
        return lane.worker is not None

    def _revive(self, lane: Lane) -> None:
        """Give what a worker has left to another one: somebody has cancelled it.

        Looked after whenever the lane is looked at, since a callback at the end of each worker would cost as
        much as the call itself.
        """
        worker, lane.worker, lane.call = lane.worker, None, None
        assert worker is not None
        if not worker.cancelled() and (error := worker.exception()) is not None:
            log.error("%s failed", worker.get_name(), exc_info=error)
        if lane.waiting:
            self._start(lane, worker.get_loop())
        elif self._lanes.get((lane.plugin, lane.guild_id)) is lane:
            del self._lanes[lane.plugin, lane.guild_id]

    async def _work(self, lane: Lane, loop: asyncio.AbstractEventLoop) -> None:
        worker = lane.worker
        try:
            while lane.waiting:
                lane.call = call = lane.waiting.popleft()
                call.task = worker
                call.locale = self._locale_of(lane.guild_id)
                call.began = loop.time()
                answer = None
                try:
                    answer = await self._calls.run(call)
                finally:
                    self._ended(call, answer, loop.time())
                    lane.call = None if not call.left else call
                if call.left:
                    await self._calls.settled(call)
                    lane.call = None
        except BaseException:
            # Somebody cancelled it, or the loop is gone.
            if not loop.is_closed():
                loop.call_soon(self._at_work, lane)
            raise
        if lane.lost:
            log.warning("%s in guild %s has lost %s events", lane.plugin, lane.guild_id, lane.lost)
        lane.worker = None
        if self._lanes.get((lane.plugin, lane.guild_id)) is lane:
            del self._lanes[lane.plugin, lane.guild_id]

    def _ended(self, call: Call, answer: object, now: float) -> None:
        """Count a call that has ended, and tell whoever waits for it."""
        plugin, hook, guild_id = call.target.plugin, call.target.hook, call.guild_id
        if answer is not None and call.outcome == "done":
            call.outcome = "nonsense"
            self._name_nonsense(plugin, hook, answer)
        good = call.outcome in ("done", "nonsense")
        ran = now - call.began
        self._figures.ended(plugin, hook, ran, failed=not good, timed_out=call.outcome == "timed out")
        self._trace.add(call.target, guild_id, call.began - call.queued, ran, call.outcome)
        if good:
            self.breakers.succeeded(plugin, guild_id, hook)
        else:
            name_failure(call)
            if call.outcome in ("failed", "timed out"):
                self.breakers.failed(plugin, guild_id, what_happened(call), hook=hook)
        if call.answer is not None and not call.answer.done():
            error = failure_of(call)
            if error is None:
                call.answer.set_result(None)
            else:
                call.answer.set_exception(error)

    def _overflow(self, lane: Lane, call: Call) -> None:
        """Empty a lane that is full: one look at the world again stands for all that is lost."""
        first = not lane.lost
        lane.overflows += 1
        hooks = Counter(each.target.hook for each in (*lane.waiting, call))
        plugin, guild_id = lane.plugin, lane.guild_id
        error = DeliveryDropped(plugin, call.target.hook, f"more than {limits.LANE_LIMIT} events waited")
        lane.lost += self._clear(lane, error)
        lane.lost += self._drop(call, error)
        resync = self._resync_of(plugin)
        if resync is not None:
            lane.waiting.append(Call(resync, guild_id, Resync(guild_id, "overflow"), call.queued))
        if first:
            log.error(
                "%s in guild %s is too slow: %s dropped; %s",
                plugin,
                guild_id,
                ", ".join(f"{count} {hook}" for hook, count in sorted(hooks.items())),
                "it is told to look again"
                if resync is not None
                else "it has no on_resync, so nothing tells it of them",
            )
        # A plugin that floods itself may do well with each event, for ever.
        self.breakers.failed(plugin, guild_id, "too many events waited", in_a_row=lane.overflows)

    def _clear(self, lane: Lane, error: Exception) -> int:
        kept = [call for call in lane.waiting if call.target.hook in limits.LIFE]
        gone = [call for call in lane.waiting if call.target.hook not in limits.LIFE]
        lane.waiting.clear()
        lane.waiting.extend(kept)
        return sum(self._drop(call, error) for call in gone)

    def _drop(self, call: Call, error: Exception) -> int:
        """Count a delivery that never begins; returns 1, or 0 for a word of our own."""
        if call.answer is not None and not call.answer.done():
            call.answer.set_exception(error)
        if call.target.hook == "on_resync":
            return 0
        self._figures.dropped(call.target.plugin, call.target.hook)
        return 1

    def _name_nonsense(self, plugin: str, hook: str, answer: object) -> None:
        if (plugin, hook) not in self._nonsense:
            self._nonsense.add((plugin, hook))
            log.error(
                "%s.%s returned %s; an on_* hook returns nothing, so it is thrown away",
                plugin,
                hook,
                type(answer).__name__,
            )

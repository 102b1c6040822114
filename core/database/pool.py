"""From the event loop to the threads and back: gives free threads what is next, and callers their results."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from core.clock import SystemClock
from core.database.operations import Operation
from core.database.scheduling import Scheduler
from core.database.workers import Worker

logger = logging.getLogger("redlegion.database")
_monotonic = SystemClock().monotonic
#: Threads share what waits, but a transaction of fewer calls than these is not worth sharing.
_WORTH_SHARING = 20
#: Seconds between two looks whether a slow call keeps others waiting.
_LOOK_EVERY = 0.1


class Pool:
    """Threads that share one queue; all of it on the event loop.

    :param batch: calls that one transaction takes at most.
    :param ended: called with calls that have ended.
    :param pauses: seconds that a late call rests before its next run, one after the other; empty for none.
    :param patience: seconds that a call waits for slow ones, which have threads of their own and are ended
        then; None for ever.
    :param polite: seconds that a slow call has all the same.
    """

    def __init__(
        self,
        scheduler: Scheduler,
        *,
        batch: int,
        ended: Callable[[list[Operation]], None],
        pauses: Sequence[float] = (),
        patience: float | None = None,
        polite: float = 0.0,
    ) -> None:
        self.scheduler = scheduler
        self.workers: list[Worker] = []
        self._batch = batch
        self._ended = ended
        self._pauses = pauses
        self._patience = patience
        self._polite = polite
        self._slow_workers: set[Worker] = set()
        self._free: list[Worker] = []
        self._busy: dict[Worker, bool] = {}
        self._slow_turn = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._planned: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None

    def employ(self, fast: Sequence[Worker], slow: Sequence[Worker] = ()) -> None:
        """Use these threads.

        :param slow: for slow calls; without them the fast ones take turns.
        """
        self._loop = asyncio.get_running_loop()
        self.workers = [*fast, *slow]
        self._slow_workers = set(slow)
        self._free = [*fast, *slow]

    def submit(self, operation: Operation) -> None:
        """Queue a call."""
        operation.made = _monotonic()
        self.scheduler.add(operation)
        if self._planned is None and self._free and self._loop is not None:
            # Once for all that is submitted in this turn of the loop: they share a commit.
            self._planned = self._loop.call_soon(self._hand_out)

    def take_back(self, worker: Worker, operations: list[Operation], free: bool) -> None:
        """Take calls that a thread is done with; give it the next before anybody hears of these."""
        if operations:
            slow = self._busy.pop(worker)
            ended = [one for one in operations if one.ended or one.skipped]
            for operation in operations:
                if operation.skipped:
                    operation.ended, operation.late = True, False
                if operation.late:
                    self._name(operation)
                if operation.late and self._pauses:
                    pause = self._pauses[min(operation.yields, len(self._pauses)) - 1]
                    operation.due = _monotonic() + pause
            self.scheduler.finished(operations, slow=slow)
        if free:
            self._free.append(worker)
            self._hand_out()
        if operations and ended:
            self._ended(ended)

    def give_up(self, error: Callable[[], BaseException]) -> None:
        """Fail every call that no thread has begun."""
        given_up = self.scheduler.drain()
        for operation in given_up:
            operation.fail(error())
        if given_up:
            self._ended(given_up)

    def _hand_out(self) -> None:
        self._planned = None
        # What the fast ones leave aside is for the slow ones.
        for worker in sorted(self._free, key=self._slow_workers.__contains__):
            operations, slow = self._next_for(worker)
            if operations:
                self._free.remove(worker)
                self._busy[worker] = slow
                worker.queue.put(operations)
        self._plan_slow()
        self._watch_slow()

    def _next_for(self, worker: Worker) -> tuple[list[Operation], bool]:
        scheduler = self.scheduler
        if worker in self._slow_workers:
            return scheduler.take_slow(_monotonic()), True
        if self._slow_workers:
            return scheduler.take(self._share()), False
        # One thread for both: by turns, so that neither waits for more than one run of the other.
        if self._slow_turn and (operations := scheduler.take_slow(_monotonic())):
            self._slow_turn = False
            return operations, True
        if operations := scheduler.take(self._batch):
            self._slow_turn = True
            return operations, False
        self._slow_turn = False
        return scheduler.take_slow(_monotonic()), True

    def _name(self, operation: Operation) -> None:
        where = "later" if self._pauses else "in a thread of its own"
        logger.warning(
            "%s was stopped after %.0f ms, since others wait; it runs again %s",
            operation.name,
            operation.seconds * 1000,
            where,
        )

    def _share(self) -> int:
        free = sum(worker not in self._slow_workers for worker in self._free)
        if free < 2 or not self.scheduler.has_several_keys(self._batch):
            return self._batch
        return min(self._batch, max(_WORTH_SHARING, -(-self.scheduler.ready // free)))

    def _watch_slow(self) -> None:
        """Have slow calls looked after while there are any."""
        if self._patience is None or self._watch is not None or self._loop is None:
            return
        if not self._slow_workers.isdisjoint(self._busy):
            self._watch = self._loop.call_later(_LOOK_EVERY, self._end_what_keeps_others)

    def _end_what_keeps_others(self) -> None:
        self._watch = None
        made_before = _monotonic() - (self._patience or 0.0)
        for worker in self._slow_workers & self._busy.keys():
            if (found := worker.running()) is None:
                continue
            operation, seconds = found
            since = self.scheduler.awaited_since(operation)
            if seconds > self._polite and since is not None and since < made_before:
                worker.end(operation)
        self._watch_slow()

    def _plan_slow(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self.scheduler.next_due()
        if due is not None and self._free and self._loop is not None and due > (now := _monotonic()):
            self._timer = self._loop.call_later(due - now, self._hand_out)

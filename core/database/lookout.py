"""Looks every second at what the threads run: names what does not return, ends it when the process stops."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from core.database.operations import Operation
from core.database.workers import Worker

logger = logging.getLogger("redlegion.database")

LOOK_EVERY = 1.0


class Lookout:
    """Has a timer only while calls are under way; on the event loop.

    :param workers: the threads.
    :param pending: how many calls are under way.
    """

    def __init__(self, workers: Callable[[], Iterable[Worker]], pending: Callable[[], int]) -> None:
        self._workers = workers
        self._pending = pending
        self._timer: asyncio.TimerHandle | None = None
        self._named: set[Operation] = set()
        self._ends = False

    def watch(self) -> None:
        """Look in a while, if nobody does so already."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_EVERY, self._look)

    def end_what_is_late(self) -> None:
        """From now on stop statements of calls that had their time."""
        self._ends = True

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        running = {worker: found for worker in self._workers() if (found := worker.running()) is not None}
        for worker, (operation, seconds) in running.items():
            if seconds > LOOK_EVERY and operation not in self._named:
                # It says itself how long it took, but only when it returns.
                self._named.add(operation)
                logger.warning("%s has been running for %.1f s in %s", operation.name, seconds, worker.name)
            if self._ends:
                asyncio.get_running_loop().run_in_executor(None, worker.interrupt)
        self._named.intersection_update(operation for operation, _ in running.values())
        if self._pending():
            self.watch()

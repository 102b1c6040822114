"""The tasks that a process owns, and whether any of them still moves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Coroutine
from contextvars import copy_context
from typing import Any

from core.clock import Clock, SteppedClock
from core.scope import current

log = logging.getLogger(__name__)

#: Real seconds that a cancelled task gets to come to its end.
CANCEL_GRACE = 2.0


async def stopped(tasks: Collection[asyncio.Task[Any]]) -> bool:
    """Cancel tasks and say whether all came to their end; those that refuse to are named and left."""
    for task in tasks:
        task.cancel()
    if not tasks:
        return True
    _, deaf = await asyncio.wait(tasks, timeout=CANCEL_GRACE)
    for task in deaf:
        log.error("%s did not stop when it was cancelled and is left behind", task.get_name())
    return not deaf


def unowned_task(work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
    """Start a task of the process itself, also from within the code of a plugin: no scope is inherited."""
    context = copy_context()
    context.run(current.set, None)
    # Past the loop's factory, which notes the tasks of plugins.
    return asyncio.Task(work, loop=asyncio.get_running_loop(), name=name, context=context)


class TaskBook:
    """Owns tasks: none is forgotten by the garbage collector, and none fails unseen."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        """Run something that the process owns; it is waited for at the end.

        :param name: what the log calls it when it fails.
        """
        task = unowned_task(work, name)
        self._own(task)
        return task

    def track_current(self) -> None:
        """Own the current task, which somebody else started."""
        task = asyncio.current_task()
        if task is not None:
            self._own(task)

    def moving(self) -> list[asyncio.Task[Any]]:
        """Return the tasks that are at work; those that wait for a stepped clock are not."""
        return [task for task in self._tasks if not self.asleep(task)]

    def asleep(self, task: asyncio.Task[Any]) -> bool:
        """Say whether only the turning of a stepped clock can wake a task."""
        return isinstance(self._clock, SteppedClock) and self._clock.is_asleep(task)

    async def close(self, within: float) -> None:
        """Wait up to `within` real seconds, then cancel what is left."""
        me = asyncio.current_task()
        left = {task for task in self._tasks if task is not me}
        if left and within:
            _, left = await asyncio.wait(left, timeout=within)
        await stopped(left)

    def _own(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._forget)

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)

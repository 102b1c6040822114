"""One run of one job: its handler in a task of its own, its deadline, and its true end."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from core import tasks
from core.scope import Scope, running
from core.threads import LeftRunning, left_running

log = logging.getLogger(__name__)


class JobFailed(Exception):
    """A job did not do its work; the message is one sentence that is kept with the job."""


class Run:
    """A handler at work.

    :param handler: called without arguments.
    :param scope: on whose behalf.
    :param deadline: real seconds after which it is cancelled.
    :param on_hung: called once when it goes on after it was told to stop.
    """

    def __init__(
        self,
        handler: Callable[[], Awaitable[None]],
        scope: Scope,
        deadline: float,
        on_hung: Callable[[], None],
    ) -> None:
        self.hung = False
        self.stopped = False
        self._left: list[LeftRunning] = []
        self._on_hung = on_hung
        self._deadline = deadline
        self._name = f"{scope.plugin}.{scope.hook}"
        self.task = asyncio.create_task(
            self._call(handler, scope), name=f"{scope.hook} of {scope.plugin} in {scope.guild_id}"
        )

    def stop(self) -> None:
        """Tell it to stop, before its deadline; `ended` returns when it has."""
        if not self.stopped and not self.task.done():
            self.stopped = True
            self.task.cancel()
            asyncio.get_running_loop().call_later(tasks.CANCEL_GRACE, self._look)

    async def ended(self) -> BaseException | None:
        """Return once nothing of it goes on, in the loop or in a thread: what it raised, or None.

        One that was stopped before its end returns a CancelledError, and may be cut off by cancelling this.
        """
        await asyncio.wait({self.task}, timeout=self._deadline)
        late = not self.task.done() and not self.stopped
        if late:
            self.task.cancel()
            await asyncio.wait({self.task}, timeout=tasks.CANCEL_GRACE)
            self._look()
        await asyncio.wait({self.task})
        if self._left:
            self._hang(f"left {', '.join(one.name for one in self._left)} running in a thread")
            for one in self._left:
                await _end_of(one, self._name)
        if late:
            return JobFailed(f"it took longer than its {self._deadline:g} s and was stopped")
        if self.task.cancelled():
            return asyncio.CancelledError() if self.stopped else JobFailed("it was cancelled from within")
        return self.task.result()

    def _look(self) -> None:
        if not self.task.done():
            self._hang("does not stop although it was cancelled")

    def _hang(self, words: str) -> None:
        if not self.hung:
            log.error("%s %s; no other job of it starts in this guild until it ends", self._name, words)
            self.hung = True
            self._on_hung()

    async def _call(self, handler: Callable[[], Awaitable[None]], scope: Scope) -> BaseException | None:
        left_running.set(self._left)
        with running(scope):
            try:
                await handler()
            # SystemExit in a plugin would end the event loop and with it everybody else's work.
            except (Exception, SystemExit, KeyboardInterrupt) as error:
                return error
        return None


async def _end_of(left: LeftRunning, name: str) -> None:
    try:
        await left.ended()
    except Exception as error:
        log.warning("the end of %s of %s was not seen: %s", left.name, name, error)

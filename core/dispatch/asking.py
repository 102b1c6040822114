"""Asks plugins and waits for their answers: `decide_*`, `filter_*`, `collect_*`.

Each plugin is asked in a task of its own, so that one that hangs, even against being cancelled, costs whoever
asks no more than the deadline.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from core import tasks
from core.dispatch import limits
from core.dispatch.calls import Call, Calls
from core.dispatch.errors import HookFailed
from core.dispatch.figures import Figures
from core.dispatch.outcomes import failure_of, name_failure
from core.dispatch.trace import Trace
from core.tasks import unowned_task

if TYPE_CHECKING:
    from core.plugins.manager import Target

log = logging.getLogger(__name__)


class Asker:
    """Asks one plugin after the other.

    :param calls: runs the calls.
    """

    def __init__(self, calls: Calls, figures: Figures, trace: Trace) -> None:
        self._calls = calls
        self._figures = figures
        self._trace = trace
        self._settling: set[asyncio.Task[None]] = set()

    async def decide(self, targets: Sequence[Target], guild_id: int, event: object) -> Any:
        """Return the first answer that is not None; a plugin that fails is logged and passed over."""
        for target in targets:
            try:
                answer = await self.ask(target, guild_id, event)
            except Exception:
                # Logged where it was called.
                continue
            if answer is not None:
                return answer
        return None

    async def collect(self, targets: Sequence[Target], guild_id: int, event: object) -> list[tuple[str, Any]]:
        """Return every answer that is not None, as (plugin, answer); a plugin that fails is left out."""
        found = []
        for target in targets:
            try:
                answer = await self.ask(target, guild_id, event)
            except Exception:
                # Logged where it was called.
                continue
            if answer is not None:
                found.append((target.plugin, answer))
        return found

    async def filter(self, targets: Sequence[Target], guild_id: int, value: Any, event: object) -> Any:
        """Pass a value through every plugin and return what the last one made of it.

        :raises HookFailed: a plugin failed or forgot to return the value.
        """
        for target in targets:
            try:
                answer = await self.ask(target, guild_id, event, value)
            except Exception as error:
                raise HookFailed(target.plugin, target.hook, f"{type(error).__name__}: {error}") from error
            if answer is None and value is not None:
                log.error("%s.%s returned nothing instead of the value", target.plugin, target.hook)
                raise HookFailed(target.plugin, target.hook, "it returned nothing instead of the value")
            value = answer
        return value

    async def ask(self, target: Target, guild_id: int, event: object, value: object = None) -> Any:
        """Ask one plugin and return its answer.

        :raises TimeoutError: it did not answer in time.
        :raises Exception: what it raised; RuntimeError for what would end the process.
        """
        loop = asyncio.get_running_loop()
        # In the language of whoever asks, which may be a command.
        call = Call(target, guild_id, event, began=loop.time())
        call.task = task = unowned_task(
            self._calls.run(call, value), f"{target.plugin}.{target.hook} {guild_id}"
        )
        task.add_done_callback(lambda _: self._settle(call))
        try:
            await asyncio.wait({task}, timeout=limits.DEADLINE + tasks.CANCEL_GRACE)
        except asyncio.CancelledError:
            self._calls.stop(call)
            raise
        ran = loop.time() - call.began
        # It may not even have heeded being stopped.
        if not call.ended:
            call.outcome = "timed out"
        failed = call.outcome != "done"
        self._figures.ended(
            target.plugin, target.hook, ran, failed=failed, timed_out=call.outcome == "timed out"
        )
        self._trace.add(target, guild_id, 0.0, ran, call.outcome)
        error = failure_of(call)
        if error is None:
            return task.result()
        name_failure(call)
        raise error

    async def close(self) -> None:
        """Leave what still runs in threads to itself."""
        for task in self._settling:
            task.cancel()
        if self._settling:
            await asyncio.wait(self._settling)

    def _settle(self, call: Call) -> None:
        if call.left:
            task = unowned_task(self._calls.settled(call), f"settle {call.target.plugin}")
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

"""One call of one plugin: its scope, its deadline, its end, and what it leaves running."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core import tasks
from core.dispatch import limits
from core.i18n import current_locale, set_locale
from core.scope import Scope, current
from core.threads import LeftRunning, left_running

if TYPE_CHECKING:
    from core.context import Context
    from core.plugins.manager import Target

log = logging.getLogger(__name__)

#: What most hooks take.
USUAL = ("ctx", "event")
#: Scopes that are kept for the next call of the same hook in the same guild.
SCOPES = 65_536


@dataclass(frozen=True, slots=True)
class HungCall:
    """A call that outlived its deadline and still goes on, so that its lane stays shut.

    :param running: seconds since it began.
    :param waits_for: the functions that still run in a thread; empty for a handler that does not end.
    """

    plugin: str
    guild_id: int
    hook: str
    running: float
    waits_for: tuple[str, ...]


@dataclass(slots=True, eq=False)
class Call:
    """A call that waits or is under way.

    :param queued: when it came, on the loop's own clock; `began` is when it began.
    :param answer: becomes done with its end; None where nobody waits for that.
    :param delivery: the number under which it may come again.
    :param task: the task that it runs in; set before it begins.
    :param locale: what its texts are translated to; None leaves what holds already.
    """

    target: Target
    guild_id: int
    event: object
    queued: float = 0.0
    answer: asyncio.Future[None] | None = None
    delivery: int | None = None
    began: float = 0.0
    task: asyncio.Task[Any] | None = None
    locale: str | None = None
    left: list[LeftRunning] = field(default_factory=list)
    expired: bool = False
    stops: int = 0
    ended: bool = False
    outcome: str = "done"
    error: BaseException | None = None

    def stop(self) -> None:
        """Cancel it; once it has ended by itself this does nothing."""
        if not self.ended and self.task is not None:
            self.stops += 1
            self.task.cancel()


class Calls:
    """Runs calls, stops those that take too long, and knows which of them still go on.

    All of them have the same deadline, so the oldest one is always the next to be stopped and one timer is
    enough for all.

    :param context_for: makes the `Context` that a plugin is handed in a guild.
    """

    def __init__(self, context_for: Callable[[str, int], Context]) -> None:
        self._context_for = context_for
        self._scopes: dict[tuple[str, str, int, str | None], Scope] = {}
        self._running: dict[Call, None] = {}
        self._hung: dict[Call, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def run(self, call: Call, value: object = None) -> Any:
        """Call the target and return what it returned; how it ended is in the call.

        Returns when the function has ended, which may be long after it was told to stop; what it left in
        threads is in `call.left`.

        :raises CancelledError: the task was cancelled by somebody else.
        """
        target, task, locale = call.target, call.task, call.locale
        assert task is not None
        current.set(self._scope(call))
        if locale is not None and locale != current_locale():
            set_locale(locale)
        left_running.set(call.left)
        self._watch(call)
        answer = None
        ctx = self._context_for(target.plugin, call.guild_id)
        try:
            if target.arguments == USUAL:
                answer = await target.function(ctx, call.event)
            elif not target.arguments:
                answer = await target.function()
            else:
                values = {"ctx": ctx, "event": call.event, "value": value}
                answer = await target.function(*[values[name] for name in target.arguments])
        except asyncio.CancelledError as error:
            call.error = error
            if not call.stops and task.cancelling():
                call.outcome = "cancelled"
                self._hung.pop(call, None)
                raise
            # One that nobody asked for is the plugin's own doing.
            call.outcome = "failed"
        # SystemExit in a plugin would end the event loop and with it everybody else's work.
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            call.outcome, call.error = "failed", error
        finally:
            call.ended = True
            self._running.pop(call, None)
        if call.stops:
            for _ in range(call.stops):
                task.uncancel()
            call.outcome = "timed out" if call.expired else "stopped"
        if not call.left:
            self._hung.pop(call, None)
        return answer

    async def settled(self, call: Call) -> None:
        """Return once nothing that the call began goes on in a thread."""
        if not call.left:
            return
        self._hung[call] = None
        names = ", ".join(one.name for one in call.left)
        plugin, hook = call.target.plugin, call.target.hook
        log.error("%s.%s has ended, but %s still runs in a thread; its lane stays shut", plugin, hook, names)
        try:
            for one in call.left:
                try:
                    await one.ended()
                except Exception as error:
                    log.warning("the end of %s of %s.%s was not seen: %s", one.name, plugin, hook, error)
        finally:
            self._hung.pop(call, None)
        seconds = asyncio.get_running_loop().time() - call.began
        log.warning("%s of %s.%s has ended after %.1f s; its lane goes on", names, plugin, hook, seconds)

    def hung(self) -> list[HungCall]:
        """Return the calls that outlived their deadline, or their stop, and still go on."""
        if not self._hung:
            return []
        now = asyncio.get_running_loop().time()
        return [
            HungCall(
                call.target.plugin,
                call.guild_id,
                call.target.hook,
                now - call.began,
                tuple(one.name for one in call.left),
            )
            for call in self._hung
        ]

    def stop(self, call: Call) -> None:
        """Cancel a call before its deadline, and name it if it does not heed that."""
        self._running.pop(call, None)
        if call in self._hung:
            call.stop()
        else:
            self._cancel(call)

    def close(self) -> None:
        """Let the timer go."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _scope(self, call: Call) -> Scope:
        """Return the scope of a call; one that comes only once shares it with others of its kind."""
        target = call.target
        if call.delivery is not None:
            return Scope(target.plugin, call.guild_id, target.hook, call.locale, call.delivery)
        key = (target.plugin, target.hook, call.guild_id, call.locale)
        scope = self._scopes.get(key)
        if scope is None:
            if len(self._scopes) >= SCOPES:
                self._scopes.clear()
            scope = self._scopes[key] = Scope(target.plugin, call.guild_id, target.hook, call.locale)
        return scope

    def _watch(self, call: Call) -> None:
        self._running[call] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(limits.DEADLINE, self._look)

    def _look(self) -> None:
        """Stop the calls whose time is over, and come back when the next one's is."""
        self._timer = None
        loop = asyncio.get_running_loop()
        while self._running:
            oldest = next(iter(self._running))
            over = oldest.began + limits.DEADLINE
            if over > loop.time():
                self._timer = loop.call_at(over, self._look)
                return
            del self._running[oldest]
            oldest.expired = True
            self._cancel(oldest)

    def _cancel(self, call: Call) -> None:
        call.stop()
        self._hung[call] = None
        asyncio.get_running_loop().call_later(tasks.CANCEL_GRACE, self._name_deaf, call)

    def _name_deaf(self, call: Call) -> None:
        if call.ended:
            return
        log.error(
            "%s.%s in guild %s did not stop when it was cancelled; its lane stays shut until it ends",
            call.target.plugin,
            call.target.hook,
            call.guild_id,
        )
        if call.answer is not None and not call.answer.done():
            call.answer.set_exception(TimeoutError(f"{call.target.plugin}.{call.target.hook} does not end"))

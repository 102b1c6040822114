"""The front of dispatch: who hears what, in which guild, and how they fare."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from core.clock import Clock, SystemClock
from core.dispatch.asking import Asker
from core.dispatch.breakers import Breakers, BreakerState
from core.dispatch.calls import Calls, HungCall
from core.dispatch.errors import BreakerOpen, UnknownHook
from core.dispatch.figures import Figures, HookFigure
from core.dispatch.lanes import Lanes
from core.dispatch.tables import Tables
from core.dispatch.trace import Delivery, Trace
from core.events import Resync
from core.plugin_tasks import plugin_tasks

if TYPE_CHECKING:
    from core.context import Context
    from core.plugins import PluginManager
    from core.plugins.manager import Target

#: Called once per process, by the process.
PER_PROCESS = frozenset({"on_startup", "on_shutdown"})


class Dispatcher:
    """Carries events to the plugins that are on in a guild, and asks them.

    :param manager: the loaded plugins.
    :param context_for: makes the `Context` that a plugin is handed in a guild.
    :param clock: what breakers wait on.
    :param locale_of: the language of what is said in a guild.
    :param trace_hooks: log each delivery.
    """

    def __init__(
        self,
        manager: PluginManager,
        context_for: Callable[[str, int], Context],
        *,
        clock: Clock | None = None,
        locale_of: Callable[[int], str | None] = lambda guild_id: None,
        trace_hooks: bool = False,
    ) -> None:
        self._manager = manager
        self._tables = Tables(manager)
        self._hooks = frozenset(
            hook for hook in manager.hooks if hook not in PER_PROCESS and not hook.startswith("register_")
        )
        self._emitted = frozenset(hook for hook in self._hooks if hook.startswith("on_"))
        clock = clock or SystemClock()
        self._figures = Figures()
        self._trace = Trace(clock, logged=trace_hooks)
        self._calls = Calls(context_for)
        self._lanes = Lanes(
            self._calls, self._figures, self._trace, resync_of=self._resync_of, locale_of=locale_of
        )
        self._asker = Asker(self._calls, self._figures, self._trace)
        self._breakers = Breakers(clock, self._tables, self._left_alone, self._tried_again)
        self._lanes.breakers = self._breakers

    def set_plugins(self, guild_id: int, plugins: frozenset[str]) -> None:
        """Replace the whole table of a guild; what already waits in a lane is still delivered.

        A plugin that comes or goes starts afresh: its failures are forgotten.

        :param plugins: the names that are on; empty means the guild costs one look-up per event.
        """
        for plugin in self._tables.set(guild_id, plugins):
            self._breakers.reset(plugin, guild_id)

    def deliver(self, guild_id: int, hook: str, event: object = None) -> None:
        """Queue an event for every plugin that is on in the guild and listens to `hook`.

        :raises UnknownHook: there is no `on_*` hook of this name.
        """
        if hook not in self._emitted:
            raise self._unknown(hook)
        table = self._tables.of.get(guild_id)
        if table is None:
            return
        for target in table.get(hook, ()):
            self._lanes.put(target, guild_id, event)

    def deliver_to(self, plugin: str, guild_id: int, hook: str, event: object = None) -> None:
        """Queue an event for one plugin, on or not; nothing happens if it does not listen to `hook`.

        :raises UnknownHook: there is no hook of this name.
        """
        target = self._target(plugin, hook)
        if target is not None:
            self._lanes.put(target, guild_id, event)

    async def deliver_and_wait(
        self, plugin: str, guild_id: int, hook: str, event: object = None, *, delivery: int | None = None
    ) -> None:
        """Queue an event for one plugin, on or not, and return when that delivery has ended.

        Returns at once if the plugin does not listen to `hook`.

        :param delivery: what the handler finds as `ctx.delivery`: the same number each time that this is
            delivered again.
        :raises BreakerOpen: the plugin is left alone in this guild for now.
        :raises DeliveryDropped: it was taken out of its lane: too much waited, or the plugin went off.
        :raises TimeoutError: it took too long.
        :raises Exception: what the handler raised.
        """
        target = self._target(plugin, hook)
        if target is None:
            return
        if self._breakers.is_open(plugin, guild_id):
            raise BreakerOpen(plugin, guild_id)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lanes.put(target, guild_id, event, answer, delivery)
        await answer

    async def decide(self, guild_id: int, hook: str, event: object = None) -> Any | None:
        """Ask the plugins that are on, in order, until one has an answer; see `Asker.decide`."""
        return await self._asker.decide(self._asked(guild_id, hook, "decide_"), guild_id, event)

    async def filter(self, guild_id: int, hook: str, value: Any, event: object = None) -> Any:
        """Pass a value through the plugins that are on, in order.

        :raises HookFailed: one of them failed, so the value is not known.
        """
        return await self._asker.filter(self._asked(guild_id, hook, "filter_"), guild_id, value, event)

    async def collect(self, guild_id: int, hook: str, event: object = None) -> list[tuple[str, Any]]:
        """Ask every plugin that is on; returns (plugin, answer) of those that have one."""
        return await self._asker.collect(self._asked(guild_id, hook, "collect_"), guild_id, event)

    async def ask(
        self, plugin: str, guild_id: int, hook: str, event: object = None, *, value: object = None
    ) -> Any:
        """Ask one plugin, on or not; None if it does not listen to `hook`.

        :param value: what a `filter_*` hook is given.
        :raises TimeoutError: it did not answer in time.
        :raises Exception: what it raised.
        """
        target = self._target(plugin, hook)
        return None if target is None else await self._asker.ask(target, guild_id, event, value)

    async def drain(self, plugin: str, guild_id: int, within: float) -> None:
        """Wait until a lane is empty; what is left after `within` seconds is dropped and named in the log."""
        await self._lanes.drain(plugin, guild_id, within)

    async def end_tasks(self, plugin: str, guild_id: int) -> None:
        """Cancel the tasks that a plugin has started in a guild, and name those that it forgot."""
        await plugin_tasks().stop(plugin, guild_id)

    async def close(self, within: float = 10.0) -> None:
        """Drain every lane and end the tasks of every plugin; what does not end is named and left."""
        await asyncio.gather(
            *(self._lanes.drain(plugin, guild, within, leave=True) for plugin, guild in self._lanes.busy())
        )
        await asyncio.gather(
            *(
                self.end_tasks(plugin, guild_id)
                for plugin, guild_id in plugin_tasks().owners()
                if plugin in self._manager.loaded
            )
        )
        await self._breakers.close()
        await self._asker.close()
        self._calls.close()

    def workers(self) -> Iterable[asyncio.Task[None]]:
        """Return the tasks of the lanes that have work now."""
        return self._lanes.workers()

    def figures(self) -> list[HookFigure]:
        """Return what each hook of each plugin has done so far."""
        return self._figures.all()

    def depths(self) -> dict[tuple[str, int], int]:
        """Return how many deliveries wait or run, per (plugin, guild) that has any."""
        return self._lanes.depths()

    def breakers(self) -> list[BreakerState]:
        """Return the breakers that are not closed."""
        return self._breakers.all()

    def reset_breaker(self, plugin: str, guild_id: int) -> bool:
        """Give a plugin its events in a guild again at once; returns whether they were kept from it."""
        was_open = self._breakers.reset(plugin, guild_id)
        if was_open and self._tables.is_on(plugin, guild_id):
            self._resync(plugin, guild_id)
        return was_open

    def hung(self) -> list[HungCall]:
        """Return the calls that outlived their deadline and keep their lanes shut."""
        return self._calls.hung()

    def trace(self) -> list[Delivery]:
        """Return the last 1,000 deliveries, oldest first."""
        return self._trace.all()

    @property
    def delivered(self) -> Counter[tuple[str, str]]:
        """Return how many calls ended well, per (plugin, hook)."""
        return self._figures.counted("delivered")

    @property
    def failed(self) -> Counter[tuple[str, str]]:
        """Return how many calls did not end well, per (plugin, hook)."""
        return self._figures.counted("failed")

    @property
    def dropped(self) -> Counter[tuple[str, str]]:
        """Return how many events were never delivered, per (plugin, hook)."""
        return self._figures.counted("dropped")

    def _target(self, plugin: str, hook: str) -> Target | None:
        if hook not in self._hooks:
            raise self._unknown(hook)
        loaded = self._manager.loaded.get(plugin)
        return loaded.targets.get(hook) if loaded is not None else None

    def _asked(self, guild_id: int, hook: str, family: str) -> tuple[Target, ...]:
        if hook not in self._hooks or not hook.startswith(family):
            raise self._unknown(hook)
        table = self._tables.of.get(guild_id)
        return table.get(hook, ()) if table is not None else ()

    def _unknown(self, hook: str) -> UnknownHook:
        if hook in PER_PROCESS:
            return UnknownHook(hook, "the process calls it, once; it is not delivered in a guild")
        if hook in self._hooks:
            return UnknownHook(
                hook, "it is of another family: on_* is emitted, decide_*, filter_* and collect_* are asked"
            )
        return UnknownHook(
            hook,
            "there is no hook of this name; a plugin declares its own by register_hookspecs, "
            "and docs/plugins.md lists those of the core",
        )

    def _resync_of(self, plugin: str) -> Target | None:
        return self._manager.loaded[plugin].targets.get("on_resync")

    def _resync(self, plugin: str, guild_id: int) -> None:
        target = self._resync_of(plugin)
        if target is not None:
            self._lanes.put(target, guild_id, Resync(guild_id, "breaker"))

    def _left_alone(self, plugin: str, guild_id: int) -> None:
        self._lanes.clear(plugin, guild_id, BreakerOpen(plugin, guild_id))

    def _tried_again(self, plugin: str, guild_id: int) -> None:
        """Half-open: looking at the world again is the trial, and what it missed is made good with it."""
        self._resync(plugin, guild_id)

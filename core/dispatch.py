"""Delivers `on_*` hooks: a table per guild, and one lane per (plugin, guild).

A lane is first in first out and has a worker only while there is work, so a plugin that sleeps,
raises or hangs holds up nobody but itself in that one guild.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.events import Resync
from core.scope import Scope, running
from core.tasks import stopped

if TYPE_CHECKING:
    from core.context import Context
    from core.plugins import PluginManager
    from core.plugins.manager import Target

log = logging.getLogger(__name__)

#: Seconds that one delivery may take before it is cancelled.
DEADLINE = 5.0
#: Deliveries that may wait in one lane before it is emptied and told to look again.
LANE_LIMIT = 1_000

Table = Mapping[str, tuple["Target", ...]]


@dataclass(slots=True)
class Lane:
    """What waits for one plugin in one guild."""

    waiting: deque[tuple[Target, object]] = field(default_factory=deque)
    worker: asyncio.Task[None] | None = None


class Dispatcher:
    """Carries events to the plugins that are on in a guild.

    :param manager: the loaded plugins.
    :param context_for: makes the `Context` that a plugin is handed in a guild.
    """

    def __init__(self, manager: PluginManager, context_for: Callable[[str, int], Context]) -> None:
        self._manager = manager
        self._context_for = context_for
        self._tables: dict[int, Table] = {}
        self._compiled: dict[frozenset[str], Table] = {}
        self._lanes: dict[tuple[str, int], Lane] = {}
        self.delivered: Counter[tuple[str, str]] = Counter()
        self.failed: Counter[tuple[str, str]] = Counter()

    def set_plugins(self, guild_id: int, plugins: frozenset[str]) -> None:
        """Replace the whole table of a guild; what already waits in a lane is still delivered.

        :param plugins: the names that are on; empty means the guild costs one look-up per event.
        """
        if not plugins:
            self._tables.pop(guild_id, None)
            return
        if plugins not in self._compiled:
            self._compiled[plugins] = self._compile(plugins)
        self._tables[guild_id] = self._compiled[plugins]

    def deliver(self, guild_id: int, hook: str, event: object = None) -> None:
        """Queue an event for every plugin that is on in the guild and listens to `hook`."""
        table = self._tables.get(guild_id)
        if table is None:
            return
        for target in table.get(hook, ()):
            self._queue(target, guild_id, event)

    def deliver_to(self, plugin: str, guild_id: int, hook: str, event: object = None) -> None:
        """Queue an event for one plugin, on or not; nothing happens if it does not listen to `hook`."""
        loaded = self._manager.loaded.get(plugin)
        if loaded is not None and hook in loaded.targets:
            self._queue(loaded.targets[hook], guild_id, event)

    async def drain(self, plugin: str, guild_id: int, within: float) -> None:
        """Wait until a lane is empty; what is left after `within` seconds is dropped and named in the log."""
        lane = self._lanes.get((plugin, guild_id))
        if lane is None:
            return
        try:
            async with asyncio.timeout(within):
                while lane.worker is not None:
                    await asyncio.wait({lane.worker})
        except TimeoutError:
            log.error(
                "%s in guild %s did not finish %s events in time", plugin, guild_id, len(lane.waiting) + 1
            )
            lane.waiting.clear()
            if lane.worker is not None and not await stopped({lane.worker}):
                # The lane is left to it; what comes next gets a lane of its own.
                self._lanes.pop((plugin, guild_id), None)

    async def close(self, within: float = 10.0) -> None:
        """Drain every lane."""
        await asyncio.gather(*(self.drain(plugin, guild, within) for plugin, guild in list(self._lanes)))

    def workers(self) -> Iterable[asyncio.Task[None]]:
        """Return the tasks of the lanes that have work now."""
        return [lane.worker for lane in self._lanes.values() if lane.worker is not None]

    def _compile(self, plugins: frozenset[str]) -> Table:
        table: dict[str, list[Target]] = {}
        for name, plugin in self._manager.loaded.items():
            if name in plugins:
                for hook, target in plugin.targets.items():
                    table.setdefault(hook, []).append(target)
        return {hook: tuple(targets) for hook, targets in table.items()}

    def _queue(self, target: Target, guild_id: int, event: object) -> None:
        lane = self._lanes.setdefault((target.plugin, guild_id), Lane())
        if len(lane.waiting) >= LANE_LIMIT:
            log.error(
                "%s in guild %s is too slow: %s events dropped", target.plugin, guild_id, len(lane.waiting)
            )
            lane.waiting.clear()
            resync = self._manager.loaded[target.plugin].targets.get("on_resync")
            if resync is not None:
                lane.waiting.append((resync, Resync(guild_id, "overflow")))
        else:
            lane.waiting.append((target, event))
        if lane.worker is None:
            lane.worker = asyncio.create_task(
                self._work(lane, target.plugin, guild_id), name=f"lane {target.plugin} {guild_id}"
            )

    async def _work(self, lane: Lane, plugin: str, guild_id: int) -> None:
        try:
            while lane.waiting:
                target, event = lane.waiting.popleft()
                await self._call(target, guild_id, event)
        finally:
            lane.worker = None
            if lane.waiting:
                # A cancelled worker leaves the rest to the next one.
                lane.worker = asyncio.create_task(self._work(lane, plugin, guild_id))
            elif self._lanes.get((plugin, guild_id)) is lane:
                del self._lanes[plugin, guild_id]

    async def _call(self, target: Target, guild_id: int, event: object) -> None:
        key = (target.plugin, target.hook)
        with running(Scope(target.plugin, guild_id, target.hook)):
            try:
                values: dict[str, Any] = {"ctx": self._context_for(target.plugin, guild_id), "event": event}
                async with asyncio.timeout(DEADLINE) as deadline:
                    await target.function(*(values[name] for name in target.arguments))
                self.delivered[key] += 1
            except TimeoutError as error:
                self.failed[key] += 1
                if deadline.expired():
                    log.exception("%s.%s took longer than %s s and was stopped", *key, DEADLINE)
                else:
                    log.error("%s.%s failed", *key, exc_info=error)
            # SystemExit in a plugin would end the event loop and with it everybody else's work.
            except (Exception, SystemExit, KeyboardInterrupt):
                self.failed[key] += 1
                log.exception("%s.%s failed", *key)

"""The tasks that the code of plugins starts: known by plugin and guild, so that none outlives a switch.

A task inherits the scope of whoever starts it. The loop's task factory notes each one that is started in the
scope of a plugin; a task without one costs a single look at a contextvar.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Coroutine
from contextvars import Context, copy_context
from dataclasses import dataclass
from typing import Any

from core.scope import Scope, current
from core.tasks import stopped

log = logging.getLogger(__name__)

AnyTask = asyncio.Task[Any]


@dataclass(frozen=True, slots=True)
class _Origin:
    hook: str
    creator: AnyTask | None


class PluginTasks:
    """The task factory of one event loop, and the tasks of plugins that it has made; see `plugin_tasks`.

    :param inner: the factory that makes the tasks; None for asyncio's own way.
    """

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._tasks: dict[tuple[str, int], dict[AnyTask, _Origin]] = {}
        self._wanted: set[AnyTask] = set()

    def __call__(
        self, loop: asyncio.AbstractEventLoop, work: Coroutine[Any, Any, Any], **options: Any
    ) -> AnyTask:
        context: Context | None = options.get("context")
        scope = current.get() if context is None else context.get(current)
        task: AnyTask
        if self._inner is None:
            task = asyncio.Task(work, loop=loop, **options)
        else:
            task = self._inner(loop, work, **options)
        if scope is not None:
            self._note(task, scope)
        return task

    def spawn(self, scope: Scope, work: Coroutine[Any, Any, Any], name: str) -> AnyTask:
        """Run something that belongs to a plugin in a guild until it ends or the plugin is switched off.

        :param name: what the log calls it when it fails.
        """
        context = copy_context()
        context.run(current.set, scope)
        task = asyncio.get_running_loop().create_task(work, name=name, context=context)
        self._wanted.add(task)
        task.add_done_callback(self._ended)
        return task

    def of(self, plugin: str, guild_id: int) -> list[AnyTask]:
        """Return the tasks of a plugin in a guild that belong to nothing that still runs."""
        mine = self._tasks.get((plugin, guild_id), {})
        return [task for task in mine if task in self._wanted or not self._under_way(task, mine)]

    async def stop(self, plugin: str, guild_id: int) -> int:
        """Cancel the tasks of a plugin in a guild; those that it did not `spawn` are named in the log.

        :returns: how many there were.
        """
        found = self.of(plugin, guild_id)
        mine = self._tasks.get((plugin, guild_id), {})
        # Those that such a task has started itself go with it, without a word of their own.
        forgotten = Counter(
            f"{getattr(task.get_coro(), '__qualname__', task.get_name())} of {mine[task].hook}"
            for task in found
            if task not in self._wanted and mine[task].creator not in mine
        )
        if forgotten:
            log.error(
                "%s left tasks behind in guild %s, which are cancelled: %s; ctx.spawn starts one that is "
                "ended in time",
                plugin,
                guild_id,
                ", ".join(f"{count} x {what}" for what, count in sorted(forgotten.items())),
            )
        await stopped(found)
        return len(found)

    def owners(self) -> list[tuple[str, int]]:
        """Return every (plugin, guild) that has tasks."""
        return list(self._tasks)

    def _under_way(self, task: AnyTask, mine: dict[AnyTask, _Origin]) -> bool:
        """Say whether a command, job or delivery that still runs has started a task."""
        seen = task
        while (origin := mine.get(seen)) is not None:
            if origin.creator is None:
                return False
            seen = origin.creator
        return not seen.done()

    def _note(self, task: AnyTask, scope: Scope) -> None:
        try:
            creator = asyncio.current_task()
        except RuntimeError:
            creator = None
        key = (scope.plugin, scope.guild_id)
        self._tasks.setdefault(key, {})[task] = _Origin(scope.hook, creator)
        task.add_done_callback(lambda done: self._forget(key, done))

    def _forget(self, key: tuple[str, int], task: AnyTask) -> None:
        mine = self._tasks.get(key)
        if mine is not None:
            mine.pop(task, None)
            if not mine:
                del self._tasks[key]

    def _ended(self, task: AnyTask) -> None:
        self._wanted.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed", task.get_name(), exc_info=error)


def plugin_tasks() -> PluginTasks:
    """Return what notes the tasks of plugins on the running loop; it begins to with the first call."""
    loop = asyncio.get_running_loop()
    factory: object = loop.get_task_factory()
    if isinstance(factory, PluginTasks):
        return factory
    made = PluginTasks(factory)
    loop.set_task_factory(made)  # type: ignore[arg-type]
    return made

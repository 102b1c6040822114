"""A process that runs jobs, without Discord: the real database, plugins, toggles, lanes and job runner."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

from core.clock import Clock
from core.context import Context
from core.database import CORE_SCHEMA, migrate_up, open_database
from core.dispatch import Dispatcher
from core.guilds.state import GuildStates
from core.ids import IdSource
from core.jobs import JobRunner
from core.plugins import PluginManager
from core.settings import PluginSelection
from core.tasks import TaskBook

QUIET_TURNS = 5


class JobHost:
    """One life of such a process; it has the parts of a Runtime that jobs touch.

    :param selection: its plugins.
    :param guilds: the ids of the guilds that are open in it.
    """

    def __init__(self, url: str, selection: PluginSelection, clock: Clock, guilds: Iterable[int]) -> None:
        self.url, self.clock, self.open = url, clock, set(guilds)
        self.ids = IdSource(clock)
        self.tasks_book = TaskBook(clock)
        self.manager = PluginManager(selection.load, selection.folders)
        assert not self.manager.quarantined, self.manager.quarantined
        self._default = selection.on_by_default
        self.dispatcher = Dispatcher(self.manager, self.context_for, clock=clock)
        self.opener = SimpleNamespace(is_open=lambda guild_id: guild_id in self.open)
        self.left: set[int] = set()
        self.bot = SimpleNamespace(get_guild=lambda guild_id: None, has_left=lambda guild: guild in self.left)
        self._contexts: dict[tuple[str, int], Any] = {}

    def context_for(self, plugin: str, guild_id: int) -> Any:
        runtime: Any = self
        return self._contexts.setdefault((plugin, guild_id), Context(runtime, plugin, guild_id))

    async def start(self, *, migrate: bool = True) -> JobHost:
        """Open everything and begin to run jobs."""
        self.db = open_database(self.url, clock=self.clock)
        if migrate:
            migrate_up(self.db, [CORE_SCHEMA, *self.manager.schemas])
        await self.db.start()
        self.guilds = GuildStates(
            self.db, self.clock, self.manager, self._default, self.dispatcher.deliver_to
        )
        await self.guilds.load({guild_id: f"guild {guild_id}" for guild_id in self.open})
        for guild_id in self.open:
            self.dispatcher.set_plugins(guild_id, self.guilds.active(guild_id))
        runtime: Any = self
        self.jobs = JobRunner(runtime)
        self.jobs.opened(self.open)
        self.jobs.start()
        return self

    async def switch(self, guild_id: int, plugin: str, on: bool, drain: float = 5.0) -> None:
        """Do to jobs what GuildOpener does."""
        if self.guilds.said(guild_id, plugin) is not on:
            await self.guilds.set_wanted(guild_id, plugin, on, None)
        self.dispatcher.set_plugins(guild_id, self.guilds.active(guild_id))
        if on:
            await self.jobs.release(plugin, guild_id)
        else:
            await asyncio.gather(
                self.dispatcher.drain(plugin, guild_id, drain), self.jobs.drain(plugin, guild_id, drain)
            )

    async def settle(self) -> None:
        """Return once nothing moves; what sleeps on a stepped clock counts as still."""
        quiet = 0
        while quiet < QUIET_TURNS:
            tasks = [*self.dispatcher.workers(), *self.jobs.tasks()]
            busy = [task for task in tasks if not self.tasks_book.asleep(task)]
            if busy:
                await asyncio.wait(busy, timeout=0.02, return_when=asyncio.FIRST_COMPLETED)
                quiet = 0
            elif self.db.pending or self.jobs.busy:
                await self.db.idle()
                await asyncio.sleep(0)
                quiet = 0
            else:
                await asyncio.sleep(0)
                quiet += 1

    async def stop(self, within: float = 5.0) -> None:
        """Stop in order; with 0, as if it were lost."""
        await self.jobs.close(within)
        await self.dispatcher.close(within)
        await self.db.close()

"""One process of the bot: everything made, started, and stopped in the right order."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache
from typing import Any

import discord

from core.bot import Bot
from core.commands.menus import GLOBAL, MenuSync
from core.commands.own import own_commands
from core.commands.table import CommandTable
from core.connection import Connection
from core.context import Context
from core.database import Database, open_database
from core.dispatch import Dispatcher
from core.errors import StartupError
from core.guilds.opening import GuildOpener, Switched
from core.guilds.state import GuildStates
from core.heartbeats import end_heartbeats
from core.i18n import add_catalogs
from core.ids import IdSource
from core.jobs import JobRunner
from core.names import Names
from core.plugins import LoadedPlugin, PluginManager
from core.plugins.migrations import migrate_all
from core.settings import Settings
from core.tasks import TaskBook
from core.voice.seat import Seats
from core.voice.sessions import VoiceRecorder

__all__ = ["Connection", "Runtime"]

log = logging.getLogger(__name__)

#: Real seconds that commands under way get to answer when the process stops.
STOP_GRACE = 5.0
#: Loop turns without any work after which the process counts as idle.
QUIET_TURNS = 10


class Runtime:
    """The bot as a process: `await run()`, or `await start()` and `await close()`.

    :param settings: of this process.
    :param connection: the way to Discord.
    :raises StartupError: strict, and a plugin is broken.
    """

    db: Database
    bot: Bot
    recorder: VoiceRecorder
    seats: Seats
    guilds: GuildStates
    jobs: JobRunner
    menus: MenuSync
    names: Names

    def __init__(self, settings: Settings, connection: Connection) -> None:
        self.settings = settings
        self.connection = connection
        self.clock = connection.clock
        self.ids = IdSource(self.clock)
        self.tasks = TaskBook(self.clock)
        self.manager = PluginManager.load(settings)
        self.commands = CommandTable(self.manager, own_commands())
        self._refuse_broken()
        self.context_for: Callable[[str, int], Context] = lru_cache(maxsize=65_536)(self._context)
        self.dispatcher = Dispatcher(self.manager, self.context_for)
        self.opener = GuildOpener(self)
        self.closing = False
        self._assembled = False
        self._gateway: asyncio.Task[None] | None = None
        self._heartbeats: dict[int, asyncio.Task[None]] = {}
        self._detach: Callable[[], Awaitable[None]] | None = None
        self._ready = asyncio.Event()
        self._failure: Exception | None = None

    def _context(self, plugin: str, guild_id: int) -> Context:
        return Context(self, plugin, guild_id)

    def _refuse_broken(self) -> None:
        if self.settings.strict and self.manager.quarantined:
            words = "; ".join(str(entry) for entry in self.manager.quarantined)
            raise StartupError(
                f"--strict refuses to start with broken plugins: {words}. "
                "Mend them or take them out of plugins.toml."
            )

    async def start(self) -> None:
        """Connect, and return once the guilds of the first shard are open.

        :raises StartupError: the database cannot be used.
        :raises discord.LoginFailure: the token is wrong.
        :raises discord.PrivilegedIntentsRequired: an intent is not granted to the application.
        """
        await self._assemble()
        self._gateway = asyncio.create_task(self.bot.start(self.connection.token), name="gateway")
        ready = asyncio.create_task(self._ready.wait(), name="ready")
        try:
            await asyncio.wait({self._gateway, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._failure is not None:
            raise self._failure
        if not self._ready.is_set():
            await self._gateway
            raise StartupError(
                "Discord closed the connection before the bot was ready; try again in a minute."
            )
        await self.menus.sync(GLOBAL)
        self.jobs.start()
        for plugin in self.manager.loaded.values():
            await self._process_hook(plugin, "on_startup")
        if self.connection.attach is not None:
            self._detach = await self.connection.attach(self)
        names = ", ".join(self.manager.loaded) or "no plugins"
        log.info("ready in %s guilds with %s", len(self.bot.guilds), names)

    async def run(self) -> None:
        """Start, go on until SIGINT or SIGTERM or until Discord ends it, and stop in order."""
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, stop.set)
        starting = asyncio.create_task(self.start())
        stopping = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                assert self._gateway is not None
                await asyncio.wait({self._gateway, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if self._gateway.done():
                    await self._gateway
        finally:
            starting.cancel()
            stopping.cancel()
            await asyncio.wait({starting, stopping})
            await self.close()

    async def close(self) -> None:
        """Stop in order: no new work, lanes and jobs drained, the seat left, everything written."""
        if not self._assembled:
            return
        self._assembled = False
        self.closing = True
        self.opener.close()
        self.menus.close()
        self.db.hurry()
        if self._ready.is_set() and self._failure is None:
            for plugin in reversed(self.manager.loaded.values()):
                await self._process_hook(plugin, "on_shutdown")
        await self._detach_clock()
        # While Discord can still be reached: a command or a job under way may have something to say.
        await asyncio.gather(self.tasks.close(within=STOP_GRACE), self.jobs.close())
        await self.dispatcher.close()
        await self._disconnect(graceful=True)
        # What arrived until then is written and delivered too.
        await self.recorder.close()
        await self.dispatcher.close()
        await self.names.close()
        await self.db.close()

    async def kill(self) -> None:
        """Stop without a word to Discord: no last heartbeat, no leaving of voice, jobs and lanes cut off.

        Gentler than SIGKILL in one thing: what the gateway had said already is still written, as this
        process goes on and must leave no task behind.
        """
        if not self._assembled:
            return
        self._assembled = False
        self.closing = True
        self.opener.close()
        self.menus.close()
        await self._detach_clock()
        await self._disconnect(graceful=False)
        await self.jobs.close(within=0)
        await self.dispatcher.close(within=0)
        await self.recorder.close()
        await self.names.close()
        await self.db.close()

    async def idle(self) -> None:
        """Return once nothing moves any more: every event, command, job and write so far is done.

        Tasks that sleep on a stepped clock count as still: only the clock can wake them.
        """
        quiet = 0
        while quiet < QUIET_TURNS:
            others = (*self.dispatcher.workers(), *self.jobs.tasks())
            busy = {*self.tasks.moving(), *(task for task in others if not self.tasks.asleep(task))}
            if busy:
                await asyncio.wait(busy, timeout=0.02, return_when=asyncio.FIRST_COMPLETED)
                quiet = 0
            elif self.db.pending or self.jobs.busy:
                await self.db.idle()
                await asyncio.sleep(0)
                quiet = 0
            else:
                await self.recorder.idle()
                await asyncio.sleep(0)
                quiet += 1

    def guild_is_there(self, guild: discord.Guild) -> None:
        """Take a guild that the bot has joined or that came back from an outage."""
        self.tasks.spawn(self.opener.open([guild], "restart"), f"open guild {guild.id}")

    def shard_is_back(self, shard_id: int, reason: str) -> None:
        """Take all guilds of a shard that is connected again.

        :param reason: restart or resume.
        """
        # discord.py finishes a READY that was under way even after it was closed.
        if self.closing:
            return
        # An unavailable guild has an empty cache; it is taken when it is back.
        guilds = [g for g in self.bot.guilds if g.shard_id == shard_id and not g.unavailable]
        self.tasks.spawn(self._open_shard(shard_id, guilds, reason), f"open shard {shard_id}")

    async def switch(self, guild_id: int, plugin: str, on: bool, actor_id: int | None) -> Switched:
        """Switch a feature on or off in a guild: events, commands, jobs and recording at once."""
        return await self.opener.switch(guild_id, plugin, on, actor_id)

    async def before_identify(self) -> None:
        """Wait between two IDENTIFY calls."""
        await asyncio.sleep(self.connection.identify_pause)

    async def _assemble(self) -> None:
        """Open the database, bring it up to date, and build what rests on it."""
        self.db = open_database(self.settings.database_url, clock=self.clock)
        try:
            applied = migrate_all(self.db, self.manager)
            if applied:
                log.info("database brought up to date: %s", ", ".join(applied))
            self._refuse_broken()
            await self.db.start()
        except BaseException:
            await self.db.close()
            raise
        # A plugin whose migrations failed is gone by now, and so must be its commands.
        self.commands = CommandTable(self.manager, own_commands())
        for plugin in self.manager.loaded.values():
            add_catalogs(plugin.module.__name__)
        self.guilds = GuildStates(
            self.db, self.clock, self.manager, self.settings.plugins.on_by_default, self.dispatcher.deliver_to
        )
        self.recorder = VoiceRecorder(
            self.db, self.clock, self.ids, self.dispatcher.deliver, gap_limit=self.settings.voice_gap_limit
        )
        self.names = Names(self.db)
        self.jobs = JobRunner(self)
        self.menus = MenuSync(self)
        connector = self.connection.connector() if self.connection.connector is not None else None
        intents = frozenset(name for p in self.manager.loaded.values() for name in p.manifest.intents)
        self.bot = Bot(self, connector=connector, intents=intents)
        self.seats = Seats(self.bot, self.clock)
        self.commands.install(self.bot.tree)
        self._assembled = True

    async def _open_shard(self, shard_id: int, guilds: list[discord.Guild], reason: str) -> None:
        try:
            await self.opener.open(guilds, reason)
        except Exception as error:
            if self._ready.is_set():
                raise
            # Nobody would come up any more: what waits for the start is told instead.
            self._failure = error
            self._ready.set()
            return
        if shard_id not in self._heartbeats:
            self._heartbeats[shard_id] = asyncio.create_task(
                self.recorder.run_heartbeat(shard_id, lambda: shard_id in self.bot.connected_shards),
                name=f"heartbeat {shard_id}",
            )
        for guild in guilds:
            self.seats.refresh(guild.id)
        self._ready.set()

    async def _detach_clock(self) -> None:
        if self._detach is not None:
            await self._detach()
            self._detach = None

    async def _disconnect(self, *, graceful: bool) -> None:
        for task in self._heartbeats.values():
            task.cancel()
        if graceful:
            # The last sign of life, so that an orderly restart leaves no uncertainty.
            for shard_id in sorted(self.bot.connected_shards):
                await self.recorder.beat_now(shard_id)
        # Even a lost process must not leave heartbeat threads behind that outlive the loop.
        await self.seats.close(say=graceful)
        await self.bot.close()
        await end_heartbeats(self.bot)
        if self._gateway is not None:
            self._gateway.cancel()
            await asyncio.wait({self._gateway, *self._heartbeats.values()})
        await self.tasks.close(within=0)

    async def _process_hook(self, plugin: LoadedPlugin, hook: str) -> None:
        target = plugin.targets.get(hook)
        if target is None:
            return
        work: Coroutine[Any, Any, None] = target.function(*([self] if target.arguments else []))
        try:
            async with asyncio.timeout(10):
                await work
        except (Exception, SystemExit):
            log.exception("%s.%s failed", plugin.name, hook)

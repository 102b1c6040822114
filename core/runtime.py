"""One process of the bot: everything made, started, and stopped in the right order."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from functools import lru_cache
from typing import Any

import discord

from core.bot import Bot
from core.commands.menus import MenuSync
from core.commands.own import own_commands
from core.commands.table import CommandTable
from core.connection import Connection
from core.context import Context
from core.database import CORE_SCHEMA, Database, open_database
from core.database.schema import warn_of_drift
from core.dispatch import Dispatcher
from core.errors import StartupError
from core.guilds.opening import GuildOpener, Switched
from core.guilds.seat_notices import SeatNotices
from core.guilds.state import GuildStates
from core.health import Health
from core.i18n import add_catalogs
from core.ids import IdSource
from core.jobs import JobRunner
from core.names import Names
from core.plugin_tasks import plugin_tasks
from core.plugins import LoadedPlugin, PluginManager
from core.plugins.migrations import migrate_all
from core.privacy.forgetting import FORGET, Forgetter
from core.process import StopSignals
from core.scope import Scope, running
from core.settings import Settings
from core.stays.retention import FOLD, Retention
from core.stopping import Stop, cut_short
from core.tasks import TaskBook
from core.voice.seat import Seats
from core.voice.sessions import VoiceRecorder

__all__ = ["Connection", "Runtime"]

log = logging.getLogger(__name__)

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
    forgetter: Forgetter
    retention: Retention

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
        self.dispatcher = Dispatcher(
            self.manager,
            self.context_for,
            clock=self.clock,
            locale_of=self.locale_of,
            trace_hooks=settings.trace_hooks,
        )
        self.opener = GuildOpener(self)
        self.health = Health(self)
        self.closing = False
        self.assembled = False
        self.gateway: asyncio.Task[None] | None = None
        self.heartbeats: dict[int, asyncio.Task[None]] = {}
        self._detach: Callable[[], Awaitable[None]] | None = None
        self._ready = asyncio.Event()
        self._failure: Exception | None = None

    def locale_of(self, guild_id: int) -> str | None:
        """Return the language that a guild has chosen; None while Discord has not sent the guild."""
        guild = self.bot.get_guild(guild_id) if self.assembled else None
        return guild.preferred_locale.value if guild is not None else None

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
        schemas = [CORE_SCHEMA, *self.manager.schemas]
        # In a thread, while Discord lets us wait: it only warns.
        comparing = self.tasks.spawn(asyncio.to_thread(warn_of_drift, self.db, schemas), "compare the tables")
        self.gateway = asyncio.create_task(self.bot.start(self.connection.token), name="gateway")
        ready = asyncio.create_task(self._ready.wait(), name="ready")
        try:
            await asyncio.wait({self.gateway, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if self._failure is not None:
            raise self._failure
        if not self._ready.is_set():
            await self.gateway
            raise StartupError(
                "Discord closed the connection before the bot was ready; try again in a minute."
            )
        await asyncio.wait({comparing})
        await self.menus.start()
        self.jobs.start()
        await self.forgetter.start()
        await self.retention.plan()
        for plugin in self.manager.loaded.values():
            await self._process_hook(plugin, "on_startup")
        if self.connection.attach is not None:
            self._detach = await self.connection.attach(self)
        names = ", ".join(self.manager.loaded) or "no plugins"
        kind = "PostgreSQL" if self.db.is_postgres else "SQLite"
        log.info("ready in %s guilds with %s, on %s", len(self.bot.guilds), names, kind)

    async def run(self, signals: StopSignals | None = None) -> None:
        """Start, go on until SIGINT or SIGTERM or until Discord ends it, and stop in order.

        :param signals: those of the process; without, they are heard here.
        """
        if signals is None:
            with StopSignals() as own:
                await self.run(own)
            return
        starting = asyncio.create_task(self.start(), name="start")
        stopping = asyncio.create_task(signals.heard.wait(), name="stop")
        try:
            await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                await starting
                assert self.gateway is not None
                await asyncio.wait({self.gateway, stopping}, return_when=asyncio.FIRST_COMPLETED)
                if self.gateway.done():
                    await self.gateway
        finally:
            stopping.cancel()
            await cut_short(starting)
            await self.close()

    async def close(self) -> None:
        """Stop in order and in time, whatever hangs; see `core.stopping.Stop.in_order`."""
        if self._end_of_work():
            await Stop(self).in_order(started=self.ready)

    async def kill(self) -> None:
        """Stop without a word to Discord: no last heartbeat, no leaving of voice, jobs and lanes cut off.

        Gentler than SIGKILL in one thing: what the gateway had said already is still written, as this
        process goes on and must leave no task behind.
        """
        if self._end_of_work():
            await Stop(self).at_once()

    def _end_of_work(self) -> bool:
        """Say whether there is anything to stop, which then is stopping."""
        if not self.assembled or self.closing:
            return False
        self.closing = True
        return True

    @property
    def ready(self) -> bool:
        """Whether the first guilds are open."""
        return self._ready.is_set() and self._failure is None

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
        # Before any code of a plugin runs on this loop.
        plugin_tasks()
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
            self.db,
            self.clock,
            self.ids,
            self.dispatcher.deliver,
            gap_limit=self.settings.voice_gap_limit,
            queue_limit=self.settings.voice_queue_limit,
            folder=self.settings.data_folder(),
        )
        self.names = Names(self.db)
        self.jobs = JobRunner(self)
        self.forgetter = Forgetter(self)
        self.jobs.serve(FORGET, self.forgetter.run)
        self.retention = Retention(self)
        self.jobs.serve(FOLD, self.retention.run)
        self.menus = MenuSync(self)
        connector = self.connection.connector() if self.connection.connector is not None else None
        manifests = [plugin.manifest for plugin in self.manager.loaded.values()]
        intents = frozenset(name for manifest in manifests for name in manifest.intents)
        wishes = frozenset(name for manifest in manifests for name in manifest.optional_intents)
        self.bot = Bot(self, connector=connector, intents=intents, wishes=wishes - intents)
        self.seats = Seats(self.bot, self.clock, tell=SeatNotices(self).tell)
        self.commands.install(self.bot.tree)
        self.assembled = True
        await self.health.start()

    async def _open_shard(self, shard_id: int, guilds: list[discord.Guild], reason: str) -> None:
        try:
            await self.opener.open(await self.opener.not_yet(guilds), reason)
        except Exception as error:
            if self._ready.is_set():
                raise
            # Nobody would come up any more: what waits for the start is told instead.
            self._failure = error
            self._ready.set()
            return
        if shard_id not in self.heartbeats:
            self.heartbeats[shard_id] = asyncio.create_task(
                self.recorder.run_heartbeat(shard_id, lambda: shard_id in self.bot.connected_shards),
                name=f"heartbeat {shard_id}",
            )
        for guild in guilds:
            self.seats.refresh(guild.id)
        self._ready.set()

    async def detach_clock(self) -> None:
        """Let a sandbox turn its clock without this bot from now on."""
        if self._detach is not None:
            detach, self._detach = self._detach, None
            await detach()

    async def _process_hook(self, plugin: LoadedPlugin, hook: str) -> None:
        target = plugin.targets.get(hook)
        if target is None:
            return
        work: Coroutine[Any, Any, None] = target.function(*([self] if target.arguments else []))
        # Guild 0: the whole process.
        with running(Scope(plugin.name, 0, hook)):
            try:
                async with asyncio.timeout(10):
                    await work
            except (Exception, SystemExit):
                log.exception("%s.%s failed", plugin.name, hook)

"""Opens guilds as they appear, and switches plugins in them: one queue per guild, so nothing races."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import discord

from core.dispatch import BreakerOpen
from core.events import Resync, VoiceSnapshot
from core.names import account_name
from core.voice.snapshots import present_states

if TYPE_CHECKING:
    from core.commands.menus import MenuState
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: Seconds that a plugin gets to finish what waits in its lane when it is switched off.
DRAIN = 10.0
#: Guilds opened at the same time.
TOGETHER = 50
#: Seconds before a guild that could not be opened is tried again; the last one for ever after.
RETRY = (5.0, 15.0, 60.0, 300.0)


@dataclass(frozen=True, slots=True)
class Switched:
    """What a switch has done.

    :param came: plugins that came on, in load order; libraries included.
    :param went: plugins that went off.
    :param faulty: those of `came` whose `on_guild_enabled` failed; they are on all the same.
    :param menu: how the guild's menu stands now.
    """

    came: tuple[str, ...]
    went: tuple[str, ...]
    faulty: tuple[str, ...]
    menu: MenuState


class GuildOpener:
    """Puts each guild's plugins, recording and menu in place; one that fails is tried again.

    `failed` names the guilds that are not in place, with what stood in the way.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._open: set[int] = set()
        #: Only where somebody waits: an event is bigger than all else that is kept of a guild here.
        self._awaited: dict[int, asyncio.Event] = {}
        self._queues: dict[int, asyncio.Lock] = {}
        self._together = asyncio.Semaphore(TOGETHER)
        self._attempts: dict[int, int] = {}
        self._retries: dict[int, asyncio.Task[None]] = {}
        self.failed: dict[int, str] = {}
        self._came: dict[int, list[str]] = {}
        self._arrived: list[discord.Guild] = []
        self._ahead: asyncio.Task[None] | None = None
        self._early: set[int] = set()

    async def open(self, guilds: Sequence[discord.Guild], reason: str) -> None:
        """Put guilds in place; one that is open already is looked at again.

        :param reason: restart or resume, told to the plugins.
        :raises Exception: what the guilds want could not be read; it is tried again.
        """
        runtime = self._runtime
        fresh = [guild for guild in guilds if not runtime.guilds.known(guild.id)]
        problem: Exception | None = None
        if fresh:
            try:
                await runtime.guilds.load({guild.id: guild.name for guild in fresh})
                await self._take_defaults(fresh)
                await runtime.menus.load([guild.id for guild in fresh])
                await runtime.recorder.read_ahead([guild.id for guild in fresh])
                runtime.jobs.opened([guild.id for guild in fresh])
            except Exception as error:
                problem = error
                for guild in fresh:
                    self._not_open(guild.id, reason, error)
        known = [guild for guild in guilds if problem is None or guild not in fresh]
        left = iter(known)
        # A few tasks for all: one for each guild would take more memory than the guilds themselves.
        await asyncio.gather(*(self._open_each(left, reason) for _ in range(min(TOGETHER, len(known)))))
        if problem is not None:
            raise problem

    def arrived(self, guild: discord.Guild) -> None:
        """Open a guild ahead of its shard, which waits for further ones before it says that it is ready."""
        self._arrived.append(guild)
        if self._ahead is None or self._ahead.done():
            self._ahead = self._runtime.tasks.spawn(self._open_ahead(), "open guilds ahead")

    def left(self, guild_ids: Iterable[int]) -> None:
        """Forget that guilds were opened ahead: what was seen of them then is out of date."""
        self._early.difference_update(guild_ids)

    async def not_yet(self, guilds: Sequence[discord.Guild]) -> list[discord.Guild]:
        """Return those guilds of a shard that is ready which were not taken ahead of it."""
        while self._ahead is not None and not self._ahead.done():
            await asyncio.wait({self._ahead})
        found = [guild for guild in guilds if guild.id not in self._early]
        self.left(guild.id for guild in guilds)
        return found

    async def wait(self, guild_id: int, within: float) -> bool:
        """Say whether a guild is open, waiting up to `within` real seconds."""
        if guild_id in self._open:
            return True
        try:
            async with asyncio.timeout(within):
                await self._awaited.setdefault(guild_id, asyncio.Event()).wait()
        except TimeoutError:
            return False
        return True

    def is_open(self, guild_id: int) -> bool:
        """Say whether a guild is open: what it wants is known and its voice is caught up with."""
        return guild_id in self._open

    async def switch(self, guild_id: int, plugin: str, on: bool, actor_id: int | None) -> Switched:
        """Switch a feature, whole: a caller that is cancelled does not leave it half done."""
        work = self._runtime.tasks.spawn(
            self._switch(guild_id, plugin, on, actor_id), f"switch {plugin} in {guild_id}"
        )
        return await asyncio.shield(work)

    def close(self) -> None:
        """Stop waiting to open what could not be opened."""
        for task in self._retries.values():
            task.cancel()

    async def _switch(self, guild_id: int, plugin: str, on: bool, actor_id: int | None) -> Switched:
        runtime = self._runtime
        async with self._queue(guild_id):
            before = runtime.guilds.active(guild_id)
            if runtime.guilds.said(guild_id, plugin) is not on:
                await runtime.guilds.set_wanted(guild_id, plugin, on, actor_id)
            after = runtime.guilds.active(guild_id)
            came = tuple(name for name in runtime.manager.loaded if name in after - before)
            went = tuple(name for name in runtime.manager.loaded if name in before - after)
            # In order, so that a library is ready before what rests on it begins.
            faulty = [name for name in came if not await self._enabled(name, guild_id)]
            runtime.dispatcher.set_plugins(guild_id, after)
            if went:
                await asyncio.gather(
                    *(runtime.dispatcher.drain(name, guild_id, DRAIN) for name in went),
                    *(runtime.jobs.drain(name, guild_id, DRAIN) for name in went),
                )
                await asyncio.gather(*(runtime.dispatcher.end_tasks(name, guild_id) for name in went))
            for name in reversed(went):
                runtime.dispatcher.deliver_to(name, guild_id, "on_guild_disabled")
            self._record(guild_id)
            for name in came:
                runtime.dispatcher.deliver_to(name, guild_id, "on_resync", Resync(guild_id, "enabled"))
            for name in came:
                await runtime.jobs.release(name, guild_id)
        # Outside the queue: Discord may let us wait, and the menu's own lock keeps the order.
        menu = await runtime.menus.switched(guild_id) if before != after else runtime.menus.state(guild_id)
        return Switched(came, went, tuple(faulty), menu)

    async def _enabled(self, plugin: str, guild_id: int) -> bool:
        """Tell a plugin that it is on, and say whether it took that well; what it raised is in the log."""
        dispatcher = self._runtime.dispatcher
        # Who switches it off and on again wants it tried now.
        dispatcher.reset_breaker(plugin, guild_id)
        try:
            await dispatcher.deliver_and_wait(plugin, guild_id, "on_guild_enabled")
        except BreakerOpen:
            # It is told all the same, and on_resync follows when it is tried again.
            dispatcher.deliver_to(plugin, guild_id, "on_guild_enabled")
            return False
        # Whatever a plugin raises, SystemExit included, it is on: the guild has said so.
        except (Exception, SystemExit) as error:
            log.warning("%s is on in guild %s, but had a fault there: %r", plugin, guild_id, error)
            return False
        return True

    async def _open_ahead(self) -> None:
        while self._arrived and not self._runtime.closing:
            guilds, self._arrived = self._arrived, []
            self._early.update(guild.id for guild in guilds)
            try:
                await self.open(guilds, "restart")
            except Exception as error:
                # Tried again, and told, once the shard is ready.
                log.debug("%s guilds could not be opened ahead: %s", len(guilds), error)
                self.left(guild.id for guild in guilds)

    async def _open_each(self, guilds: Iterator[discord.Guild], reason: str) -> None:
        for guild in guilds:
            try:
                await self._open_one(guild, reason)
            except Exception as error:
                log.exception("guild %s could not be opened and is tried again", guild.id)
                self._not_open(guild.id, reason, error)

    async def _open_one(self, guild: discord.Guild, reason: str) -> None:
        runtime = self._runtime
        async with self._together, self._queue(guild.id):
            if runtime.guilds.undecided(guild.id):
                await self._take_defaults([guild])
            for name in self._came.pop(guild.id, ()):
                runtime.dispatcher.deliver_to(name, guild.id, "on_guild_enabled")
            runtime.dispatcher.set_plugins(guild.id, runtime.guilds.active(guild.id))
            # Roles that were deleted while nobody looked.
            await runtime.guilds.keep_roles(guild.id, [role.id for role in guild.roles])
            if guild.unavailable or guild.shard_id not in runtime.bot.connected_shards:
                # Lost again meanwhile, and what the cache says of voice is old. It is opened when it is back.
                return
            # In one tick, so that it is looked once who is there.
            present = self._present(guild)
            self._record(guild.id, present)
            await runtime.recorder.recover(guild.shard_id, guild.id, present, reason)
            self._opened(guild.id)
            runtime.jobs.wake()
            me = guild.me
            runtime.menus.joined(guild.id, me.joined_at if me is not None else None)
            runtime.menus.opened(guild.id)

    def _opened(self, guild_id: int) -> None:
        self._open.add(guild_id)
        if (awaited := self._awaited.pop(guild_id, None)) is not None:
            awaited.set()
        self.failed.pop(guild_id, None)
        self._attempts.pop(guild_id, None)
        retry = self._retries.pop(guild_id, None)
        if retry is not None and retry is not asyncio.current_task():
            retry.cancel()

    def _not_open(self, guild_id: int, reason: str, error: Exception) -> None:
        """Note what stood in the way, and try again after a while."""
        attempt = self._attempts[guild_id] = self._attempts.get(guild_id, 0) + 1
        self.failed[guild_id] = f"{type(error).__name__}: {error}"
        if self._runtime.closing:
            return
        last = self._retries.get(guild_id)
        if last is not None and last is not asyncio.current_task():
            last.cancel()
        delay = RETRY[min(attempt, len(RETRY)) - 1]
        self._retries[guild_id] = self._runtime.tasks.spawn(
            self._again(guild_id, reason, delay), f"open guild {guild_id} again"
        )

    async def _again(self, guild_id: int, reason: str, delay: float) -> None:
        await self._runtime.clock.sleep(delay)
        guild = self._runtime.bot.get_guild(guild_id)
        if guild is None or guild.unavailable:
            # It is opened when it is back.
            self.failed.pop(guild_id, None)
            self._attempts.pop(guild_id, None)
            self._retries.pop(guild_id, None)
            return
        await self.open([guild], reason)

    async def _take_defaults(self, guilds: Iterable[discord.Guild]) -> None:
        """Store what is on by default in guilds that have said nothing; note what comes on by it."""
        states, loaded = self._runtime.guilds, self._runtime.manager.loaded
        features, came = {}, {}
        for guild_id in [guild.id for guild in guilds]:
            undecided = states.undecided(guild_id)
            if undecided:
                fresh = states.active(guild_id) - states.active(guild_id, without=undecided)
                features[guild_id] = undecided
                came[guild_id] = [name for name in loaded if name in fresh]
        await states.take_defaults(features)
        self._came.update(came)

    def _record(self, guild_id: int, seen: Mapping[int, VoiceSnapshot] | None = None) -> None:
        """Record voice where an active plugin asks for it, and only there.

        :param seen: who is in voice now, when that was looked at already.
        """
        runtime = self._runtime
        active = runtime.guilds.active(guild_id)
        wanted = any(runtime.manager.loaded[name].manifest.records_voice for name in active)
        guild = runtime.bot.get_guild(guild_id)
        present: Mapping[int, VoiceSnapshot] = seen or {}
        if seen is None and wanted and guild is not None:
            present = self._present(guild)
        runtime.recorder.set_recording(guild_id, wanted, present)

    def _present(self, guild: discord.Guild) -> dict[int, VoiceSnapshot]:
        runtime = self._runtime
        present = present_states(
            guild,
            clock=runtime.clock,
            sequence=runtime.bot.next_sequence(),
            elsewhere=runtime.bot.raw_states.elsewhere(guild.id),
        )
        for user_id in present:
            member = guild.get_member(user_id)
            if member is not None and not member.bot:
                runtime.names.saw(user_id, account_name(member))
        return present

    def _queue(self, guild_id: int) -> asyncio.Lock:
        return self._queues.setdefault(guild_id, asyncio.Lock())

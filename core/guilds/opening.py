"""Opens guilds as they appear, and switches plugins in them: one queue per guild, so nothing races."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import discord

from core.events import Resync, VoiceSnapshot
from core.voice.snapshots import present_states

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: Seconds that a plugin gets to finish what waits in its lane when it is switched off.
DRAIN = 10.0
#: Guilds opened at the same time.
TOGETHER = 50


class GuildOpener:
    """Puts each guild's plugins, recording and menu in place."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._open: dict[int, asyncio.Event] = {}
        self._queues: dict[int, asyncio.Lock] = {}
        self._together = asyncio.Semaphore(TOGETHER)

    async def open(self, guilds: Sequence[discord.Guild], reason: str) -> None:
        """Put guilds in place; one that is open already is looked at again.

        :param reason: restart or resume, told to the plugins.
        """
        runtime = self._runtime
        fresh = [guild for guild in guilds if not runtime.guilds.known(guild.id)]
        if fresh:
            await runtime.guilds.load({guild.id: guild.name for guild in fresh})
            await runtime.menus.load([guild.id for guild in fresh])
        ends = await asyncio.gather(
            *(self._open_one(guild, reason) for guild in guilds), return_exceptions=True
        )
        for guild, end in zip(guilds, ends, strict=True):
            if isinstance(end, BaseException):
                log.error("guild %s could not be opened", guild.id, exc_info=end)

    async def wait(self, guild_id: int, within: float) -> bool:
        """Say whether a guild is open, waiting up to `within` real seconds."""
        try:
            async with asyncio.timeout(within):
                await self._open.setdefault(guild_id, asyncio.Event()).wait()
        except TimeoutError:
            return False
        return True

    async def switch(self, guild_id: int, plugin: str, on: bool, actor_id: int | None) -> bool:
        """Switch a feature; returns whether Discord has taken the new menu."""
        runtime = self._runtime
        async with self._queue(guild_id):
            before = runtime.guilds.active(guild_id)
            if runtime.guilds.said(guild_id, plugin) is not on:
                await runtime.guilds.set_wanted(guild_id, plugin, on, actor_id)
            after = runtime.guilds.active(guild_id)
            gone, new = before - after, after - before
            for name in runtime.manager.loaded:
                if name in new:
                    runtime.dispatcher.deliver_to(name, guild_id, "on_guild_enabled")
            runtime.dispatcher.set_plugins(guild_id, after)
            if gone:
                await asyncio.gather(
                    *(runtime.dispatcher.drain(name, guild_id, DRAIN) for name in gone),
                    *(runtime.jobs.drain(name, guild_id, DRAIN) for name in gone),
                )
            for name in reversed(runtime.manager.loaded):
                if name in gone:
                    runtime.dispatcher.deliver_to(name, guild_id, "on_guild_disabled")
            self._record(guild_id)
            for name in runtime.manager.loaded:
                if name in new:
                    runtime.dispatcher.deliver_to(name, guild_id, "on_resync", Resync(guild_id, "enabled"))
            runtime.jobs.wake()
        # Outside the queue: Discord may let us wait, and the menu's own lock keeps the order.
        return await runtime.menus.sync(guild_id)

    async def _open_one(self, guild: discord.Guild, reason: str) -> None:
        runtime = self._runtime
        async with self._together, self._queue(guild.id):
            for name in await self._first_sight(guild.id):
                runtime.dispatcher.deliver_to(name, guild.id, "on_guild_enabled")
            runtime.dispatcher.set_plugins(guild.id, runtime.guilds.active(guild.id))
            self._record(guild.id)
            shard_id = guild.shard_id
            await runtime.recorder.recover(shard_id, guild.id, self._present(guild), reason)
            self._open.setdefault(guild.id, asyncio.Event()).set()
            runtime.jobs.wake()
            await runtime.menus.sync(guild.id)

    async def _first_sight(self, guild_id: int) -> list[str]:
        """Store what is on by default in a guild that has said nothing; return what came on by it."""
        runtime = self._runtime
        undecided = runtime.guilds.undecided(guild_id)
        fresh = runtime.guilds.active(guild_id) - runtime.guilds.active(guild_id, without=undecided)
        for name in undecided:
            await runtime.guilds.set_wanted(guild_id, name, True, None)
        return [name for name in runtime.manager.loaded if name in fresh]

    def _record(self, guild_id: int) -> None:
        """Record voice where an active plugin asks for it, and only there."""
        runtime = self._runtime
        active = runtime.guilds.active(guild_id)
        wanted = any(runtime.manager.loaded[name].manifest.records_voice for name in active)
        guild = runtime.bot.get_guild(guild_id)
        present = self._present(guild) if wanted and guild is not None else {}
        runtime.recorder.set_recording(guild_id, wanted, present)

    def _present(self, guild: discord.Guild) -> dict[int, VoiceSnapshot]:
        runtime = self._runtime
        present = present_states(guild, clock=runtime.clock, sequence=runtime.bot.next_sequence())
        for user_id in present:
            member = guild.get_member(user_id)
            if member is not None and not member.bot:
                runtime.names.saw(user_id, member.display_name)
        return present

    def _queue(self, guild_id: int) -> asyncio.Lock:
        return self._queues.setdefault(guild_id, asyncio.Lock())

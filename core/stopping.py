"""Stops a process in order and in time: every step has a share of one budget, whatever hangs.

What a step cannot finish within its share is named in the log and left; the steps after it still get theirs.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import TYPE_CHECKING, Any

import discord

from core.heartbeats import end_heartbeats

if TYPE_CHECKING:
    from core.plugins import LoadedPlugin
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: Real seconds from the beginning of the stop by which each step has come to its end. What a step does not
#: use, those after it may. The rest up to ten seconds is for the end of the process (`core.process`).
HOOKS_BY = 1.5
WORK_BY = 3.5
SEATS_BY = 4.5
BEAT_BY = 5.0
GATEWAY_BY = 6.0
WRITTEN_BY = 7.0
LANES_BY = 7.4
DATABASE_BY = 7.9
HEALTH_BY = 8.0
#: Seconds for the events that were told after the lanes had been drained.
LATE_LANES = 0.5
#: Of a step's share, what is for the end of things that it had to cancel.
GRACE = 0.5
#: Least seconds that a step gets even when those before it have used up its share.
LEAST = 0.1
#: Seconds that an `on_shutdown` gets at most, also when it is the only one.
HOOK_SECONDS = 1.0
#: Seconds that calls wait for a database that is away, once the process stops.
DATABASE_PATIENCE = 2.0
#: Seconds that Discord gets to confirm that it has said everything.
FENCE = 0.5
_TURN = 0.005


class Stop:
    """The stop of one process, begun when it is made.

    :param runtime: assembled; not necessarily ready.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._began = asyncio.get_running_loop().time()

    async def in_order(self, *, started: bool) -> None:
        """Say good-bye everywhere and write everything.

        Plugins are told; commands, jobs and lanes under way end while Discord can still be reached, and the
        bot leaves its voice channels meanwhile; what Discord has said until then is taken; the last sign of
        life is stored; the gateway closes; voice is written and told; the database closes.

        :param started: whether plugins were told of the start.
        """
        runtime = self._runtime
        runtime.opener.close()
        runtime.menus.close()
        runtime.db.hurry(DATABASE_PATIENCE)
        leaving = asyncio.ensure_future(runtime.seats.close())
        if started:
            await self._tell_plugins()
        await self._step("the sandbox's clock", runtime.detach_clock(), HOOKS_BY)
        within = self._left(WORK_BY) - GRACE
        await asyncio.gather(
            self._step("commands under way", runtime.tasks.close(within=within), WORK_BY),
            self._step("jobs under way", runtime.jobs.close(within=within), WORK_BY),
            self._step("the plugins' lanes", runtime.dispatcher.close(within=within), WORK_BY),
        )
        await self._step("leaving voice", leaving, SEATS_BY)
        await self._step("Discord's last words", caught_up(runtime, FENCE), BEAT_BY)
        await self._step("the last sign of life", self._beat(), BEAT_BY)
        await self._disconnect()
        # What arrived until then is written and delivered too.
        within = self._left(WRITTEN_BY) - GRACE
        await self._step("writing voice", runtime.recorder.close(within), WRITTEN_BY)
        await self._step("writing names", runtime.names.close(), WRITTEN_BY)
        # A lane that hung before hangs still: only what voice has just told is waited for.
        by = min(LANES_BY, self._gone() + LATE_LANES + GRACE)
        await self._step("the lanes' last events", runtime.dispatcher.close(within=LATE_LANES), by)
        await self._end()

    async def at_once(self) -> None:
        """Cut everything off without a word to Discord; what was heard already is still written."""
        runtime = self._runtime
        runtime.opener.close()
        runtime.menus.close()
        await self._step("the sandbox's clock", runtime.detach_clock(), HOOKS_BY)
        await self._step("leaving voice", runtime.seats.close(say=False), SEATS_BY)
        await self._disconnect()
        await self._step("jobs under way", runtime.jobs.close(within=0), WRITTEN_BY)
        await self._step("the plugins' lanes", runtime.dispatcher.close(within=0), WRITTEN_BY)
        await self._step("writing voice", runtime.recorder.close(self._left(WRITTEN_BY)), WRITTEN_BY)
        await self._step("writing names", runtime.names.close(), WRITTEN_BY)
        await self._end()

    async def _tell_plugins(self) -> None:
        """Call each `on_shutdown`, features before the libraries they need, each with a fair share."""
        runtime = self._runtime
        told = [p for p in reversed(runtime.manager.loaded.values()) if "on_shutdown" in p.targets]
        for number, plugin in enumerate(told):
            share = min(HOOK_SECONDS, self._left(HOOKS_BY) / (len(told) - number))
            await self._tell(plugin, share)

    async def _tell(self, plugin: LoadedPlugin, within: float) -> None:
        target = plugin.targets["on_shutdown"]
        work: Coroutine[Any, Any, None] = target.function(*([self._runtime] if target.arguments else []))
        name = f"{plugin.name}.on_shutdown"
        task = asyncio.create_task(_shown(work, name), name=name)
        _, late = await asyncio.wait({task}, timeout=within)
        if late:
            log.error("%s took longer than %.1f s and was stopped", name, within)
            task.cancel()
            await asyncio.wait({task}, timeout=min(GRACE, within / 2))

    async def _beat(self) -> None:
        """Store the last sign of life of each shard, so that an orderly restart leaves no uncertainty."""
        runtime = self._runtime
        await asyncio.gather(*(runtime.recorder.beat_now(shard) for shard in runtime.bot.connected_shards))

    async def _disconnect(self) -> None:
        runtime = self._runtime
        for task in runtime.heartbeats.values():
            task.cancel()
        # Even a lost process must not leave heartbeat threads behind that outlive the loop.
        await self._step("closing the gateway", runtime.bot.close(), GATEWAY_BY)
        await self._step("closing the connections", runtime.bot.http.close(), GATEWAY_BY)
        await self._step("Discord's heartbeats", end_heartbeats(runtime.bot), GATEWAY_BY)
        if runtime.gateway is not None:
            runtime.gateway.cancel()
            background = {runtime.gateway, *runtime.heartbeats.values()}
            await self._step("the background", asyncio.wait(background), GATEWAY_BY)
        await self._step("late work", runtime.tasks.close(within=0), GATEWAY_BY)

    async def _end(self) -> None:
        runtime = self._runtime
        within = self._left(DATABASE_BY) - GRACE / 5
        await self._step("closing the database", runtime.db.close(within), DATABASE_BY)
        await self._step("the health address", runtime.health.close(), HEALTH_BY)
        log.info("stopped after %.1f s", self._gone())

    def _gone(self) -> float:
        return asyncio.get_running_loop().time() - self._began

    def _left(self, by: float) -> float:
        return max(LEAST, by - self._gone())

    async def _step(self, name: str, work: Awaitable[Any], by: float) -> None:
        """Await a step until its time is up; afterwards it is cancelled, named and left."""
        task = asyncio.ensure_future(work)
        within = self._left(by)
        await asyncio.wait({task}, timeout=within)
        if not task.done():
            task.cancel()
            await asyncio.wait({task}, timeout=LEAST)
            log.error("%s took longer than its %.1f s of the stop", name, within)
        elif not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s failed during the stop", name, exc_info=error)


async def cut_short(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait a moment for its end; who awaited it has seen its error."""
    task.cancel()
    await asyncio.wait({task}, timeout=GRACE)
    if not task.done():
        log.error("%s did not end when it was cancelled", task.get_name())
    elif not task.cancelled():
        task.exception()


async def caught_up(runtime: Runtime, within: float) -> None:
    """Return once everything is taken that Discord had said before this call, after `within` seconds at most.

    What comes over a gateway keeps its order, so the answer to a heartbeat of our own is behind all of it.
    """
    shards = [shard for shard in runtime.bot.shards.values() if shard.id in runtime.bot.connected_shards]
    try:
        async with asyncio.timeout(within):
            await asyncio.gather(*(_answered(shard) for shard in shards))
    except (TimeoutError, OSError, discord.DiscordException) as error:
        log.debug("Discord did not confirm its last words: %r", error)


async def _answered(shard: Any) -> None:
    # discord.py tells nobody of an answer; only when it came can be read.
    websocket = shard._parent.ws
    beats = websocket._keep_alive
    if beats is None:
        return
    while beats._last_send > beats._last_ack:  # noqa: ASYNC110 - one under way would be taken for ours
        await asyncio.sleep(_TURN)
    before = beats._last_ack
    # By `beat`, which notes the time: else discord.py warns that it is behind since its last one.
    await websocket.send_heartbeat(beats.beat())
    while beats._last_ack == before:  # noqa: ASYNC110
        await asyncio.sleep(_TURN)


async def _shown(work: Coroutine[Any, Any, None], name: str) -> None:
    """Run a plugin's coroutine; what it raises goes to the log."""
    try:
        await work
    # SystemExit in a plugin would end the event loop in the middle of the stop.
    except (Exception, SystemExit, KeyboardInterrupt):
        log.exception("%s failed", name)

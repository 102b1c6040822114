"""Runs jobs when they are due, in the guilds where their plugin is on; the others are held."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from core.jobs import claims, store
from core.jobs.core_jobs import CoreHandler, CoreJobs
from core.jobs.listing import dead_jobs
from core.jobs.look import LOOK_EVERY, look, may_run
from core.jobs.store import DueJob, JobState, Owner
from core.jobs.workers import Workers

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)


class JobRunner:
    """Runs the jobs of the guilds that this process has open, each (plugin, guild) one job at a time.

    A job is claimed, its handler is called, and only then is it done: at least once. A handler therefore
    looks first whether its work is already there.

    :param runtime: the process.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._core = CoreJobs(runtime)
        self._token = claims.new_token()
        self._changed = asyncio.Event()
        self._workers = Workers(runtime, self._token, self._core, self.wake)
        self._fresh: set[int] = {0}
        #: Guilds of which jobs are held since the bot has left them.
        self._left: set[int] = set()
        self._loop: asyncio.Task[None] | None = None
        self._looking = False
        self._planned = False

    def serve(self, name: str, handler: CoreHandler) -> None:
        """Have a kind of the core's own jobs done by `handler`; called before `start`."""
        self._core.kinds[name] = handler

    def start(self) -> None:
        """Begin to look at the job table."""
        store.wakers.append(self.wake)
        self._core.book.open()
        self._changed.set()
        self._loop = asyncio.create_task(self._run(), name="jobs")

    def wake(self) -> None:
        """Look at the table again soon: a job was added, or a guild was opened."""
        self._changed.set()

    def opened(self, guild_ids: Collection[int]) -> None:
        """Release soon what is held in guilds that this process has taken over, where its plugin is on."""
        self._fresh.update(guild_ids)
        self.wake()

    async def release(self, plugin: str, guild_id: int) -> None:
        """Let the held jobs of a plugin run again: it was switched on in the guild."""
        await self._runtime.db.write(store.release, plugin, guild_id, key=guild_id)
        self.wake()

    async def dead(self, guild_id: int) -> list[JobState]:
        """Return the jobs of a guild that failed too often, newest first."""
        return await self._runtime.db.read(dead_jobs, guild_id)

    async def close(self, within: float = 10.0) -> None:
        """Stop looking and let running jobs end; those that do not run again at the next start.

        :param within: real seconds; with 0 everything is cut off as it stands, as if the process were lost.
        """
        if self.wake in store.wakers:
            store.wakers.remove(self.wake)
        self._core.book.close()
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        try:
            await self._workers.close(within)
        finally:
            claims.give_up(self._token)

    async def drain(self, plugin: str, guild_id: int, within: float) -> None:
        """Let the running job of a plugin in a guild end; one that does not waits until it is on again.

        :param within: real seconds.
        """
        await self._workers.drain((plugin, guild_id), within)

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Return what moves now; see `Workers.tasks`."""
        return self._workers.tasks()

    def hung(self) -> list[DueJob]:
        """Return the jobs that go on although they were told to stop."""
        return self._workers.hung()

    @property
    def busy(self) -> bool:
        """Say whether a look at the table is due or under way."""
        return self._looking or self._changed.is_set()

    async def _run(self) -> None:
        while True:
            # The flag goes down only when `_looking` is up, so that an observer never sees neither.
            self._looking = True
            self._changed.clear()
            try:
                wait = await self._look()
            except Exception:
                log.exception("the job table could not be read, trying again")
                wait = LOOK_EVERY
            self._looking = False
            if wait > 0:
                await self._sleep(wait)

    async def _look(self) -> float:
        """Put everything in motion that a look finds; return the seconds until the next one."""
        await self._release_fresh()
        seen = await look(self._runtime, self._token, self._workers.taken)
        for job in seen.stranded:
            await self._set_down(job)
        for owner in dict.fromkeys([*seen.off, *(job.owner for job in seen.stranded)]):
            await self._hold(owner)
        self._workers.queue(seen.due, seen.more)
        if not self._planned:
            await self._core.plan_tidying()
            self._planned = True
        return seen.wait

    async def _release_fresh(self) -> None:
        """Release what is held in guilds that are new to this process, or that the bot is in again."""
        back = {guild_id for guild_id in self._left if not self._runtime.bot.has_left(guild_id)}
        self._left -= back
        self._fresh |= back
        if not self._fresh:
            return
        fresh = set(self._fresh)
        # Asked once for all: a start may bring thousands of guilds, of which few have held jobs.
        for owner in await self._runtime.db.read(store.held_owners):
            if owner[1] in fresh and may_run(self._runtime, owner):
                await self.release(*owner)
        # Only now: what fails on the way is done again at the next look.
        self._fresh -= fresh

    async def _hold(self, owner: Owner) -> None:
        # Asked in the step in which the write is queued: a release can then only come after it.
        if not may_run(self._runtime, owner):
            now = self._runtime.clock.now()
            if owner[1] != 0 and self._runtime.bot.has_left(owner[1]):
                self._left.add(owner[1])
            await self._runtime.db.write(store.hold, *owner, now, key=owner[1])

    async def _set_down(self, job: DueJob) -> None:
        """Have a job wait that a lost process was running, whose plugin is off or whose guild was left."""
        runtime = self._runtime
        now = runtime.clock.now()
        if await runtime.db.write(
            store.claim, job.id, self._token, now, now, job.lost, key=job.guild_id
        ) and not await runtime.db.write(store.put_back, job.id, self._token, key=job.guild_id):
            log.error("job %s.%s %s is run by somebody else meanwhile", job.plugin, job.name, job.id)

    async def _sleep(self, seconds: float) -> None:
        timer = asyncio.create_task(self._ring(seconds), name="timer of jobs")
        try:
            await self._changed.wait()
        finally:
            timer.cancel()
            await asyncio.wait({timer})

    async def _ring(self, seconds: float) -> None:
        await self._runtime.clock.sleep(seconds)
        self._changed.set()

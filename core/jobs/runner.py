"""Runs jobs when they are due, in the guilds where their plugin is on; the others are held."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from core.jobs import claims, store
from core.jobs.core_jobs import CoreJobs, NobodyListens
from core.jobs.listing import dead_jobs
from core.jobs.outbox import CORE
from core.jobs.run import JobFailed, Run
from core.jobs.store import BACKOFF, IN_ORDER, Claimed, DueJob, JobState, LostClaim
from core.scope import Scope
from core.tasks import CANCEL_GRACE, stopped

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: Safety net in seconds: the runner looks at the table at least this often.
LOOK_EVERY = 60.0
#: Seconds after which a claim runs out, and after which it is renewed while its job runs.
CLAIM = 60.0
RENEW_EVERY = 20.0
#: Jobs that run at the same time in one process; hung ones do not count.
TOGETHER = 50
#: Rows read in one go, and due ones that are enough for one look.
PAGE = 500
ENOUGH = 2_000

Owner = tuple[str, int]


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
        self._slots = asyncio.Semaphore(TOGETHER)
        self._queues: dict[Owner, deque[DueJob]] = {}
        self._workers: dict[Owner, asyncio.Task[None]] = {}
        self._runs: dict[Owner, Run] = {}
        self._taken: dict[int, DueJob] = {}
        self._lining_up: set[Owner] = set()
        self._fresh: set[int] = {0}
        self._loop: asyncio.Task[None] | None = None
        self._renewer: asyncio.Task[None] | None = None
        self._looking = False
        self._closing = False
        self._planned = False

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
        self._closing = True
        if self.wake in store.wakers:
            store.wakers.remove(self.wake)
        self._core.book.close()
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        self._queues.clear()
        if within > 0 and self._workers:
            await asyncio.wait(set(self._workers.values()), timeout=within)
            for run in self._runs.values():
                run.stop()
            if self._workers:
                await asyncio.wait(set(self._workers.values()), timeout=CANCEL_GRACE + 1)
        handlers = [run.task for run in self._runs.values()]
        await stopped([*self._workers.values(), *handlers])
        if self._renewer is not None:
            await stopped([self._renewer])
        claims.give_up(self._token)

    async def drain(self, plugin: str, guild_id: int, within: float) -> None:
        """Let the running job of a plugin in a guild end; one that does not waits until it is on again.

        :param within: real seconds.
        """
        worker = self._workers.get((plugin, guild_id))
        if worker is None:
            return
        await asyncio.wait({worker}, timeout=within)
        run = self._runs.get((plugin, guild_id))
        if not worker.done() and run is not None:
            run.stop()
            await asyncio.wait({worker}, timeout=CANCEL_GRACE + 1)

    def tasks(self) -> list[asyncio.Task[None]]:
        """Return what runs now: a job's handler, or what is done before and after it.

        Left out are those that wait until another one has ended.
        """
        return [
            run.task  # type: ignore[misc]
            if (run := self._runs.get(owner)) is not None and not run.task.done()
            else worker
            for owner, worker in self._workers.items()
            if owner not in self._lining_up
        ]

    def hung(self) -> list[DueJob]:
        """Return the jobs that go on although they were told to stop."""
        return [
            job for job in self._taken.values() if (run := self._runs.get(job.owner)) is not None and run.hung
        ]

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
                await self._release_fresh()
                wait = await self._look()
            except Exception:
                log.exception("the job table could not be read, trying again")
                wait = LOOK_EVERY
            self._looking = False
            if wait > 0:
                await self._sleep(wait)

    async def _release_fresh(self) -> None:
        """Release what an earlier life, or another process, held in guilds that are new to this one."""
        if self._fresh:
            fresh = set(self._fresh)
            # Asked once for all: a start may bring thousands of guilds, of which few have held jobs.
            for owner in await self._runtime.db.read(store.held_owners):
                if owner[1] in fresh and self._may_run(owner):
                    await self._runtime.db.write(store.release, *owner, key=owner[1])
            # Only now: what fails on the way is done again at the next look.
            self._fresh -= fresh
        if not self._planned:
            await self._core.plan_tidying()
            self._planned = True

    async def _look(self) -> float:
        """Queue what is due and start workers; return the seconds until the next job."""
        runtime = self._runtime
        now = runtime.clock.now()
        wait = LOOK_EVERY
        due: list[DueJob] = []
        off: dict[Owner, None] = {}
        elsewhere: set[Owner] = set()
        for running in await runtime.db.read(store.running_jobs):
            if not self._is_mine(running.job.guild_id) or running.job.id in self._taken:
                continue
            ours = running.claimed_by == self._token
            until = running.claimed_until
            if ours or until is None or until <= now or claims.surely_dead(running.claimed_by):
                lost = LostClaim(running.claimed_by, until, ours)
                due.append(store.taken_over(running.job, lost))
            else:
                # Another process had this guild until lately, and may still be at it.
                elsewhere.add(running.job.owner)
                wait = min(wait, (until - now).total_seconds())
        after: tuple[datetime, int] | None = None
        more = True
        while more and len(due) < ENOUGH:
            page = await runtime.db.read(store.ready_jobs, now + timedelta(seconds=LOOK_EVERY), after, PAGE)
            more = len(page) == PAGE
            for job in page:
                if not self._is_mine(job.guild_id):
                    continue
                if not self._may_run(job.owner):
                    off[job.owner] = None
                elif job.due <= now:
                    if job.owner not in elsewhere:
                        due.append(job)
                else:
                    wait = min(wait, (job.due - now).total_seconds())
                    more = False
                    break
            if page:
                after = (page[-1].due, page[-1].id)
        for owner in off:
            await self._hold(owner)
        self._queue(due)
        return wait

    def _queue(self, due: list[DueJob]) -> None:
        """Replace what waits for the workers by what a look has found."""
        self._queues = {}
        for job in sorted(due, key=lambda each: (each.due, each.id)):
            # What is at work now was read before it was claimed.
            if job.id not in self._taken:
                self._queues.setdefault(job.owner, deque()).append(job)
        for owner in self._queues:
            if owner not in self._workers and not self._closing:
                worker = asyncio.create_task(self._work(owner), name=f"jobs of {owner[0]} in {owner[1]}")
                self._workers[owner] = worker
                worker.add_done_callback(partial(self._ended, owner))

    async def _hold(self, owner: Owner) -> None:
        # Asked in the step in which the write is queued: a release can then only come after it.
        if not self._may_run(owner):
            plugin, guild_id = owner
            await self._runtime.db.write(
                store.hold, plugin, guild_id, self._runtime.clock.now(), key=guild_id
            )

    def _is_mine(self, guild_id: int) -> bool:
        return guild_id == 0 or self._runtime.opener.is_open(guild_id)

    def _may_run(self, owner: Owner) -> bool:
        plugin, guild_id = owner
        if plugin == CORE:
            return True
        loaded = plugin in self._runtime.manager.loaded
        return loaded and (guild_id == 0 or plugin in self._runtime.guilds.active(guild_id))

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

    async def _work(self, owner: Owner) -> None:
        """Run the due jobs of one owner, one after the other."""
        while (queue := self._queues.get(owner)) and self._may_run(owner):
            job = queue.popleft()
            self._taken[job.id] = job
            free = _Once(self._slots.release)
            try:
                self._lining_up.add(owner)
                await self._slots.acquire()
                self._lining_up.discard(owner)
                try:
                    await self._one(job, free)
                finally:
                    free()
            finally:
                self._lining_up.discard(owner)
                self._taken.pop(job.id, None)
                self._runs.pop(owner, None)

    def _ended(self, owner: Owner, worker: asyncio.Task[None]) -> None:
        self._workers.pop(owner, None)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            words = "a job of %s in guild %s could not be claimed or its end not be stored; it runs again"
            log.error(words, *owner, exc_info=error)
        self.wake()

    async def _one(self, job: DueJob, free: Callable[[], None]) -> None:
        """Claim a job, run it, and store its end."""
        runtime = self._runtime
        if self._closing or not self._may_run(job.owner):
            return
        now = runtime.clock.now()
        claimed = await runtime.db.write(
            store.claim,
            job.id,
            self._token,
            now,
            now + timedelta(seconds=CLAIM),
            job.lost,
            key=job.guild_id,
        )
        if claimed is None:
            return
        if self._closing or not self._may_run(job.owner):
            await self._store_end(job, store.put_back)
            return
        if claimed.attempts > len(BACKOFF) and job.name not in IN_ORDER:
            # A job that takes the whole process with it must not do so for ever.
            words = f"the process ended while it ran, {claimed.attempts} tries in all"
            await self._store_end(job, store.fail, words, claimed.attempts, None)
            return
        error = await self._handle(job, claimed, free)
        if error is None:
            await self._store_end(job, store.finish)
        elif isinstance(error, asyncio.CancelledError):
            await self._store_end(job, store.put_back)
        else:
            await self._failed(job, claimed.attempts + 1, error)

    async def _handle(self, job: DueJob, claimed: Claimed, free: Callable[[], None]) -> BaseException | None:
        runtime = self._runtime
        handler: Callable[[], Awaitable[None]]
        if self._core.knows(job):
            handler, deadline = partial(self._core.run, job, claimed.payload), self._core.deadline
        else:
            plugin = runtime.manager.loaded.get(job.plugin)
            definition = plugin.jobs.get(job.name) if plugin is not None else None
            if definition is None:
                version = f" {plugin.manifest.version}" if plugin is not None else ""
                return NobodyListens(f"{job.plugin}{version} has no job {job.name!r}")
            context = runtime.context_for(job.plugin, job.guild_id)
            handler = partial(definition.handler, context, claimed.payload)
            deadline = definition.deadline
        scope = Scope(job.plugin, job.guild_id, f"job {job.name}", self._locale(job.guild_id))
        run = self._runs[job.owner] = Run(handler, scope, deadline, free)
        self._keep_claims()
        return await run.ended()

    async def _failed(self, job: DueJob, attempts: int, error: BaseException) -> None:
        words = str(error) if isinstance(error, JobFailed) else f"{type(error).__name__}: {error}"
        log.error("job %s.%s failed, try %s: %s", job.plugin, job.name, attempts, words, exc_info=error)
        ordered = job.name in IN_ORDER
        again = not isinstance(error, NobodyListens) and (ordered or attempts <= len(BACKOFF))
        if not again:
            await self._store_end(job, store.fail, words, attempts, None)
            return
        delay = BACKOFF[min(attempts, len(BACKOFF)) - 1]
        due = self._runtime.clock.now() + timedelta(seconds=delay)
        if ordered:
            await self._store_end(job, store.fail_in_order, words, attempts, due)
            # What was read behind it has to wait now.
            self._queues.pop(job.owner, None)
        else:
            await self._store_end(job, store.fail, words, attempts, due)
        self.wake()

    async def _store_end(self, job: DueJob, function: Callable[..., bool], *values: object) -> None:
        first = job if function is store.fail_in_order else job.id
        kept = await self._runtime.db.write(function, first, self._token, *values, key=job.guild_id)
        if not kept:
            log.error(
                "job %s.%s %s ended after its claim had run out: it may have run twice",
                job.plugin,
                job.name,
                job.id,
            )

    def _keep_claims(self) -> None:
        if self._renewer is None or self._renewer.done():
            self._renewer = asyncio.create_task(self._renew(), name="claims of jobs")

    async def _renew(self) -> None:
        """Renew the claims of what runs, as long as something does."""
        while True:
            await self._runtime.clock.sleep(RENEW_EVERY)
            if not self._runs:
                return
            until = self._runtime.clock.now() + timedelta(seconds=CLAIM)
            for job in [each for each in self._taken.values() if each.owner in self._runs]:
                try:
                    await self._runtime.db.write(store.renew, job.id, self._token, until, key=job.guild_id)
                except Exception:
                    log.exception("the claim of job %s.%s could not be renewed", job.plugin, job.name)

    def _locale(self, guild_id: int) -> str | None:
        guild = self._runtime.bot.get_guild(guild_id)
        return str(guild.preferred_locale) if guild is not None else None


class _Once:
    """Calls a function the first time, and never again."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    def __call__(self) -> None:
        function, self._function = self._function, None
        if function is not None:
            function()

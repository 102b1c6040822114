"""Workers: one per (plugin, guild) that has due jobs, which claims them and runs them one after the other."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Container, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from core.jobs import store
from core.jobs.core_jobs import CoreJobs, NobodyListens
from core.jobs.look import may_run
from core.jobs.run import JobFailed, Run
from core.jobs.store import BACKOFF, IN_ORDER, Claimed, DueJob, Owner
from core.scope import Scope
from core.tasks import CANCEL_GRACE, stopped, unowned_task

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: Seconds after which a claim runs out, and after which it is renewed while its job runs.
CLAIM = 60.0
RENEW_EVERY = 20.0
#: Jobs that run at the same time in one process; those that do not heed their end count no more.
TOGETHER = 50


class Workers:
    """Runs due jobs.

    :param token: for the claims.
    :param core: runs the core's own kinds.
    :param wake: has the table looked at again.
    """

    def __init__(self, runtime: Runtime, token: str, core: CoreJobs, wake: Callable[[], None]) -> None:
        self._runtime = runtime
        self._token = token
        self._core = core
        self._wake = wake
        self._slots = asyncio.Semaphore(TOGETHER)
        self._queues: dict[Owner, deque[DueJob]] = {}
        self._workers: dict[Owner, asyncio.Task[None]] = {}
        self._lining_up: set[Owner] = set()
        self._runs: dict[Owner, Run] = {}
        self._taken: dict[int, DueJob] = {}
        self._renewer: asyncio.Task[None] | None = None
        #: Jobs to begin before the table is looked at again for more of them.
        self._until_look: int | None = None
        self._closing = False

    @property
    def taken(self) -> Container[int]:
        """The ids of the jobs that a worker is at, from before the claim until after the end is stored."""
        return self._taken

    def queue(self, due: Sequence[DueJob], more: bool) -> None:
        """Replace what waits for the workers by what a look has found, first one first.

        :param more: look again when most of it is done.
        """
        self._queues = {}
        # What a worker is at now was read before it was claimed.
        fresh = [job for job in due if job.id not in self._taken]
        for job in fresh:
            self._queues.setdefault(job.owner, deque()).append(job)
        self._until_look = len(fresh) // 2 if more else None
        for owner in self._queues:
            if owner not in self._workers and not self._closing:
                worker = unowned_task(self._work(owner), f"jobs of {owner[0]} in {owner[1]}")
                self._workers[owner] = worker
                worker.add_done_callback(partial(self._ended, owner))

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Return what moves: of each job the handler, or what is done before and after it.

        Left out are those that wait until another one has ended.
        """
        found: list[asyncio.Task[Any]] = []
        for owner, worker in self._workers.items():
            run = self._runs.get(owner)
            if run is not None and not run.task.done():
                found.append(run.task)
            elif owner not in self._lining_up:
                found.append(worker)
        return found

    def hung(self) -> list[DueJob]:
        """Return the jobs that go on although they were told to stop."""
        return [job for job in self._taken.values() if job.owner in self._runs and self._runs[job.owner].hung]

    async def drain(self, owner: Owner, within: float) -> None:
        """Let the running job of an owner end; one that does not is stopped, and waits.

        :param within: real seconds.
        """
        worker = self._workers.get(owner)
        if worker is None:
            return
        await asyncio.wait({worker}, timeout=within)
        run = self._runs.get(owner)
        if not worker.done() and run is not None:
            run.stop()
            await asyncio.wait({worker}, timeout=CANCEL_GRACE + 1)

    async def close(self, within: float) -> None:
        """Let running jobs end; those that do not wait for the next start.

        :param within: real seconds; with 0 everything is cut off as it stands.
        """
        self._closing = True
        self._queues.clear()
        if within > 0 and self._workers:
            await asyncio.wait(set(self._workers.values()), timeout=within)
            for run in self._runs.values():
                run.stop()
            if self._workers:
                await asyncio.wait(set(self._workers.values()), timeout=CANCEL_GRACE + 1)
        await stopped([*self._workers.values(), *(run.task for run in self._runs.values())])
        if self._renewer is not None:
            await stopped([self._renewer])

    async def _work(self, owner: Owner) -> None:
        while may_run(self._runtime, owner) and (queue := self._queues.get(owner)) is not None:
            if not queue:
                del self._queues[owner]
                return
            job = queue.popleft()
            self._count_down()
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

    def _count_down(self) -> None:
        if self._until_look is not None:
            self._until_look -= 1
            if self._until_look <= 0:
                self._until_look = None
                self._wake()

    def _ended(self, owner: Owner, worker: asyncio.Task[None]) -> None:
        self._workers.pop(owner, None)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            words = "a job of %s in guild %s could not be claimed or its end not be stored; it runs again"
            log.error(words, *owner, exc_info=error)
            self._wake()
        elif owner in self._queues:
            # Filled after this worker had looked for the last time.
            self._wake()

    async def _one(self, job: DueJob, free: Callable[[], None]) -> None:
        """Claim a job, run it, and store its end."""
        runtime = self._runtime
        if self._closing or not may_run(runtime, job.owner):
            return
        now = runtime.clock.now()
        until = now + timedelta(seconds=CLAIM)
        claimed = await runtime.db.write(
            store.claim, job.id, self._token, now, until, job.lost, key=job.guild_id
        )
        if claimed is None:
            # Somebody else had it, or a hand on its row; if it is still there the next look finds it.
            self._wake()
            return
        if self._closing or not may_run(runtime, job.owner):
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
            self._wake()
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
        guild = runtime.bot.get_guild(job.guild_id)
        locale = str(guild.preferred_locale) if guild is not None else None
        scope = Scope(job.plugin, job.guild_id, f"job {job.name}", locale)
        run = self._runs[job.owner] = Run(handler, scope, deadline, free)
        if self._renewer is None or self._renewer.done():
            self._renewer = unowned_task(self._renew(), "claims of jobs")
        return await run.ended()

    async def _failed(self, job: DueJob, attempts: int, error: BaseException) -> None:
        words = str(error) if isinstance(error, JobFailed) else f"{type(error).__name__}: {error}"
        log.error("job %s.%s failed, try %s: %s", job.plugin, job.name, attempts, words, exc_info=error)
        ordered = job.name in IN_ORDER
        if isinstance(error, NobodyListens) or (attempts > len(BACKOFF) and not ordered):
            await self._store_end(job, store.fail, words, attempts, None)
            return
        delay = BACKOFF[min(attempts, len(BACKOFF)) - 1]
        due = self._runtime.clock.now() + timedelta(seconds=delay)
        await self._store_end(job, store.fail_in_order if ordered else store.fail, words, attempts, due)
        if ordered:
            # What was read behind it has to wait now.
            self._queues.pop(job.owner, None)
        self._wake()

    async def _store_end(self, job: DueJob, function: Callable[..., bool], *values: object) -> None:
        subject = job if function is store.fail_in_order else job.id
        if not await self._runtime.db.write(function, subject, self._token, *values, key=job.guild_id):
            words = "job %s.%s %s ended after its claim had run out: it may have run twice"
            log.error(words, job.plugin, job.name, job.id)

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


class _Once:
    """Calls a function the first time, and never again."""

    def __init__(self, function: Callable[[], None]) -> None:
        self._function: Callable[[], None] | None = function

    def __call__(self) -> None:
        function, self._function = self._function, None
        if function is not None:
            function()

"""Durable timers and outbox: written in the same transaction as the change that needs them.

A job runs at least once: it is taken, its handler is called, and only then is it done. A handler
therefore looks first whether its work is already there.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from core.database import JobRow, after_commit
from core.scope import Scope, running
from core.tasks import stopped

if TYPE_CHECKING:
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: Waits before the next try after a failure; after the last one the job is dead and stays visible.
BACKOFF = (5, 30, 120, 600, 3600)
#: Safety net in seconds: the runner looks at the table at least this often.
LOOK_EVERY = 60.0

_wakers: list[Any] = []


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job that is to run now."""

    id: int
    plugin: str
    guild_id: int
    name: str
    payload: dict[str, Any]
    attempts: int


def enqueue(
    job_id: int, *, plugin: str, guild_id: int, name: str, key: str, payload: dict[str, Any], due: datetime
) -> None:
    """Store a job; a second one of the same (plugin, guild, name, key) is ignored. Store function.

    :param job_id: from `ctx.ids.next()`, taken outside so that a re-run stores the same one.
    :param key: what makes it the same job.
    :param due: when it runs at the earliest; aware.
    """
    JobRow.insert(
        id=job_id, plugin=plugin, guild_id=guild_id, name=name, key=key, payload=payload, due=due
    ).on_conflict(
        action="ignore", conflict_target=[JobRow.plugin, JobRow.guild_id, JobRow.name, JobRow.key]
    ).execute()
    for wake in _wakers:
        after_commit(wake)


def waiting_jobs(until: datetime) -> list[tuple[DueJob, datetime]]:
    """Return the jobs that wait and are due by `until`, with their times, first one first."""
    query: Any = (
        JobRow.select(
            JobRow.id,
            JobRow.plugin,
            JobRow.guild_id,
            JobRow.name,
            JobRow.payload,
            JobRow.attempts,
            JobRow.due,
        )
        .where(JobRow.state == "waiting", JobRow.due <= until)
        .order_by(JobRow.due, JobRow.id)
    )
    return [(DueJob(*row[:-1]), row[-1]) for row in query.tuples()]


def finish_job(job_id: int) -> None:
    """Mark a job as done."""
    JobRow.update(state="done", last_error=None).where(JobRow.id == job_id).execute()


def fail_job(job_id: int, error: str, attempts: int, due: datetime | None) -> None:
    """Note a failure.

    :param due: when to try again; None makes the job dead.
    """
    values: dict[str, Any] = {"attempts": attempts, "last_error": error}
    values |= {"state": "dead"} if due is None else {"state": "waiting", "due": due}
    JobRow.update(values).where(JobRow.id == job_id).execute()


class JobRunner:
    """Runs jobs when they are due, for guilds where their plugin is on; the others wait."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._changed = asyncio.Event()
        self._running: dict[int, asyncio.Task[None]] = {}
        self._owners: dict[int, tuple[str, int]] = {}
        self._loop: asyncio.Task[None] | None = None
        self._looking = False

    def start(self) -> None:
        """Begin to look at the job table."""
        _wakers.append(self.wake)
        self._changed.set()
        self._loop = asyncio.create_task(self._run(), name="jobs")

    def wake(self) -> None:
        """Look at the table again soon: a job was added, or a plugin was switched on."""
        self._changed.set()

    async def close(self, within: float = 10.0) -> None:
        """Stop looking and let running jobs end; those that do not run again at the next start."""
        if self.wake in _wakers:
            _wakers.remove(self.wake)
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.wait({self._loop})
        if self._running:
            _, late = await asyncio.wait(set(self._running.values()), timeout=within)
            await stopped(late)

    async def drain(self, plugin: str, guild_id: int, within: float) -> None:
        """Let the running jobs of a plugin in a guild end; those that do not wait until it is on again."""
        numbers = [number for number, owner in self._owners.items() if owner == (plugin, guild_id)]
        mine = {self._running[number] for number in numbers}
        if mine:
            _, late = await asyncio.wait(mine, timeout=within)
            await stopped(late)

    def tasks(self) -> list[asyncio.Task[None]]:
        """Return the jobs that run now."""
        return list(self._running.values())

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
        """Start what is due; return the seconds until the next job."""
        now = self._runtime.clock.now()
        wait = LOOK_EVERY
        # One that ends while the table is read may still be seen there as waiting; its end looks again.
        running_before = set(self._running)
        for job, due in await self._runtime.db.read(waiting_jobs, now + timedelta(seconds=LOOK_EVERY)):
            if job.id in running_before or not self._may_run(job):
                continue
            if due > now:
                wait = min(wait, (due - now).total_seconds())
                break
            task = asyncio.create_task(self._do(job), name=f"job {job.plugin}.{job.name} {job.id}")
            self._running[job.id] = task
            self._owners[job.id] = (job.plugin, job.guild_id)
            task.add_done_callback(partial(self._ended, job.id))
        return wait

    def _ended(self, job_id: int, task: asyncio.Task[None]) -> None:
        self._running.pop(job_id, None)
        self._owners.pop(job_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("the end of %s could not be stored; it runs again", task.get_name(), exc_info=error)

    def _may_run(self, job: DueJob) -> bool:
        plugin = self._runtime.manager.loaded.get(job.plugin)
        return (
            plugin is not None
            and job.name in plugin.jobs
            and job.plugin in self._runtime.guilds.active(job.guild_id)
        )

    async def _sleep(self, seconds: float) -> None:
        timer = asyncio.ensure_future(self._runtime.clock.sleep(seconds))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait({timer, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (timer, changed):
                task.cancel()
            await asyncio.wait({timer, changed})

    async def _do(self, job: DueJob) -> None:
        handler = self._runtime.manager.loaded[job.plugin].jobs[job.name].handler
        with running(Scope(job.plugin, job.guild_id, f"job {job.name}")):
            try:
                await handler(self._runtime.context_for(job.plugin, job.guild_id), job.payload)
            except (Exception, SystemExit) as error:
                attempts = job.attempts + 1
                again = attempts <= len(BACKOFF)
                log.exception("job %s.%s failed, try %s", job.plugin, job.name, attempts)
                due = self._runtime.clock.now() + timedelta(seconds=BACKOFF[attempts - 1]) if again else None
                words = f"{type(error).__name__}: {error}"
                await self._runtime.db.write(fail_job, job.id, words, attempts, due, key=job.guild_id)
            else:
                await self._runtime.db.write(finish_job, job.id, key=job.guild_id)
        self.wake()

"""The core's own jobs: events handed to their consumers, and the deletion of what is long done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from core.jobs import store
from core.jobs.outbox import CORE, HookBook, fan_out, stored_event
from core.jobs.run import JobFailed
from core.jobs.store import DELIVERY, EVENT, DueJob

if TYPE_CHECKING:
    from core.runtime import Runtime

#: The daily deletion of jobs that are done.
TIDY = "tidy"
#: How long a job that is done keeps a second one of its key away.
KEPT = timedelta(days=14)
#: Rows deleted in one transaction: a long one would hold up everybody else's writes.
CHUNK = 500

#: Does one job of a kind of the core's own.
CoreHandler = Callable[[DueJob, Mapping[str, Any]], Awaitable[None]]


class NobodyListens(JobFailed):
    """The consumer of a delivery has no handler for it any more; trying again is of no use."""


class CoreJobs:
    """Runs the kinds of job that no plugin declares.

    :param runtime: the process.
    """

    #: Seconds that one run may take; a delivery also waits for its turn in the plugin's lane.
    deadline = 60.0

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.book = HookBook(runtime.manager)
        #: Further kinds of the core's own, by name.
        self.kinds: dict[str, CoreHandler] = {}

    def knows(self, job: DueJob) -> bool:
        """Say whether a job is of one of these kinds."""
        return job.name == DELIVERY or (job.plugin == CORE and job.name in {EVENT, TIDY, *self.kinds})

    async def run(self, job: DueJob, payload: Mapping[str, Any]) -> None:
        """Do one of these jobs."""
        if job.name == DELIVERY:
            await self._deliver(job, payload)
        elif job.name == EVENT:
            await self._fan_out(job, payload)
        elif job.name in self.kinds:
            await self.kinds[job.name](job, payload)
        else:
            await self._tidy()

    async def plan_tidying(self) -> None:
        """Store the next daily deletion, unless it is there."""
        now = self._runtime.clock.now()
        due = (now + timedelta(days=1)).replace(hour=4, minute=0, second=0, microsecond=0)
        await self._runtime.db.write(_store_tidying, self._runtime.ids.next(), due)

    async def _fan_out(self, job: DueJob, payload: Mapping[str, Any]) -> None:
        runtime = self._runtime
        consumers = [
            (runtime.ids.next(), plugin.name)
            for plugin in runtime.manager.loaded.values()
            if payload["hook"] in plugin.targets
        ]
        await runtime.db.write(fan_out, job.id, job.guild_id, payload, consumers, job.due, key=job.guild_id)

    async def _deliver(self, job: DueJob, payload: Mapping[str, Any]) -> None:
        if payload["hook"] not in self._runtime.manager.loaded[job.plugin].targets:
            raise NobodyListens(f"{job.plugin} no longer listens to {payload['hook']}")
        hook, event = stored_event(self.book, payload)
        await self._runtime.dispatcher.deliver_and_wait(
            job.plugin, job.guild_id, hook, event, delivery=payload["id"]
        )

    async def _tidy(self) -> None:
        before = self._runtime.clock.now() - KEPT
        while await self._runtime.db.write(store.delete_done, before, CHUNK) == CHUNK:
            pass
        await self.plan_tidying()


def _store_tidying(job_id: int, due: datetime) -> None:
    store.insert(job_id, plugin=CORE, guild_id=0, name=TIDY, key=due.date().isoformat(), payload={}, due=due)

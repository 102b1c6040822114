"""A look at the job table: what is due here, what has to be held, and when to look again."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from core.jobs import claims, store
from core.jobs.outbox import CORE
from core.jobs.store import DueJob, LostClaim, Owner, RunningJob

if TYPE_CHECKING:
    from core.runtime import Runtime

#: Safety net in seconds: the table is looked at at least this often.
LOOK_EVERY = 60.0
#: Rows read in one go, and due ones that are enough for one look.
PAGE = 500
ENOUGH = 2_000


@dataclass(slots=True)
class Seen:
    """What a look has found.

    :param due: jobs to run now, first one first.
    :param off: owners whose plugin is off, or whose guild the bot has left, with jobs that are ready all the
        same.
    :param stranded: jobs of such owners that a lost process was running.
    :param wait: seconds until the next look.
    :param more: there is more that is due than was read.
    """

    due: list[DueJob] = field(default_factory=list)
    off: dict[Owner, None] = field(default_factory=dict)
    stranded: list[DueJob] = field(default_factory=list)
    wait: float = field(default_factory=lambda: LOOK_EVERY)
    more: bool = False
    #: Owners of which a job may still run in another process.
    elsewhere: set[Owner] = field(default_factory=set)

    def look_again(self, now: datetime, when: datetime) -> None:
        """Look again at `when` at the latest."""
        self.wait = min(self.wait, (when - now).total_seconds())


def is_mine(runtime: Runtime, guild_id: int) -> bool:
    """Say whether jobs of a guild are this process's.

    It has the guild open, or is the one that would have it and has left it, or the guild is its own 0.
    """
    return guild_id == 0 or runtime.opener.is_open(guild_id) or runtime.bot.has_left(guild_id)


def may_run(runtime: Runtime, owner: Owner) -> bool:
    """Say whether a plugin is on in a guild that the bot is in; one of the process itself is to be loaded."""
    plugin, guild_id = owner
    if guild_id != 0 and runtime.bot.has_left(guild_id):
        return False
    if plugin == CORE:
        return True
    loaded = plugin in runtime.manager.loaded
    return loaded and (guild_id == 0 or plugin in runtime.guilds.active(guild_id))


async def look(runtime: Runtime, token: str, taken: Container[int]) -> Seen:
    """Read what is ready by the next look, and what lost processes were running.

    :param token: of this runner's claims.
    :param taken: ids that a worker of this runner is at.
    """
    now = runtime.clock.now()
    seen = Seen()
    until = now + timedelta(seconds=LOOK_EVERY)
    claimed, page = await runtime.db.read(store.running_and_ready, until, PAGE)
    for running in claimed:
        if is_mine(runtime, running.job.guild_id) and running.job.id not in taken:
            _judge(seen, running, token, now, may_run(runtime, running.job.owner))
    while True:
        for job in page:
            if not is_mine(runtime, job.guild_id):
                continue
            if not may_run(runtime, job.owner):
                seen.off[job.owner] = None
            elif job.due > now:
                seen.look_again(now, job.due)
                break
            elif job.owner not in seen.elsewhere:
                seen.due.append(job)
        else:
            seen.more = len(page) == PAGE and len(seen.due) >= ENOUGH
            if len(page) == PAGE and not seen.more:
                after = (page[-1].due, page[-1].id)
                page = await runtime.db.read(store.ready_jobs, until, after, PAGE)
                continue
        break
    seen.due.sort(key=lambda job: (job.due, job.id))
    return seen


def _judge(seen: Seen, running: RunningJob, token: str, now: datetime, on: bool) -> None:
    """Take a claim over if nobody can be at work on it any more."""
    by, until = running.claimed_by, running.claimed_until
    ours = by == token
    if ours or until is None or until <= now or claims.surely_dead(by):
        job = replace(running.job, lost=LostClaim(by, until, ours))
        (seen.due if on else seen.stranded).append(job)
    else:
        # Another process had this guild until lately and may still be at it: its order holds here too.
        seen.elsewhere.add(running.job.owner)
        seen.look_again(now, until)

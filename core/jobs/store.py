"""Store functions of jobs: one row each, from `enqueue` to done or dead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from peewee import SQL

from core.database import JobRow, after_commit
from core.database.backends import ServerPostgres

#: Seconds to the next try after each failure; after the last one a job is dead and stays visible.
BACKOFF = (5, 30, 120, 600, 3600)
#: A plugin and a guild.
Owner = tuple[str, int]

#: Names of the core's own kinds begin with this; a plugin's cannot.
RESERVED = "@"
#: An event that is committed and not yet handed to its consumers; owned by the core.
EVENT = "@event"
#: One event on its way to one consumer, which owns it.
DELIVERY = "@delivery"
#: Of these a later one never overtakes an earlier one of its owner, and none is ever given up.
IN_ORDER = frozenset({EVENT, DELIVERY})

# Written out: with the words as parameters no database can tell that the partial index covers the query. And
# SQLite, which knows no numbers of rows, has to be told to use it: the other one would read all held rows.
_READY = SQL('"state" = \'waiting\' AND "held_since" IS NULL')

#: Called after a commit that stored jobs; each running JobRunner adds its own.
wakers: list[Callable[[], None]] = []


@dataclass(frozen=True, slots=True)
class LostClaim:
    """A claim whose process is gone, as it stood when it was seen."""

    by: str | None
    until: datetime | None
    ours: bool


@dataclass(frozen=True, slots=True)
class DueJob:
    """A job that waits, or that a lost process was running.

    :param lost: the claim to take over.
    """

    id: int
    plugin: str
    guild_id: int
    name: str
    due: datetime
    lost: LostClaim | None = None

    @property
    def owner(self) -> Owner:
        """Return the plugin and the guild that it belongs to."""
        return self.plugin, self.guild_id


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job that some process runs, or was running when it ended."""

    job: DueJob
    claimed_by: str | None
    claimed_until: datetime | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the claimer needs to run a job.

    :param attempts: how often it failed so far.
    """

    payload: dict[str, Any]
    attempts: int


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as people see it."""

    id: int
    plugin: str
    guild_id: int
    name: str
    key: str
    state: str
    due: datetime
    attempts: int
    last_error: str | None
    held_since: datetime | None


def enqueue(
    job_id: int, *, plugin: str, guild_id: int, name: str, key: str, payload: dict[str, Any], due: datetime
) -> None:
    """Store a job; a second one of the same (plugin, guild, name, key) is ignored. Store function.

    The jobs of one plugin in one guild run one after the other, in the order of their times.

    :param job_id: from `ctx.ids.next()`, taken outside so that a re-run stores the same one.
    :param key: what makes it the same job.
    :param due: when it runs at the earliest; aware.
    :raises ValueError: the name begins with @, as those of the core do.
    """
    if name.startswith(RESERVED):
        raise ValueError(f"the job name {name!r} begins with {RESERVED}, which is kept for the core")
    insert(job_id, plugin=plugin, guild_id=guild_id, name=name, key=key, payload=payload, due=due)


def insert(job_id: int, **columns: Any) -> None:
    """Store a row as `enqueue` does, of any name, and have the runner look at the table after the commit."""
    JobRow.insert(id=job_id, **columns).on_conflict(
        action="ignore", conflict_target=[JobRow.plugin, JobRow.guild_id, JobRow.name, JobRow.key]
    ).execute()
    for wake in wakers:
        after_commit(wake)


def ready_jobs(until: datetime, after: tuple[datetime, int] | None, limit: int) -> list[DueJob]:
    """Return jobs that wait, are not held and are due by `until`, first one first.

    :param after: time and id of the last one of the page before.
    """
    hint = "" if isinstance(_backend(), ServerPostgres) else ' INDEXED BY "jobs_ready"'
    row: Any = JobRow.alias("row")
    query: Any = row.select(*_due_columns(row)).from_(SQL(f'"jobs" AS "row"{hint}'))
    query = query.where(_READY, row.due <= until)
    if after is not None:
        due, job_id = after
        query = query.where(row.due >= due, (row.due > due) | (row.id > job_id))
    return [DueJob(*each) for each in query.order_by(row.due, row.id).limit(limit).tuples()]


def running_jobs() -> list[RunningJob]:
    """Return the jobs that are claimed, by whomever."""
    query: Any = JobRow.select(*_due_columns(JobRow), JobRow.claimed_by, JobRow.claimed_until)
    rows = query.where(JobRow.state == "running").order_by(JobRow.due, JobRow.id).tuples()
    return [RunningJob(DueJob(*row[:-2]), *row[-2:]) for row in rows]


def running_and_ready(until: datetime, limit: int) -> tuple[list[RunningJob], list[DueJob]]:
    """Return what both of them say at one moment: a claim that is seen too late would upset an order."""
    return running_jobs(), ready_jobs(until, None, limit)


def claim(
    job_id: int, token: str, now: datetime, until: datetime, lost: LostClaim | None = None
) -> Claimed | None:
    """Make a job the caller's own, unless somebody else was faster or it may not run now.

    :param token: of the claimer.
    :param until: when the claim runs out unless it is renewed.
    :param lost: take it over from this claim, if it still stands as it was seen.
    """
    values: dict[str, Any] = {"state": "running", "claimed_by": token, "claimed_until": until}
    if lost is None:
        free = _READY & (JobRow.due <= now)
    else:
        free = (JobRow.state == "running") & _same(JobRow.claimed_by, lost.by)
        free &= _same(JobRow.claimed_until, lost.until)
        if not lost.ours:
            values["attempts"] = JobRow.attempts + 1
            values["last_error"] = "the process ended while it ran"
    found: Any = JobRow.select(JobRow.id).where(JobRow.id == job_id, free)
    if isinstance(_backend(), ServerPostgres):
        found = found.for_update("FOR UPDATE SKIP LOCKED")
    query: Any = JobRow.update(values).where(JobRow.id.in_(found)).returning(JobRow.payload, JobRow.attempts)
    rows = list(query.tuples().execute())
    return Claimed(*rows[0]) if rows else None


def renew(job_id: int, token: str, until: datetime) -> bool:
    """Make a claim last until a later time; False when it is no longer the caller's."""
    return _claimed(job_id, token, {"claimed_until": until})


def finish(job_id: int, token: str) -> bool:
    """Mark a claimed job as done; False when the claim is no longer the caller's."""
    return _claimed(job_id, token, {"state": "done", "last_error": None, **_UNCLAIMED})


def put_back(job_id: int, token: str) -> bool:
    """Have a claimed job wait again, as if nobody had begun; False as for `finish`."""
    return _claimed(job_id, token, {"state": "waiting", **_UNCLAIMED})


def fail(job_id: int, token: str, error: str, attempts: int, due: datetime | None) -> bool:
    """Note a failure; False as for `finish`.

    :param attempts: how often it has failed now.
    :param due: when to try again; None makes the job dead.
    """
    values: dict[str, Any] = {"attempts": attempts, "last_error": error, **_UNCLAIMED}
    values |= {"state": "dead"} if due is None else {"state": "waiting", "due": due}
    return _claimed(job_id, token, values)


def fail_in_order(job: DueJob, token: str, error: str, attempts: int, due: datetime) -> bool:
    """Note a failure and have all later ones of the same kind and owner wait behind it."""
    if not fail(job.id, token, error, attempts, due):
        return False
    # With the same time the ids decide, and those rise in the order of the events.
    behind_it = _of(*job.owner, job.name) & (JobRow.state == "waiting") & (JobRow.due < due)
    JobRow.update(due=due).where(behind_it).execute()
    return True


def last_open(plugin: str, guild_id: int, name: str) -> tuple[datetime, int] | None:
    """Return time and id of the last job of this kind that is not over, None when there is none."""
    query: Any = JobRow.select(JobRow.due, JobRow.id).where(
        _of(plugin, guild_id, name), JobRow.state.in_(("waiting", "running"))
    )
    row: tuple[datetime, int] | None = query.order_by(JobRow.due.desc(), JobRow.id.desc()).tuples().first()
    return row


def hold(plugin: str, guild_id: int, at: datetime) -> int:
    """Take all waiting jobs of a plugin in a guild out of the runner's sight; returns how many."""
    held: int = (
        JobRow.update(held_since=at)
        .where(JobRow.plugin == plugin, JobRow.guild_id == guild_id, _READY)
        .execute()
    )
    return held


def release(plugin: str, guild_id: int) -> int:
    """Let held jobs run again; returns how many."""
    released: int = (
        JobRow.update(held_since=None)
        .where(JobRow.plugin == plugin, JobRow.guild_id == guild_id, JobRow.held_since.is_null(False))
        .execute()
    )
    return released


def held_owners() -> list[Owner]:
    """Return every plugin and guild of which jobs are held."""
    query: Any = JobRow.select(JobRow.plugin, JobRow.guild_id).where(
        JobRow.state == "waiting", JobRow.held_since.is_null(False)
    )
    return list(query.distinct().tuples())


def delete_done(before: datetime, limit: int) -> int:
    """Delete some jobs that were done before a time; returns how many."""
    old = (
        JobRow.select(JobRow.id)
        .where(JobRow.state == "done", JobRow.due < before, JobRow.updated_at < before)
        .limit(limit)
    )
    deleted: int = JobRow.delete().where(JobRow.id.in_(old)).execute()
    return deleted


def behind(at: datetime, job_id: int, last: tuple[datetime, int] | None) -> datetime:
    """Return the earliest time from `at` on with which a job comes after the last one."""
    if last is None or (at, job_id) > last:
        return at
    due, last_id = last
    # Between equal times the ids decide; one that was taken earlier and stored later has to step back.
    return due if job_id > last_id else due + timedelta(microseconds=1)


_UNCLAIMED: dict[str, Any] = {"claimed_by": None, "claimed_until": None}


def _due_columns(row: Any) -> tuple[Any, ...]:
    return row.id, row.plugin, row.guild_id, row.name, row.due


def _of(plugin: str, guild_id: int, name: str) -> Any:
    return (JobRow.plugin == plugin) & (JobRow.guild_id == guild_id) & (JobRow.name == name)


def _claimed(job_id: int, token: str, values: dict[str, Any]) -> bool:
    mine = JobRow.update(values).where(
        JobRow.id == job_id, JobRow.state == "running", JobRow.claimed_by == token
    )
    changed: int = mine.execute()
    return changed == 1


def _same(column: Any, value: Any) -> Any:
    return column.is_null() if value is None else column == value


def _backend() -> Any:
    database: Any = JobRow._meta.database
    return getattr(database, "obj", database)

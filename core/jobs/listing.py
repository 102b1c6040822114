"""Jobs for people to look at, and what an operator may do to one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from core.database import JobRow
from core.jobs.store import IN_ORDER, JobState

#: What `jobs_in` may be asked for.
KINDS = ("waiting", "held", "running", "dead", "done")


class NotPossible(Exception):
    """The job is not in a state in which this makes sense; the message says what to do instead."""


def dead_jobs(guild_id: int) -> list[JobState]:
    """Return the dead jobs of a guild, newest first. Store function."""
    query = _states().where(JobRow.state == "dead", JobRow.guild_id == guild_id)
    return [JobState(*row) for row in query.order_by(JobRow.due.desc(), JobRow.id.desc()).tuples()]


def jobs_in(kind: str | None, limit: int) -> tuple[list[JobState], int]:
    """Return jobs in the order of their times, and how many there are. Store function.

    :param kind: one of KINDS; None for all but those that are done.
    :param limit: how many at most.
    """
    chosen: Any
    match kind:
        case None:
            chosen = JobRow.state.in_(("waiting", "running", "dead"))
        case "held":
            chosen = (JobRow.state == "waiting") & JobRow.held_since.is_null(False)
        case "waiting":
            chosen = (JobRow.state == "waiting") & JobRow.held_since.is_null()
        case _:
            chosen = JobRow.state == kind
    query = _states().where(chosen).order_by(JobRow.due, JobRow.id).limit(limit)
    return [JobState(*row) for row in query.tuples()], JobRow.select().where(chosen).count()


def retry(job_id: int, now: datetime) -> JobState:
    """Have a dead job, or one that waits for its next try, run at once. Store function.

    :raises NotPossible: it runs, is done, or there is none of this id.
    """
    found = _found(job_id)
    if found.state in {"done", "running"}:
        raise NotPossible(
            f"Job {job_id} is {found.state}: only a dead one, or one that waits, can be tried again."
        )
    values: dict[str, Any] = {"state": "waiting", "due": min(found.due, now), "attempts": 0}
    if found.name in IN_ORDER:
        # The ones that wait behind it come along, in their order.
        JobRow.update(due=now).where(
            JobRow.plugin == found.plugin,
            JobRow.guild_id == found.guild_id,
            JobRow.name == found.name,
            JobRow.state == "waiting",
            JobRow.due > now,
        ).execute()
    JobRow.update(values).where(JobRow.id == job_id).execute()
    return _found(job_id)


def drop(job_id: int) -> JobState:
    """Give a job up: it counts as done, so that nothing stores it again. Store function.

    :raises NotPossible: it runs, is done already, or there is none of this id.
    """
    found = _found(job_id)
    if found.state == "running":
        raise NotPossible(f"Job {job_id} runs right now: wait until it has ended, then look again.")
    if found.state == "done":
        raise NotPossible(f"Job {job_id} is done already: there is nothing to drop.")
    error = f"dropped by hand{f' after: {found.last_error}' if found.last_error else ''}"
    JobRow.update(state="done", held_since=None, last_error=error).where(JobRow.id == job_id).execute()
    return _found(job_id)


def _found(job_id: int) -> JobState:
    row = _states().where(JobRow.id == job_id).tuples().first()
    if row is None:
        raise NotPossible(f"There is no job {job_id}: `redlegion jobs list` shows their ids.")
    return JobState(*row)


def _states() -> Any:
    return JobRow.select(
        JobRow.id,
        JobRow.plugin,
        JobRow.guild_id,
        JobRow.name,
        JobRow.key,
        JobRow.state,
        JobRow.due,
        JobRow.attempts,
        JobRow.last_error,
        JobRow.held_since,
    )

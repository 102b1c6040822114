"""Takes the figures of a process at one moment: plain values, on the bot's own loop."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from importlib import metadata
from typing import TYPE_CHECKING, Any

import peewee

from core.database import JobRow

if TYPE_CHECKING:
    from core.dispatch.figures import HookFigure
    from core.runtime import Runtime

#: Seconds that counting jobs may take; without an answer the rest is told all the same.
JOBS_WITHIN = 1.0


@dataclass(frozen=True, slots=True)
class Jobs:
    """How many jobs there are.

    :param counts: by plugin and state: waiting, held, running or dead.
    :param oldest: when the first that waits and is not held was due; None when there is none.
    """

    counts: Mapping[tuple[str, str], int]
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One look at a process. Figures are since its start, unless they say now.

    :param jobs: None when the database did not tell in time.
    :param lag: seconds that the oldest job is late now.
    :param menus: how many menus Discord has not taken, by status; `menu_spent` is the most that one of them
        has used of its day's budget.
    """

    version: str
    uptime: float
    ready: bool
    plugins: Mapping[str, bool]
    hooks: list[HookFigure] = field(default_factory=list)
    depths: Mapping[str, int] = field(default_factory=dict)
    deepest: Mapping[str, int] = field(default_factory=dict)
    breakers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    hung: int = 0
    stalls: Mapping[str, int] = field(default_factory=dict)
    stalled_seconds: Mapping[str, float] = field(default_factory=dict)
    jobs: Jobs | None = None
    lag: float = 0.0
    database: Mapping[str, float] = field(default_factory=dict)
    database_pending: int = 0
    jobs_hung: int = 0
    menu_calls: int = 0
    menus: Mapping[str, int] = field(default_factory=dict)
    menu_spent: int = 0
    latencies: Mapping[int, float] = field(default_factory=dict)
    connected: frozenset[int] = frozenset()
    guilds: int = 0
    guilds_failed: int = 0
    gateway_events: int = 0
    voice_sessions: int = 0
    voice_unwritten: int = 0
    seats: int = 0


@cache
def _version() -> str:
    try:
        return metadata.version("redlegion")
    except metadata.PackageNotFoundError:
        return "unknown"


def count_jobs() -> Jobs:
    """Count the jobs that are not done; store function that reads."""
    held = JobRow.held_since.is_null(False)
    query: Any = (
        JobRow.select(JobRow.plugin, JobRow.state, held, peewee.fn.COUNT(JobRow.id))
        .where(JobRow.state.in_(("waiting", "running", "dead")))
        .group_by(JobRow.plugin, JobRow.state, held)
    )
    counts: Counter[tuple[str, str]] = Counter()
    for plugin, state, is_held, number in query.tuples():
        counts[plugin, "held" if state == "waiting" and is_held else state] += number
    first: Any = (
        JobRow.select(JobRow.due)
        .where(JobRow.state == "waiting", JobRow.held_since.is_null())
        .order_by(JobRow.due, JobRow.id)
        .limit(1)
        .tuples()
    )
    return Jobs(dict(counts), next((due for (due,) in first), None))


async def gather(runtime: Runtime) -> Figures:
    """Return the figures of a process now. On its loop; a second at most."""
    watchdog, manager = runtime.health.watchdog, runtime.manager
    plugins = dict.fromkeys(manager.loaded, True) | {b.name: False for b in manager.quarantined}
    about_all: dict[str, Any] = {
        "version": _version(),
        "uptime": runtime.health.uptime,
        "plugins": plugins,
        "stalls": dict(watchdog.stalls),
        "stalled_seconds": dict(watchdog.stalled_seconds),
    }
    if not runtime.assembled:
        return Figures(ready=False, **about_all)
    jobs = await _jobs(runtime)
    troubled = runtime.menus.troubled().values()
    dispatcher, bot, stats = runtime.dispatcher, runtime.bot, runtime.db.stats
    depths: Counter[str] = Counter()
    deepest: dict[str, int] = {}
    for (plugin, _), depth in dispatcher.depths().items():
        depths[plugin] += depth
        deepest[plugin] = max(depth, deepest.get(plugin, 0))
    return Figures(
        ready=runtime.ready,
        hooks=dispatcher.figures(),
        depths=depths,
        deepest=deepest,
        breakers=Counter((state.plugin, state.state) for state in dispatcher.breakers()),
        hung=len(dispatcher.hung()),
        jobs=jobs,
        lag=_lag(runtime, jobs),
        database={
            name: getattr(stats, name)
            for name in ("batches", "writes", "reads", "reruns", "reconnects", "slow", "yields", "slowest")
        },
        database_pending=runtime.db.pending,
        jobs_hung=len(runtime.jobs.hung()),
        menu_calls=runtime.menus.calls,
        menus=Counter(state.status for state in troubled),
        menu_spent=max((state.spent for state in troubled), default=0),
        # discord.py says infinity before the first answer.
        latencies={shard: seconds for shard, seconds in bot.latencies if math.isfinite(seconds)},
        connected=frozenset(bot.connected_shards),
        guilds=len(bot.guilds),
        guilds_failed=len(runtime.opener.failed),
        gateway_events=bot.seen_events,
        voice_sessions=runtime.recorder.open_count(),
        voice_unwritten=runtime.recorder.waiting(),
        seats=len(bot.voice_clients),
        **about_all,
    )


async def _jobs(runtime: Runtime) -> Jobs | None:
    try:
        async with asyncio.timeout(JOBS_WITHIN):
            return await runtime.db.read(count_jobs)
    except Exception:
        # The database's own figures say that it is away; a scrape must still tell the rest.
        return None


def _lag(runtime: Runtime, jobs: Jobs | None) -> float:
    if jobs is None or jobs.oldest is None:
        return 0.0
    return max(0.0, (runtime.clock.now() - jobs.oldest).total_seconds())

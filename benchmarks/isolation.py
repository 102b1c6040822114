"""What one plugin that misbehaves in one guild costs all others: how late they begin, how late they commit.

The aims are 20 ms and 500 ms, each for 99 of 100 events of the other guilds.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from benchmarks.child import BenchmarkError
from benchmarks.dispatch import CODE, MANIFEST
from benchmarks.figures import Comparison, Rounds, percentile
from benchmarks.write_load import BenchStay, change
from core.context import Context
from core.database import Database, open_database
from core.dispatch import Dispatcher
from core.plugin_tasks import plugin_tasks
from core.plugins import PluginManager

HEALTHY = "the same with nobody who misbehaves"
BAD, SOUND = "isolation_bad", "isolation_sound"
#: A guild has an event every half second, so that none waits for the one before it.
GUILDS = 100
EVENTS_PER_SECOND = 200
#: Where the bad one is on.
AFFLICTED = 0
#: Loggers that name what is wrong; naming it a thousand times is not what is measured.
_LOUD = ("core.dispatch", "core.plugin_tasks", "redlegion.database")
_EVENT = "on_member_left"

Misbehave = Callable[[Context, Dispatcher], Awaitable[None]]


def for_ever() -> None:
    """Keep the database busy for longer than its limit; store function."""
    BenchStay._meta.database.execute_sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000) "
        "SELECT COUNT(*) FROM n"
    ).fetchall()


async def _raises(ctx: Context, dispatcher: Dispatcher) -> None:
    raise RuntimeError("out of spite")


async def _leaves(ctx: Context, dispatcher: Dispatcher) -> None:
    raise SystemExit("out of spite")


async def _hangs(ctx: Context, dispatcher: Dispatcher) -> None:
    await asyncio.Event().wait()


async def _leaks(ctx: Context, dispatcher: Dispatcher) -> None:
    for _ in range(20):
        asyncio.create_task(asyncio.sleep(60))  # noqa: RUF006 - a task that is forgotten


async def _floods(ctx: Context, dispatcher: Dispatcher) -> None:
    await asyncio.sleep(0)
    for _ in range(20):
        dispatcher.deliver_to(BAD, ctx.guild_id, _EVENT, 0.0)


async def _writes(ctx: Context, dispatcher: Dispatcher) -> None:
    await ctx.write(for_ever)


async def _blocks(ctx: Context, dispatcher: Dispatcher) -> None:
    if ctx.guild_id not in _BLOCKED:
        _BLOCKED.add(ctx.guild_id)
        time.sleep(0.3)  # noqa: ASYNC251 - that is what it is about


#: The loop is blocked once in a run.
_BLOCKED: set[int] = set()

KINDS: dict[str, Misbehave] = {
    "raises": _raises,
    "leaves by SystemExit": _leaves,
    "hangs": _hangs,
    "leaks tasks": _leaks,
    "floods itself": _floods,
    "writes for ever": _writes,
    "blocks the loop once for 300 ms": _blocks,
}


async def measure_isolation(folder: Path, *, rounds: int, seconds: float) -> list[Comparison]:
    """Play events to a sound plugin in 100 guilds, first alone and then beside each kind of bad one in one.

    :param folder: for plugins and databases.
    :param seconds: of each kind, in each round.
    :raises BenchmarkError: a plugin could not be loaded.
    """
    manager, numbers = _plugins(folder), itertools.count()
    taken = Rounds()
    for _ in range(rounds):
        for name in ("healthy", *KINDS):
            url = f"sqlite:///{folder / f'isolation-{next(numbers)}.sqlite3'}"
            found = await asyncio.to_thread(_figures, manager, url, KINDS.get(name), seconds)
            taken.add(name, **found)
    return [
        Comparison(
            "isolation",
            f"{figure} p99, one plugin {name}",
            "ms",
            2,
            HEALTHY,
            taken.values("healthy", key),
            taken.values(name, key),
        )
        for key, figure in (
            ("start", "start in the other guilds"),
            ("commit", "commit in the other guilds"),
            ("beside", "commit in its own guild"),
        )
        for name in KINDS
    ]


def _plugins(folder: Path) -> PluginManager:
    for name in (BAD, SOUND):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(CODE, encoding="utf-8")
        (folder / name / "manifest.toml").write_text(MANIFEST.format(name=name), encoding="utf-8")
    manager = PluginManager([BAD, SOUND], [folder])
    if manager.quarantined:
        raise BenchmarkError(f"a plugin of the benchmark could not be loaded: {manager.quarantined[0]}")
    return manager


def _figures(manager: PluginManager, url: str, bad: Misbehave | None, seconds: float) -> dict[str, float]:
    before = {name: logging.getLogger(name).level for name in _LOUD}
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        return asyncio.run(_play(manager, url, bad, seconds))
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


async def _play(manager: PluginManager, url: str, bad: Misbehave | None, seconds: float) -> dict[str, float]:
    loop = asyncio.get_running_loop()
    plugin_tasks()
    _BLOCKED.clear()
    database = open_database(url)
    with database.backend.connection_context():
        database.backend.create_tables([BenchStay])
    await database.start()
    dispatcher = Dispatcher(manager, _contexts(database))
    starts: list[float] = []
    commits: list[float] = []
    beside: list[float] = []
    numbers = itertools.count()

    async def sound(ctx: Context, event: float) -> None:
        if ctx.guild_id != AFFLICTED:
            starts.append(loop.time() - event)
        began = loop.time()
        await ctx.write(change, next(numbers))
        (beside if ctx.guild_id == AFFLICTED else commits).append(loop.time() - began)

    async def misbehave(ctx: Context, event: float) -> None:
        if bad is not None:
            await bad(ctx, dispatcher)

    manager.loaded[SOUND].module.DOING = sound  # type: ignore[attr-defined]
    manager.loaded[BAD].module.DOING = misbehave  # type: ignore[attr-defined]
    for guild_id in range(GUILDS):
        here = {BAD, SOUND} if guild_id == AFFLICTED else {SOUND}
        dispatcher.set_plugins(guild_id, frozenset(here))
    started = loop.time()
    for number in range(max(GUILDS * 2, int(seconds * EVENTS_PER_SECOND))):
        due = started + number / EVENTS_PER_SECOND
        await asyncio.sleep(max(0.0, due - loop.time()))
        # Counted from when it was due: a loop that stands still makes it late.
        dispatcher.deliver(number % GUILDS, _EVENT, due)
    while len(commits) < len(starts):  # noqa: ASYNC110 - none of them may be left out
        await asyncio.sleep(0.001)
    await dispatcher.close(within=0.1)
    await database.close()
    return {
        "start": 1000 * percentile(starts, 0.99),
        "commit": 1000 * percentile(commits, 0.99),
        # Of those that were cut off with the run at least nobody is told that they were fast.
        "beside": 1000 * percentile(beside, 0.99) if beside else 1000 * seconds,
    }


def _contexts(database: Database) -> Callable[[str, int], Context]:
    # Of the process a context leads to, only the database is touched here.
    runtime = cast(Any, SimpleNamespace(db=database))
    return lru_cache(maxsize=None)(lambda plugin, guild_id: Context(runtime, plugin, guild_id))

"""Whatever happens, a job is run and done once: never early, never twice at a time, in its order."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.job_host import JobHost
from support.plugin_folder import PluginFolder

from core.clock import SteppedClock
from core.database import JobRow

GUILDS = (11, 22)
PLUGINS = ("alpha", "beta")

CODE = """
LOG = []
ENDED = []
RUNNING = set()
PLAN = {}
BEGAN = []

def book(job_id, plugin, guild_id, key, due):
    enqueue(job_id, plugin=plugin, guild_id=guild_id, name="work", key=key, payload={"key": key}, due=due)

async def work(ctx, payload):
    owner = (ctx.plugin, ctx.guild_id)
    key = payload["key"]
    assert owner not in RUNNING, f"two jobs of {owner} at the same time"
    RUNNING.add(owner)
    LOG.append((owner, key, ctx.clock.now()))
    try:
        plan = PLAN.setdefault(key, [])
        step = plan.pop(0) if plan else "work"
        if step == "fail":
            raise ValueError("not yet")
        if step == "exit":
            raise SystemExit(3)
        if step == "sleep":
            await ctx.clock.sleep(40)
        if step == "write":
            await ctx.read(nothing)
        ENDED.append(key)
    finally:
        RUNNING.discard(owner)

def nothing():
    return None

@hookimpl
def register_jobs():
    return [Job("work", work)]
"""

STEPS = st.lists(st.sampled_from(["work", "fail", "exit", "sleep", "write"]), max_size=3)
WHERE = st.tuples(st.sampled_from(PLUGINS), st.sampled_from(GUILDS))
ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("book"), WHERE, st.integers(0, 90), STEPS),
        st.tuples(st.just("switch"), WHERE, st.booleans()),
        st.tuples(st.just("advance"), st.integers(1, 100)),
        st.tuples(st.just("restart")),
        st.tuples(st.just("kill")),
    ),
    min_size=4,
    max_size=25,
)


def rows() -> dict[str, tuple[str, int]]:
    query: Any = JobRow.select(JobRow.key, JobRow.state, JobRow.attempts).where(JobRow.name == "work")
    return {key: (state, attempts) for key, state, attempts in query.tuples()}


async def play(actions: list[Any], folder: Path) -> None:
    plugins = PluginFolder(folder / "plugins")
    for name in PLUGINS:
        plugins.write(name, CODE)
    clock = SteppedClock(datetime(2026, 3, 1, 18, tzinfo=UTC))
    url = f"sqlite:///{folder / 'jobs.sqlite3'}"

    async def begin() -> JobHost:
        return await JobHost(url, plugins.selection(*PLUGINS), clock, GUILDS).start()

    host = await begin()
    modules: list[Any] = [plugins.module(name) for name in PLUGINS]
    due: dict[str, datetime] = {}
    owners: dict[str, tuple[str, int]] = {}
    off: set[tuple[str, int]] = set()
    try:
        for number, (what, *how) in enumerate(actions):
            match what:
                case "book":
                    (plugin, guild_id), after, plan = how
                    key = f"job{number:02}"
                    due[key] = clock.now() + timedelta(seconds=after)
                    owners[key] = (plugin, guild_id)
                    module: Any = plugins.module(plugin)
                    module.PLAN[key] = list(plan)
                    ctx = host.context_for(plugin, guild_id)
                    await ctx.write(module.book, ctx.ids.next(), plugin, guild_id, key, due[key])
                case "switch":
                    (plugin, guild_id), on = how
                    await host.switch(guild_id, plugin, on, drain=0.01)
                    (off.discard if on else off.add)((plugin, guild_id))
                    if not on:
                        assert not any((plugin, guild_id) in module.RUNNING for module in modules)
                case "advance":
                    seen = [len(module.LOG) for module in modules]
                    await clock.advance(how[0], host.settle)
                    for module, start in zip(modules, seen, strict=True):
                        assert not [entry for entry in module.LOG[start:] if entry[0] in off]
                case "restart" | "kill":
                    await host.stop(0 if what == "kill" else 0.01)
                    host = await begin()
            await host.settle()
        for plugin, guild_id in sorted(off):
            await host.switch(guild_id, plugin, True)
        await host.settle()
        await clock.advance(20_000, host.settle)
        stored = await host.db.read(rows)
    finally:
        await host.stop()
        log = [entry for module in modules for entry in module.LOG]
        plugins.forget()
    ran = Counter(key for _owner, key, _at in log)
    assert stored.keys() == due.keys() == ran.keys(), "each ran at least once"
    assert {state for state, _ in stored.values()} <= {"done"}, "and is done"
    assert {key for module in modules for key in module.ENDED} == due.keys(), "having done its work"
    for owner, key, at in log:
        assert at >= due[key], "never before its time"
        assert owner == owners[key], "for its own plugin and guild"
    check_order(log, due)


def check_order(log: list[Any], due: dict[str, datetime]) -> None:
    """Of two jobs of one owner, the one that was booked earlier and for an earlier time began first."""
    order: dict[tuple[str, int], list[str]] = {}
    for owner, key, _at in log:
        if key not in order.setdefault(owner, []):
            order[owner].append(key)
    for keys in order.values():
        for one, next_one in itertools.combinations(keys, 2):
            # Keys rise with the time of booking.
            assert not (next_one < one and due[next_one] < due[one]), f"{one} began before {next_one}"


# A third of a second each.
@settings(
    max_examples=settings.default.max_examples // 8, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(actions=ACTIONS)
def test_every_job_runs_as_promised(actions: list[Any]) -> None:
    with TemporaryDirectory() as folder:
        asyncio.run(play(actions, Path(folder)))


@pytest.mark.parametrize("ending", ["restart", "kill"])
def test_the_examples_that_matter_most(ending: str) -> None:
    alpha = ("alpha", 11)
    actions: list[Any] = [
        ("book", alpha, 0, ["sleep"]),
        ("book", alpha, 5, ["fail", "exit"]),
        ("book", alpha, 5, []),
        ("advance", 10),
        (ending,),
        ("switch", alpha, False),
        ("book", alpha, 1, ["sleep", "fail"]),
        ("book", alpha, 3, []),
        ("book", alpha, 2, []),
        ("book", alpha, 2, []),
        ("book", alpha, 4, []),
        ("advance", 100),
        (ending,),
        ("advance", 100),
        ("switch", alpha, True),
        ("advance", 7),
    ]
    with TemporaryDirectory() as folder:
        asyncio.run(play(actions, Path(folder)))

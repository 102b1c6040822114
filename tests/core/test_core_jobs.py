"""Durable jobs: stored with the change that needs them, run when due, where their plugin is on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from types import ModuleType
from typing import Any

import pytest
from support.plugin_folder import PluginFolder
from support.waiting import until

from core.database import JobRow
from core.jobs import BACKOFF
from core.settings import PluginSelection
from sandbox.stage import Stage

CLERK = """
RAN = []
FAIL = []
GO = asyncio.Event()

def book(job_id, guild_id, key, due, name="pay", fail=False):
    enqueue(job_id, plugin="clerk", guild_id=guild_id, name=name, key=key, payload={"key": key}, due=due)
    if fail:
        raise RuntimeError("the change that needed it failed")

async def pay(ctx, payload):
    if FAIL:
        raise FAIL[0]
    RAN.append((ctx.guild_id, payload["key"], ctx.clock.now()))

async def linger(ctx, payload):
    RAN.append("began")
    await GO.wait()
    RAN.append("ended")

@hookimpl
def register_jobs():
    return [Job("pay", pay), Job("linger", linger)]
"""


class Clerk:
    """The plugin and its jobs, seen from a test."""

    def __init__(self, stage: Stage, module: ModuleType) -> None:
        self.stage = stage
        self.module: Any = module
        self.guild = stage.scene.guild.id
        self.other = stage.scene.second_guild.id

    @property
    def ran(self) -> list[Any]:
        return list(self.module.RAN)

    def now(self) -> datetime:
        return self.stage.world.clock.now()

    async def book(self, key: str, after: float = 0, guild: int | None = None, **more: Any) -> None:
        ctx = self.stage.runtime.context_for("clerk", guild or self.guild)
        due = self.now() + timedelta(seconds=after)
        await ctx.write(self.module.book, ctx.ids.next(), ctx.guild_id, key, due, **more)

    async def switch(self, on: bool, guild: int | None = None) -> None:
        await self.stage.runtime.switch(guild or self.guild, "clerk", on, None)

    async def states(self) -> dict[str, tuple[str, int]]:
        return await self.stage.runtime.db.read(job_states)


def job_states() -> dict[str, tuple[str, int]]:
    rows: Any = JobRow.select(JobRow.key, JobRow.state, JobRow.attempts).where(JobRow.plugin == "clerk")
    return {key: (state, attempts) for key, state, attempts in rows.tuples()}


@pytest.fixture
async def clerk(folder: PluginFolder, lite: str, on_stage: Any) -> AsyncIterator[Clerk]:
    async with _clerk(folder, lite, on_stage) as made:
        yield made


@pytest.fixture
async def each_clerk(folder: PluginFolder, database_url: str, on_stage: Any) -> AsyncIterator[Clerk]:
    async with _clerk(folder, database_url, on_stage) as made:
        yield made


class _clerk:
    def __init__(self, folder: PluginFolder, url: str, on_stage: Any) -> None:
        folder.write("clerk", CLERK)
        self._folder = folder
        self._stage = on_stage(url, folder.selection("clerk"))

    async def __aenter__(self) -> Clerk:
        return Clerk(await self._stage.__aenter__(), self._folder.module("clerk"))

    async def __aexit__(self, *error: Any) -> None:
        await self._stage.__aexit__(*error)


async def test_a_job_runs_once_when_it_is_due(each_clerk: Clerk) -> None:
    clerk, stage = each_clerk, each_clerk.stage
    start = clerk.now()
    await clerk.book("late", 90)
    await clerk.book("soon", 5)
    await clerk.book("now")
    await clerk.book("now")
    await clerk.book("now", guild=clerk.other)
    await stage.settle()
    assert {(guild, key) for guild, key, _at in clerk.ran} == {
        (clerk.guild, "now"),
        (clerk.other, "now"),
    }
    await stage.advance(4)
    assert len(clerk.ran) == 2
    await stage.advance(200)
    assert clerk.ran[2:] == [
        (clerk.guild, "soon", start + timedelta(seconds=5)),
        (clerk.guild, "late", start + timedelta(seconds=90)),
    ]
    await clerk.book("now")
    await stage.advance(200)
    assert len(clerk.ran) == 4, "its key is done with, for ever"
    assert set((await clerk.states()).values()) == {("done", 0)}


async def test_a_job_goes_with_its_transaction(each_clerk: Clerk) -> None:
    clerk = each_clerk
    with pytest.raises(RuntimeError, match="the change that needed it failed"):
        await clerk.book("undone", fail=True)
    await clerk.stage.advance(120)
    assert (clerk.ran, await clerk.states()) == ([], {})


async def test_a_job_outlives_the_bot(each_clerk: Clerk) -> None:
    clerk, stage = each_clerk, each_clerk.stage
    await clerk.book("later", 60)
    await clerk.book("long", name="linger")
    await _began(clerk)
    await stage.kill_bot()
    await stage.advance(300)
    assert clerk.ran == ["began"]
    clerk.module.GO.set()
    await stage.start_bot()
    assert sorted(map(str, clerk.ran)) == sorted(
        ["began", "began", "ended", str((clerk.guild, "later", clerk.now()))]
    )
    await stage.stop_bot()
    await stage.start_bot()
    assert len(clerk.ran) == 4, "what is done is not done again"


async def test_a_failing_job_is_tried_again_and_dies_in_the_end(clerk: Clerk) -> None:
    stage = clerk.stage
    clerk.module.FAIL.append(SystemExit(1))
    await clerk.book("hard")
    await stage.settle()
    for attempts, wait in enumerate(BACKOFF, start=1):
        assert await clerk.states() == {"hard": ("waiting", attempts)}
        await stage.advance(wait - 1)
        assert await clerk.states() == {"hard": ("waiting", attempts)}
        await stage.advance(1)
    assert await clerk.states() == {"hard": ("dead", len(BACKOFF) + 1)}
    clerk.module.FAIL.clear()
    await stage.advance(10_000)
    assert clerk.ran == []
    assert await stage.runtime.db.read(last_error) == "SystemExit: 1"


def last_error() -> str:
    return str(JobRow.get(JobRow.plugin == "clerk").last_error)


async def test_a_job_that_failed_once_is_done_the_second_time(clerk: Clerk) -> None:
    start = clerk.now()
    clerk.module.FAIL.append(ValueError("not yet"))
    await clerk.book("hard")
    await clerk.stage.settle()
    clerk.module.FAIL.clear()
    await clerk.stage.advance(60)
    assert clerk.ran == [(clerk.guild, "hard", start + timedelta(seconds=BACKOFF[0]))]
    assert await clerk.states() == {"hard": ("done", 1)}


async def test_jobs_wait_while_their_plugin_is_off(each_clerk: Clerk) -> None:
    clerk, stage = each_clerk, each_clerk.stage
    await clerk.book("before", 30)
    await clerk.switch(False)
    await clerk.book("while", 10)
    # What waits first in line holds up nobody: another guild's job runs on time.
    await clerk.book("elsewhere", 40, guild=clerk.other)
    due = clerk.now() + timedelta(seconds=40)
    await stage.advance(600)
    assert clerk.ran == [(clerk.other, "elsewhere", due)]
    await stage.stop_bot()
    await stage.start_bot()
    assert len(clerk.ran) == 1
    await clerk.switch(True)
    await stage.settle()
    assert [(guild, key) for guild, key, _at in clerk.ran[1:]] == [
        (clerk.guild, "while"),
        (clerk.guild, "before"),
    ]
    await stage.advance(600)
    assert len(clerk.ran) == 3


async def test_a_job_of_a_plugin_that_is_no_longer_loaded_waits(clerk: Clerk, folder: PluginFolder) -> None:
    stage = clerk.stage
    await clerk.book("orphan", 30)
    await clerk.book("renamed", 30, name="gone")
    await stage.stop_bot()
    stage.settings = replace(stage.settings, plugins=PluginSelection())
    await stage.start_bot()
    await stage.advance(120)
    assert await clerk.states() == {"orphan": ("waiting", 0), "renamed": ("waiting", 0)}
    await stage.stop_bot()
    stage.settings = replace(stage.settings, plugins=folder.selection("clerk"))
    await stage.start_bot()
    assert await clerk.states() == {"orphan": ("done", 0), "renamed": ("dead", 1)}
    [dead] = await stage.runtime.jobs.dead(clerk.guild)
    assert dead.last_error == "clerk 1.0.0 has no job 'gone'"
    people = stage.scene
    for person, told in ((people.owner, True), (people.officer, False)):
        outcome = await stage.slash(person, "plugins info", {"plugin": "clerk"})
        assert ("has no job 'gone'" in str(outcome.message)) is told


async def test_a_running_job_ends_before_its_plugin_is_off(clerk: Clerk) -> None:
    await clerk.book("long", name="linger")
    await _began(clerk)
    switching = asyncio.create_task(clerk.switch(False))
    await asyncio.sleep(0.05)
    assert not switching.done()
    clerk.module.GO.set()
    await asyncio.wait_for(switching, 60)
    assert clerk.ran == ["began", "ended"]
    assert await clerk.states() == {"long": ("done", 0)}


async def test_a_running_job_that_takes_too_long_runs_again_later(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.guilds.opening.DRAIN", 0.02)
    await clerk.book("long", name="linger")
    await _began(clerk)
    await asyncio.wait_for(clerk.switch(False), 5)
    assert await clerk.states() == {"long": ("waiting", 0)}
    clerk.module.GO.set()
    await clerk.switch(True)
    await clerk.stage.settle()
    assert clerk.ran == ["began", "began", "ended"]


async def _began(clerk: Clerk) -> None:
    await until(lambda: clerk.ran)


async def test_a_look_that_is_behind_does_not_run_a_job_twice(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is read while a job ends: the answer still shows it as running."""
    runtime = clerk.stage.runtime
    read = runtime.db.read
    await clerk.book("long", name="linger")
    await _began(clerk)

    async def slow(fn: Any, *args: Any) -> Any:
        rows = await read(fn, *args)
        if fn.__name__ == "running_and_ready" and rows[0] and not clerk.module.GO.is_set():
            clerk.module.GO.set()
            await until(lambda: not runtime.jobs.tasks())
        return rows

    monkeypatch.setattr(runtime.db, "read", slow)
    runtime.jobs.wake()
    await until(lambda: "ended" in clerk.ran)
    await clerk.stage.settle()
    assert clerk.ran == ["began", "ended"]


async def test_a_burst_of_jobs_all_run_in_their_order(clerk: Clerk) -> None:
    for number in range(60):
        await clerk.book(f"{number:02}", 30 - number % 3)
    await clerk.stage.advance(60)
    assert sorted(key for _guild, key, _at in clerk.ran) == [f"{number:02}" for number in range(60)]
    times = [at for _guild, _key, at in clerk.ran]
    assert times == sorted(times)
    assert len(set(times)) == 3

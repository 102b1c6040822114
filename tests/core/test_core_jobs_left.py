"""The jobs of a guild that the bot has left are held, cost no look, and go on when it is in it again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.job_host import JobHost
from support.plugin_folder import PluginFolder

from core.clock import SteppedClock
from core.database import JobRow
from core.jobs import claims, enqueue, store
from sandbox.stage import Stage

CLERK = """
RAN = []

async def pay(ctx, payload):
    RAN.append((ctx.guild_id, payload["key"]))

@hookimpl
def register_jobs():
    return [Job("pay", pay)]
"""


class Clerk:
    """The plugin and its jobs on a stage."""

    def __init__(self, stage: Stage, module: Any) -> None:
        self.stage, self.module = stage, module
        self.guild = stage.scene.guild

    async def book(self, key: str, after: float) -> None:
        runtime = self.stage.runtime
        due = self.stage.world.clock.now() + timedelta(seconds=after)
        await runtime.db.write(store_one, runtime.ids.next(), self.guild.id, key, due, key=self.guild.id)

    @property
    def ran(self) -> list[tuple[int, str]]:
        return list(self.module.RAN)

    async def rows(self) -> dict[str, tuple[str, bool]]:
        return await self.stage.runtime.db.read(rows)

    async def ready(self) -> int:
        """How many jobs of the guild a look would read."""
        until = self.stage.world.clock.now() + timedelta(days=9)
        found = await self.stage.runtime.db.read(store.ready_jobs, until, None, 500)
        return sum(job.guild_id == self.guild.id for job in found)


def store_one(job_id: int, guild_id: int, key: str, due: Any) -> None:
    enqueue(job_id, plugin="clerk", guild_id=guild_id, name="pay", key=key, payload={"key": key}, due=due)


def rows() -> dict[str, tuple[str, bool]]:
    query: Any = JobRow.select(JobRow.key, JobRow.state, JobRow.held_since.is_null(False))
    return {key: (state, bool(held)) for key, state, held in query.where(JobRow.plugin == "clerk").tuples()}


@pytest.fixture
async def clerk(folder: PluginFolder, database_url: str, on_stage: Any) -> AsyncIterator[Clerk]:
    folder.write("clerk", CLERK)
    async with on_stage(database_url, folder.selection("clerk")) as stage:
        yield Clerk(stage, folder.module("clerk"))


async def test_they_are_held_when_the_bot_is_put_out_and_released_on_its_return(clerk: Clerk) -> None:
    await clerk.book("soon", 30)
    await clerk.book("later", 7_200)
    clerk.guild.remove_bot()
    await clerk.stage.settle()
    await clerk.stage.advance(120)
    assert clerk.ran == []
    assert await clerk.rows() == {"soon": ("waiting", True), "later": ("waiting", True)}
    assert await clerk.ready() == 0
    await clerk.stage.advance(3_600)
    clerk.guild.add_bot()
    await clerk.stage.settle()
    await clerk.stage.advance(60)
    assert clerk.ran == [(clerk.guild.id, "soon")]
    assert await clerk.rows() == {"soon": ("done", False), "later": ("waiting", False)}
    await clerk.stage.advance(3_600)
    assert clerk.ran[1:] == [(clerk.guild.id, "later")]


async def test_they_are_held_by_a_bot_that_was_put_out_while_it_was_down(clerk: Clerk) -> None:
    await clerk.book("soon", 30)
    await clerk.stage.kill_bot()
    clerk.guild.remove_bot()
    await clerk.stage.start_bot()
    await clerk.stage.advance(120)
    assert await clerk.rows() == {"soon": ("waiting", True)}
    assert await clerk.ready() == 0
    # Neither a restart nor the other guild changes that.
    await clerk.stage.stop_bot()
    await clerk.stage.start_bot()
    await clerk.stage.advance(120)
    assert await clerk.rows() == {"soon": ("waiting", True)}
    clerk.guild.add_bot()
    await clerk.stage.settle()
    await clerk.stage.advance(60)
    assert await clerk.rows() == {"soon": ("done", False)}


async def test_they_are_released_when_it_was_let_in_while_it_was_down(clerk: Clerk) -> None:
    await clerk.book("soon", 30)
    clerk.guild.remove_bot()
    await clerk.stage.advance(120)
    assert await clerk.ready() == 0
    await clerk.stage.stop_bot()
    clerk.guild.add_bot()
    await clerk.stage.start_bot()
    await clerk.stage.advance(60)
    assert await clerk.rows() == {"soon": ("done", False)}


async def test_an_outage_of_the_guild_or_of_the_connection_is_no_leaving(clerk: Clerk) -> None:
    stage = clerk.stage
    stage.world.faults.drop_gateway(hold_seconds=300)
    await clerk.book("soon", 30)
    await stage.advance(100)
    assert not stage.runtime.bot.has_left(clerk.guild.id)
    assert not any(held for _, held in (await clerk.rows()).values())
    await stage.advance(600)
    assert await clerk.rows() == {"soon": ("done", False)}


async def test_what_a_lost_process_ran_is_set_down_where_the_plugin_is_off(
    folder: PluginFolder, database_url: str
) -> None:
    folder.write("clerk", CLERK)
    clock = SteppedClock(datetime(2026, 3, 1, 18, tzinfo=UTC))
    host = JobHost(database_url, folder.selection("clerk"), clock, [7, 8])
    await host.start()
    await host.switch(7, "clerk", False)
    for guild in (7, 8):
        await host.db.write(store_one, guild, guild, f"in {guild}", clock.now() + timedelta(hours=1))
        later = clock.now() + timedelta(hours=2)
        await host.db.write(_claimed, guild, later)
    host.left.add(8)
    host.jobs.wake()
    await host.settle()
    assert await host.db.read(rows) == {"in 7": ("waiting", True), "in 8": ("waiting", True)}
    host.left.clear()
    host.jobs.wake()
    await host.switch(7, "clerk", True)
    await clock.advance(3_600, host.settle)
    await host.settle()
    assert await host.db.read(rows) == {"in 7": ("done", False), "in 8": ("done", False)}
    assert await host.db.read(_attempts) == {1}
    await host.stop()


def _claimed(job_id: int, until: Any) -> None:
    """A claim of an earlier life of this process."""
    token = claims.new_token()
    claims.give_up(token)
    JobRow.update(state="running", claimed_by=token, claimed_until=until).where(JobRow.id == job_id).execute()


def _attempts() -> set[int]:
    return {row.attempts for row in JobRow.select(JobRow.attempts).where(JobRow.plugin == "clerk")}

"""How many statements things cost: a loop of queries where one would do is a defect."""

from __future__ import annotations

import pytest
from support.mining import run, said
from support.queries import counting_from_the_start, counting_queries

from core.database import Database, ensure_guild, ensure_user
from sandbox.stage import open_stage

NAMES = [f"Guild {number}" for number in range(24)]


async def test_opening_known_guilds_costs_the_same_for_few_and_many(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = {}
    async with open_stage(database_url, members=2, channels=2) as stage:
        names = iter(NAMES)
        for number in (4, 24):
            while len(stage.world.guilds) < number:
                stage.world.create_guild(next(names), owner="owner")
            # They become known by a first start; the second one is looked at.
            await stage.start_bot()
            await stage.stop_bot()
            with counting_from_the_start(monkeypatch) as queries:
                await stage.start_bot()
            assert len(stage.runtime.bot.guilds) == number
            ours = [sql for sql in queries.seen if '"operations_' not in sql]
            counts[number] = len(ours)
            assert ours
            # A plugin looks at each of its guilds once, when it is told that the guild is there.
            assert len(queries) - len(ours) <= number, queries.repeated()
            await stage.stop_bot()
    assert counts[24] <= counts[4] + 2, queries.repeated()


async def test_a_command_costs_a_few_statements(database_url: str) -> None:
    async with open_stage(database_url, members=2, channels=3) as stage:
        runtime = await stage.start_bot()
        officer = stage.scene.officer
        channel = stage.scene.voice_channels[1]
        with counting_queries(runtime.db) as queries:
            outcome = await run(stage, officer, "mining channels add", channel=str(channel.id))
        assert str(channel.id) in said(outcome)
        assert 0 < len(queries) <= 6, queries.repeated()
        with counting_queries(runtime.db) as queries:
            await run(stage, officer, "mining channels list")
        assert 0 < len(queries) <= 3, queries.repeated()


async def test_statements_of_both_threads_are_counted(database: Database) -> None:
    with counting_queries(database) as queries:
        await database.write(ensure_guild, 7, "seven")
        await database.read(ensure_nothing)
    assert [sql.partition(" ")[0] for sql in queries.seen] == ["INSERT", "SELECT"]
    await database.write(ensure_user, 7)
    assert len(queries) == 2


def ensure_nothing() -> None:
    """A store function that asks one thing."""
    from core.database import Guild

    assert Guild.select().count() == 1

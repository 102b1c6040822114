"""How many statements things cost: a loop of queries where one would do is a defect."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from support.mining import run, said
from support.queries import counting_from_the_start, counting_queries

from core.database import Database, ensure_guild, ensure_user, open_database
from sandbox.stage import open_stage


async def test_nothing_of_the_core_is_asked_once_per_known_guild(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 24
    async with open_stage(database_url, members=2, channels=2) as stage:
        names = (f"Guild {each}" for each in range(number))
        while len(stage.world.guilds) < number:
            stage.world.create_guild(next(names), owner="owner")
        # They become known by a first start; the second one is looked at.
        await stage.start_bot()
        await stage.stop_bot()
        with counting_from_the_start(monkeypatch) as queries:
            await stage.start_bot()
        assert len(stage.runtime.bot.guilds) == number
        times = Counter(sql for sql in queries.seen if '"operations_' not in sql)
        assert any('FROM "voice_sessions"' in sql for sql in times)
        # What looks for due jobs comes round a few times on a slow machine.
        assert max(times.values()) < number / 2, queries.repeated()
        assert len(times) < 2 * number
        # A plugin looks at each of its guilds once, when it is told that the guild is there.
        assert len(queries) - times.total() <= number, queries.repeated()


async def test_a_command_costs_a_few_statements(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What takes too long on a machine that stands still is not run a second time, and counted twice.
    monkeypatch.setattr("core.runtime.open_database", partial(open_database, polite_limit=60.0))
    async with open_stage(database_url, members=2, channels=3) as stage:
        runtime = await stage.start_bot()
        officer = stage.scene.officer
        channel = stage.scene.voice_channels[1]
        with counting_queries(runtime.db) as queries:
            outcome = await run(stage, officer, "mining channels add", channel=str(channel.id))
        assert str(channel.id) in said(outcome)
        # The names of members may be written meanwhile.
        assert 0 < len(queries) <= 7, queries.repeated()
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

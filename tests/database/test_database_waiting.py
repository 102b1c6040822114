"""A call waits only so long for a slow one with its key, on both databases; one in nobody's way goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from support.waiting import until

from core.database import (
    CORE_SCHEMA,
    Database,
    Guild,
    GuildPlugin,
    StatementTooSlow,
    ensure_guild,
    migrate_up,
    open_database,
)

#: Seconds: of a hook's deadline, within which whoever waits must have had its turn.
DEADLINE = 5.0
#: Set when a test has seen enough.
ENOUGH = threading.Event()


def insert_plugin(guild_id: int, plugin: str) -> str:
    ensure_guild(guild_id)
    GuildPlugin.create(guild_id=guild_id, plugin=plugin)
    return plugin


def plugins_of(guild_id: int) -> list[str]:
    rows = GuildPlugin.select(GuildPlugin.plugin).where(GuildPlugin.guild_id == guild_id)
    return [name for (name,) in rows.order_by(GuildPlugin.id).tuples()]


def endless_statement(guild_id: int) -> None:
    """Write, and then read for ever."""
    insert_plugin(guild_id, "endless")
    database: Any = Guild._meta.database
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT 1 - x FROM n) SELECT max(x) FROM n"
    database.execute_sql(endless).fetchall()


def endless_insert(guild_id: int) -> None:
    """One statement that inserts rows without end."""
    ensure_guild(guild_id)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT"
    database: Any = Guild._meta.database
    database.execute_sql(
        "INSERT INTO guild_plugins (guild_id, plugin, enabled, settings, created_at, updated_at) "
        f"{endless} {guild_id}, 'endless' || x, g.enabled, g.settings, g.created_at, g.updated_at "
        "FROM n CROSS JOIN guild_plugins AS g WHERE g.plugin = 'seed'"
    )


def endless_statements(guild_id: int) -> None:
    """Short statements without end, whatever is raised."""
    while True:
        try:
            Guild.update(name="again").where(Guild.id == guild_id).execute()
        except Exception:
            return


def sleeping(guild_id: int) -> None:
    """What is slow without work, on PostgreSQL only."""
    insert_plugin(guild_id, "endless")
    database: Any = Guild._meta.database
    database.execute_sql("SELECT pg_sleep(60)")


def until_enough(guild_id: int) -> str:
    """Take as long as a test wants it."""
    while not ENOUGH.wait(0.005):
        Guild.select().where(Guild.id == guild_id).count()
    return insert_plugin(guild_id, "enough")


@pytest.fixture
async def served(database_url: str) -> AsyncIterator[Database]:
    """An open database with the limits that a bot has."""
    opened = open_database(database_url)
    migrate_up(opened, [CORE_SCHEMA])
    await opened.start()
    await opened.write(insert_plugin, 1, "seed", key=1)
    ENOUGH.clear()
    yield opened
    ENOUGH.set()
    opened.hurry()
    await opened.close()


@pytest.mark.parametrize("slow", [endless_statement, endless_insert, endless_statements])
async def test_calls_of_the_key_of_an_endless_write_go_on_in_order(
    served: Database, slow: Callable[[int], None]
) -> None:
    started = time.monotonic()
    culprit = asyncio.create_task(served.write(slow, 1, key=1))
    names = [f"p{number}" for number in range(20)]
    waiting: list[asyncio.Task[Any]] = [
        asyncio.create_task(served.write(insert_plugin, 1, name, key=1)) for name in names
    ]
    rows = [{"guild_id": 1, "plugin": "appended"}]
    waiting.append(asyncio.create_task(served.append(GuildPlugin, rows, key=1)))
    with pytest.raises(StatementTooSlow, match=slow.__name__ + r" was stopped .* smaller parts"):
        await culprit
    await asyncio.gather(*waiting)
    assert time.monotonic() - started < DEADLINE
    assert await served.read(plugins_of, 1) == ["seed", *names, "appended"]
    assert await served.read(lambda: Guild.get_by_id(1).name) != "again"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_whoever_comes_late_waits_no_longer(served: Database) -> None:
    culprit = asyncio.create_task(served.write(sleeping, 1, key=1))
    # It is by itself for longer than others would wait.
    await until(lambda: any(seconds > 2.5 for _, seconds in served.running()))
    assert not culprit.done()
    started = time.monotonic()
    assert await served.write(insert_plugin, 1, "late", key=1) == "late"
    assert time.monotonic() - started < 3.5
    with pytest.raises(StatementTooSlow, match="or with write_alone if it is for many guilds"):
        await culprit
    assert await served.read(plugins_of, 1) == ["seed", "late"]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_what_nobody_waits_for_has_its_full_limit(served: Database) -> None:
    lonely = asyncio.create_task(served.write(until_enough, 2, key=2))
    await until(lambda: any(seconds > 0.3 for _, seconds in served.running()))
    # Another key's endless write, and its company, are no business of this one.
    culprit = asyncio.create_task(served.write(sleeping, 1, key=1))
    assert await asyncio.wait_for(served.write(insert_plugin, 1, "behind", key=1), DEADLINE) == "behind"
    with pytest.raises(StatementTooSlow, match="sleeping"):
        await culprit
    await until(lambda: any(seconds > 2.5 for _, seconds in served.running()))
    assert not lonely.done()
    ENOUGH.set()
    assert await lonely == "enough"


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_the_same_endless_write_in_several_guilds_keeps_none_of_them_waiting(served: Database) -> None:
    """Only one run of a function is out of the way at a time, so the others' keys wait for that too."""
    guilds = range(1, 6)
    culprits = [asyncio.create_task(served.write(sleeping, guild, key=guild)) for guild in guilds]
    # Nobody waits in the first guild, but for the others its call is in the way.
    behind = [asyncio.create_task(served.write(insert_plugin, guild, "p", key=guild)) for guild in guilds[1:]]
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*behind)
    results = await asyncio.gather(*culprits, return_exceptions=True)
    assert [type(one) for one in results] == [StatementTooSlow] * len(guilds)
    assert [await served.read(plugins_of, guild) for guild in guilds[1:]] == [["p"]] * (len(guilds) - 1)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
async def test_an_interrupt_hits_the_call_that_it_is_meant_for_and_no_other(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Calls of about the length at which they are stopped: each is written whole or fails."""
    monkeypatch.setattr("core.database.staffing.KEY_PATIENCE", 0.05)
    monkeypatch.setattr("core.database.pool._LOOK_EVERY", 0.005)
    database = open_database(database_url, polite_limit=0.02)
    migrate_up(database, [CORE_SCHEMA])
    await database.start()

    def napping(guild_id: int, plugin: str) -> str:
        execute: Any = Guild._meta.database
        for _ in range(6):
            execute.execute_sql("SELECT pg_sleep(0.009)")
        return insert_plugin(guild_id, plugin)

    results: list[Any] = []
    for first in range(0, 60, 6):
        calls = [database.write(napping, n % 3, f"n{n}", key=n % 3) for n in range(first, first + 6)]
        results += await asyncio.gather(*calls, return_exceptions=True)
    found = {name for guild in range(3) for name in await database.read(plugins_of, guild)}
    failed = [one for one in results if not isinstance(one, str)]
    assert {one for one in results if isinstance(one, str)} == found
    assert failed
    for one in failed:
        assert isinstance(one, StatementTooSlow)
        assert "because other calls with its key waited" in str(one)
    await database.close()

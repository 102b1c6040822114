"""Writing and reading through the threads."""

from __future__ import annotations

import asyncio
import random
import threading
from typing import Any

import peewee
import pytest

from core.database import (
    CORE_SCHEMA,
    CommitUnknown,
    Database,
    DatabaseBusy,
    DatabaseClosed,
    DatabaseError,
    Guild,
    GuildPlugin,
    StatementTooSlow,
    ensure_guild,
    migrate_up,
    open_database,
    workers,
)

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT 1 - x FROM n) SELECT max(x) AS top FROM n"


def insert_plugin(guild_id: int, plugin: str) -> str:
    ensure_guild(guild_id)
    GuildPlugin.create(guild_id=guild_id, plugin=plugin)
    return plugin


def insert_and_fail(guild_id: int, plugin: str) -> None:
    insert_plugin(guild_id, plugin)
    raise ValueError(plugin)


def plugins_in_order(guild_id: int) -> list[str]:
    rows = (
        GuildPlugin.select(GuildPlugin.plugin)
        .where(GuildPlugin.guild_id == guild_id)
        .order_by(GuildPlugin.id)
    )
    return [row.plugin for row in rows]


def count_plugins() -> int:
    return int(GuildPlugin.select().count())


class Gate:
    """Holds a database thread inside a store function until it is opened."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self) -> None:
        self.entered.set()
        assert self.opened.wait(60)

    async def wait_entered(self) -> None:
        assert await asyncio.to_thread(self.entered.wait, 10)


async def test_each_key_is_written_in_order(database: Database) -> None:
    names = [f"p{number:03}" for number in range(60)]
    await asyncio.gather(
        *(database.write(insert_plugin, guild, name, key=guild) for name in names for guild in (1, 2, 3))
    )
    for guild in (1, 2, 3):
        assert await database.read(plugins_in_order, guild) == names
    assert database.stats.batches < 180


async def test_a_failing_call_fails_alone(database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(database.write(gate, key=1))
    await gate.wait_entered()
    calls = [
        database.write(insert_and_fail if number % 3 == 0 else insert_plugin, 1, f"p{number:03}", key=1)
        for number in range(90)
    ]
    together = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    gate.opened.set()
    results = await together
    await held
    assert [type(result) for result in results[0::3]] == [ValueError] * 30
    assert [result for result in results if isinstance(result, str)] == await database.read(
        plugins_in_order, 1
    )
    assert database.stats.batches <= 3


async def test_a_database_error_fails_alone_and_names_the_constraint(database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(database.write(gate, key=1))
    await gate.wait_entered()
    together = asyncio.gather(
        *(database.write(insert_plugin, 1, name, key=1) for name in ("a", "a", "b")), return_exceptions=True
    )
    await asyncio.sleep(0)
    gate.opened.set()
    first, second, third = await together
    await held
    assert (first, third) == ("a", "b")
    assert isinstance(second, peewee.IntegrityError)


async def test_appends_are_joined_and_keep_their_place_between_writes(database: Database) -> None:
    gate = Gate()
    await database.write(ensure_guild, 1, key=1)
    held = asyncio.create_task(database.write(gate, key=1))
    await gate.wait_entered()
    calls: list[Any] = [
        database.append(GuildPlugin, [{"guild_id": 1, "plugin": f"a{n}"}], key=1) for n in range(5)
    ]
    calls.append(database.write(count_plugins, key=1))
    calls.append(database.append(GuildPlugin, [{"guild_id": 1, "plugin": "a0"}], key=1))
    calls.append(database.append(GuildPlugin, [{"guild_id": 1, "plugin": "z"}], key=1))
    together = asyncio.gather(*calls, return_exceptions=True)
    await asyncio.sleep(0)
    gate.opened.set()
    results = await together
    await held
    assert results[5] == 5
    assert isinstance(results[6], peewee.IntegrityError)
    assert await database.read(plugins_in_order, 1) == ["a0", "a1", "a2", "a3", "a4", "z"]


async def test_an_append_of_thousands_of_rows(database: Database) -> None:
    await database.write(ensure_guild, 1)
    await database.append(GuildPlugin, [{"guild_id": 1, "plugin": str(number)} for number in range(9000)])
    await database.append(GuildPlugin, [])
    assert await database.read(count_plugins) == 9000
    with pytest.raises(ValueError, match="same columns"):
        await database.append(GuildPlugin, [{"guild_id": 1}, {"plugin": "x"}])


async def test_a_cancelled_call_that_has_not_started_is_skipped(database: Database) -> None:
    gate = Gate()
    held = asyncio.create_task(database.write(gate, key=1))
    await gate.wait_entered()
    waiting = asyncio.create_task(database.write(insert_plugin, 1, "never", key=1))
    await asyncio.sleep(0)
    waiting.cancel()
    # The one that has started commits although nobody waits for it.
    held.cancel()
    await asyncio.gather(waiting, held, return_exceptions=True)
    gate.opened.set()
    await database.idle()
    assert await database.read(count_plugins) == 0
    assert database.pending == 0


async def test_cancelling_at_random_moments_loses_and_halves_nothing(database: Database) -> None:
    dice = random.Random(5)
    acknowledged: set[str] = set()

    async def call(number: int) -> None:
        try:
            async with asyncio.timeout(dice.uniform(0, 0.03)):
                acknowledged.add(
                    await database.write(insert_plugin, number % 5, f"p{number}", key=number % 5)
                )
        except TimeoutError:
            return

    await asyncio.gather(*(call(number) for number in range(300)))
    await database.idle()
    stored = {name for guild in range(5) for name in await database.read(plugins_in_order, guild)}
    assert acknowledged <= stored
    await database.write(insert_plugin, 9, "after", key=9)
    assert await database.read(plugins_in_order, 9) == ["after"]


async def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises(peewee.PeeweeException, match=r"read.?only"):
        await database.read(insert_plugin, 1, "x")
    assert await database.read(count_plugins) == 0


async def test_a_query_on_the_loop_raises(database: Database) -> None:
    with pytest.raises(peewee.InterfaceError):
        Guild.select().count()
    query = await database.read(Guild.select)
    with pytest.raises(peewee.InterfaceError):
        list(query)


async def test_callbacks_run_only_after_what_is_committed(database: Database) -> None:
    ran: list[str] = []
    loop_thread = threading.get_ident()

    def note(name: str) -> None:
        assert threading.get_ident() == loop_thread
        ran.append(name)

    def good(name: str) -> None:
        database.after_commit(lambda: note(name))
        ensure_guild(1)

    def bad(name: str) -> None:
        good(name)
        raise ValueError("after all")

    await database.write(good, "kept")
    assert ran == ["kept"]
    with pytest.raises(ValueError, match="after all"):
        await database.write(bad, "dropped")
    assert ran == ["kept"]
    with pytest.raises(DatabaseError, match="store functions"):
        database.after_commit(lambda: None)


async def test_atomic_inside_a_store_function_is_a_savepoint(database: Database) -> None:
    def nested() -> None:
        ensure_guild(1)
        with Guild._meta.database.atomic() as savepoint:
            ensure_guild(2)
            savepoint.rollback()

    await database.write(nested)
    assert await database.read(lambda: [guild.id for guild in Guild.select()]) == [1]


async def test_a_read_sees_one_moment(database: Database) -> None:
    gate = Gate()

    def twice() -> tuple[int, int]:
        before = count_plugins()
        gate()
        return before, count_plugins()

    reading = asyncio.create_task(database.read(twice))
    await gate.wait_entered()
    await database.write(insert_plugin, 1, "meanwhile")
    gate.opened.set()
    assert await reading == (0, 0)
    assert await database.read(count_plugins) == 1


async def test_a_full_queue_refuses_and_recovers(database: Database) -> None:
    database.queue_limit = 3
    gate = Gate()
    held = asyncio.create_task(database.write(gate))
    await gate.wait_entered()
    others = [asyncio.create_task(database.write(ensure_guild, number)) for number in (1, 2)]
    await asyncio.sleep(0)
    with pytest.raises(DatabaseBusy, match="try again"):
        await database.write(ensure_guild, 3)
    gate.opened.set()
    await asyncio.gather(held, *others)
    await database.write(ensure_guild, 3)
    assert await database.read(lambda: Guild.select().count()) == 3


async def test_close_writes_what_is_queued(database: Database, database_url: str) -> None:
    writes = [
        asyncio.create_task(database.write(insert_plugin, 1, f"p{number}", key=1)) for number in range(300)
    ]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*writes)
    with pytest.raises(DatabaseClosed):
        await database.write(ensure_guild, 1)
    again = open_database(database_url)
    await again.start()
    assert await again.read(count_plugins) == 300
    await again.close()


async def test_slow_functions_are_named(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "SLOW", 0.0)
    await database.write(insert_plugin, 1, "x")
    assert database.stats.slow == 1
    assert "insert_plugin" in database.stats.slowest_name
    assert any("insert_plugin took" in record.getMessage() for record in caplog.records)


def run_for_ever() -> None:
    """A statement that never ends and that writes, which is what makes SQLite drop its transaction."""
    Guild.update(name=peewee.SQL(f"(SELECT CAST(endless.top AS text) FROM ({ENDLESS}) AS endless)")).execute()


async def test_an_endless_statement_is_stopped_and_hurts_nobody_else(database_url: str) -> None:
    database = open_database(database_url, statement_limit=0.3)
    migrate_up(database, [CORE_SCHEMA])
    await database.start()
    gate = Gate()
    await database.write(ensure_guild, 7)
    held = asyncio.create_task(database.write(gate))
    await gate.wait_entered()
    together = asyncio.gather(
        database.write(insert_plugin, 1, "before"),
        database.write(run_for_ever),
        database.write(insert_plugin, 1, "after"),
        return_exceptions=True,
    )
    await asyncio.sleep(0)
    gate.opened.set()
    first, second, third = await together
    await held
    assert (first, third) == ("before", "after")
    assert isinstance(second, StatementTooSlow)
    assert "run_for_ever" in str(second)
    assert await database.read(plugins_in_order, 1) == ["before", "after"]
    with pytest.raises(StatementTooSlow):
        await database.read(lambda: list(Guild.raw(ENDLESS).tuples()))
    await database.close()


async def test_work_across_keys_takes_a_transaction_of_its_own(database: Database) -> None:
    before = database.stats.batches
    await asyncio.gather(*(database.write_alone(ensure_guild, number) for number in range(4)))
    assert database.stats.batches == before + 4
    assert issubclass(CommitUnknown, DatabaseError)

"""What can never be written fails by itself and takes nothing else along, and nothing is lost on the way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import peewee
import pytest
from support import killed_writer
from support.killed_writer import KillHalf, write_both

from core.database import CORE_SCHEMA, Database, Guild, ensure_guild, migrate_up, open_database

FUZZED = 2_200


@pytest.fixture
async def stocked(database_url: str) -> AsyncIterator[Database]:
    """An open database with the tables whose halves would show."""
    opened = open_database(database_url)
    migrate_up(opened, [CORE_SCHEMA])
    killed_writer.prepare(opened)
    with opened.backend.connection_context():
        opened.backend.execute_sql(
            "CREATE TABLE poison (id BIGINT PRIMARY KEY, guild_id BIGINT"
            " REFERENCES guilds (id) DEFERRABLE INITIALLY DEFERRED)"
        )
    await opened.start()
    yield opened
    await opened.close()


def poison(number: int) -> None:
    """A change that every statement allows and only COMMIT refuses."""
    database: Any = Guild._meta.database
    database.execute_sql(f"INSERT INTO poison (id, guild_id) VALUES ({number}, 999)")


async def test_what_only_the_commit_refuses_fails_alone(stocked: Database) -> None:
    calls: list[Any] = [stocked.write(write_both, 1, "w", number, key=1) for number in range(30)]
    calls[10:10] = [stocked.write(poison, 1, key=2)]
    calls[20:20] = [stocked.write(poison, 2, key=1)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in results if one is not None] == [peewee.IntegrityError] * 2
    assert await stocked.read(killed_writer.stored) == {f"w{number}" for number in range(30)}
    assert await stocked.read(killed_writer.wrongs) == []
    # Each was tried a few times at most, not for ever.
    assert stocked.stats.reruns < 100


async def test_poison_among_appended_rows(stocked: Database) -> None:
    def rows(number: int) -> list[dict[str, Any]]:
        return [{"guild_id": 1, "kind": "a", "number": number, "half": half} for half in (1, 2)]

    doubled = [*rows(3)[:1], *rows(3)[:1]]
    wrong = [{**row, "half": "two"} for row in rows(4)]
    calls = [stocked.append(KillHalf, rows(number), key=number) for number in (1, 2)]
    calls += [stocked.append(KillHalf, doubled, key=3), stocked.append(KillHalf, wrong, key=4)]
    calls += [stocked.append(KillHalf, rows(number), key=number) for number in (5, 6)]
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert [type(one) for one in results] == [
        type(None),
        type(None),
        peewee.IntegrityError,
        TypeError,
        type(None),
        type(None),
    ]
    assert await stocked.read(killed_writer.stored) == {"a1", "a2", "a5", "a6"}
    assert await stocked.read(killed_writer.wrongs) == []
    with pytest.raises(ValueError, match="no column 'depth'"):
        await stocked.append(KillHalf, [{"guild_id": 1, "depth": 1}])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_full_disk_fails_what_does_not_fit_and_nothing_for_ever(stocked: Database) -> None:
    def allow(pages: int) -> int:
        database: Any = Guild._meta.database
        used = database.execute_sql("PRAGMA page_count").fetchone()[0]
        return int(database.execute_sql(f"PRAGMA max_page_count = {used + pages}").fetchone()[0])

    await stocked.write(ensure_guild, 1)
    await stocked.write(allow, 3)
    big = {"id": 5, "name": "x" * 100_000}
    results = await asyncio.gather(
        stocked.write(write_both, 1, "w", 1, key=1),
        stocked.append(Guild, [big], key=2),
        stocked.write(write_both, 3, "w", 3, key=3),
        return_exceptions=True,
    )
    assert isinstance(results[1], peewee.OperationalError)
    assert "full" in str(results[1])
    assert [results[0], results[2]] == [None, None]
    await stocked.write(allow, 100_000)
    await stocked.append(Guild, [big], key=2)
    assert await stocked.read(killed_writer.stored) == {"w1", "w3"}
    assert await stocked.read(killed_writer.wrongs) == []


async def test_cancelling_thousands_at_random_loses_and_halves_nothing(stocked: Database) -> None:
    dice = random.Random(44)
    acknowledged: set[str] = set()
    cancelled = 0

    async def one(number: int) -> None:
        nonlocal cancelled
        try:
            async with asyncio.timeout(dice.choice([0.0, 0.001, 0.01, 0.1, 5.0]) * dice.random()):
                kind = await killed_writer.call(stocked, number)
        except TimeoutError:
            cancelled += 1
        else:
            acknowledged.add(f"{kind}{number}")

    numbers = iter(range(FUZZED))

    async def caller() -> None:
        for number in numbers:
            await one(number)

    await asyncio.gather(*(caller() for _ in range(100)))
    await stocked.idle()
    assert cancelled > FUZZED / 10
    assert len(acknowledged) > FUZZED / 10
    assert await stocked.read(killed_writer.wrongs) == []
    assert acknowledged - await stocked.read(killed_writer.stored) == set()
    assert stocked.pending == 0

"""Calls of a function that is marked as joinable: many keys' at once, each still its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import peewee
import pytest

from core.database import Database, GuildPlugin, after_commit, ensure_guild
from core.database.batch import MOST_JOINED
from core.database.operations import joinable

Item = tuple[int, str]
_runs: list[int] = []
_committed: list[int] = []


@pytest.fixture(autouse=True)
def counted() -> None:
    _runs.clear()
    _committed.clear()


@joinable
def switch_on(items: Sequence[Item]) -> None:
    """Insert rows, by hand: what is joined is the call."""
    _runs.append(len(items))
    after_commit(lambda: _committed.append(len(items)))
    for guild_id, plugin in items:
        GuildPlugin.create(guild_id=guild_id, plugin=plugin)


def stored() -> set[Item]:
    rows: Any = GuildPlugin.select(GuildPlugin.guild_id, GuildPlugin.plugin)
    return set(rows.tuples())


def in_order(guild_id: int) -> list[str]:
    rows: Any = GuildPlugin.select(GuildPlugin.plugin).where(GuildPlugin.guild_id == guild_id)
    return [row.plugin for row in rows.order_by(GuildPlugin.id)]


def add_guilds(count: int) -> None:
    for guild_id in range(1, count + 1):
        ensure_guild(guild_id)


@pytest.mark.parametrize("polite_limit", [60.0])
async def test_what_many_keys_write_at_once_is_few_calls(database: Database) -> None:
    await database.write(add_guilds, 100)
    wanted = [(guild_id, f"p{number}") for guild_id in range(1, 101) for number in range(3)]
    await asyncio.gather(
        *(database.write(switch_on, [(guild, plugin)], key=guild) for guild, plugin in wanted)
    )
    assert await database.read(stored) == set(wanted)
    assert sum(_runs) == sum(_committed) == 300
    assert len(_runs) < 100
    assert await database.read(in_order, 7) == ["p0", "p1", "p2"]


async def test_one_that_fails_fails_alone(database: Database) -> None:
    await database.write(add_guilds, 20)
    await database.write(switch_on, [(13, "ore")], key=13)
    _committed.clear()
    results = await asyncio.gather(
        *(database.write(switch_on, [(guild, "ore"), (guild, "gas")], key=guild) for guild in range(1, 21)),
        return_exceptions=True,
    )
    (failed,) = [result for result in results if result is not None]
    assert isinstance(failed, peewee.IntegrityError)
    assert results.index(failed) == 12
    assert await database.read(stored) == {
        (guild, plugin)
        for guild in range(1, 21)
        for plugin in ("ore", "gas")
        if (guild, plugin) != (13, "gas")
    }
    assert sum(_committed) == 38, "what failed and was run again is told of once"


async def test_order_is_kept_with_other_writes_of_the_key(database: Database) -> None:
    await database.write(add_guilds, 2)

    def count(guild_id: int) -> int:
        return len(in_order(guild_id))

    results = await asyncio.gather(
        database.write(switch_on, [(1, "a")], key=1),
        database.write(switch_on, [(2, "a")], key=2),
        database.write(count, 1, key=1),
        database.write(switch_on, [(1, "b"), (1, "c")], key=1),
        database.append(GuildPlugin, [{"guild_id": 1, "plugin": "d"}], key=1),
        database.write(switch_on, [(1, "e")], key=1),
        database.write(switch_on, [], key=1),
        database.write(count, 1, key=1),
    )
    assert results[2::5] == [1, 5]
    assert await database.read(in_order, 1) == ["a", "b", "c", "d", "e"]


async def test_what_is_joined_stays_small_enough_not_to_be_slow(database: Database) -> None:
    await database.write(add_guilds, 6)
    half = MOST_JOINED // 2
    await asyncio.gather(
        *(
            database.write(switch_on, [(guild, str(n)) for n in range(half)], key=guild)
            for guild in range(1, 7)
        )
    )
    assert sum(_committed) == 6 * half
    assert max(_runs) <= MOST_JOINED

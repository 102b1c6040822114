"""The configured channels of Sunday mining, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from support.operations import SUNDAY, at, sat

from core.database import CORE_SCHEMA, Database, Schema, drift, migrate_down, migrate_up
from plugins import operations, sunday_mining
from plugins.operations import ChannelRef, OperationView
from plugins.operations import store as operations_store
from plugins.sunday_mining import store

GUILD, OTHER = 700, 800
ALPHA, BRAVO, CHARLIE = ChannelRef(11, "Alpha"), ChannelRef(12, "Bravo"), ChannelRef(13, "Charlie")
SCHEMAS = [CORE_SCHEMA, operations.register_schema(), sunday_mining.register_schema()]


@pytest.fixture
def schemas() -> Sequence[Schema]:
    return SCHEMAS


def flags(channels: Sequence[ChannelRef]) -> list[tuple[str, bool]]:
    return [(channel.name, channel.dispatch) for channel in channels]


async def add(
    database: Database, *channels: ChannelRef, guild: int = GUILD, minute: float = 0
) -> store.Added:
    return await database.write(store.add_channels, guild, channels, at(minute), key=guild)


async def remove(database: Database, channel: ChannelRef, guild: int = GUILD, minute: float = 0) -> Any:
    return await database.write(store.remove_channel, guild, channel.channel_id, at(minute), key=guild)


async def start(database: Database) -> OperationView:
    channels = await database.read(store.configured_channels, GUILD)
    operation, _fresh = await database.write(
        operations_store.start,
        GUILD,
        SUNDAY,
        channels,
        title="Sunday Mining - 2026-09-06",
        initiator_id=5,
        text_channel_id=1,
        at=at(0),
        key=GUILD,
    )
    return operation


def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    migrate_up(database_url, SCHEMAS)
    assert drift(database_url, SCHEMAS) == []
    migrations = ["sunday_mining/0001_initial", "sunday_mining/0002_categories"]
    assert migrate_down(database_url, SCHEMAS[2]) == migrations[::-1]
    assert migrate_up(database_url, SCHEMAS) == migrations
    assert drift(database_url, SCHEMAS) == []


async def test_the_first_channel_is_dispatch_and_order_is_kept(database: Database) -> None:
    first = await add(database, BRAVO, ALPHA)
    assert flags(first.added) == [("Bravo", True), ("Alpha", False)]
    assert (first.already, first.operation) == ((), None)
    second = await add(database, ALPHA, CHARLIE)
    assert flags(second.added) == [("Charlie", False)]
    assert second.already == (ALPHA,)
    found = await database.read(store.configured_channels, GUILD)
    assert flags(found) == [("Bravo", True), ("Alpha", False), ("Charlie", False)]


async def test_the_next_channel_becomes_dispatch(database: Database) -> None:
    await add(database, ALPHA, BRAVO, CHARLIE)
    removed = await remove(database, ALPHA)
    assert (removed.channel.name, removed.operation) == ("Alpha", None)
    assert flags(await database.read(store.configured_channels, GUILD)) == [
        ("Bravo", True),
        ("Charlie", False),
    ]
    await add(database, ALPHA)
    assert [name for name, _ in flags(await database.read(store.configured_channels, GUILD))][-1] == "Alpha"
    for channel in (BRAVO, CHARLIE, ALPHA):
        await remove(database, channel)
    assert await database.read(store.configured_channels, GUILD) == []
    assert await remove(database, ALPHA) is None


async def test_more_than_25_are_refused_and_nothing_is_added(database: Database) -> None:
    many = [ChannelRef(n, f"Crew {n}") for n in range(1, 25)]
    await add(database, *many)
    with pytest.raises(store.TooManyChannels) as refused:
        await add(database, many[0], ChannelRef(101, "x"), ChannelRef(102, "y"))
    assert (refused.value.have, refused.value.wanted) == (24, 2)
    assert len(await database.read(store.configured_channels, GUILD)) == 24
    await add(database, ChannelRef(101, "x"))
    assert len(await database.read(store.configured_channels, GUILD)) == 25


async def test_guilds_have_their_own_lists(database: Database) -> None:
    await add(database, ALPHA)
    await add(database, BRAVO, guild=OTHER)
    assert await remove(database, ALPHA, guild=OTHER) is None
    assert flags(await database.read(store.configured_channels, GUILD)) == [("Alpha", True)]
    assert flags(await database.read(store.configured_channels, OTHER)) == [("Bravo", True)]


async def test_changes_take_effect_for_the_running_operation(database: Database) -> None:
    await add(database, ALPHA, BRAVO)
    await database.write(sat, GUILD, 1, ALPHA.channel_id, 0, None, key=GUILD)
    await database.write(sat, GUILD, 2, CHARLIE.channel_id, 0, None, key=GUILD)
    operation = await start(database)
    assert (await add(database, CHARLIE, minute=10)).operation == operation
    assert (await add(database, CHARLIE, minute=11)).operation is None
    assert (await remove(database, ALPHA, minute=20)).operation == operation
    summary = await database.write(operations_store.end, GUILD, operation.id, 5, at(30), {}, key=GUILD)
    assert {each.user_id: each.seconds for each in summary.participants} == {1: 1200, 2: 1200}
    assert (await remove(database, BRAVO)).operation is None

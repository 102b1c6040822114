"""A burst in which something was lost, doubled or turned around does not become a figure."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from benchmarks.heard import Heard
from benchmarks.scale_truth import Move, Row, read_rows, wrongs
from core.database import CORE_SCHEMA, VoiceSession, migrate_up, open_database
from sandbox.server import World


@dataclass(slots=True)
class Burst:
    """Two people of one guild move, one of them twice, and all of it is stored and told."""

    world: World
    sent: list[Move]
    heard: list[Heard]
    rows: list[Row]

    def wrongs(self) -> list[str]:
        return wrongs(self.world, self.sent, self.heard, self.rows)


@pytest.fixture
async def burst() -> Burst:
    world = World()
    guild = world.create_guild("Crew")
    alpha, bravo = (guild.create_channel(name, type=2).id for name in ("Alpha", "Bravo"))
    quartz, slate = guild.add_member("quartz"), guild.add_member("slate")
    for person, channel in (
        (quartz, alpha),
        (slate, alpha),
        (quartz, bravo),
        (slate, bravo),
        (quartz, alpha),
    ):
        await person.join(channel)
    sent = [
        Move(guild.id, quartz.id, alpha, bravo),
        Move(guild.id, slate.id, alpha, bravo),
        Move(guild.id, quartz.id, bravo, alpha),
    ]
    heard = [
        Heard(1.0, guild.id, quartz.id, 1, 2, alpha, bravo),
        Heard(1.0, guild.id, slate.id, 4, 5, alpha, bravo),
        Heard(1.1, guild.id, quartz.id, 2, 3, bravo, alpha),
    ]
    rows = [
        Row(1, guild.id, quartz.id, alpha, 0, 10, None, "completed", 0, False),
        Row(2, guild.id, quartz.id, bravo, 10, 20, 1, "completed", 0, False),
        Row(3, guild.id, quartz.id, alpha, 20, None, 2, "active", 0, False),
        Row(4, guild.id, slate.id, alpha, 0, 15, None, "completed", 0, False),
        Row(5, guild.id, slate.id, bravo, 15, None, 4, "active", 0, False),
    ]
    return Burst(world, sent, heard, rows)


async def test_what_is_right_is_not_called_wrong(burst: Burst) -> None:
    assert burst.wrongs() == []


async def test_a_lost_row(burst: Burst) -> None:
    del burst.rows[1]
    assert any("stored is" in words for words in burst.wrongs())


async def test_a_member_without_any_row(burst: Burst) -> None:
    burst.rows = burst.rows[:3]
    assert any("stored is []" in words for words in burst.wrongs())


async def test_rows_of_nobody(burst: Burst) -> None:
    burst.rows.append(burst.rows[-1]._replace(id=6, user_id=99))
    assert any("sat in []" in words for words in burst.wrongs())


@pytest.mark.parametrize(
    ("number", "change", "words"),
    [
        (1, {"left": 19}, "chain"),
        (1, {"status": "cancelled"}, "chain"),
        (2, {"previous_id": 1}, "chain"),
        (2, {"left": 30, "status": "completed"}, "not open"),
        (0, {"previous_id": 9}, "never happened"),
        (3, {"odd": True}, "never happened"),
        (3, {"deafened_us": 1}, "never happened"),
        (4, {"id": 6}, "not what is stored"),
    ],
)
async def test_a_row_that_is_not_as_it_was(
    burst: Burst, number: int, change: dict[str, object], words: str
) -> None:
    burst.rows[number] = burst.rows[number]._replace(**change)  # type: ignore[arg-type]
    assert any(words in each for each in burst.wrongs())


async def test_a_delivery_that_is_lost_doubled_or_late(burst: Burst) -> None:
    told = burst.heard
    for wrong in (told[:-1], [*told, told[-1]], [told[2], told[1], told[0]]):
        burst.heard = wrong
        assert any("another order" in words for words in burst.wrongs())


async def test_a_delivery_of_somebody_elses_session(burst: Burst) -> None:
    burst.rows[4] = burst.rows[4]._replace(user_id=burst.rows[0].user_id)
    assert any("was told as" in words for words in burst.wrongs())


async def test_rows_are_read_from_a_database_as_they_are(database_url: str) -> None:
    database = open_database(database_url)
    migrate_up(database, [CORE_SCHEMA])
    await database.start()
    try:
        await database.write(
            lambda: VoiceSession.create(
                id=7, guild_id=1, user_id=2, channel_id=3, joined=database.clock.now()
            )
        )
        (row,) = read_rows(database_url)
    finally:
        await database.close()
    assert row[:4] == (7, 1, 2, 3)
    assert (row.left, row.previous_id, row.status, row.deafened_us, bool(row.odd)) == (
        None,
        None,
        "active",
        0,
        False,
    )

"""Session records as rows: every value comes back, and what is none is refused with the column's name."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from core.database import Database, VoiceSession
from core.events import SessionRecord
from core.voice.rows import COLUMNS, upsert_rows
from core.voice.store import read_records

GUILD = 7
LARGEST = 2**63 - 1
TIME = datetime(2026, 10, 25, 1, 0, 0, 1, tzinfo=UTC)
PLAIN = SessionRecord(1, GUILD, 2, 3, TIME)


def everything() -> list[SessionRecord]:
    return read_records(VoiceSession.select())


def test_the_columns_are_a_records_own() -> None:
    assert [field.name for field in COLUMNS] == [field.name for field in fields(SessionRecord)]


async def test_odd_values_come_back(database: Database) -> None:
    records = [
        PLAIN,
        replace(PLAIN, id=LARGEST, user_id=LARGEST, previous_id=LARGEST, joined_estimated=True),
        replace(PLAIN, id=-LARGEST - 1, user_id=0, deafened_since=TIME, left_estimated=True),
        replace(PLAIN, id=5, joined=datetime(1, 1, 1, tzinfo=UTC), left=TIME, status="completed", afk=True),
        replace(
            PLAIN, id=6, left=datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), deafened_us=LARGEST
        ),
        replace(PLAIN, id=7, left=TIME, status="cancelled"),
        replace(PLAIN, id=8, user_id=1, via_channel_id=LARGEST),
    ]
    await database.write(upsert_rows, records, key=GUILD)
    found = {record.id: record for record in await database.read(everything)}
    assert found == {record.id: record for record in records}


async def test_a_time_of_another_zone_is_the_same_instant(database: Database) -> None:
    there = TIME.astimezone(timezone(timedelta(hours=-9, minutes=-30)))
    await database.write(upsert_rows, [replace(PLAIN, joined=there)], key=GUILD)
    assert await database.read(everything) == [PLAIN]


@pytest.mark.parametrize("count", [1, 2, 3, 100, 2_047, 2_048, 2_049, 5_000])
async def test_any_number_of_rows_is_written_once(database: Database, count: int) -> None:
    records = [replace(PLAIN, id=number, user_id=number) for number in range(1, count + 1)]
    await database.write(upsert_rows, records, key=GUILD)
    await database.write(upsert_rows, records, key=GUILD)
    assert sorted(await database.read(everything), key=lambda each: each.id) == records


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"user_id": 2**63}, ValueError),
        ({"previous_id": -(2**63) - 1}, ValueError),
        ({"channel_id": "3"}, TypeError),
        ({"deafened_us": 1.5}, TypeError),
        ({"guild_id": True}, TypeError),
        ({"joined": TIME.replace(tzinfo=None)}, TypeError),
        ({"left": 5}, TypeError),
        ({"status": 1}, TypeError),
    ],
)
async def test_what_is_no_value_of_its_column_is_refused(
    database: Database, wrong: dict[str, Any], error: type[Exception]
) -> None:
    records = [PLAIN, replace(PLAIN, id=2, **wrong)]
    with pytest.raises(error):
        await database.write(upsert_rows, records, key=GUILD)
    assert await database.read(everything) == []

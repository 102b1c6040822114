"""Values come back as they went in, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import peewee
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.clock import SteppedClock
from core.database import (
    CORE_SCHEMA,
    BaseModel,
    CentiScu,
    Database,
    Guild,
    Instant,
    JsonText,
    Money,
    Reference,
    Schema,
    Snowflake,
    Text,
    User,
    ensure_guild,
    ensure_user,
)
from core.database.fields import clean_text


class Sample(BaseModel):
    """One column of each kind."""

    guild_id = Reference(Guild, null=True)
    at = Instant(null=True)
    amount = Money(default=0)
    ore = CentiScu(default=0)
    snowflake = Snowflake(null=True)
    words = Text(default="")
    data = JsonText(null=True)

    class Meta:
        table_name = "sample_row"


MIGRATION = """
from core.database.fields import *
from core.database.models import Guild

def up(migrator, db):
    class Guild(db.Model):
        id = Snowflake(primary_key=True)
        class Meta:
            table_name = "guilds"
    class Sample(db.Model):
        created_at = Instant()
        updated_at = Instant()
        guild_id = Reference(Guild, null=True)
        at = Instant(null=True)
        amount = Money()
        ore = CentiScu()
        snowflake = Snowflake(null=True)
        words = Text()
        data = JsonText(null=True)
        class Meta:
            table_name = "sample_row"
    db.create_tables([Sample], safe=False)
"""


@pytest.fixture
def schemas(tmp_path: Path) -> Sequence[Schema]:
    folder = tmp_path / "sample_migrations"
    folder.mkdir()
    (folder / "0001_initial.py").write_text(MIGRATION)
    return [CORE_SCHEMA, Schema("sample", [Sample], folder)]


def store(**values: Any) -> Any:
    return Sample.create(**values).id


def load(key: int, field: str) -> Any:
    return getattr(Sample.get_by_id(key), field)


async def round_trip(database: Database, field: str, value: Any) -> Any:
    return await database.read(load, await database.write(store, **{field: value}), field)


async def test_instants_keep_their_microsecond_and_come_back_in_utc(database: Database) -> None:
    summer = timezone(timedelta(hours=2))
    for value in (
        datetime(2026, 3, 1, 18, 0, 0, 123456, tzinfo=UTC),
        datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        datetime(2100, 7, 1, 1, 2, 3, 7, tzinfo=summer),
    ):
        back = await round_trip(database, "at", value)
        assert back == value
        assert back.tzinfo is UTC
    assert await round_trip(database, "at", None) is None


async def test_naive_datetimes_are_refused(database: Database) -> None:
    with pytest.raises(TypeError, match="aware"):
        await database.write(store, at=datetime(2026, 3, 1))  # noqa: DTZ001 - the point of the test


async def test_instants_are_compared_and_sorted_in_the_database(database: Database) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    for minutes in (3, 1, 2):
        await database.write(store, at=start + timedelta(minutes=minutes))

    def late() -> tuple[list[datetime], datetime]:
        rows = Sample.select().where(Sample.at > start + timedelta(minutes=1)).order_by(Sample.at)
        return [row.at for row in rows], Sample.select(peewee.fn.MAX(Sample.at)).scalar()

    found, last = await database.read(late)
    assert found == [start + timedelta(minutes=2), start + timedelta(minutes=3)]
    assert last == start + timedelta(minutes=3)


async def test_money_is_whole_and_exact(database: Database) -> None:
    for value in (0, -1, 2**53 + 1, 2**63 - 1, -(2**63)):
        assert await round_trip(database, "amount", value) == value
        assert await round_trip(database, "ore", value) == value
    for wrong in (1.0, True, "5"):
        with pytest.raises(TypeError, match="whole number"):
            await database.write(store, amount=wrong)
    with pytest.raises(ValueError, match="64 bits"):
        await database.write(store, amount=2**63)


async def test_sums_of_money_are_whole_numbers(database: Database) -> None:
    for _ in range(3):
        await database.write(store, amount=2**60)
    total = await database.read(lambda: Sample.select(peewee.fn.SUM(Sample.amount)).scalar())
    assert total == 3 * 2**60
    assert isinstance(total, int)


async def test_text_and_json_lose_only_what_cannot_be_stored(database: Database) -> None:
    assert await round_trip(database, "words", "a\0b \ud800 ü") == "ab \ufffd ü"
    data = {"a": [1, None, True, 2.5, "x\0y"], "ü": {"n": "\\u0000"}}
    assert await round_trip(database, "data", data) == {
        "a": [1, None, True, 2.5, "xy"],
        "ü": {"n": "\\u0000"},
    }
    assert await round_trip(database, "data", None) is None
    with pytest.raises(ValueError, match="JSON"):
        await database.write(store, data={"x": float("nan")})
    with pytest.raises(TypeError, match="text"):
        await database.write(store, words=5)


async def test_a_wrong_type_is_refused_by_the_table_itself(database: Database) -> None:
    def smuggle() -> None:
        Sample.insert(amount=0).execute()
        Sample.update(amount=peewee.SQL("'abc'")).execute()

    with pytest.raises(peewee.PeeweeException):
        await database.write(smuggle)


async def test_references_are_ids_and_restrict(database: Database) -> None:
    await database.write(ensure_guild, 5)
    key = await database.write(store, guild_id=5)
    assert await database.read(load, key, "guild_id") == 5
    with pytest.raises(peewee.IntegrityError):
        await database.write(store, guild_id=6)
    with pytest.raises(peewee.IntegrityError):
        await database.write(lambda: Guild.delete().execute())


async def test_rows_know_when_they_were_made_and_changed(
    database: Database, stepped_clock: SteppedClock
) -> None:
    made = stepped_clock.now()
    key = await database.write(store, words="a")
    await stepped_clock.advance(60)
    await database.write(lambda: Sample.update(words="b").where(Sample.id == key).execute())
    row = await database.read(Sample.get_by_id, key)
    assert (row.created_at, row.updated_at) == (made, made + timedelta(seconds=60))
    await stepped_clock.advance(60)

    def save() -> None:
        changed = Sample.get_by_id(key)
        changed.words = "c"
        changed.save()

    await database.write(save)
    row = await database.read(Sample.get_by_id, key)
    assert (row.words, row.updated_at) == ("c", made + timedelta(seconds=120))


async def test_guilds_are_made_once_and_renamed(database: Database, stepped_clock: SteppedClock) -> None:
    for ensure, model in ((ensure_guild, Guild), (ensure_user, User)):
        await database.write(ensure, 1, "old")
        await stepped_clock.advance(1)
        await database.write(ensure, 1, "new")
        await database.write(ensure, 1)
        row = await database.read(model.get_by_id, 1)
        assert row.name == "new"
        assert row.updated_at - row.created_at == timedelta(seconds=1)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_becomes_storable(text: str) -> None:
    clean = clean_text(text)
    assert "\0" not in clean
    assert clean.encode().decode() == clean

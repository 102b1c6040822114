"""Random evenings with drops, crashes and outages: recorded sessions against who really sat where."""

from __future__ import annotations

import itertools
import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.voice_model import failure
from support.voice_story import Step, cut_down, story

from core.database import CORE_SCHEMA, Database, migrate_up, open_database

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
STEPS = 200
_numbers = itertools.count(1)


@pytest.fixture
async def lite(tmp_path: Path) -> AsyncIterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'model.sqlite3'}")
    migrate_up(database, [CORE_SCHEMA])
    await database.start()
    yield database
    await database.close()


@pytest.fixture(autouse=True)
def _calm() -> Iterator[None]:
    # A process that is killed with unwritten sessions says so each time.
    logger = logging.getLogger("core.voice.outbox")
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(logging.NOTSET)


async def _play(lite: Database, seed: int, *, clock_back: bool = False) -> None:
    async def fails(steps: Sequence[Step]) -> str | None:
        return await failure(lite, next(_numbers), START, steps)

    steps = story(seed, STEPS, clock_back=clock_back)
    words = await fails(steps)
    if words is not None:
        shorter, said = await cut_down(steps, fails)
        pytest.fail(f"seed {seed}, cut down to {shorter}:\n{said or words}")


#: Evenings that went wrong once.
STORIES: dict[str, list[Step]] = {
    "the last proof of life is a beginning, and the gap is too long": [
        ("go", 3, 4, 16.0),
        ("crash", 2, 4, 1.5),
        ("boot", 5, 3, 400.0),
    ],
    "a newcomer after one gap is elsewhere after the next": [
        ("crash", 1, 10, 16.0),
        ("go", 3, 4, 1.0),
        ("boot", 2, 8, 40.0),
        ("crash", 2, 4, 1.5),
        ("go", 3, 3, 1.5),
        ("boot", 5, 3, 400.0),
    ],
    "a crash soon after the database was slow": [
        ("go", 1, 5, 16.0),
        ("hold", 2, 5, 1.0),
        ("free", 1, 5, 400.0),
        ("crash", 3, 4, 3.0),
        ("boot", 5, 3, 100.0),
    ],
    "people come between two losses, before the bot could look": [
        ("go", 6, 4, 7.0),
        ("hold", 2, 2, 16.0),
        ("invalid", 3, 4, 16.0),
        ("drop", 5, 7, 0.4),
        ("go", 3, 6, 0.4),
        ("resume", 5, 8, 0.0),
        ("go", 4, 4, 3.0),
        ("zombie", 2, 11, 1.5),
        ("free", 1, 0, 3.0),
        ("crash", 3, 11, 0.2),
        ("go", 3, 9, 0.0),
    ],
    "a shard is lost while its guild is out": [
        ("go", 1, 5, 16.0),
        ("outage", 1, 0, 7.0),
        ("go", 1, 0, 7.0),
        ("drop", 1, 0, 40.0),
        ("back", 1, 0, 40.0),
    ],
}


@pytest.mark.parametrize("name", STORIES)
async def test_an_evening_that_went_wrong_once(lite: Database, name: str) -> None:
    words = await failure(lite, next(_numbers), START, STORIES[name])
    assert words is None, words


async def test_a_clock_set_back_between_two_stays_lets_them_not_overlap(lite: Database) -> None:
    steps: list[Step] = [("go", 1, 5, 5.0), ("go", 1, 0, 60.0), ("jump back", 1, 7, 1.0), ("go", 1, 3, 1.0)]
    words = await failure(lite, next(_numbers), START, steps)
    assert words is None, words


async def test_recorded_sessions_are_the_truth(lite: Database) -> None:
    for seed in range(40):
        await _play(lite, seed)


async def test_a_clock_set_back_makes_no_impossible_session(lite: Database) -> None:
    for seed in range(10):
        await _play(lite, seed, clock_back=True)


@pytest.mark.soak
@pytest.mark.parametrize("part", range(8))
async def test_recorded_sessions_are_the_truth_in_2000_evenings(lite: Database, part: int) -> None:
    for seed in range(100_000 + part * 250, 100_000 + (part + 1) * 250):
        await _play(lite, seed, clock_back=seed % 10 == 0)

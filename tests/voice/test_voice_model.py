"""Random evenings with drops, crashes and outages: recorded sessions against who really sat where."""

from __future__ import annotations

import itertools
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.voice_model import Step, cut_down, failure, story

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
def _calm() -> None:
    # A process that is killed with unwritten sessions says so each time.
    logging.getLogger("core.voice.outbox").setLevel(logging.CRITICAL)


async def _play(lite: Database, seed: int, *, clock_back: bool = False) -> None:
    async def fails(steps: Sequence[Step]) -> str | None:
        return await failure(lite, next(_numbers), START, steps)

    steps = story(seed, STEPS, clock_back=clock_back)
    words = await fails(steps)
    if words is not None:
        shorter, said = await cut_down(steps, fails)
        pytest.fail(f"seed {seed}, cut down to {shorter}:\n{said or words}")


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

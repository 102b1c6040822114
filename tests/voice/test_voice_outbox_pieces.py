"""A batch that the database refuses is looked at piece by piece: only what cannot be stored is left out."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from support.recorder_stage import ALPHA, BETA, GUILD, OPAL, QUARTZ, Stage

from core.clock import SteppedClock
from core.database import Database, VoiceSession
from core.database.errors import DatabaseUnavailable
from core.events import SessionRecord
from core.voice.outbox import FIRST_RETRY_SECONDS, TRIES_OF_BAD_DATA
from core.voice.store import apply_transitions
from core.voice.transitions import Started

ROGUE = 5
OTHER = 12
#: Until the last attempt to write the batch whole.
PATIENCE = sum(FIRST_RETRY_SECONDS * 2**number for number in range(TRIES_OF_BAD_DATA - 1))


class Faulty:
    """The real database, with faults for single writes."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.sizes: list[int] = []
        self.faults: dict[int, Exception] = {}
        """By the number of the write, from 1."""
        self.waited = 0

    async def write(self, fn: Callable[..., Any], *args: Any, key: int) -> Any:
        if fn is apply_transitions:
            self.sizes.append(len(args[0]))
            fault = self.faults.pop(len(self.sizes), None)
            if fault is not None:
                raise fault
        return await self.db.write(fn, *args, key=key)

    async def read(self, fn: Callable[..., Any], *args: Any) -> Any:
        return await self.db.read(fn, *args)

    async def there(self) -> None:
        self.waited += 1


@pytest.fixture
async def stage(database: Database, stepped_clock: SteppedClock) -> AsyncIterator[Stage]:
    """A recorder for whom somebody has put an open row of opal into the database behind its back."""
    made = await Stage(Faulty(database), stepped_clock).go()
    rogue = SessionRecord(ROGUE, GUILD, OPAL, BETA, stepped_clock.now() - timedelta(hours=1))
    await database.write(apply_transitions, [Started(rogue)], key=GUILD)
    yield made
    await made.recorder.close()


def _close_rogue() -> None:
    VoiceSession.update(left=VoiceSession.joined, status="completed").where(
        VoiceSession.id == ROGUE
    ).execute()


def _people_move(stage: Stage) -> None:
    """All in one batch: quartz moves, opal cannot be stored, another comes and goes."""
    stage.act(QUARTZ, ALPHA)
    stage.act(OPAL, ALPHA)
    stage.act(OTHER, ALPHA, self_deaf=True)
    stage.act(OTHER, ALPHA)
    stage.act(QUARTZ, BETA)
    stage.act(OPAL, ALPHA, self_mute=True)


async def _shown(stage: Stage) -> list[tuple[int, int, bool]]:
    return [(row.user_id, row.channel_id, row.left is None) for row in await stage.rows() if row.id != ROGUE]


async def test_only_what_cannot_be_stored_is_left_out(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        _people_move(stage)
        await stage.recorder.idle()
        assert await _shown(stage) == [], "nothing of the batch, as it goes in whole or not at all"
        assert stage.heard == []
        await stage.clock.advance(PATIENCE, stage.recorder.idle)
    assert await _shown(stage) == [(QUARTZ, BETA, True), (OTHER, ALPHA, True)]
    # Told all the same, each in its place: a plugin's view must not depend on the database's.
    told = ["started", "started", "started", "state_changed", "moved", "state_changed"]
    assert [hook.removeprefix("session_") for hook in stage.hooks()] == told
    left_out = [r for r in caplog.records if "cannot be stored and is left out" in r.getMessage()]
    assert len(left_out) == 1
    assert f"user_id={OPAL}" in left_out[0].getMessage()
    assert stage.recorder.waiting() == 0


async def test_the_rest_of_a_session_is_stored_once_nothing_is_in_its_way(stage: Stage) -> None:
    stage.act(OPAL, ALPHA)
    began = stage.clock.now()
    await stage.recorder.idle()
    await stage.clock.advance(PATIENCE, stage.recorder.idle)
    assert await _shown(stage) == []
    await stage.db.db.write(_close_rogue, key=GUILD)
    await stage.clock.advance(60)
    stage.act(OPAL, None)
    [row] = [row for row in await stage.rows() if row.id != ROGUE]
    assert (row.joined, row.left, row.estimated) == (began, stage.clock.now(), False)


async def test_a_moment_of_bad_data_costs_nothing(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        _people_move(stage)
        await stage.recorder.idle()
        await stage.db.db.write(_close_rogue, key=GUILD)
        await stage.clock.advance(PATIENCE, stage.recorder.idle)
    assert len(await _shown(stage)) == 3
    assert "left out" not in caplog.text


@pytest.mark.parametrize(
    ("fault", "wait"), [(DatabaseUnavailable("away"), 0.0), (ConnectionError("torn"), FIRST_RETRY_SECONDS)]
)
async def test_a_fault_between_the_pieces_loses_none(stage: Stage, fault: Exception, wait: float) -> None:
    # The third piece, after the attempts to write the batch whole.
    stage.db.faults[TRIES_OF_BAD_DATA + 3] = fault
    _people_move(stage)
    await stage.recorder.idle()
    await stage.clock.advance(PATIENCE, stage.recorder.idle)
    await stage.clock.advance(wait, stage.recorder.idle)
    await stage.recorder.settled(GUILD)
    assert await _shown(stage) == [(QUARTZ, BETA, True), (OTHER, ALPHA, True)]
    assert stage.db.waited == (1 if wait == 0 else 0)
    assert len(stage.heard) == 6
    # Pieces that have no row are no writes; the one that met the fault was one more.
    assert stage.db.sizes == [6] * TRIES_OF_BAD_DATA + [1] * 6

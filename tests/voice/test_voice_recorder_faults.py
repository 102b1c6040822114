"""The recorder when things fail: writes, deliveries, the heartbeat's connection; on both backends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.recorder_stage import ALPHA, BETA, GUILD, LIMIT, OPAL, QUARTZ, Stage

from core.clock import SteppedClock
from core.database import Database
from core.events import SessionRecord, VoiceSnapshot
from core.ids import IdSource
from core.voice.sessions import VoiceRecorder
from core.voice.store import apply_transitions, beat, last_beat
from core.voice.transitions import Started


class FailingWrites:
    """The real database, with writes that fail as long as the test says so."""

    def __init__(self, db: Database) -> None:
        self.db, self.failures, self.attempts = db, 0, 0

    async def write(self, fn: Callable[..., Any], *args: Any, key: int) -> Any:
        self.attempts += 1
        if self.failures:
            self.failures -= 1
            raise ConnectionError("the database is away")
        return await self.db.write(fn, *args, key=key)

    async def read(self, fn: Callable[..., Any], *args: Any) -> Any:
        return await self.db.read(fn, *args)


async def test_a_failing_write_is_repeated_and_nothing_is_lost(
    database: Database, stepped_clock: SteppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    db = FailingWrites(database)
    stage = await Stage(db, stepped_clock).go()
    db.failures = 3
    with caplog.at_level(logging.ERROR):
        stage.act(QUARTZ, ALPHA)
        await stage.recorder.idle()
        assert stage.heard == []
        stage.act(OPAL, ALPHA)
        await stepped_clock.advance(0.5, stage.recorder.idle)
        stage.act(QUARTZ, BETA)
        await stepped_clock.advance(60, stage.recorder.idle)
    assert len(await stage.rows()) == 2
    assert stage.hooks() == ["session_started", "session_started", "session_moved"]
    assert "next attempt in 0.5 s" in caplog.text
    assert "next attempt in 2.0 s" in caplog.text
    await stage.recorder.close()


async def test_an_unwritable_end_stops_in_time_and_says_so(
    database: Database, stepped_clock: SteppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    db = FailingWrites(database)
    stage = await Stage(db, stepped_clock).go()
    db.failures = 1000
    stage.act(QUARTZ, ALPHA)
    await stage.recorder.close(grace_seconds=0.05)
    assert "1 voice transitions could not be written" in caplog.text


async def test_a_failing_delivery_does_not_hold_up_the_others(
    database: Database, stepped_clock: SteppedClock, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def deliver(guild_id: int, hook: str, event: object) -> None:
        heard.append(hook)
        if hook == "on_resync":
            raise RuntimeError("a broken lane")

    recorder = VoiceRecorder(database, stepped_clock, IdSource(stepped_clock), deliver, gap_limit=LIMIT)
    recorder.set_recording(GUILD, True, {})
    await recorder.recover(0, GUILD, {}, "restart")
    recorder.observe(VoiceSnapshot(1, GUILD, QUARTZ, ALPHA, None, stepped_clock.now(), 0.0))
    await recorder.settled(GUILD)
    assert heard == ["on_resync", "on_voice_session_started"]
    assert "delivering on_resync" in caplog.text


class NoticingClock(SteppedClock):
    """A stepped clock that tells when somebody goes to sleep on it."""

    def __init__(self, start: datetime) -> None:
        super().__init__(start)
        self.asleep = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asleep.set()
        await super().sleep(seconds)

    async def turn(self, seconds: float) -> None:
        self.asleep.clear()
        await self.advance(seconds)
        await asyncio.wait_for(self.asleep.wait(), 60)


async def test_the_heartbeat_beats_only_while_connected_and_after_the_old_one_is_read(
    database: Database, stepped_clock: SteppedClock
) -> None:
    before = stepped_clock.now()
    await database.write(beat, 0, before, key=0)
    clock = NoticingClock(before + timedelta(seconds=100))
    stage = Stage(database, clock)
    connected = True
    task = asyncio.create_task(stage.recorder.run_heartbeat(0, lambda: connected))
    await asyncio.wait_for(clock.asleep.wait(), 60)
    assert await database.read(last_beat, 0) == before + timedelta(seconds=100)
    await clock.turn(15)
    assert await database.read(last_beat, 0) == before + timedelta(seconds=115)
    connected = False
    await clock.turn(15)
    assert await database.read(last_beat, 0) == before + timedelta(seconds=115)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # Recovery still goes by what the process before us left, not by our own beats.
    stage.recorder.set_recording(GUILD, True, {})
    await database.write(
        apply_transitions, [Started(SessionRecord(1, GUILD, QUARTZ, ALPHA, before))], key=GUILD
    )
    await stage.recorder.recover(0, GUILD, {}, "restart")
    [row] = await stage.rows()
    assert row.left == before

"""The recorder: committed rows, hooks in order, restarts, outages, failing writes; on both backends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.clock import SteppedClock
from core.database import Database
from core.events import Resync, SessionRecord, VoiceSnapshot
from core.ids import IdSource
from core.voice.sessions import VoiceRecorder
from core.voice.store import apply_transitions, beat, last_beat, load_open, sessions_between
from core.voice.transitions import Started

GUILD, QUARTZ, OPAL = 7, 10, 11
ALPHA, BETA = 101, 102
LIMIT = timedelta(minutes=5)


def _length(row: SessionRecord) -> timedelta:
    assert row.left is not None
    return row.left - row.joined


class Stage:
    """A recorder with what it delivered, and people who act on its clock."""

    def __init__(self, db: Any, clock: SteppedClock) -> None:
        self.db, self.clock = db, clock
        self.heard: list[tuple[str, Any]] = []
        self.recorder = VoiceRecorder(db, clock, IdSource(clock), self._hear, gap_limit=LIMIT)
        self.sequence = 0

    def _hear(self, guild_id: int, hook: str, event: object) -> None:
        assert guild_id == GUILD
        self.heard.append((hook, event))

    def state(self, user: int, channel: int | None, **more: Any) -> VoiceSnapshot:
        self.sequence += 1
        return VoiceSnapshot(
            self.sequence,
            GUILD,
            user,
            channel,
            None,
            self.clock.now(),
            self.clock.monotonic(),
            **more,
        )

    def act(self, user: int, channel: int | None, **more: Any) -> None:
        self.recorder.observe(self.state(user, channel, **more))

    def present(self, **places: int) -> dict[int, VoiceSnapshot]:
        users = {"quartz": QUARTZ, "opal": OPAL}
        return {users[name]: self.state(users[name], channel) for name, channel in places.items()}

    async def go(self) -> Stage:
        self.recorder.set_recording(GUILD, True, {})
        await self.recorder.recover(0, GUILD, {}, "restart")
        self.heard.clear()
        return self

    async def rows(self) -> list[SessionRecord]:
        await self.recorder.idle()
        now = self.clock.now()
        found: list[SessionRecord] = await self.db.read(
            sessions_between, GUILD, now - timedelta(days=9), now + timedelta(days=9)
        )
        return found

    def hooks(self) -> list[str]:
        return [hook.removeprefix("on_voice_") for hook, _ in self.heard]


@pytest.fixture
async def stage(database: Database, stepped_clock: SteppedClock) -> AsyncIterator[Stage]:
    made = await Stage(database, stepped_clock).go()
    yield made
    await made.recorder.close()


async def test_one_hook_per_transition_in_order_after_the_commit(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    assert stage.heard == []
    await stage.clock.advance(60)
    stage.act(QUARTZ, BETA)
    await stage.clock.advance(30)
    stage.act(QUARTZ, BETA, self_mute=True)
    stage.act(QUARTZ, None)
    first, second = await stage.rows()
    assert stage.hooks() == ["session_started", "session_moved", "state_changed", "session_ended"]
    assert (first.left, second.previous_id, second.status) == (second.joined, first.id, "completed")
    assert stage.recorder.present_now(GUILD) == []


async def test_a_hub_is_a_move_from_a_void_session(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    await stage.clock.advance(0.3)
    stage.act(QUARTZ, BETA)
    await stage.clock.advance(60)
    stage.act(QUARTZ, None)
    [row] = await stage.rows()
    moved = stage.heard[1][1]
    assert stage.hooks() == ["session_started", "session_moved", "session_ended"]
    assert (moved.closed.status, moved.closed.channel_id, moved.opened.channel_id) == (
        "cancelled",
        ALPHA,
        BETA,
    )
    assert (row.channel_id, _length(row)) == (BETA, timedelta(seconds=60.3))


async def test_a_discarded_stay_is_heard_as_ended_and_leaves_no_row(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    await stage.recorder.idle()
    await stage.clock.advance(0.5)
    stage.act(QUARTZ, None)
    assert await stage.rows() == []
    assert stage.hooks() == ["session_started", "session_ended"]
    assert stage.heard[1][1].session.status == "cancelled"


async def test_a_guild_where_nobody_asks_is_not_recorded(
    database: Database, stepped_clock: SteppedClock
) -> None:
    stage = Stage(database, stepped_clock)
    await stage.recorder.recover(0, GUILD, stage.present(quartz=ALPHA), "restart")
    stage.act(OPAL, ALPHA)
    assert await stage.rows() == []
    assert not stage.recorder.wants(GUILD)
    assert stage.hooks() == ["on_resync"]


async def test_switching_on_and_off(stage: Stage) -> None:
    stage.recorder.set_recording(GUILD, False, {})
    stage.act(QUARTZ, ALPHA)
    await stage.clock.advance(60)
    stage.recorder.set_recording(GUILD, True, stage.present(quartz=ALPHA))
    await stage.clock.advance(60)
    stage.recorder.set_recording(GUILD, False, {})
    stage.act(QUARTZ, BETA)
    [row] = await stage.rows()
    assert (_length(row), row.estimated) == (timedelta(seconds=60), False)


async def test_member_gone_and_channel_deleted(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    stage.act(OPAL, BETA)
    await stage.clock.advance(60)
    stage.recorder.member_gone(GUILD, QUARTZ)
    stage.recorder.channel_deleted(GUILD, BETA)
    assert [row.status for row in await stage.rows()] == ["completed", "completed"]


async def test_a_restart_goes_on_with_who_stayed_and_marks_who_moved(stage: Stage) -> None:
    started = stage.clock.now()
    stage.act(QUARTZ, ALPHA)
    stage.act(OPAL, ALPHA)
    await stage.recorder.idle()
    await stage.clock.advance(100)
    await stage.db.write(beat, 0, stage.clock.now(), key=0)
    await stage.clock.advance(30)

    fresh = Stage(stage.db, stage.clock)
    fresh.recorder.set_recording(GUILD, True, {})
    await fresh.recorder.recover(0, GUILD, fresh.present(quartz=ALPHA, opal=BETA), "restart")
    await fresh.clock.advance(60)
    fresh.act(QUARTZ, None)
    rows = await fresh.rows()
    quartz = [row for row in rows if row.user_id == QUARTZ]
    before, after = [row for row in rows if row.user_id == OPAL]
    assert [(row.joined, row.left, row.estimated) for row in quartz] == [
        (started, started + timedelta(seconds=190), False)
    ]
    assert (before.left, before.estimated) == (started + timedelta(seconds=100), True)
    assert (after.joined, after.estimated) == (started + timedelta(seconds=130), True)
    assert after.previous_id == before.id
    assert fresh.heard[-2][1] == Resync(GUILD, "restart")


async def test_a_committed_session_proves_life_after_the_last_beat(stage: Stage) -> None:
    await stage.db.write(beat, 0, stage.clock.now(), key=0)
    stage.act(QUARTZ, ALPHA)
    await stage.clock.advance(10)
    stage.act(OPAL, ALPHA)
    seen = stage.clock.now()
    await stage.recorder.idle()
    await stage.clock.advance(30)
    fresh = Stage(stage.db, stage.clock)
    fresh.recorder.set_recording(GUILD, True, {})
    await fresh.recorder.recover(0, GUILD, {}, "restart")
    assert [(row.left, row.estimated) for row in await fresh.rows()] == [(seen, True), (seen, True)]


async def test_left_over_sessions_are_closed_where_nobody_asks_any_more(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    await stage.recorder.idle()
    await stage.clock.advance(50)
    await stage.db.write(beat, 0, stage.clock.now(), key=0)
    await stage.clock.advance(50)
    fresh = Stage(stage.db, stage.clock)
    await fresh.recorder.recover(0, GUILD, fresh.present(quartz=ALPHA), "restart")
    [row] = await fresh.rows()
    assert row.left is not None
    assert (_length(row), row.estimated) == (timedelta(seconds=50), True)


async def test_a_drop_with_resume_keeps_who_stayed_exact(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    stage.act(OPAL, ALPHA)
    await stage.clock.advance(60)
    dropped = stage.clock.now()
    stage.recorder.disconnected(dropped)
    await stage.clock.advance(20)
    stage.recorder.disconnected(stage.clock.now())
    back = stage.clock.now()
    stage.act(OPAL, BETA, replayed=True)
    await stage.recorder.recover(0, GUILD, stage.present(quartz=ALPHA, opal=BETA), "resume")
    rows = {(row.user_id, row.channel_id): row for row in await stage.rows()}
    assert not rows[QUARTZ, ALPHA].estimated
    assert (rows[OPAL, ALPHA].left, rows[OPAL, ALPHA].estimated) == (dropped, True)
    assert (rows[OPAL, BETA].joined, rows[OPAL, BETA].estimated) == (back, True)
    assert stage.hooks()[-1] == "on_resync"
    stage.act(OPAL, None)
    assert stage.recorder.present_now(GUILD)[0].user_id == QUARTZ


async def test_what_arrives_between_a_drop_and_its_recovery_is_uncertain(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    stage.act(OPAL, ALPHA)
    stage.act(12, BETA)
    await stage.clock.advance(60)
    stage.recorder.disconnected(stage.clock.now())
    await stage.clock.advance(20)
    stage.act(QUARTZ, None)
    stage.recorder.member_gone(GUILD, OPAL)
    stage.recorder.channel_deleted(GUILD, BETA)
    rows = await stage.rows()
    assert {(_length(row), row.estimated) for row in rows} == {(timedelta(seconds=60), True)}


async def test_a_new_session_after_too_long_a_gap_trusts_nobody(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    await stage.clock.advance(60)
    stage.recorder.disconnected(stage.clock.now())
    await stage.clock.advance(600)
    await stage.recorder.recover(0, GUILD, stage.present(quartz=ALPHA), "restart")
    before, after = await stage.rows()
    assert (_length(before), before.estimated) == (timedelta(seconds=60), True)
    assert (after.joined, after.estimated) == (stage.clock.now(), True)


async def test_what_is_seen_while_the_open_rows_are_read_comes_after_them(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    await stage.recorder.idle()
    await stage.clock.advance(60)
    fresh = Stage(stage.db, stage.clock)
    fresh.recorder.set_recording(GUILD, True, {})
    fresh.act(QUARTZ, ALPHA)
    recovery = asyncio.create_task(fresh.recorder.recover(0, GUILD, fresh.present(quartz=ALPHA), "restart"))
    await asyncio.sleep(0)
    fresh.act(QUARTZ, BETA)
    fresh.act(OPAL, BETA)
    await recovery
    rows = await fresh.rows()
    assert [(row.user_id, row.channel_id, row.left is None) for row in rows] == [
        (QUARTZ, ALPHA, False),
        (QUARTZ, BETA, True),
        (OPAL, BETA, True),
    ]


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
        await asyncio.wait_for(self.asleep.wait(), 5)


async def test_the_heartbeat_beats_only_while_connected_and_after_the_old_one_is_read(
    database: Database, stepped_clock: SteppedClock
) -> None:
    before = stepped_clock.now()
    await database.write(beat, 0, before, key=0)
    clock = NoticingClock(before + timedelta(seconds=100))
    stage = Stage(database, clock)
    connected = True
    task = asyncio.create_task(stage.recorder.run_heartbeat(0, lambda: connected))
    await asyncio.wait_for(clock.asleep.wait(), 5)
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


async def test_a_burst_for_many_members_ends_as_it_was(stage: Stage) -> None:
    for user in range(1, 501):
        stage.act(user, ALPHA)
    await stage.recorder.idle()
    await stage.clock.advance(10)
    for user in range(1, 501):
        stage.act(user, BETA)
    rows = await stage.rows()
    assert len(rows) == 1000
    assert len(await stage.db.read(load_open, [GUILD])) == 500
    assert stage.hooks() == ["session_started"] * 500 + ["session_moved"] * 500

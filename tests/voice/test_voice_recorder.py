"""The recorder: committed rows, hooks in order, restarts, outages; on both backends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from support.recorder_stage import ALPHA, BETA, GUILD, OPAL, QUARTZ, Stage

from core.clock import SteppedClock
from core.database import Database
from core.events import Resync, SessionRecord
from core.voice.store import beat, load_open


def _length(row: SessionRecord) -> timedelta:
    assert row.left is not None
    return row.left - row.joined


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
    # At the same instant: only a stay of no length at all is not kept.
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
    assert fresh.heard[-2][1] == Resync(GUILD, "restart", started + timedelta(seconds=100))


async def test_a_deafened_span_counts_to_the_last_beat_before_a_crash(stage: Stage) -> None:
    stage.act(QUARTZ, ALPHA)
    stage.act(OPAL, ALPHA)
    await stage.clock.advance(20)
    stage.act(QUARTZ, ALPHA, self_deaf=True)
    stage.act(OPAL, ALPHA, deaf=True)
    await stage.recorder.idle()
    await stage.clock.advance(70)
    await stage.db.write(beat, 0, stage.clock.now(), key=0)
    await stage.clock.advance(9)

    fresh = Stage(stage.db, stage.clock)
    fresh.recorder.set_recording(GUILD, True, {})
    await fresh.recorder.recover(0, GUILD, fresh.present(opal=ALPHA), "restart")
    assert [(row.user_id, row.deafened_us, row.deafened_since) for row in await fresh.rows()] == [
        (QUARTZ, 70_000_000, None),
        (OPAL, 70_000_000, None),
    ]
    assert fresh.hooks() == ["session_ended", "on_resync"]
    await fresh.clock.advance(60)
    fresh.act(OPAL, None)
    assert [row.deafened_us for row in await fresh.rows()] == [70_000_000, 70_000_000]
    await fresh.recorder.close()


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

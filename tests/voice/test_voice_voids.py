"""Voiding a session and taking that back, on both backends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.recorder_stage import ALPHA, BETA, QUARTZ, Stage
from support.recorder_stage import GUILD as STAGE_GUILD

from core.clock import SteppedClock
from core.database import AuditEntry, Database, VoiceSession
from core.events import SessionRecord
from core.stays.voids import NoSuchSession, unvoid_session, void_session
from core.voice.store import apply_transitions, load_open, sessions_between
from core.voice.transitions import Discarded, Ended, Moved, Started

GUILD, OFFICER = 7, 900
START = datetime(2026, 3, 1, 18, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _counted() -> list[int]:
    return [row.id for row in sessions_between(GUILD, at(-1e6), at(1e6))]


def _log() -> list[tuple[Any, ...]]:
    rows = AuditEntry.select().order_by(AuditEntry.id)
    return [(row.actor_id, row.action, row.target, row.before["status"], row.after["status"]) for row in rows]


def _status(session_id: int) -> str:
    found: str = VoiceSession.get_by_id(session_id).status
    return found


@pytest.fixture
async def db(database: Database) -> Database:
    """One closed session 1 and one open session 2."""
    closed = SessionRecord(1, GUILD, 10, 100, at(0), at(60), status="completed")
    opened = SessionRecord(2, GUILD, 11, 100, at(0))
    await database.write(apply_transitions, [Ended(closed), Started(opened)], key=GUILD)
    return database


async def test_a_void_session_credits_nothing_and_says_why(db: Database) -> None:
    assert await db.write(void_session, GUILD, 1, OFFICER, " asleep ", at(99), key=GUILD)
    assert await db.read(_counted) == [2]
    assert not await db.write(void_session, GUILD, 1, 901, "again", at(100), key=GUILD)
    assert await db.write(unvoid_session, GUILD, 1, OFFICER, at(101), key=GUILD)
    assert not await db.write(unvoid_session, GUILD, 1, OFFICER, at(102), key=GUILD)
    assert await db.read(_counted) == [1, 2]
    assert await db.read(_status, 1) == "completed"
    assert await db.read(_log) == [
        (OFFICER, "voice.void", "1", "completed", "cancelled"),
        (OFFICER, "voice.unvoid", "1", "cancelled", "completed"),
    ]
    entry = await db.read(lambda: AuditEntry.select().order_by(AuditEntry.id).get())
    assert (entry.after["reason"], entry.after["user_id"], entry.at) == ("asleep", 10, at(99))


@pytest.mark.parametrize("change", [void_session, unvoid_session])
async def test_what_is_not_theirs_is_refused(db: Database, change: Any) -> None:
    words = ["why"] if change is void_session else []
    for guild, session in ((GUILD, 99), (8, 1)):
        with pytest.raises(NoSuchSession):
            await db.write(change, guild, session, OFFICER, *words, at(99), key=guild)
    assert await db.read(_log) == []
    assert await db.read(_counted) == [1, 2]


async def test_a_void_needs_a_reason(db: Database) -> None:
    with pytest.raises(ValueError, match="say why"):
        await db.write(void_session, GUILD, 1, OFFICER, "  ", at(99), key=GUILD)
    assert await db.read(_counted) == [1, 2]


async def test_a_void_open_session_goes_on_and_its_successor_counts(db: Database) -> None:
    await db.write(void_session, GUILD, 2, OFFICER, "alt account", at(30), key=GUILD)
    [opened] = await db.read(load_open, [GUILD])
    closed = replace(opened, left=at(60), status="completed")
    successor = SessionRecord(3, GUILD, 11, 101, at(60), previous_id=2)
    await db.write(apply_transitions, [Moved(closed, successor)], key=GUILD)
    assert await db.read(_counted) == [1, 3]
    await db.write(unvoid_session, GUILD, 2, OFFICER, at(90), key=GUILD)
    assert await db.read(_counted) == [1, 2, 3]
    assert await db.read(_status, 2) == "completed"


async def test_a_short_stay_that_was_voided_is_kept_and_one_that_only_a_link_saved_is_not_unvoided(
    db: Database,
) -> None:
    await db.write(void_session, GUILD, 2, OFFICER, "quick", at(0.2), key=GUILD)
    gone = SessionRecord(2, GUILD, 11, 100, at(0), at(0.5), status="cancelled")
    await db.write(apply_transitions, [Discarded(gone)], key=GUILD)
    assert await db.read(_status, 2) == "cancelled"
    short = SessionRecord(4, GUILD, 12, 100, at(0), at(0.5), status="cancelled")
    await db.write(apply_transitions, [Ended(short)], key=GUILD)
    for change, words in ((void_session, ["why"]), (unvoid_session, [])):
        with pytest.raises(NoSuchSession):
            await db.write(change, GUILD, 4, OFFICER, *words, at(99), key=GUILD)


async def test_taken_back_after_a_restart_it_counts_to_its_end(
    database: Database, stepped_clock: SteppedClock
) -> None:
    stage = await Stage(database, stepped_clock).go()
    stage.act(QUARTZ, ALPHA)
    [row] = await stage.rows()
    now = stepped_clock.now()
    await database.write(void_session, STAGE_GUILD, row.id, OFFICER, "why", now, key=STAGE_GUILD)
    await stage.recorder.close()

    fresh = Stage(database, stepped_clock)
    fresh.recorder.set_recording(STAGE_GUILD, True, {})
    await fresh.recorder.recover(0, STAGE_GUILD, fresh.present(quartz=ALPHA), "restart")
    await database.write(unvoid_session, STAGE_GUILD, row.id, OFFICER, now, key=STAGE_GUILD)
    await stepped_clock.advance(60)
    fresh.act(QUARTZ, ALPHA, self_deaf=True)
    assert [each.id for each in await fresh.rows()] == [row.id]
    fresh.act(QUARTZ, BETA)
    first, second = await fresh.rows()
    assert (first.id, first.status, second.previous_id) == (row.id, "completed", row.id)
    await fresh.recorder.close()

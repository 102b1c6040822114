"""Voice sessions in the database, on both backends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import peewee
import pytest

from core.database import Database, VoiceSession
from core.events import SessionRecord, VoiceSnapshot
from core.voice import rows, store
from core.voice.store import apply_transitions, beat, last_beat, load_open, sessions_between
from core.voice.transitions import Discarded, Ended, Moved, Rewritten, Started, StateChanged, Transition

GUILD = 7
START = datetime(2026, 3, 1, 18, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def record(number: int, user: int = 1, channel: int = 100, since: float = 0) -> SessionRecord:
    return SessionRecord(number, GUILD, user, channel, at(since))


def closed(session: SessionRecord, seconds: float) -> SessionRecord:
    return replace(session, left=at(seconds), status="completed")


def _all() -> list[SessionRecord]:
    return sessions_between(GUILD, at(-1e6), at(1e6))


def _void(session_id: int) -> None:
    VoiceSession.update(status="cancelled").where(VoiceSession.id == session_id).execute()


def _status(session_id: int) -> str | None:
    found: str | None = VoiceSession.select(VoiceSession.status).where(VoiceSession.id == session_id).scalar()
    return found


async def test_a_session_reads_back_as_it_was_written(database: Database) -> None:
    session = replace(
        record(2**62), deafened_us=5, previous_id=3, joined_estimated=True, deafened_since=at(3)
    )
    await database.write(apply_transitions, [Started(session)], key=GUILD)
    assert await database.read(load_open, [GUILD]) == [session]
    ended = replace(closed(session, 90.000001), deafened_us=7, left_estimated=True, deafened_since=None)
    await database.write(apply_transitions, [Ended(ended)], key=GUILD)
    assert await database.read(load_open) == []
    assert await database.read(_all) == [ended]


async def test_a_batch_may_run_twice_and_opens_after_it_closes(database: Database) -> None:
    first, second, third = record(1), record(2, channel=101, since=10), record(3, channel=102, since=20)
    batch: list[Transition] = [
        Started(first),
        Moved(closed(first, 10), second),
        Moved(closed(second, 20), third),
    ]
    await database.write(apply_transitions, [Started(first)], key=GUILD)
    for _ in range(2):
        await database.write(apply_transitions, batch, key=GUILD)
    assert await database.read(_all) == [closed(first, 10), closed(second, 20), third]


async def test_rewritten_discarded_and_deafened(database: Database) -> None:
    hub, short = record(1), record(2, user=2)
    room = replace(hub, channel_id=105)
    deafened = replace(room, deafened_us=3_000_000)
    gone = replace(short, left=at(0.5), status="cancelled")
    snapshot = VoiceSnapshot(1, GUILD, 1, 105, 105, at(9), 9.0)
    await database.write(apply_transitions, [Started(hub), Started(short)], key=GUILD)
    await database.write(
        apply_transitions,
        [Rewritten(room, hub), StateChanged(snapshot), StateChanged(snapshot, deafened), Discarded(gone)],
        key=GUILD,
    )
    assert await database.read(_all) == [deafened]
    assert await database.read(_status, 2) is None


async def test_what_an_officer_voided_stays_void(database: Database) -> None:
    session = record(1)
    await database.write(apply_transitions, [Started(session)], key=GUILD)
    await database.write(_void, 1, key=GUILD)
    await database.write(apply_transitions, [Ended(closed(session, 60))], key=GUILD)
    assert await database.read(_status, 1) == "cancelled"
    assert await database.read(load_open) == []
    assert await database.read(_all) == []


def _link(session_id: int) -> None:
    # As a plugin's table would: a key to the session, with RESTRICT.
    VoiceSession._meta.database.execute_sql(
        "CREATE TABLE link (session_id BIGINT NOT NULL REFERENCES voice_sessions (id) ON DELETE RESTRICT)"
    )
    VoiceSession._meta.database.execute_sql(f"INSERT INTO link VALUES ({session_id})")


async def test_a_short_stay_that_a_plugin_has_linked_is_voided_instead(database: Database) -> None:
    session = record(1)
    await database.write(apply_transitions, [Started(session)], key=GUILD)
    await database.write(_link, 1, key=GUILD)
    gone = replace(session, left=at(0.5), status="cancelled")
    await database.write(apply_transitions, [Discarded(gone)], key=GUILD)
    assert await database.read(_status, 1) == "cancelled"
    assert await database.read(load_open) == []


async def test_two_open_sessions_of_a_member_are_refused(database: Database) -> None:
    await database.write(apply_transitions, [Started(record(1))], key=GUILD)
    with pytest.raises(peewee.IntegrityError):
        await database.write(apply_transitions, [Started(record(2))], key=GUILD)


def _counted(transitions: list[Transition]) -> int:
    backend = VoiceSession._meta.database
    statements = 0
    execute = backend.execute_sql

    def counting(*args: object, **options: object) -> object:
        nonlocal statements
        statements += 1
        return execute(*args, **options)

    backend.obj.execute_sql = counting
    try:
        apply_transitions(transitions)
    finally:
        del backend.obj.execute_sql
    return statements


async def test_a_burst_of_moves_is_a_handful_of_statements(database: Database) -> None:
    first = [record(number, user=number) for number in range(1, 2001)]
    await database.write(apply_transitions, [Started(session) for session in first], key=GUILD)
    moves: list[Transition] = [
        Moved(closed(session, 60), replace(session, id=session.id + 10_000, joined=at(60), channel_id=101))
        for session in first
    ]
    assert await database.write(_counted, moves, key=GUILD) < 10
    assert len(await database.read(load_open, [GUILD])) == 2000


async def test_chunks_respect_the_parameter_limit(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "SIZES", (3, 1))
    monkeypatch.setattr(rows, "ROWS", 3)
    monkeypatch.setattr(store, "IDS_PER_STATEMENT", 2)
    sessions = [record(number, user=number) for number in range(1, 9)]
    await database.write(apply_transitions, [Started(session) for session in sessions], key=GUILD)
    assert len(await database.read(load_open, [5, 6, GUILD])) == 8
    gone = [replace(session, left=at(0), status="cancelled") for session in sessions]
    await database.write(apply_transitions, [Discarded(session) for session in gone], key=GUILD)
    assert await database.read(load_open) == []


async def test_sessions_between_overlaps_and_filters(database: Database) -> None:
    early, late = closed(record(1), 10), closed(record(2, user=2, channel=101, since=20), 40)
    still, other = record(3, user=3, since=30), replace(record(4), guild_id=8)
    await database.write(
        apply_transitions, [Ended(early), Ended(late), Started(still), Started(other)], key=GUILD
    )
    assert await database.read(sessions_between, GUILD, at(10), at(20)) == []
    assert await database.read(sessions_between, GUILD, at(9), at(21)) == [early, late]
    assert await database.read(sessions_between, GUILD, at(100), at(200)) == [still]
    assert await database.read(sessions_between, GUILD, at(0), at(99), [101]) == [late]
    assert await database.read(sessions_between, GUILD, at(0), at(99), []) == []
    assert await database.read(sessions_between, GUILD, at(0), at(99), None, 3) == [still]


async def test_heartbeats_only_go_forward(database: Database) -> None:
    assert await database.read(last_beat, 0) is None
    for seconds in (10, 25, 20):
        await database.write(beat, 0, at(seconds), key=0)
    assert await database.read(last_beat, 0) == at(25)
    assert await database.read(last_beat, 1) is None

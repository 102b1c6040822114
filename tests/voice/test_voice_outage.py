"""A database that is away for long: what memory is not to hold waits in a file, and all is told in order."""

from __future__ import annotations

import asyncio
import errno
import logging
import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.recorder_stage import ALPHA, BETA, GUILD, LIMIT
from support.waiting import until

from core.clock import SteppedClock
from core.database import Database
from core.database.errors import DatabaseUnavailable
from core.events import SessionRecord, VoiceSnapshot
from core.ids import IdSource
from core.voice import journal
from core.voice.journal import Journal
from core.voice.sessions import VoiceRecorder
from core.voice.store import sessions_between

ROOM = 40
GUILDS = (GUILD, 8, 9)
PEOPLE = range(10, 18)


class Away:
    """The real database, to which the way can be cut."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.way = asyncio.Event()
        self.way.set()

    async def write(self, fn: Callable[..., Any], *args: Any, key: int) -> Any:
        if not self.way.is_set():
            raise DatabaseUnavailable("it is away")
        return await self.db.write(fn, *args, key=key)

    async def read(self, fn: Callable[..., Any], *args: Any) -> Any:
        return await self.db.read(fn, *args)

    async def there(self) -> None:
        await self.way.wait()


class Evening:
    """Several guilds whose people move about at random, seeded."""

    def __init__(self, database: Database, clock: SteppedClock, folder: Path, limit: int) -> None:
        self.db, self.clock, self.folder = Away(database), clock, folder
        self.random = random.Random(5)
        self.heard: dict[int, list[tuple[str, Any]]] = {guild: [] for guild in GUILDS}
        self.recorder = VoiceRecorder(
            self.db,
            clock,
            IdSource(clock),
            lambda guild, hook, event: self.heard[guild].append((hook, event)),
            gap_limit=LIMIT,
            queue_limit=limit,
            folder=folder,
        )

    async def begin(self) -> None:
        for guild in GUILDS:
            self.recorder.set_recording(guild, True, {})
            await self.recorder.recover(0, guild, {}, "restart")
            self.heard[guild].clear()

    async def act(self, times: int) -> None:
        for number in range(times):
            guild, user = self.random.choice(GUILDS), self.random.choice(PEOPLE)
            channel = self.random.choice([ALPHA, BETA, None])
            self.recorder.observe(
                VoiceSnapshot(
                    number,
                    guild,
                    user,
                    channel,
                    None,
                    self.clock.now(),
                    self.clock.monotonic(),
                    self_mute=self.random.random() < 0.3,
                )
            )
            await self.clock.advance(self.random.choice([0.2, 2, 9]))

    async def settle(self) -> None:
        for guild in GUILDS:
            await asyncio.wait_for(self.recorder.settled(guild), 60)

    async def rows(self) -> dict[int, list[SessionRecord]]:
        now = self.clock.now()
        span = now - timedelta(days=9), now + timedelta(days=9)
        return {guild: await self.db.db.read(sessions_between, guild, *span) for guild in GUILDS}


def without_ids(rows: dict[int, list[SessionRecord]]) -> dict[int, list[tuple[Any, ...]]]:
    return {
        guild: sorted(
            (row.user_id, row.joined, str(row.left), row.channel_id, row.deafened_us, row.estimated)
            for row in records
        )
        for guild, records in rows.items()
    }


async def test_a_long_outage_is_written_as_if_there_had_been_none(
    database: Database, stepped_clock: SteppedClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    evening = Evening(database, stepped_clock, tmp_path / "data", ROOM)
    began = stepped_clock.now()
    await evening.begin()
    await evening.act(30)
    await evening.settle()
    evening.db.way.clear()
    caplog.set_level(logging.WARNING)
    await evening.act(600)
    assert evening.recorder._outbox._held <= ROOM + 2
    overflow = evening.recorder.overflow()
    assert overflow is not None
    assert overflow.aside > 200
    assert overflow.waiting == evening.recorder.waiting() == overflow.aside + evening.recorder._outbox._held
    assert "of them beyond the 40 that memory is to hold (VOICE_QUEUE_LIMIT), in a file" in str(overflow)
    assert caplog.text.count("further ones wait in a file") == 1
    # The file has no name: nothing is left of it, however the process ends.
    assert list((tmp_path / "data").iterdir()) == []

    evening.db.way.set()
    # What happens while the file is read comes behind it, although there is room in memory again.
    late = 0
    while (overflow := evening.recorder.overflow()) is not None:
        before = overflow.aside
        await until(lambda before=before: len(evening.recorder._outbox._journal) < before)
        await evening.act(1)
        late += 1
    assert late > 3
    await evening.settle()
    assert evening.recorder.overflow() is None
    assert evening.recorder.waiting() == 0
    assert evening.recorder._outbox._held == 0
    assert caplog.text.count("waited in a file are back in memory") == 1
    await evening.recorder.close()
    got, told = await evening.rows(), evening.heard
    assert not any(row.estimated for records in got.values() for row in records)

    # The same evening with all the room in the world, in guilds of another number.
    clock = SteppedClock(began)
    other = Evening(database, clock, tmp_path, 1_000_000)
    await _clear(database)
    await other.begin()
    await other.act(30)
    await other.act(600 + late)
    await other.settle()
    assert other.recorder.overflow() is None
    assert without_ids(await other.rows()) == without_ids(got)
    for guild in GUILDS:
        assert [hook for hook, _ in other.heard[guild]] == [hook for hook, _ in told[guild]]
    await other.recorder.close()


async def _clear(database: Database) -> None:
    from core.database import VoiceSession

    await database.write(lambda: VoiceSession.delete().execute(), key=GUILD)


@pytest.mark.parametrize("room", [1, 2, 3])
async def test_the_smallest_memory_comes_to_an_end(
    database: Database, stepped_clock: SteppedClock, tmp_path: Path, room: int
) -> None:
    evening = Evening(database, stepped_clock, tmp_path, room)
    await evening.begin()
    evening.db.way.clear()
    await evening.act(50)
    evening.db.way.set()
    await evening.settle()
    assert evening.recorder.waiting() == 0
    open_now = sum(row.left is None for rows in (await evening.rows()).values() for row in rows)
    assert open_now == sum(len(evening.recorder.present_now(guild)) for guild in GUILDS)
    await evening.recorder.close()


async def test_a_full_disk_costs_memory_and_loses_nothing(
    database: Database,
    stepped_clock: SteppedClock,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    evening = Evening(database, stepped_clock, tmp_path, ROOM)
    await evening.begin()
    evening.db.way.clear()
    await evening.act(200)
    files = evening.recorder._outbox._journal

    class Full:
        def __init__(self, file: Any) -> None:
            self.file = file

        def write(self, data: memoryview) -> int:
            # A part is written before it turns out that the rest has no room.
            if len(data) > 20:
                return int(self.file.write(data[:20]))
            raise OSError(errno.ENOSPC, "No space left on device")

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    monkeypatch.setattr(files, "_file", Full(files._file))
    await evening.act(100)
    overflow = evening.recorder.overflow()
    assert overflow is not None
    assert "a file for them cannot be written (No space left on device), so make room" in str(overflow)
    assert caplog.text.count("cannot be written to a file") == 1
    evening.db.way.set()
    await evening.settle()
    assert evening.recorder.waiting() == 0
    open_now = sum(row.left is None for rows in (await evening.rows()).values() for row in rows)
    assert open_now == sum(len(evening.recorder.present_now(guild)) for guild in GUILDS)
    assert not any(row.estimated for rows in (await evening.rows()).values() for row in rows)
    await evening.recorder.close()


def test_a_file_that_cannot_be_read_is_told_and_what_is_behind_it_comes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from core.events import Resync

    made = Journal(tmp_path)
    made.append(7, [Resync(7, "restart")] * (journal.PER_RECORD + 1))
    made._behind.append((8, [Resync(8, "resume")]))
    made._counts[8] += 1
    made._total += 1
    assert made._file is not None
    made._file.truncate(made._end - 3)
    first = made.pop()
    assert first is not None
    assert len(first[1]) == journal.PER_RECORD
    assert made.pop() == (8, [Resync(8, "resume")])
    assert made.pop() is None
    assert (len(made), made.of(7)) == (0, 0)
    assert "1 voice events were in a file that cannot be read any more" in caplog.text


def test_a_folder_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    from core.events import Resync

    (tmp_path / "data").write_text("in the way", encoding="utf-8")
    made = Journal(tmp_path / "data")
    made.append(7, [Resync(7, "restart")])
    assert (made.problem, made.pop()) == (None, (7, [Resync(7, "restart")]))


async def test_what_is_seen_while_a_guild_cannot_be_opened_does_not_pile_up(
    database: Database, stepped_clock: SteppedClock, tmp_path: Path
) -> None:
    evening = Evening(database, stepped_clock, tmp_path, ROOM)
    for guild in GUILDS:
        evening.recorder.set_recording(guild, True, {})
    await evening.act(200)
    assert all(not room.backlog for room in evening.recorder._rooms.values())
    await evening.recorder.close()

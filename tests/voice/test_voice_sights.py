"""Until when a guild was seen, as the next process learns it: never ahead of what is written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest
from support.recorder_stage import ALPHA, BETA, GUILD, OPAL, QUARTZ, Stage
from support.tables import bound
from support.voice_process import Gate, WallClock, last_sight

from core.database import (
    CORE_SCHEMA,
    Database,
    GuildSight,
    ShardHeartbeat,
    VoiceSession,
    migrate_down,
    migrate_up,
)
from core.voice.sights import left_behind, see
from core.voice.store import beat, last_beat

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
TOPAZ = 12


class Life(Stage):
    """A process in one guild, whose heartbeat goes on as it ought to."""

    def __init__(self, database: Database, clock: WallClock) -> None:
        self.gate = Gate(database)
        super().__init__(self.gate, clock)
        self.beating: asyncio.Task[None] | None = None

    async def begin(self, *, out: bool = False, **places: int) -> Life:
        self.recorder.set_recording(GUILD, True, {})
        if not out:
            await self.look(**places)
        self.beating = asyncio.create_task(self.recorder.run_heartbeat(0, lambda: True))
        await self.settle()
        return self

    async def look(self, **places: int) -> None:
        await self.recorder.recover(0, GUILD, self.present(**places), "restart")
        await self.settle()

    async def settle(self) -> None:
        for _ in range(4):
            await asyncio.sleep(0)
        if self.gate.free.is_set() and self.gate.voice_free.is_set():
            await self.recorder.settled(GUILD)
        while self.gate.under_way:
            await self.gate.db.idle()
            for _ in range(4):
                await asyncio.sleep(0)

    async def go_on(self, seconds: float) -> None:
        await self.settle()
        await self.clock.advance(seconds, self.settle)
        await self.settle()

    async def die(self) -> None:
        if self.beating is not None:
            self.beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.beating
        await self.recorder.close(0)

    async def seen_until(self) -> datetime | None:
        found: datetime | None = await self.gate.db.read(last_sight, GUILD)
        return found


@pytest.fixture
def clock() -> WallClock:
    return WallClock(datetime.fromisoformat("2026-03-01T18:00:00+00:00"))


@pytest.fixture
async def life(database: Database, clock: WallClock) -> AsyncIterator[Life]:
    """A process that sees quartz and opal sit in alpha for a minute."""
    made = await Life(database, clock).begin()
    made.act(QUARTZ, ALPHA)
    made.act(OPAL, ALPHA)
    await made.go_on(60)
    yield made
    await made.die()


async def test_one_that_falls_into_a_short_disconnect_is_made_up_for(life: Life) -> None:
    began = life.clock.now()
    assert await life.seen_until() == began
    await life.go_on(14.5)
    life.recorder.disconnected(life.clock.now())
    await life.go_on(1)
    assert await life.seen_until() == began
    await life.look(quartz=ALPHA, opal=ALPHA)
    assert await life.seen_until() == began + 15.5 * SECOND
    await life.go_on(14.4)
    assert await life.seen_until() == began + 15.5 * SECOND
    await life.go_on(0.2)
    assert await life.seen_until() == began + 30 * SECOND


async def test_a_process_that_never_saw_the_guild_proves_nothing_for_it(life: Life) -> None:
    lost = life.clock.now()
    await life.die()
    await life.clock.advance(30)
    blind = await Life(life.gate.db, life.clock).begin(out=True)
    await blind.go_on(240)
    await blind.die()
    await life.clock.advance(20)
    third = await Life(life.gate.db, life.clock).begin(quartz=ALPHA)
    quartz, opal = sorted(await third.rows(), key=lambda row: row.user_id)
    assert (quartz.left, quartz.estimated) == (None, False)
    assert (opal.left, opal.left_estimated) == (lost, True)
    await third.die()


async def test_together_the_two_gaps_are_too_long(life: Life) -> None:
    lost = life.clock.now()
    await life.die()
    blind = await Life(life.gate.db, life.clock).begin(out=True)
    await blind.go_on(301)
    await blind.die()
    third = await Life(life.gate.db, life.clock).begin(quartz=ALPHA)
    before, after = [row for row in await third.rows() if row.user_id == QUARTZ]
    assert (before.left, after.joined) == (lost, lost + 301 * SECOND)
    assert (before.left_estimated, after.joined_estimated) == (True, True)
    await third.die()


async def test_a_guild_that_goes_out_is_seen_no_longer(life: Life) -> None:
    lost = life.clock.now()
    life.recorder.disconnected(lost, [GUILD])
    await life.go_on(100)
    await life.die()
    after = await Life(life.gate.db, life.clock).begin()
    assert {row.left for row in await after.rows()} == {lost}
    await after.die()


async def test_what_is_not_committed_was_not_seen(database: Database, clock: WallClock) -> None:
    life = await Life(database, clock).begin()
    gate = life.gate
    life.act(QUARTZ, ALPHA)
    life.act(OPAL, ALPHA)
    await life.go_on(15)
    proof = clock.now()
    gate.free.clear()
    await clock.advance(5)
    life.act(QUARTZ, None)
    # The heartbeat of the shard waits too, and comes first when the database answers.
    await clock.advance(20)
    assert await life.seen_until() == proof
    gate.free.set()
    await life.settle()
    await life.go_on(1)
    seen = await life.seen_until()
    assert seen is not None
    assert seen >= proof + 25 * SECOND
    assert {row.left for row in await life.rows()} == {None, proof + 5 * SECOND}
    await life.die()


async def test_while_only_heartbeats_are_taken_nothing_more_was_seen(
    database: Database, clock: WallClock
) -> None:
    life = await Life(database, clock).begin()
    life.act(QUARTZ, ALPHA)
    life.act(OPAL, ALPHA)
    await life.go_on(15)
    proof = clock.now()
    life.gate.voice_free.clear()
    await clock.advance(5)
    life.act(QUARTZ, None)
    await clock.advance(60, database.idle)
    await life.die()
    assert await database.read(last_beat, 0) == proof + MINUTE
    after = await Life(database, clock).begin(opal=ALPHA)
    rows = {row.user_id: (row.left, row.estimated) for row in await after.rows()}
    assert rows == {QUARTZ: (proof, True), OPAL: (None, False)}
    await after.die()


async def test_the_last_one_before_a_stop_waits_for_what_is_not_committed(
    database: Database, clock: WallClock
) -> None:
    life = await Life(database, clock).begin()
    gate = life.gate
    life.act(QUARTZ, ALPHA)
    await life.go_on(20)
    gate.free.clear()
    life.act(OPAL, ALPHA)
    last = asyncio.create_task(life.recorder.beat_now(0))
    await asyncio.sleep(0)
    gate.free.set()
    await asyncio.wait_for(last, 20)
    assert await life.seen_until() == clock.now()
    await life.die()


async def test_a_clock_set_back_between_two_processes_credits_nobody_twice(life: Life) -> None:
    began = life.clock.now() - MINUTE
    life.act(TOPAZ, BETA)
    await life.go_on(600)
    life.act(TOPAZ, None)
    await life.go_on(5)
    written = life.clock.now()
    await life.die()
    life.clock.offset = -5 * MINUTE
    # Quartz stays, opal has moved, topaz comes again.
    later = await Life(life.gate.db, life.clock).begin(quartz=ALPHA, opal=BETA)
    await later.go_on(30)
    later.act(TOPAZ, BETA)
    await later.go_on(900)
    for user in (QUARTZ, OPAL, TOPAZ):
        later.act(user, None)
    ended = life.clock.now()
    rows = await later.rows()
    spans = {
        user: [(row.joined, row.left) for row in rows if row.user_id == user]
        for user in (QUARTZ, OPAL, TOPAZ)
    }
    sight = written - 5 * SECOND
    assert spans[QUARTZ] == [(began, ended)]
    assert spans[OPAL] == [(began, sight), (sight, ended)]
    assert spans[TOPAZ] == [(began + MINUTE, sight), (sight, ended)]
    flags = [(row.user_id, row.joined_estimated, row.left_estimated) for row in rows if row.estimated]
    assert sorted(flags) == [(OPAL, False, True), (OPAL, True, False), (TOPAZ, True, False)]
    await later.die()


async def test_a_clock_set_back_while_the_line_is_down(life: Life) -> None:
    began, lost = life.clock.now() - MINUTE, life.clock.now()
    life.recorder.disconnected(lost)
    life.clock.offset = -30 * SECOND
    await life.look(quartz=ALPHA, opal=BETA)
    before, after = [row for row in await life.rows() if row.user_id == OPAL]
    assert (before.joined, before.left, after.joined) == (began, lost, lost)
    assert (before.left_estimated, after.joined_estimated) == (True, True)


async def test_later_ends_are_looked_for_only_where_the_clock_may_be_behind(database: Database) -> None:
    now = datetime.fromisoformat("2026-03-01T18:00:00+00:00")

    def store() -> None:
        for number, (guild_id, joined, left) in enumerate(
            (
                (1, now - 9 * MINUTE, now + MINUTE),
                (1, now - 99 * MINUTE, now - MINUTE),
                (2, now - 48 * 60 * MINUTE, now + MINUTE),
                (3, now - 48 * 60 * MINUTE, now + MINUTE),
                (4, now - 9 * MINUTE, now + MINUTE),
            ),
            1,
        ):
            VoiceSession.create(
                id=number,
                guild_id=guild_id,
                user_id=number,
                channel_id=ALPHA,
                joined=joined,
                left=left,
                status="completed",
            )
        see([1, 2], now - MINUTE)
        see([3], now + MINUTE)
        # Set back once before: the highest time is what counts.
        see([3], now - MINUTE)
        see([4], now - 6 * MINUTE)

    await database.write(store, key=0)
    found = await database.read(left_behind, [1, 2, 3, 4, 5], now)
    assert {guild_id: dict(left.ends) for guild_id, left in found.items()} == {
        1: {1: now + MINUTE},
        2: {},
        3: {4: now + MINUTE},
        4: {},
        5: {},
    }
    assert [left.seen_until for left in found.values()] == [
        now - MINUTE, now - MINUTE, now - MINUTE, now - 6 * MINUTE, None
    ]  # fmt: skip


async def test_thousands_of_guilds_are_seen_in_few_statements(database: Database) -> None:
    now = datetime.fromisoformat("2026-03-01T18:00:00+00:00")
    for at in (now, now + MINUTE):
        await database.write(see, range(1, 2_501), at, key=0)
    assert (
        await database.read(lambda: GuildSight.select().where(GuildSight.seen_until == now + MINUTE).count())
        == 2_500
    )


async def test_a_quiet_guild_is_written_once(database: Database, clock: WallClock) -> None:
    life = await Life(database, clock).begin()
    first = await life.seen_until()
    await life.go_on(600)
    assert first is not None
    assert await life.seen_until() == first
    await life.die()


def test_what_was_recorded_before_was_seen_when_its_shard_was(database_url: str) -> None:
    migrate_up(database_url, [CORE_SCHEMA])
    now = datetime.fromisoformat("2026-03-01T18:00:00+00:00")
    migrate_down(database_url, CORE_SCHEMA, "0003_voice")
    with bound(database_url) as backend, backend.atomic():
        beat(0, now)
        for number, left in ((1, None), (2, None), (3, now)):
            VoiceSession.create(
                id=number, guild_id=7 if number < 3 else 8, user_id=number, channel_id=9, joined=now - MINUTE,
                left=left, status="completed" if left else "active",
            )  # fmt: skip
    migrate_up(database_url, [CORE_SCHEMA])
    with bound(database_url):
        rows = list(GuildSight.select(GuildSight.guild_id, GuildSight.seen_until, GuildSight.newest).tuples())
        assert rows == [(7, now, now)]
        assert ShardHeartbeat.select().count() == 1

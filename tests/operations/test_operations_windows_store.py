"""Edited windows in the store, on both databases: what is planned is what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.operations import SUNDAY, at, sat

from core.database import CORE_SCHEMA, AuditEntry, Database, Schema, VoiceDay, VoiceSession
from plugins.operations import ChannelRef, ChannelsTaken, OperationType, register_schema, store
from plugins.operations.models import (
    Operation,
    OperationChannel,
    OperationParticipant,
    OperationSession,
    OperationWindow,
)
from plugins.operations.rules.linking import Roles
from plugins.operations.rules.windows import Edit, EditRefused, Kind

GUILD, OFFICER = 700, 5
ALPHA, BRAVO, LOUNGE = 11, 12, 99
QUARTZ, BERYL, GARNET = 1, 2, 3


@pytest.fixture
def schemas() -> Sequence[Schema]:
    return [CORE_SCHEMA, register_schema()]


class Guild:
    """Short ways to the store."""

    def __init__(self, database: Database) -> None:
        self.database = database

    async def write(self, function: Any, *args: Any, **options: Any) -> Any:
        return await self.database.write(function, *args, key=GUILD, **options)

    async def start(
        self, when: float = 0, kind: OperationType = SUNDAY, channels: Sequence[int] = (ALPHA,)
    ) -> int:
        operation, _fresh = await self.write(
            store.start,
            GUILD,
            kind,
            [ChannelRef(channel, f"Channel {channel}") for channel in channels],
            title=kind.title,
            initiator_id=OFFICER,
            text_channel_id=1,
            at=at(when),
        )
        return int(operation.id)

    async def end(self, operation: int, when: float) -> None:
        await self.write(store.end, GUILD, operation, OFFICER, at(when), {})

    async def edit(self, operation: int, edit: Edit, when: float, roles: Roles | None = None) -> Any:
        """What was done, which is what was planned."""
        asked = roles or Roles()
        plan = await self.database.read(store.plan_windows, GUILD, operation, edit, at(when), asked)
        done = await self.write(
            store.edit_windows, GUILD, operation, edit, OFFICER, at(when), asked, {}, plan.mark
        )
        assert (plan.before, plan.after, plan.gains) == (done.before, done.after, done.gains)
        return done

    async def participants(self, operation: int) -> dict[int, float]:
        found = await self.database.read(store.participants_of, GUILD, operation)
        return {each.user_id: each.seconds / 60 for each in found}

    async def reasons(self, user: int) -> list[str]:
        rows: Any = (
            OperationSession.select()
            .where(OperationSession.user_id == user)
            .order_by(OperationSession.session_id, OperationSession.since)
        )
        return await self.database.read(lambda: [row.reason for row in rows])


@pytest.fixture
def guild(database: Database) -> Guild:
    return Guild(database)


def minutes(planned: Any) -> dict[int, tuple[float, float]]:
    return {each.user_id: (each.before / 60, each.after / 60) for each in planned.gains}


async def test_an_operation_that_was_started_late_counts_from_when_it_began(guild: Guild) -> None:
    await guild.write(sat, GUILD, QUARTZ, ALPHA, -30, None)
    await guild.write(sat, GUILD, BERYL, ALPHA, -30, -10)
    await guild.write(sat, GUILD, GARNET, LOUNGE, -30, -10)
    operation = await guild.start(0)
    done = await guild.edit(operation, Edit(Kind.MOVE, start=at(-20)), 10)
    assert minutes(done) == {QUARTZ: (10, 30), BERYL: (0, 10)}
    assert done.operation.started_at == at(-20)
    assert await guild.reasons(BERYL) == ["counts"]
    assert await guild.reasons(GARNET) == ["untracked"]
    await guild.end(operation, 40)
    assert await guild.participants(operation) == {QUARTZ: 60, BERYL: 10}


async def test_an_operation_that_was_stopped_late_and_one_that_was_stopped_early(guild: Guild) -> None:
    await guild.write(sat, GUILD, QUARTZ, ALPHA, 0, None)
    await guild.write(sat, GUILD, BERYL, ALPHA, 50, 55)
    operation = await guild.start(0)
    await guild.end(operation, 60)
    done = await guild.edit(operation, Edit(Kind.MOVE, end=at(45)), 90)
    assert minutes(done) == {QUARTZ: (60, 45), BERYL: (5, 0)}
    assert done.operation.ended_at == at(45)
    assert await guild.participants(operation) == {QUARTZ: 45}
    assert await guild.reasons(BERYL) == ["counts", "closed"]
    # Longer than it ever ran: its channel counts on.
    done = await guild.edit(operation, Edit(Kind.MOVE, end=at(80)), 91)
    assert minutes(done) == {QUARTZ: (45, 80), BERYL: (0, 5)}
    assert await guild.participants(operation) == {QUARTZ: 80, BERYL: 5}
    assert await guild.reasons(BERYL) == ["counts", "closed", "counts"]
    evening = await guild.database.read(store.evening, GUILD, operation, at(200))
    assert {each.user_id: each.seconds / 60 for each in evening.members} == {QUARTZ: 80, BERYL: 5}


async def test_a_pause_in_a_running_operation_and_its_end(guild: Guild) -> None:
    await guild.write(sat, GUILD, QUARTZ, ALPHA, 0, None)
    operation = await guild.start(0)
    done = await guild.edit(operation, Edit(Kind.PAUSE, at(20), at(35)), 40)
    assert done.after == ((at(0), at(20)), (at(35), None))
    assert minutes(done) == {QUARTZ: (40, 25)}
    done = await guild.edit(operation, Edit(Kind.COUNT, at(30), at(35)), 41)
    assert done.after == ((at(0), at(20)), (at(30), None))
    await guild.end(operation, 60)
    assert await guild.participants(operation) == {QUARTZ: 50}
    actions: Any = AuditEntry.select().where(AuditEntry.action == "operation.windows").order_by(AuditEntry.id)
    told = await guild.database.read(
        lambda: [(row.actor_id, row.target, row.before, row.after) for row in actions]
    )
    assert [(actor, target) for actor, target, *_rest in told] == [(OFFICER, str(operation))] * 2
    assert told[0][2] == {"windows": [[at(0).isoformat(), None]]}
    assert told[1][3] == {"windows": [[at(0).isoformat(), at(20).isoformat()], [at(30).isoformat(), None]]}


async def test_a_clock_that_was_set_back_since_a_pause_breaks_nothing(guild: Guild) -> None:
    await guild.write(sat, GUILD, QUARTZ, ALPHA, 0, None)
    operation = await guild.start(0)
    await guild.edit(operation, Edit(Kind.PAUSE, at(20), at(40)), 40)
    await guild.end(operation, 35)
    assert await guild.participants(operation) == {QUARTZ: 20}
    assert await guild.database.read(store.windows_of, GUILD, operation) == [
        (at(0), at(20)),
        (at(40), at(40)),
    ]


async def test_who_lacks_the_role_gains_nothing(guild: Guild) -> None:
    await guild.write(sat, GUILD, QUARTZ, ALPHA, -30, -5)
    await guild.write(sat, GUILD, BERYL, ALPHA, -30, -5)
    operation = await guild.start(0)
    roles = Roles(required=True, held={QUARTZ: False, BERYL: True})
    done = await guild.edit(operation, Edit(Kind.MOVE, start=at(-20)), 10, roles)
    assert minutes(done) == {BERYL: (0, 15)}
    assert await guild.reasons(QUARTZ) == ["role"]


async def test_what_is_refused_changes_nothing(guild: Guild) -> None:
    operation = await guild.start(0)
    edit = Edit(Kind.MOVE, start=at(-5))
    for guild_id, number in ((800, operation), (GUILD, 99)):
        with pytest.raises(store.NoSuchOperation):
            await guild.write(store.edit_windows, guild_id, number, edit, OFFICER, at(10))
    with pytest.raises(EditRefused):
        await guild.write(store.edit_windows, GUILD, operation, Edit(Kind.MOVE, end=at(5)), OFFICER, at(10))
    with pytest.raises(store.WindowsChanged):
        await guild.write(store.edit_windows, GUILD, operation, edit, OFFICER, at(10), mark=1)
    await guild.end(operation, 60)
    await guild.write(store.set_payroll_processed, GUILD, operation, True)
    for function, args in ((store.plan_windows, ()), (store.edit_windows, (OFFICER,))):
        with pytest.raises(store.AlreadyPaid):
            await guild.write(function, GUILD, operation, edit, *args, at(70))
    assert await guild.database.read(store.windows_of, GUILD, operation) == [(at(0), at(60))]
    assert await guild.database.read(lambda: AuditEntry.select().count()) == 0


async def test_a_channel_never_counts_for_two_operations_at_once(guild: Guild) -> None:
    other = OperationType("roc", "ROC Mining", "⛏", "officer", "officer")
    first = await guild.start(0)
    await guild.end(first, 60)
    second = await guild.start(70, other, [ALPHA, BRAVO])
    with pytest.raises(ChannelsTaken) as taken:
        await guild.edit(first, Edit(Kind.MOVE, end=at(71)), 80)
    assert taken.value.titles == {ALPHA: "ROC Mining"}
    with pytest.raises(ChannelsTaken):
        await guild.edit(second, Edit(Kind.MOVE, start=at(59)), 80)
    await guild.edit(second, Edit(Kind.MOVE, start=at(60)), 80)
    # What the first one gave away the second one may take.
    await guild.edit(first, Edit(Kind.MOVE, end=at(30)), 80)
    assert (await guild.edit(second, Edit(Kind.MOVE, start=at(30)), 80)).after == ((at(30), None),)


async def test_time_that_is_kept_as_daily_sums_cannot_count(guild: Guild) -> None:
    operation = await guild.start(0)
    await guild.end(operation, 60)

    def day() -> None:
        midnight = at(0).replace(hour=0, minute=0)
        VoiceDay.create(
            guild_id=GUILD, user_id=QUARTZ, channel_id=ALPHA, day=midnight - timedelta(days=1), stays=1
        )

    await guild.write(day)
    await guild.edit(operation, Edit(Kind.MOVE, start=at(-60)), 70)
    with pytest.raises(store.OnlySums):
        await guild.edit(operation, Edit(Kind.MOVE, start=at(-60 * 24)), 71)
    await guild.edit(operation, Edit(Kind.MOVE, start=at(10)), 72)


STAY = st.tuples(
    st.sampled_from((QUARTZ, BERYL, GARNET)),
    st.sampled_from((ALPHA, BRAVO, LOUNGE)),
    st.integers(-60, 110),
    st.one_of(st.none(), st.integers(1, 120)),
)
EDITS = st.lists(
    st.tuples(st.sampled_from(Kind), st.integers(-70, 120), st.integers(-70, 120)), min_size=1, max_size=4
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STAY, max_size=10), EDITS, st.booleans())
async def test_what_is_planned_comes_and_is_what_every_minute_says(
    guild: Guild, stays: list[Any], edits: list[Any], ended: bool
) -> None:
    def clear() -> None:
        for model in (OperationSession, OperationParticipant, OperationChannel, OperationWindow, Operation):
            model.delete().execute()
        VoiceSession.delete().execute()

    # The fixture's database had the examples before.
    await guild.write(clear)
    now = 120
    opened: set[int] = set()
    for place, (user, channel, joined, lasts) in enumerate(stays):
        if lasts is None and user in opened:
            # Nobody sits in two places.
            stays[place] = (user, channel, joined, lasts := 30)
        opened |= {user} if lasts is None else set()
        left = None if lasts is None else min(joined + lasts, now)
        await guild.write(sat, GUILD, user, channel, joined, left)
    operation = await guild.start(0, channels=(ALPHA, BRAVO))
    if ended:
        await guild.end(operation, 60)
    # Channels reach as far as the windows ever did.
    ran, begin, last = set(range(60 if ended else now)), 0, 60 if ended else now
    for kind, start, end in edits:
        try:
            done = await guild.edit(operation, Edit(kind, at(start), at(end)), now)
        except EditRefused:
            continue
        windows = await guild.database.read(store.windows_of, GUILD, operation)
        assert windows == list(done.after)
        ran = {
            minute
            for minute in range(-80, now)
            if any(opened <= at(minute) < (closed or at(now)) for opened, closed in windows)
        }
        begin, last = min([begin, *ran]), max([last, *(minute + 1 for minute in ran)])
        expected = {
            user: len(
                {
                    minute
                    for who, channel, joined, lasts in stays
                    if who == user and channel != LOUNGE
                    for minute in range(joined, now if lasts is None else min(joined + lasts, now))
                    if minute in ran and begin <= minute < last
                }
            )
            for user in (QUARTZ, BERYL, GARNET)
        }
        earned = {user: after for user, (_before, after) in minutes(done).items() if after}
        assert earned == {user: each for user, each in expected.items() if each}
        if ended:
            assert await guild.participants(operation) == earned

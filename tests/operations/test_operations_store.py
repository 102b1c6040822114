"""The store of operations, on both databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from support.operations import SUNDAY, at, sat

from core.database import CORE_SCHEMA, Database, Schema, User, VoiceSession, drift, migrate_down, migrate_up
from plugins.operations import ChannelRef, OperationView, ParticipantView, register_schema, store
from redlegion.database import IntegrityError

GUILD, OTHER = 700, 800
OFFICER = 5
ALPHA, BRAVO, CHARLIE, LOUNGE = (
    ChannelRef(n, name) for n, name in ((11, "Alpha"), (12, "Bravo"), (13, "C"), (99, "L"))
)
DISPATCH = ChannelRef(10, "Dispatch", dispatch=True)
CHANNELS = (DISPATCH, ALPHA, BRAVO)


@pytest.fixture
def schemas() -> Sequence[Schema]:
    return [CORE_SCHEMA, register_schema()]


class Guild:
    """One guild's view of the store."""

    def __init__(self, database: Database, guild_id: int) -> None:
        self.database = database
        self.id = guild_id

    async def write(self, function: Any, *args: Any, **options: Any) -> Any:
        return await self.database.write(function, self.id, *args, key=self.id, **options)

    async def read(self, function: Any, *args: Any) -> Any:
        return await self.database.read(function, self.id, *args)

    async def start(
        self,
        kind: Any = SUNDAY,
        channels: Sequence[ChannelRef] = CHANNELS,
        when: datetime | None = None,
        request_id: int | None = None,
    ) -> OperationView:
        operation, _fresh = await self.write(
            store.start,
            kind,
            channels,
            title=f"{kind.title} - 2026-09-06",
            initiator_id=OFFICER,
            text_channel_id=1,
            at=when or at(0),
            request_id=request_id,
        )
        assert isinstance(operation, OperationView)
        return operation

    async def end(self, operation: OperationView, minutes: float, names: dict[int, str] | None = None) -> Any:
        return await self.write(store.end, operation.id, OFFICER, at(minutes), names or {})

    async def sat(self, *args: Any, **options: Any) -> None:
        await self.write(sat, *args, **options)


@pytest.fixture
def guild(database: Database) -> Guild:
    return Guild(database, GUILD)


@pytest.fixture
def other(database: Database) -> Guild:
    return Guild(database, OTHER)


def test_the_migrations_make_what_the_models_say(database_url: str) -> None:
    schemas = [CORE_SCHEMA, register_schema()]
    migrate_up(database_url, schemas)
    assert drift(database_url, schemas) == []
    every = [f"operations/{file.stem}" for file in sorted(register_schema().migrations.glob("0*.py"))]
    assert len(every) >= 3
    assert migrate_down(database_url, register_schema()) == every[::-1]
    assert migrate_up(database_url, schemas) == every
    assert drift(database_url, schemas) == []


async def test_an_operation_from_start_to_end(guild: Guild) -> None:
    await guild.sat(1, 11, -30, None)  # sat there before, and still does at the stop
    await guild.sat(2, 11, 10, 20)
    await guild.sat(2, 12, 20, 45, estimated=True)
    await guild.sat(3, 99, 0, None)  # the lounge does not count
    await guild.write(lambda guild_id: User.create(id=2, name="beryl"))
    operation = await guild.start()
    assert operation == OperationView(
        operation.id, "sunday", "Sunday Mining - 2026-09-06", "📅", "active", at(0), None, False, 0
    )
    assert await guild.read(store.running_operations) == [operation]
    assert await guild.read(store.tracked_channels, operation.id) == list(CHANNELS)
    assert await guild.read(store.participants_of, operation.id) == []

    summary = await guild.end(operation, 120, {1: "quartz"})

    assert summary.participants == (
        ParticipantView(1, "quartz", 7200, False),
        ParticipantView(2, "beryl", 2100, True),
    )
    ended = replace(operation, status="ended", ended_at=at(120), participants=2)
    assert summary.operation == ended
    assert await guild.read(store.get_operation, operation.id) == ended
    assert await guild.read(store.participants_of, operation.id) == list(summary.participants)
    assert await guild.read(store.running_operations) == []
    assert await guild.read(store.tracked_channels, operation.id) == []


async def test_ending_leaves_voice_sessions_as_they_are(guild: Guild) -> None:
    await guild.sat(1, 11, 0, None)
    await guild.end(await guild.start(), 30)
    assert await guild.read(lambda guild_id: VoiceSession.get().left) is None


async def test_somebody_nobody_knows_has_a_name_all_the_same(guild: Guild) -> None:
    await guild.sat(4711, 11, 0, None)
    summary = await guild.end(await guild.start(), 30)
    assert [each.name for each in summary.participants] == ["member 4711"]


async def test_an_operation_without_anybody_ends_with_no_participants(guild: Guild) -> None:
    summary = await guild.end(await guild.start(), 30)
    assert summary.participants == ()
    assert summary.operation.participants == 0


async def test_many_participants_are_stored(guild: Guild) -> None:
    def crowd(guild_id: int) -> None:
        for user in range(1, 1201):
            sat(guild_id, user, 11, 0, user / 60)

    await guild.write(crowd)
    summary = await guild.end(await guild.start(), 60)
    assert [each.seconds for each in summary.participants] == list(range(1200, 0, -1))


async def test_a_second_one_of_a_type_is_refused_and_changes_nothing(guild: Guild, other: Guild) -> None:
    first = await guild.start()
    with pytest.raises(store.AlreadyRunning) as refused:
        await guild.start(channels=[CHARLIE])
    assert refused.value.operation == first
    assert await guild.read(store.running_operations) == [first]
    assert await guild.read(store.tracked_channels, first.id) == list(CHANNELS)
    await other.start(channels=[CHARLIE])  # another guild is not concerned


async def test_the_database_itself_refuses_two_running_ones(guild: Guild) -> None:
    await guild.start()

    def past_the_check(guild_id: int) -> None:
        operations = store.lifecycle.Operation
        operations.create(
            guild_id=guild_id,
            type="sunday",
            title="",
            badge="",
            status="active",
            initiator_id=1,
            started_at=at(1),
        )

    with pytest.raises(IntegrityError):
        await guild.write(past_the_check)


async def test_a_channel_counts_for_one_running_operation(guild: Guild) -> None:
    first = await guild.start()
    adhoc = replace(SUNDAY, name="adhoc")
    with pytest.raises(store.ChannelsTaken) as refused:
        await guild.start(adhoc, [CHARLIE, ALPHA])
    assert refused.value.titles == {ALPHA.channel_id: first.title}
    second = await guild.start(adhoc, [CHARLIE])
    with pytest.raises(store.ChannelsTaken) as late:
        await guild.write(store.track_channels, "sunday", [ALPHA, LOUNGE, CHARLIE], at(1))
    assert late.value.titles == {CHARLIE.channel_id: second.title}
    assert await guild.read(store.tracked_channels, first.id) == list(CHANNELS)
    assert await guild.read(store.running_operations) == [first, second]
    assert await guild.read(store.running_operations, "adhoc") == [second]
    await guild.end(first, 10)
    await guild.end(second, 10)
    await guild.start(adhoc, [CHARLIE, ALPHA])


async def test_the_same_request_starts_once(guild: Guild) -> None:
    first = await guild.start(request_id=42)
    assert await guild.start(request_id=42) == first
    await guild.end(first, 10)
    again = await guild.start(request_id=42)
    assert (again.id, again.status) == (first.id, "ended")


async def test_ending_twice_or_in_another_guild_is_refused(guild: Guild, other: Guild) -> None:
    operation = await guild.start()
    with pytest.raises(store.NotRunning) as unknown:
        await other.end(operation, 10)
    assert unknown.value.operation is None
    await guild.sat(1, 11, 0, None)
    ended = await guild.end(operation, 10)
    with pytest.raises(store.NotRunning) as over:
        await guild.end(operation, 20)
    assert over.value.operation == ended.operation
    assert await guild.read(store.get_operation, operation.id) == ended.operation


async def test_nothing_of_another_guild_is_seen_or_changed(guild: Guild, other: Guild) -> None:
    await other.sat(1, 11, 0, None)  # the same channel id recorded elsewhere counts nothing here
    await guild.sat(2, 11, 0, None)
    operation = await guild.start()
    summary = await guild.end(operation, 10)
    assert [each.user_id for each in summary.participants] == [2]
    assert await other.read(store.get_operation, operation.id) is None
    assert await other.read(store.participants_of, operation.id) == []
    assert await other.read(store.payable_operations) == []
    assert await other.read(store.progress, operation.id, at(20)) is None
    assert await other.write(store.set_payroll_processed, operation.id, True) is False
    assert (await guild.read(store.get_operation, operation.id)).payroll_processed is False


async def test_payable_are_ended_ones_without_payroll_newest_first(guild: Guild) -> None:
    done = []
    for n in range(27):
        operation = await guild.start(when=at(n * 10))
        done.append((await guild.end(operation, n * 10 + 5)).operation)
    running = await guild.start(when=at(999))
    newest = [each.id for each in reversed(done)]
    assert [each.id for each in await guild.read(store.payable_operations)] == newest[:25]

    assert await guild.write(store.set_payroll_processed, newest[0], True) is True
    assert [each.id for each in await guild.read(store.payable_operations)] == newest[1:26]
    assert (await guild.read(store.get_operation, newest[0])).payroll_processed is True
    assert await guild.write(store.set_payroll_processed, newest[0], False) is True
    assert [each.id for each in await guild.read(store.payable_operations)] == newest[:25]
    assert await guild.write(store.set_payroll_processed, running.id, True) is False


async def test_a_channel_added_or_removed_while_it_runs_counts_for_that_time(guild: Guild) -> None:
    await guild.sat(1, 13, 0, None)
    await guild.sat(2, 11, 0, None)
    operation = await guild.start()
    assert await guild.write(store.track_channels, "sunday", [CHARLIE, ALPHA], at(10)) == operation
    assert await guild.write(store.untrack_channel, "sunday", ALPHA.channel_id, at(15)) == operation
    assert await guild.write(store.untrack_channel, "sunday", ALPHA.channel_id, at(16)) is None
    assert await guild.read(store.tracked_channels, operation.id) == [DISPATCH, BRAVO, CHARLIE]
    summary = await guild.end(operation, 30)
    assert {each.user_id: each.seconds for each in summary.participants} == {1: 20 * 60, 2: 15 * 60}


async def test_without_a_running_operation_nothing_is_tracked(guild: Guild) -> None:
    assert await guild.write(store.track_channels, "sunday", [CHARLIE], at(10)) is None
    assert await guild.write(store.untrack_channel, "sunday", CHARLIE.channel_id, at(10)) is None


async def test_a_deleted_channel_stops_counting_and_stays_in_history(guild: Guild) -> None:
    await guild.sat(1, 11, 0, 20)
    await guild.sat(1, 12, 20, None)
    operation = await guild.start()
    await guild.write(store.close_channel, ALPHA.channel_id, at(20))
    await guild.write(store.close_channel, LOUNGE.channel_id, at(20))
    assert await guild.read(store.tracked_channels, operation.id) == [DISPATCH, BRAVO]
    summary = await guild.end(operation, 30)
    assert [each.seconds for each in summary.participants] == [30 * 60]


async def test_the_seat_is_in_dispatch_of_the_latest_operation(guild: Guild) -> None:
    assert await guild.read(store.dispatch_channel) is None
    operation = await guild.start(channels=[ALPHA, DISPATCH])
    assert await guild.read(store.dispatch_channel) == DISPATCH.channel_id
    later = await guild.start(replace(SUNDAY, name="adhoc"), [CHARLIE], at(5))
    assert await guild.read(store.dispatch_channel) == CHARLIE.channel_id
    await guild.end(later, 6)
    await guild.write(store.close_channel, DISPATCH.channel_id, at(7))
    assert await guild.read(store.dispatch_channel) == ALPHA.channel_id
    await guild.end(operation, 8)
    assert await guild.read(store.dispatch_channel) is None


async def test_progress_shows_who_sits_where_and_what_is_earned(guild: Guild) -> None:
    await guild.write(lambda guild_id: User.create(id=2, name="beryl"))
    await guild.sat(1, 11, -30, None)
    await guild.sat(2, 11, 5, None)
    await guild.sat(3, 12, 0, 10)
    await guild.sat(4, 99, 0, None)
    operation = await guild.start()
    progress = await guild.read(store.progress, operation.id, at(20))
    assert progress.channels == CHANNELS
    assert progress.sitting == {10: (), 11: (1, 2), 12: ()}
    assert {user: each.seconds for user, each in progress.credits.items()} == {1: 1200, 2: 900, 3: 600}
    assert progress.names == {2: "beryl"}
    assert await guild.read(store.voices, operation.id, at(20)) == [1, 2, 3]


async def test_a_clock_that_was_set_back_breaks_nothing(guild: Guild) -> None:
    await guild.sat(1, 11, -30, None)
    operation = await guild.start()
    await guild.write(store.track_channels, "sunday", [CHARLIE], at(10))
    await guild.write(store.close_channel, CHARLIE.channel_id, at(5))
    await guild.write(store.track_channels, "sunday", [CHARLIE], at(10))
    summary = await guild.end(operation, -60)
    assert summary.operation.ended_at == at(0)
    assert summary.participants == ()
    assert await guild.read(store.tracked_channels, operation.id) == []

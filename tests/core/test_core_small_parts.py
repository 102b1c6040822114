"""The small parts that everything rests on: names, ids, clocks, ranks, custom ids."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import discord
import pytest
from discord import app_commands

from core.clock import SteppedClock, SystemClock
from core.database import Database, User
from core.guilds.ranks import Rank, rank_needed, rank_of, requires
from core.ids import IdSource
from core.manifest import Component, custom_id
from core.names import Names, clean_name
from core.tasks import TaskBook

START = datetime(2026, 3, 1, 18, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


# -- ids -------------------------------------------------------------------------------------------


def test_ids_rise_and_fit_64_bits() -> None:
    clock = SteppedClock(START)
    ids = IdSource(clock)
    made = [ids.next() for _ in range(5_000)]
    assert made == sorted(set(made))
    assert all(0 < number < 2**63 for number in made)


async def test_ids_rise_when_the_clock_is_set_back() -> None:
    clock = SteppedClock(START)
    ids = IdSource(clock)
    before = ids.next()
    await clock.advance_to(at(-3600))
    later = ids.next()
    await clock.advance_to(at(1))
    assert before < later < ids.next()


def test_threads_never_get_the_same_id() -> None:
    ids = IdSource(SystemClock())
    found: list[list[int]] = []
    begin = threading.Barrier(4)

    def take() -> None:
        begin.wait()
        found.append([ids.next() for _ in range(3_000)])

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({number for each in found for number in each}) == 12_000
    assert all(each == sorted(each) for each in found)


def test_two_processes_at_one_time_do_not_collide() -> None:
    clock = SteppedClock(START)
    assert len({IdSource(clock).next() for _ in range(200)}) == 200


# -- clocks ----------------------------------------------------------------------------------------


async def test_sleepers_wake_in_the_order_of_their_times() -> None:
    clock = SteppedClock(START)
    woken: list[tuple[str, datetime]] = []

    async def sleeper(name: str, *seconds: float) -> None:
        for each in seconds:
            await clock.sleep(each)
            woken.append((name, clock.now()))

    tasks = [
        asyncio.create_task(sleeper("late", 30)),
        asyncio.create_task(sleeper("twice", 5, 5)),
        asyncio.create_task(sleeper("ten", 10)),
        asyncio.create_task(sleeper("far", 500)),
    ]
    await asyncio.sleep(0)
    assert all(clock.is_asleep(task) for task in tasks)
    assert clock.next_due() == at(5)

    async def settle() -> None:
        for _ in range(3):
            await asyncio.sleep(0)

    await clock.advance(60, settle)
    # The one that slept first wakes first among those of one time.
    assert woken == [("twice", at(5)), ("ten", at(10)), ("twice", at(10)), ("late", at(30))]
    assert (clock.now(), clock.monotonic(), clock.next_due()) == (at(60), 60, at(500))
    assert not any(clock.is_asleep(task) for task in tasks[:3])
    assert clock.is_asleep(tasks[3])
    tasks[3].cancel()
    await asyncio.wait(tasks)
    assert clock.next_due() is None
    assert not clock.is_asleep(tasks[3])


async def test_what_is_past_does_not_sleep_and_time_set_back_wakes_nobody() -> None:
    clock = SteppedClock(START)
    await asyncio.wait_for(clock.sleep_until(at(-5)), 60)
    await asyncio.wait_for(clock.sleep(0), 60)
    sleeper = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    await clock.advance_to(at(-100))
    assert clock.now() == at(-100)
    assert clock.monotonic() == 0, "this one never goes back"
    assert not sleeper.done()
    await clock.advance(110)
    await asyncio.wait_for(sleeper, 60)


def test_a_clock_starts_aware() -> None:
    with pytest.raises(ValueError, match="aware time"):
        SteppedClock(datetime(2026, 3, 1))  # noqa: DTZ001 - a naive one is the point


async def test_the_machines_clock_is_aware_and_sleeps() -> None:
    clock = SystemClock()
    before, monotonic = clock.now(), clock.monotonic()
    assert before.tzinfo is UTC
    await clock.sleep_until(before + timedelta(milliseconds=20))
    assert clock.now() >= before + timedelta(milliseconds=20)
    assert clock.monotonic() > monotonic


async def test_a_task_that_sleeps_on_a_stepped_clock_is_still() -> None:
    clock = SteppedClock(START)
    book = TaskBook(clock)
    go = asyncio.Event()

    async def work() -> None:
        await clock.sleep(5)
        await go.wait()

    book.spawn(work(), "work")
    await asyncio.sleep(0)
    assert book.moving() == []
    await clock.advance(5)
    assert [task.get_name() for task in book.moving()] == ["work"]
    go.set()
    await book.close(within=60)
    assert book.moving() == []


async def test_a_task_that_fails_is_named(caplog: pytest.LogCaptureFixture) -> None:
    book = TaskBook(SystemClock())

    async def work() -> None:
        raise ValueError("why")

    await asyncio.wait([book.spawn(work(), "the work")])
    await asyncio.sleep(0)
    assert [(r.getMessage(), r.exc_info is not None) for r in caplog.records] == [("the work failed", True)]


# -- ranks -----------------------------------------------------------------------------------------


def test_each_rank_includes_those_before_it() -> None:
    order = [Rank.GUEST, Rank.MEMBER, Rank.OFFICER, Rank.ADMIN]
    for high, rank in enumerate(order):
        assert [rank.includes(other) for other in order] == [low <= high for low in range(4)]


@pytest.mark.parametrize(
    ("permissions", "rank"),
    [
        (discord.Permissions(), Rank.MEMBER),
        (discord.Permissions(manage_events=True), Rank.OFFICER),
        (discord.Permissions(manage_guild=True), Rank.ADMIN),
        (discord.Permissions(manage_guild=True, manage_events=True), Rank.ADMIN),
        (discord.Permissions(administrator=True), Rank.ADMIN),
        (discord.Permissions(manage_messages=True, kick_members=True), Rank.MEMBER),
    ],
)
def test_permissions_make_ranks(permissions: discord.Permissions, rank: Rank) -> None:
    member = object.__new__(discord.Member)
    assert rank_of(member, permissions) is rank
    assert rank_of(object.__new__(discord.User), permissions) is Rank.GUEST


@pytest.mark.parametrize("rank_first", [True, False])
def test_a_command_states_its_rank_above_or_below(rank_first: bool) -> None:
    async def dig(interaction: discord.Interaction[Any]) -> None: ...

    make = app_commands.command(name="dig", description="x")
    command = requires("officer")(make(dig)) if rank_first else make(requires("officer")(dig))
    assert rank_needed(command) is Rank.OFFICER
    with pytest.raises(ValueError, match="king"):
        requires("king")


# -- custom ids ------------------------------------------------------------------------------------


def test_custom_ids_fit_discord() -> None:
    assert custom_id("payroll", "confirm", 7) == "payroll:confirm:7"
    assert custom_id("payroll", "open") == "payroll:open:"
    assert custom_id("payroll", "confirm", "7:8") == "payroll:confirm:7:8"
    for parts in (("a:b", "c", ""), ("a", "b:c", ""), ("payroll", "confirm", "x" * 90)):
        with pytest.raises(ValueError, match="does not fit plugin:action:key in 100 characters"):
            custom_id(*parts)
    with pytest.raises(ValueError, match="not made of a-z, 0-9 and _"):
        Component("Press me", test_custom_ids_fit_discord, "guest")  # type: ignore[arg-type]


# -- names -----------------------------------------------------------------------------------------


def stored_names() -> dict[int, str]:
    return dict(User.select(User.id, User.name).tuples())


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("quartz", "quartz"),
        ("quartz\u202e00\u2066", "quartz00"),
        ("  two\nlines\t", "twolines"),
        ("\u202e", "?"),
        ("می‌روم 👩‍🚀", "می‌روم 👩‍🚀"),
    ],
)
def test_names_lose_what_turns_their_neighbours_around(name: str, clean: str) -> None:
    assert clean_name(name) == clean


async def test_names_are_stored_once_and_follow_a_change(database: Database) -> None:
    names = Names(database)
    for number in range(1, 451):
        names.saw(number, f"member {number}")
    names.saw(7, "Quartz")
    await names.close()
    names.saw(8, "member 8")
    assert names._writer is None, "what is stored already costs nothing"
    names.saw(8, "Beryl")
    names.saw(8, "Garnet")
    await names.close()
    found = await database.read(stored_names)
    assert len(found) == 450
    assert (found[7], found[8], found[450]) == ("Quartz", "Garnet", "member 450")


async def test_names_that_could_not_be_stored_are_when_they_are_seen_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names = Names(database)

    async def broken(*_args: Any) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(database, "write_alone", broken)
        names.saw(7, "Quartz")
        await names.close()
    assert "names could not be stored" in caplog.text
    names.saw(7, "Quartz")
    await names.close()
    assert await database.read(stored_names) == {7: "Quartz"}

"""What a real gateway can say of voice, and what becomes of it in the database."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.voice_ears import Ears, open_ears
from support.waiting import until

from core.stays.chains import chain_of

UNKNOWN = 7 << 40
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def ears(tmp_path: Path) -> AsyncIterator[Ears]:
    """A bot that records voice and hears of members who leave."""
    async with open_ears(tmp_path) as made:
        yield made


async def test_a_channel_that_the_cache_does_not_know_is_no_leave(ears: Ears) -> None:
    quartz, (_, alpha, *_others) = ears.scene.members[0], ears.scene.voice_channels
    await quartz.join(alpha)
    await ears.stage.advance(60)
    ears.say(quartz, UNKNOWN)
    await ears.stage.advance(60)
    ears.say(quartz, UNKNOWN, self_deaf=True)
    await ears.stage.advance(60)
    first, second = await ears.rows(quartz.id)
    assert (first.channel_id, second.channel_id, second.joined) == (alpha.id, UNKNOWN, first.left)
    assert (second.left, second.deafened_since is not None) == (None, True)

    runtime = ears.stage.runtime
    ears.stage.world.faults.drop_gateway()
    await until(lambda: not runtime.bot.connected_shards)
    await until(lambda: runtime.bot.connected_shards)
    await ears.stage.settle()
    assert [row.id for row in runtime.recorder.present_now(ears.guild.id)] == [second.id]

    ears.say(quartz, alpha.id)
    await ears.stage.advance(60)
    *_, left, back = await ears.rows(quartz.id)
    assert (left.id, left.left, left.deafened_us) == (second.id, back.joined, 60_000_000)
    assert (back.channel_id, back.previous_id, back.estimated) == (alpha.id, second.id, False)
    assert not runtime.bot.raw_states.elsewhere(ears.guild.id)
    assert ears.hooks(quartz.id) == ["started", "moved", "moved"]


async def test_joining_a_channel_that_the_cache_does_not_know(ears: Ears) -> None:
    quartz = ears.scene.members[0]
    ears.say(quartz, UNKNOWN)
    await ears.stage.advance(60)
    ears.say(quartz, None)
    [row] = await ears.rows(quartz.id)
    assert row.left is not None
    assert (row.channel_id, row.left - row.joined, row.estimated) == (UNKNOWN, MINUTE, False)


@pytest.mark.parametrize("order", ["removal, state", "state, removal", "removal alone", "the world's own"])
@pytest.mark.parametrize("known", [True, False], ids=["with its member", "bare"])
async def test_a_member_who_is_removed_leaves_once(ears: Ears, order: str, known: bool) -> None:
    quartz = ears.scene.members[0]
    await quartz.join(ears.scene.voice_channels[1])
    await ears.stage.advance(60)
    steps = {
        "removal, state": [ears.say_removed, lambda who: ears.say(who, None, member=known)],
        "state, removal": [lambda who: ears.say(who, None, member=known), ears.say_removed],
        "removal alone": [ears.say_removed],
        "the world's own": [lambda _: ears.guild.remove_member(quartz)],
    }
    for step in steps[order]:
        step(quartz)
        await ears.stage.advance(5)
    [row] = await ears.rows(quartz.id)
    assert row.left is not None
    assert (row.left - row.joined, row.status, row.estimated) == (MINUTE, "completed", False)
    assert ears.hooks(quartz.id) == ["started", "ended"]
    assert ears.stage.runtime.recorder.present_now(ears.guild.id) == []


async def test_a_bare_leave_of_somebody_whom_the_cache_has_lost(tmp_path: Path) -> None:
    async with open_ears(tmp_path, intents=()) as ears:
        quartz = ears.scene.members[0]
        await quartz.join(ears.scene.voice_channels[1])
        await ears.stage.advance(60)
        guild = ears.stage.runtime.bot.get_guild(ears.guild.id)
        assert guild is not None
        member = guild.get_member(quartz.id)
        assert member is not None
        guild._remove_member(member)
        ears.say(quartz, None, member=False)
        await ears.stage.advance(60)
        [row] = await ears.rows(quartz.id)
        assert row.left is not None
        assert row.left - row.joined == MINUTE
        assert ears.hooks(quartz.id) == ["started", "ended"]


async def test_the_afk_channel_is_counted_and_nobody_hears_of_it(ears: Ears) -> None:
    quartz, alpha, afk = ears.scene.members[0], ears.scene.voice_channels[1], ears.scene.afk
    await quartz.join(alpha)
    await ears.stage.advance(60)
    await quartz.move(afk)
    await ears.stage.advance(300)
    await quartz.set_voice(self_mute=True)
    assert ears.stage.runtime.recorder.present_now(ears.guild.id) == []
    await ears.stage.advance(300)
    await quartz.move(alpha)
    await ears.stage.advance(60)
    await quartz.leave()
    rows = await ears.rows(quartz.id)
    assert [(row.afk, row.left - row.joined) for row in rows if row.left] == [
        (False, MINUTE),
        (True, 10 * MINUTE),
        (False, MINUTE),
    ]
    assert [row.previous_id for row in rows] == [None, rows[0].id, rows[1].id]
    assert len(await ears.rows(quartz.id, afk=False)) == 2
    assert ears.hooks(quartz.id) == ["started", "ended", "started", "ended"]


async def test_fifty_moves_in_one_read(ears: Ears) -> None:
    people, channels = ears.scene.members[:10], ears.scene.voice_channels
    for person in people:
        await person.join(channels[0])
    await ears.stage.advance(60)
    faults = ears.stage.world.faults
    faults.hold()
    for channel in channels[1:] + channels[:1]:
        for person in people:
            await person.move(channel)
    for person in people[5:]:
        await person.move(channels[3])
    assert faults.release() == 55
    await ears.stage.advance(60)
    for number, person in enumerate(people):
        wanted = channels[0] if number < 5 else channels[3]
        first, second = await ears.rows(person.id)
        assert (first.left, second.previous_id, second.channel_id) == (second.joined, first.id, wanted.id)
        assert second.left is None
        assert ears.hooks(person.id)[:2] == ["started", "moved"]
        last = [channel for _, _, user, channel in ears.heard if user == person.id][-1]
        assert last == wanted.id


async def test_one_person_in_two_guilds(ears: Ears) -> None:
    quartz, second = ears.scene.members[0], ears.scene.second
    there = second.guild.add_member(quartz.username)
    assert there.id == quartz.id
    await quartz.join(ears.scene.voice_channels[1])
    await ears.stage.advance(60)
    await there.join(second.voice_channels[1])
    await ears.stage.advance(60)
    await quartz.leave()
    await ears.stage.advance(60)
    [here] = await ears.rows(quartz.id)
    [other] = await ears.rows(quartz.id, second.guild.id)
    assert here.left is not None
    assert (here.left - here.joined, other.left, other.guild_id) == (2 * MINUTE, None, second.guild.id)
    assert other.joined == here.joined + MINUTE
    [chain] = await ears.stage.runtime.db.read(
        chain_of, second.guild.id, quartz.id, here.joined, here.joined + 99 * MINUTE
    )
    assert [link.session.id for link in chain.links] == [other.id]


async def test_a_hub_for_many_in_quick_succession(ears: Ears) -> None:
    people, dispatch, hub = ears.scene.members, ears.scene.voice_channels[0], ears.scene.hub
    for person in people:
        await person.join(dispatch)
    await ears.stage.advance(60)
    for person in people:
        await person.move(hub)
        await ears.stage.advance(0.05)
    await ears.stage.advance(2)
    rooms = {person.id: person.channel_id for person in people}
    assert len(set(rooms.values())) == len(people)
    for person in people:
        first, second = await ears.rows(person.id)
        assert (first.channel_id, second.channel_id) == (dispatch.id, rooms[person.id])
        assert second.via_channel_id == hub.id
        assert (second.previous_id, second.joined) == (first.id, first.left)


class SetBack:
    """The bot's clock, as it reads after somebody set the wall clock back."""

    def __init__(self, clock: Any, seconds: float) -> None:
        self._clock = clock
        self._by = timedelta(seconds=seconds)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)

    def now(self) -> datetime:
        """Return the wrong time."""
        now: datetime = self._clock.now() - self._by
        return now


async def test_a_wall_clock_that_is_set_back(ears: Ears) -> None:
    quartz, (_, alpha, bravo, *_others) = ears.scene.members[0], ears.scene.voice_channels
    runtime = ears.stage.runtime
    await quartz.join(alpha)
    began = ears.stage.world.clock.now()
    await ears.stage.advance(60)
    right = runtime.clock
    runtime.clock = SetBack(right, 3600)
    await quartz.move(bravo)
    await ears.stage.advance(60)
    runtime.clock = right
    await ears.stage.advance(60)
    await quartz.leave()
    first, second = await ears.rows(quartz.id)
    # Never negative, never twice, and the stay is not taken for one under a second.
    assert (first.joined, first.left, second.joined) == (began, began, began)
    assert (second.left, second.previous_id) == (began + 3 * MINUTE, first.id)


@pytest.fixture
def berlin() -> Iterator[None]:
    """The machine's time zone is one that changes its hour."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Berlin"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(
    "start", [datetime(2026, 3, 29, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)]
)
async def test_an_hour_is_an_hour_when_the_clocks_change(tmp_path: Path, start: datetime) -> None:
    async with open_ears(tmp_path, start=start, members=2) as ears:
        quartz = ears.scene.members[0]
        await quartz.join(ears.scene.voice_channels[1])
        await ears.stage.advance(3600)
        await quartz.leave()
        [row] = await ears.rows(quartz.id)
        assert row.left is not None
        assert row.left - row.joined == 60 * MINUTE

"""What moderators and Discord itself do to people in voice: through the real gateway, in either order."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from support.voice_stage import VoiceStage, voice_stage

from sandbox.server import Person

Act = Callable[[VoiceStage, Person], Awaitable[object]]


@pytest.fixture(autouse=True)
def _ready_sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.bot.GUILD_READY_TIMEOUT", 0.1)


async def _leaves_the_guild(on: VoiceStage, person: Person) -> None:
    on.guild.remove_member(person)


ENDS: dict[str, Act] = {
    "leaves voice": lambda on, person: person.leave(),
    "is disconnected by a moderator": lambda on, person: on.scene.owner.disconnect_member(person),
    "leaves the guild": _leaves_the_guild,
    "is kicked": lambda on, person: on.scene.owner.kick(person),
    "is banned": lambda on, person: on.scene.owner.ban(person),
    "is moved by a moderator": lambda on, person: on.scene.owner.move_member(person, on.beta),
    "is put into the AFK channel": lambda on, person: on.scene.owner.move_member(person, on.scene.afk),
}
#: What happens to the dispatches on their way.
LINES: dict[str, tuple[Callable[[VoiceStage], object], Callable[[VoiceStage], object]]] = {
    "as it comes": (lambda on: None, lambda on: None),
    "in another order": (
        lambda on: on.world.faults.hold(on.guild.id, mixed=True),
        lambda on: on.world.faults.release(on.guild.id),
    ),
    "twice": (lambda on: on.world.faults.duplicate(9, on.guild.id), lambda on: None),
}


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("intents", [("members",), ()], ids=["hears who leaves", "does not"])
async def test_a_stay_ends_once_and_at_its_second(
    tmp_path: Path, line: str, intents: tuple[str, ...]
) -> None:
    before, after = LINES[line]
    url = f"sqlite:///{tmp_path / 'bot.sqlite3'}"
    async with voice_stage(url, tmp_path, members=len(ENDS), intents=intents) as on:
        for person, act in zip(on.people, ENDS.values(), strict=True):
            await on.sit((person,), on.alpha)
            await on.stage.advance(60)
            before(on)
            await act(on, person)
            after(on)
            await on.check()
            await on.stage.advance(7)
        rows = await on.rows()
        assert len(rows) == len(ENDS) + 2
        assert not any(row.estimated for row in rows)
        assert [row.afk for row in rows if row.left is None] == [False, True], "who was moved, who is away"


@pytest.mark.parametrize("line", LINES)
async def test_a_channel_that_is_deleted_ends_the_stays_in_it(tmp_path: Path, line: str) -> None:
    before, after = LINES[line]
    async with voice_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path) as on:
        await on.sit(on.people[:4], on.alpha)
        await on.sit(on.people[4:], on.beta)
        await on.stage.advance(60)
        before(on)
        on.guild.delete_channel(on.alpha)
        after(on)
        await on.check()
        rows = await on.rows()
        assert [row.left for row in rows] == [on.now] * 4 + [None] * 2
        assert not any(row.estimated for row in rows)


async def test_two_hundred_moved_at_once(database_url: str, tmp_path: Path) -> None:
    async with voice_stage(database_url, tmp_path, members=200) as on:
        await on.sit(on.people, on.alpha)
        await on.stage.advance(60)
        for channel in (on.beta, on.gamma, on.alpha):
            on.world.faults.hold(on.guild.id)
            for person in on.people:
                await on.scene.owner.move_member(person, channel)
            assert on.world.faults.release(on.guild.id) == len(on.people)
            await on.stage.advance(60)
            await on.check()
        rows = await on.rows()
        assert len(rows) == 4 * len(on.people)
        instants = {(row.joined, row.left) for row in rows}
        assert len(instants) == 4, "all of them in the same instants"


async def test_fifty_moves_over_time_in_one_read_keep_their_order(tmp_path: Path) -> None:
    async with voice_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path) as on:
        quartz, opal = on.people[:2]
        await on.sit((quartz, opal), on.alpha)
        await on.stage.advance(60)
        for seconds in (0.0, 2.0):
            on.world.faults.hold(on.guild.id)
            for channel in itertools.islice(itertools.cycle((on.beta, on.gamma, on.alpha)), 50):
                await quartz.move(channel)
                await on.world.clock.advance(seconds)
            on.world.faults.release(on.guild.id)
            await on.stage.advance(60)
            await on.sit((opal,), None)
            if not seconds:
                await on.check()
        # What arrives at once is told at once: the stays between are too short to keep, and none is lost.
        rows = await on.rows(quartz)
        assert [row.channel_id for row in rows] == [on.alpha.id, on.gamma.id, quartz.channel_id]
        assert all(earlier.left == later.joined for earlier, later in itertools.pairwise(rows))
        assert [row.previous_id for row in rows] == [None, rows[0].id, rows[1].id]


async def test_both_guilds_of_one_person_at_once(tmp_path: Path) -> None:
    async with voice_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}", tmp_path) as on:
        here = on.people[0]
        second = on.scene.second
        there = second.guild.add_member(here.username)
        assert there.id == here.id
        await here.join(on.alpha)
        await on.stage.advance(30)
        await there.join(second.voice_channels[0])
        await on.stage.advance(30)
        on.world.faults.guild_outage(second.guild.id)
        await here.leave()
        await on.stage.advance(30)
        on.world.faults.guild_return(second.guild.id)
        await on.check()
        [mine] = await on.rows()
        [other] = await on.rows(guild_id=second.guild.id)
        assert (mine.user_id, mine.estimated) == (other.user_id, False)
        assert (other.left, other.estimated) == (None, False)

"""The world without a bot: ids, the clock, the truth, and what people may not do."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from support.loopback import refused

from sandbox.server import Refused, SandboxServer, World, WorldClock
from sandbox.server.snowflake import created_at

START = datetime(2026, 3, 1, 18, tzinfo=UTC)


@pytest.fixture
def world() -> World:
    return World(WorldClock(START), seed=3)


def test_every_id_has_a_millisecond_of_its_own(world: World) -> None:
    ids = [world.mint.next() for _ in range(2000)] + [world.mint.founding() for _ in range(2000)]
    assert len({each >> 22 for each in ids}) == 4000
    assert ids[:2000] == sorted(ids[:2000])
    assert created_at(ids[0]) == START


def test_same_seed_same_world() -> None:
    first, second = (World(WorldClock(START), seed=5) for _ in range(2))
    assert first.token == second.token
    assert first.create_guild("A").id == second.create_guild("A").id


def test_one_name_is_one_account_in_all_guilds(world: World) -> None:
    ember, basalt = world.create_guild("Ember"), world.create_guild("Basalt", owner="obsidian")
    assert ember.add_member("quartz").id == basalt.add_member("quartz").id
    with pytest.raises(Refused, match="already"):
        ember.add_member("quartz")


def test_a_naive_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        WorldClock(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


def test_server_serves_on_loopback_only(world: World) -> None:
    with pytest.raises(ValueError, match="loopback"):
        SandboxServer(world, host="0.0.0.0")


async def test_timers_fire_in_order_at_their_moment(world: World) -> None:
    fired: list[tuple[str, float]] = []

    def note(name: str) -> None:
        async def act() -> None:
            fired.append((name, (world.clock.now() - START).total_seconds()))

        world.clock.call_later({"late": 5, "early": 2, "same": 2}[name], act)

    for name in ("late", "early", "same"):
        note(name)
    await world.clock.advance(4)
    await world.clock.advance(4)
    assert fired == [("early", 2), ("same", 2), ("late", 5)]
    with pytest.raises(ValueError, match="forward"):
        await world.clock.advance(-1)


class Stepped:
    """An attached clock with a timer every so many seconds."""

    def __init__(self, every: float) -> None:
        self.every = timedelta(seconds=every)
        self.due = START + self.every
        self.fired: list[float] = []

    async def tick(self, now: datetime, sequences: dict[str, int]) -> datetime | None:
        while self.due <= now:
            self.fired.append((now - START).total_seconds())
            self.due += self.every
        return self.due


async def test_attached_clocks_stop_at_each_of_their_timers(world: World) -> None:
    fast, slow = Stepped(15), Stepped(40)
    world.clock.attach(fast)
    world.clock.attach(slow)
    await world.clock.advance(60)
    assert fast.fired == [15, 30, 45, 60]
    assert slow.fired == [40]
    world.clock.detach(fast)
    assert world.clock.attached == 1


async def test_attached_clocks_show_the_time_at_which_something_falls_due(world: World) -> None:
    clock = Stepped(15)
    told: list[datetime] = []
    tick = clock.tick

    async def noted(now: datetime, sequences: dict[str, int]) -> datetime | None:
        told.append(now)
        return await tick(now, sequences)

    clock.tick = noted  # type: ignore[method-assign]
    shown: list[tuple[float, bool]] = []

    async def act() -> None:
        now = world.clock.now()
        shown.append(((now - START).total_seconds(), told[-1] == now))

    world.clock.attach(clock)
    for seconds in (0.43, 15, 20.000_001, 20.5):
        world.clock.call_later(seconds, act)
    await world.clock.advance(60)
    assert shown == [(0.43, True), (15, True), (20.000_001, True), (20.5, True)]
    assert clock.fired == [15, 30, 45, 60]


async def test_a_clock_that_does_not_answer_is_detached(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dead:
        async def tick(self, now: datetime, sequences: dict[str, int]) -> datetime | None:
            await asyncio.Event().wait()
            return None

    class Gone:
        async def tick(self, now: datetime, sequences: dict[str, int]) -> datetime | None:
            raise ConnectionError("socket closed")

    monkeypatch.setattr("sandbox.server.clock.ANSWER_WITHIN", 0.01)
    world.clock.attach(Dead())
    world.clock.attach(Gone())
    await world.clock.advance(10)
    assert world.clock.attached == 0
    assert sum("detached" in entry.get("words", "") for entry in world.log.entries) == 2


async def test_truth_is_the_union_of_stays_within_windows(world: World) -> None:
    guild = world.create_guild("Ember")
    one, two, other = (guild.create_channel(name, 2) for name in ("one", "two", "other"))
    quartz = guild.add_member("quartz")
    await quartz.join(one)
    await world.clock.advance(100)
    await quartz.move(other)
    await world.clock.advance(50)
    await quartz.move(two)
    await world.clock.advance(30)
    tracked = [one.id, two.id]
    assert world.truth.seconds(guild.id, quartz.id, tracked) == 130
    first, second = (START + timedelta(seconds=each) for each in (90, 160))
    assert world.truth.seconds(guild.id, quartz.id, tracked, [(first, second)]) == 20
    assert world.truth.seconds(guild.id, quartz.id, tracked, [(first, second), (first, None)]) == 40
    await quartz.leave()
    await world.clock.advance(30)
    assert world.truth.seconds(guild.id, quartz.id, tracked) == 130
    assert [stay.until is None for stay in world.truth] == [False, False, False]


async def test_people_are_held_to_what_discord_allows(world: World) -> None:
    guild = world.create_guild("Ember")
    text = guild.create_channel("general")
    small = guild.create_channel("small", 2, user_limit=1)
    closed = guild.create_channel("closed", 2, overwrites={guild.id: (0, 1 << 20)})
    hidden = guild.create_channel("hidden", overwrites={guild.id: (0, 1 << 10)})
    quartz, beryl = guild.add_member("quartz"), guild.add_member("beryl")
    await quartz.join(small)
    assert "is full" in await refused(beryl.join(small))
    assert "may not connect" in await refused(beryl.join(closed))
    assert "not a voice channel" in await refused(beryl.join(text))
    assert "no channel 5" in await refused(beryl.join(5))
    assert "sits in no voice channel" in await refused(beryl.leave())
    assert "sits in no voice channel" in await refused(beryl.move(small))
    assert "no loud" in await refused(quartz.set_voice(loud=True))
    assert "does not see" in await refused(beryl.send(hidden, "hello"))
    assert "1 to 2000" in await refused(beryl.send(text, ""))
    assert (await beryl.send(text, "hello"))["content"] == "hello"
    guild.remove_member(beryl)
    assert "no longer a member" in await refused(beryl.join(small))
    for wrong in (lambda: world.person(1, 2), lambda: world.person(guild.id, 2), lambda: world.messages(1)):
        with pytest.raises(Refused) as error:
            wrong()
        assert error.value.status == 404


async def test_a_person_in_a_guild_without_anybody_listening_gets_no_answer_at_once(world: World) -> None:
    guild = world.create_guild("Ember")
    text = guild.create_channel("general")
    quartz = guild.add_member("quartz")
    world.commands.overwrite(guild.id, [{"name": "ping", "description": "Ping"}])
    outcome = await asyncio.wait_for(quartz.slash("ping", text), 0.5)
    assert outcome.kind == "none"


async def test_default_permissions_of_a_command_are_honoured(world: World) -> None:
    guild = world.create_guild("Ember")
    text = guild.create_channel("general")
    officer = guild.create_role("Officer", permissions=1 << 33)
    quartz, beryl = guild.add_member("quartz", [officer]), guild.add_member("beryl")
    needs = {"name": "pay", "description": "Pay", "default_member_permissions": str(1 << 33)}
    world.commands.overwrite(guild.id, [needs])
    assert (await quartz.slash("pay", text)).kind == "none"
    assert "lacks the permissions" in await refused(beryl.slash("pay", text))

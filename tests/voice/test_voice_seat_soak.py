"""Joins of the bot's seat while the voice server fails, by a seeded plan: up to two faults each, and one
in five tries at random. In the end the bot sits, and nothing of a connection is left over."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from support.seat_stage import SeatStage
from support.voice_leftovers import beyond_whole, held

from core.voice import seat_joining
from sandbox.server.channels import Channel
from sandbox.server.guilds import Guild
from sandbox.server.voice.refusals import CODES, STEPS

#: Worlds with a bot each, guilds of a world, joins in a guild.
Size = tuple[int, int, int]
AT_ONCE = 5
PATIENCE = 90.0
#: Real seconds between two turns of the clock in a guild.
TURN = 0.5
DRAWN = [step for step in STEPS if step not in {"close", "no_resume"}]
#: What fails at random: the step, and the code it closes with.
RANDOM = [
    ("no_server_update", None),
    ("handshake", None),
    ("no_discovery", None),
    ("close", 4014),
    ("close", 4006),
]
#: So that one try in five meets one of them.
CHANCE = 1 - 0.8 ** (1 / len(RANDOM))


@dataclass
class Figures:
    """What the plan came to."""

    joins: int = 0
    clean: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    faults_of_a_join: Counter[int] = field(default_factory=Counter)
    identifies: int = 0
    resumes: int = 0
    slowest: float = 0.0


Arming = Callable[[SeatStage, Guild, random.Random], int]


def arm(stage: SeatStage, guild: Guild, dice: random.Random) -> int:
    """Let up to two things go wrong with the next join; returns how many."""
    voice = stage.world.faults.voice
    count = dice.choice((0, 1, 1, 2, 2))
    drawn = [dice.choice([*DRAWN, "close", "close", "crash"]) for _ in range(count)]
    for step in drawn:
        if step == "crash":
            voice.refuse("close", guild_id=guild.id, code=4015)
            if len(drawn) == 1:
                voice.refuse("no_resume", guild_id=guild.id)
                count += 1
        elif step == "close":
            voice.refuse("close", guild_id=guild.id, code=dice.choice(CODES))
        else:
            voice.refuse(step, guild_id=guild.id)
    return count


async def seated(stage: SeatStage, guild: Guild, channel: Channel) -> None:
    """Return once the seat has given up, or seat, client and voice server agree and nothing more happens."""
    steady = 0
    deadline, turn = time.monotonic() + PATIENCE, 0.0
    while steady < 20:
        stats, status = stage.world.voice_stats(guild), stage.seats.status(guild.id)
        assert time.monotonic() < deadline, (stats, status)
        if status.problem is not None:
            return
        good = stats.connected and status.seated and stats.channel_id == channel.id
        steady = steady + 1 if good else 0
        if stage.clock.next_due() is not None and time.monotonic() >= turn:
            # discord.py's own attempts take real time, of which the clock must not run too far ahead.
            turn = time.monotonic() + TURN
            await stage.clock.advance(60)
        await asyncio.sleep(0.01)


def arm_at_random(stage: SeatStage, guild: Guild, dice: random.Random) -> int:
    """Let every try of the next join fail by chance; returns 0, as nobody knows yet how often."""
    for step, code in dice.sample(RANDOM, len(RANDOM)):
        stage.world.faults.voice.refuse(step, times=None, probability=CHANCE, guild_id=guild.id, code=code)
    return 0


async def joins(
    stage: SeatStage, guild: Guild, dice: random.Random, *, figures: Figures, rounds: int, arming: Arming
) -> None:
    """Let the bot come to one channel after the other of a guild."""
    channels = [guild.create_channel(name, 2) for name in ("Alpha", "Bravo")]
    await stage.until(lambda: all(stage.client.get_channel(each.id) for each in channels))
    for number in range(rounds):
        channel = channels[number % 2]
        figures.faults_of_a_join[arming(stage, guild, dice)] += 1
        begun = time.monotonic()
        assert await stage.seats.claim(guild.id, channel.id, "operation 1") is None
        await seated(stage, guild, channel)
        figures.slowest = max(figures.slowest, time.monotonic() - begun)
        figures.joins += 1
        whole = stage.seats.status(guild.id).problem is None
        figures.clean += whole
        stage.world.faults.voice.clear(guild.id)
        if not whole:
            stage.seats.refresh(guild.id)
            await seated(stage, guild, channel)
    stats = stage.world.voice_stats(guild)
    figures.identifies += stats.identifies
    figures.resumes += stats.resumes
    figures.struck.update(stats.refusals)


async def play(seed: int, figures: Figures, guild_count: int, rounds: int, arming: Arming) -> None:
    stage = SeatStage(seed)
    guilds = [stage.world.create_guild(f"Crew {number}") for number in range(guild_count)]
    await stage.start()
    try:
        dice = [random.Random(f"{seed} {number}") for number in range(guild_count)]
        await asyncio.gather(
            *(
                joins(stage, guild, die, figures=figures, rounds=rounds, arming=arming)
                for guild, die in zip(guilds, dice, strict=True)
            )
        )
        # All sit now: each by one connection, of which nothing is there twice.
        try:
            await stage.until(lambda: beyond_whole(stage.client) == [])
        except TimeoutError:
            raise AssertionError(beyond_whole(stage.client)) from None
        assert len(stage.client.voice_clients) == guild_count
    finally:
        await stage.stop()


async def play_all(size: Size, arming: Arming) -> Figures:
    """Play a plan, and see that the process holds afterwards what it held before."""
    worlds, guild_count, rounds = size
    figures, room = Figures(), asyncio.Semaphore(AT_ONCE)

    async def one(seed: int) -> None:
        async with room:
            await play(seed, figures, guild_count, rounds, arming)

    before = held()
    begun = time.monotonic()
    # All worlds are closed in order before the first failure is told.
    outcomes = await asyncio.gather(*(one(seed) for seed in range(worlds)), return_exceptions=True)
    print(f"\n{figures}\nin {time.monotonic() - begun:.0f} s; before {before}, after {held()}")
    if failures := [each for each in outcomes if isinstance(each, BaseException)]:
        raise failures[0]
    assert figures.joins == worlds * guild_count * rounds
    # The descriptors of the loop's own threads for blocking work are not of voice.
    assert (held().threads, held().tasks) == (before.threads, before.tasks)
    assert held().sockets <= before.sockets
    return figures


@pytest.fixture
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a try that is not answered end sooner than in earnest; the time is real."""
    monkeypatch.setattr(seat_joining, "CONNECT_SECONDS", 3.0)
    monkeypatch.setattr(seat_joining, "LEAVE_SECONDS", 1.0)
    monkeypatch.setattr(seat_joining, "UNSEATED_SECONDS", 0.2)


@pytest.mark.usefixtures("short_patience")
@pytest.mark.parametrize(
    "size",
    [
        pytest.param((2, 5, 2), id="20 joins", marks=pytest.mark.timeout(120)),
        pytest.param((20, 3, 5), id="300 joins", marks=[pytest.mark.soak, pytest.mark.timeout(900)]),
    ],
)
async def test_joins_with_up_to_two_faults_each(
    size: Size, record_testsuite_property: Callable[[str, object], None]
) -> None:
    figures = await play_all(size, arm)
    record_testsuite_property("voice_joins", str(figures))
    assert figures.clean == figures.joins


@pytest.mark.soak
@pytest.mark.timeout(1500)
@pytest.mark.usefixtures("short_patience")
async def test_a_thousand_joins_while_a_fifth_of_all_tries_fails(
    record_testsuite_property: Callable[[str, object], None],
) -> None:
    figures = await play_all((20, 5, 10), arm_at_random)
    record_testsuite_property("voice_joins_at_random", str(figures))
    assert figures.joins == 1000
    assert figures.struck.total() >= 150
    assert figures.clean >= 990

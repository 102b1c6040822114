"""Three hundred joins, each with up to two faults of the voice server, all by a seeded plan."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from support.seat_stage import SeatStage

from core.voice import seat_joining as seat
from sandbox.server.channels import Channel
from sandbox.server.guilds import Guild
from sandbox.server.voice.refusals import CODES, STEPS

STAGES, GUILDS, ROUNDS = 20, 3, 5
AT_ONCE = 5
PATIENCE = 60.0
DRAWN = [step for step in STEPS if step not in {"close", "no_resume"}]


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
    """Return once the seat, the client and the voice server agree, and nothing more is going to happen."""
    steady = 0
    deadline = time.monotonic() + PATIENCE
    while steady < 20:
        stats, status = stage.world.voice_stats(guild), stage.seats.status(guild.id)
        assert time.monotonic() < deadline, (stats, status)
        good = stats.connected and status.seated and stats.channel_id == channel.id
        steady = steady + 1 if good else 0
        if stage.clock.next_due() is not None:
            await stage.clock.advance(60)
        await asyncio.sleep(0.01)


async def joins(stage: SeatStage, guild: Guild, dice: random.Random, figures: Figures) -> None:
    """Let the bot come to one channel after the other of a guild."""
    channels = [guild.create_channel(name, 2) for name in ("Alpha", "Bravo")]
    await stage.until(lambda: all(stage.client.get_channel(each.id) for each in channels))
    for number in range(ROUNDS):
        channel = channels[number % 2]
        figures.faults_of_a_join[arm(stage, guild, dice)] += 1
        begun = time.monotonic()
        assert await stage.seats.claim(guild.id, channel.id, "operation 1") is None
        await seated(stage, guild, channel)
        figures.slowest = max(figures.slowest, time.monotonic() - begun)
        figures.joins += 1
        figures.clean += stage.seats.status(guild.id).problem is None
        stage.world.faults.voice.clear(guild.id)
    stats = stage.world.voice_stats(guild)
    figures.identifies += stats.identifies
    figures.resumes += stats.resumes
    figures.struck.update(stats.refusals)


async def play(seed: int, figures: Figures) -> None:
    stage = SeatStage(seed)
    guilds = [stage.world.create_guild(f"Crew {number}") for number in range(GUILDS)]
    await stage.start()
    try:
        dice = [random.Random(f"{seed} {number}") for number in range(GUILDS)]
        await asyncio.gather(
            *(joins(stage, guild, die, figures) for guild, die in zip(guilds, dice, strict=True))
        )
    finally:
        await stage.stop()


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_three_hundred_joins_with_faults(
    monkeypatch: pytest.MonkeyPatch, record_testsuite_property: Callable[[str, object], None]
) -> None:
    monkeypatch.setattr(seat, "CONNECT_SECONDS", 3.0)
    monkeypatch.setattr(seat, "LEAVE_SECONDS", 1.0)
    monkeypatch.setattr(seat, "UNSEATED_SECONDS", 0.2)
    figures = Figures()
    room = asyncio.Semaphore(AT_ONCE)

    async def one(seed: int) -> None:
        async with room:
            await play(seed, figures)

    begun = time.monotonic()
    await asyncio.gather(*(one(seed) for seed in range(STAGES)))
    took = time.monotonic() - begun
    print(f"\n{figures}\nin {took:.0f} s")
    record_testsuite_property("voice_joins", str(figures))
    assert figures.joins == STAGES * GUILDS * ROUNDS == 300
    assert figures.clean == figures.joins

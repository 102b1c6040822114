"""The seat against a voice server that refuses: in the end the bot sits where a human would expect it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from support.seat_stage import SeatStage
from support.voice_leftovers import beyond_whole

from core.voice import seat_joining

ONCE = [
    "no_answer",
    "no_server_update",
    "no_endpoint",
    "handshake",
    "close_after_hello",
    "session_invalid",
    "no_ready",
    "unknown_modes",
    "no_discovery",
    "mode_refused",
    "no_description",
]
#: Real seconds until a test gives up; on a busy machine a good try may be lost to the short time-outs too.
PATIENCE = 60.0


@pytest.fixture
async def stage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SeatStage]:
    monkeypatch.setattr(seat_joining, "CONNECT_SECONDS", 1.0)
    monkeypatch.setattr(seat_joining, "LEAVE_SECONDS", 0.5)
    monkeypatch.setattr(seat_joining, "UNSEATED_SECONDS", 0.1)
    made = SeatStage()
    await made.start()
    yield made
    await made.stop()


async def turn_until_connected(stage: SeatStage) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    stats = stage.world.voice_stats
    while not (stats(stage.guild).connected and stage.status().seated):
        assert asyncio.get_running_loop().time() < deadline, stats(stage.guild)
        if stage.clock.next_due() is not None:
            await stage.clock.advance(60)
        await asyncio.sleep(0.005)


async def turn_until_whole(stage: SeatStage) -> None:
    """Go on until nothing of an earlier try is left: on a slow machine a try may be lost even then."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    await turn_until_connected(stage)
    while wrong := beyond_whole(stage.client):
        assert asyncio.get_running_loop().time() < deadline, (wrong, stage.status())
        await asyncio.sleep(0.02)
        await turn_until_connected(stage)


@pytest.mark.parametrize("step", ONCE)
async def test_one_refusal_is_overcome(stage: SeatStage, step: str) -> None:
    refusal = stage.world.faults.voice.refuse(step)
    assert await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1") is None
    await turn_until_connected(stage)
    assert refusal.struck == 1
    assert stage.bot_channel() == stage.alpha.id
    assert stage.status().seated
    assert stage.status().problem is None
    assert stage.world.voice_stats(stage.guild).connected


@pytest.mark.parametrize("code", [4006, 4009, 4014, 4015, 4021, 4022])
async def test_a_close_right_after_connecting_is_overcome(stage: SeatStage, code: int) -> None:
    stage.world.faults.voice.refuse("close", code=code)
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await stage.until(lambda: stage.world.voice_stats(stage.guild).refusals["close"] == 1)
    await turn_until_connected(stage)
    assert stage.bot_channel() == stage.alpha.id


@pytest.mark.parametrize("step", ["no_server_update", "session_invalid", "unknown_modes"])
async def test_three_refusals_are_said_and_a_refresh_tries_again(stage: SeatStage, step: str) -> None:
    stage.world.faults.voice.refuse(step, times=None)
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while stage.status().problem is None:
        assert asyncio.get_running_loop().time() < deadline
        if stage.clock.next_due() is not None:
            await stage.clock.advance(60)
        await asyncio.sleep(0.005)
    await stage.seats.settled(stage.guild.id)
    problem = stage.status().problem
    assert problem is not None
    assert "Tracking goes on" in problem.words
    assert stage.bot_channel() is None
    stage.world.faults.voice.clear()
    stage.seats.refresh(stage.guild.id)
    await turn_until_connected(stage)


async def test_discord_py_gives_up_without_a_word_and_the_seat_does_not(stage: SeatStage) -> None:
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await stage.seats.settled(stage.guild.id)
    # Its reconnecting ends at the first handshake that is refused, while the bot is shown in the channel.
    refusal = stage.world.faults.voice.refuse("handshake")
    stage.world.faults.voice.close(4006)
    await stage.until(lambda: refusal.struck == 1)
    await turn_until_connected(stage)
    assert stage.bot_channel() == stage.alpha.id


async def test_a_crash_without_a_resume_is_overcome(stage: SeatStage) -> None:
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await stage.seats.settled(stage.guild.id)
    refusal = stage.world.faults.voice.refuse("no_resume")
    stage.world.faults.voice.close(4015)
    await stage.until(lambda: refusal.struck == 1)
    await turn_until_connected(stage)
    assert stage.bot_channel() == stage.alpha.id


@pytest.mark.parametrize("step", ["no_ready", "no_discovery", "no_description"])
async def test_another_region_that_does_not_answer_is_overcome(stage: SeatStage, step: str) -> None:
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await turn_until_connected(stage)
    # discord.py by itself would wait for this answer for ever.
    refusal = stage.world.faults.voice.refuse(step)
    stage.world.faults.voice.change_region()
    await stage.until(lambda: refusal.struck == 1)
    await turn_until_whole(stage)
    assert stage.bot_channel() == stage.alpha.id

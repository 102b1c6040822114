"""The bot's seat through the real discord.py client, on the Discord that runs on loopback."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from support.seat_stage import SeatStage


@pytest.fixture
async def stage() -> AsyncIterator[SeatStage]:
    made = SeatStage()
    await made.start()
    yield made
    await made.stop()


async def test_claim_move_and_release(stage: SeatStage) -> None:
    guild_id = stage.guild.id
    assert await stage.seats.claim(guild_id, stage.alpha.id, "operation 1") is None
    await stage.seats.settled(guild_id)
    assert stage.bot_channel() == stage.alpha.id
    status = stage.seats.status(guild_id)
    assert (status.channel_id, status.owner, status.seated, status.problem) == (
        stage.alpha.id,
        "operation 1",
        True,
        None,
    )
    assert await stage.seats.claim(guild_id, stage.beta.id, "operation 1") is None
    await stage.seats.settled(guild_id)
    assert stage.bot_channel() == stage.beta.id
    assert stage.seats.status(guild_id).seated
    await stage.seats.release(guild_id, "operation 1")
    await stage.seats.settled(guild_id)
    await stage.until(lambda: stage.bot_channel() is None)
    assert not stage.seats.status(guild_id).seated


async def test_the_next_claim_is_served_when_one_ends(stage: SeatStage) -> None:
    guild_id = stage.guild.id
    await stage.seats.claim(guild_id, stage.alpha.id, "first")
    await stage.seats.claim(guild_id, stage.beta.id, "second")
    await stage.seats.settled(guild_id)
    assert stage.bot_channel() == stage.alpha.id
    await stage.seats.release(guild_id, "first")
    await stage.seats.settled(guild_id)
    assert (stage.bot_channel(), stage.seats.status(guild_id).owner) == (stage.beta.id, "second")


async def test_what_is_missing_is_said_and_nothing_is_tried(stage: SeatStage) -> None:
    guild_id = stage.guild.id
    await stage.guild.add_member("quartz").join(stage.small)
    await stage.until(lambda: stage.client.get_channel(stage.small.id).voice_states)  # type: ignore[union-attr]
    closed = await stage.seats.claim(guild_id, stage.closed.id, "operation 1")
    full = await stage.seats.claim(guild_id, stage.small.id, "operation 1")
    assert closed is not None
    assert closed.words.endswith("Give my role there: Connect.")
    assert full is not None
    assert "is full (1)" in full.words
    await stage.seats.settled(guild_id)
    assert stage.bot_channel() is None


async def test_put_out_of_voice_the_bot_returns_a_few_times_only(stage: SeatStage) -> None:
    guild_id, bot_id = stage.guild.id, stage.world.bot_user.id
    await stage.seats.claim(guild_id, stage.alpha.id, "operation 1")
    await stage.seats.settled(guild_id)
    for _ in range(3):
        stage.world.voice.move(stage.guild, bot_id, None)
        await stage.until(lambda: stage.client.voice_clients == [] and stage.clock.next_due())
        await stage.clock.advance(60)
        await stage.seats.settled(guild_id)
        assert stage.bot_channel() == stage.alpha.id
    stage.world.voice.move(stage.guild, bot_id, None)
    await stage.until(lambda: stage.client.voice_clients == [])
    assert stage.clock.next_due() is None
    stage.seats.refresh(guild_id)
    await stage.seats.settled(guild_id)
    assert stage.bot_channel() == stage.alpha.id


async def test_the_seat_outlives_a_gateway_drop(stage: SeatStage) -> None:
    guild_id = stage.guild.id
    await stage.seats.claim(guild_id, stage.alpha.id, "operation 1")
    await stage.seats.settled(guild_id)
    stage.world.faults.drop_gateway()
    await stage.until(lambda: stage.client.resumed)
    stage.seats.refresh(guild_id)
    await stage.seats.settled(guild_id)
    assert stage.bot_channel() == stage.alpha.id
    assert stage.seats.status(guild_id).seated


async def test_moved_by_a_moderator_the_bot_stays_there(stage: SeatStage) -> None:
    guild_id = stage.guild.id
    await stage.seats.claim(guild_id, stage.alpha.id, "operation 1")
    await stage.seats.settled(guild_id)
    stage.world.voice.move(stage.guild, stage.world.bot_user.id, stage.beta.id)
    client = stage.client.voice_clients[0]
    await stage.until(lambda: client.channel.id == stage.beta.id)  # type: ignore[attr-defined]
    assert stage.clock.next_due() is None
    assert not stage.seats.status(guild_id).seated


async def test_joining_is_tried_three_times_with_growing_waits(
    stage: SeatStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = []

    async def connect(channel: discord.VoiceChannel, **options: Any) -> None:
        attempts.append(stage.clock.now())
        raise TimeoutError

    monkeypatch.setattr(discord.VoiceChannel, "connect", connect)
    guild_id = stage.guild.id
    assert await stage.seats.claim(guild_id, stage.alpha.id, "operation 1") is None
    for seconds in (1, 2):
        await stage.until(stage.clock.next_due)
        await stage.clock.advance(seconds)
    await stage.seats.settled(guild_id)
    waits = [(later - earlier).total_seconds() for earlier, later in itertools.pairwise(attempts)]
    assert waits == [1, 2]
    problem = stage.seats.status(guild_id).problem
    assert problem is not None
    assert "Tracking goes on" in problem.words


async def test_a_claim_that_ends_stops_further_attempts(
    stage: SeatStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0

    async def connect(channel: discord.VoiceChannel, **options: Any) -> None:
        nonlocal attempts
        attempts += 1
        raise discord.ClientException("no")

    monkeypatch.setattr(discord.VoiceChannel, "connect", connect)
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await stage.until(stage.clock.next_due)
    await stage.seats.release(stage.guild.id, "operation 1")
    await stage.clock.advance(5)
    await stage.seats.settled(stage.guild.id)
    assert attempts == 1
    assert stage.seats.status(stage.guild.id).channel_id is None


async def test_close_leaves_at_once_even_in_the_middle_of_joining(stage: SeatStage) -> None:
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await asyncio.sleep(0)
    await stage.seats.close()
    await stage.until(lambda: stage.bot_channel() is None)
    assert stage.client.voice_clients == []
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    assert stage.client.voice_clients == []

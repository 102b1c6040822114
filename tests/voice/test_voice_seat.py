"""The bot's seat through the real discord.py client, on the Discord that runs on loopback."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import discord
import pytest
from discord.gateway import DiscordVoiceWebSocket
from support.seat_stage import SeatStage
from support.voice_leftovers import beyond_whole

from core.voice import seat_joining


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


async def test_moved_by_hand_the_bot_comes_back_until_it_is_told_enough(stage: SeatStage) -> None:
    guild_id = stage.guild.id
    await stage.seats.claim(guild_id, stage.alpha.id, "operation 1")
    await stage.seats.settled(guild_id)
    for _ in range(3):
        await stage.move_bot(stage.beta)
        await stage.until(stage.clock.next_due)
        assert not stage.status().seated
        await stage.clock.advance(60)
        await stage.until(lambda: stage.status().seated)
        assert stage.bot_channel() == stage.alpha.id
    await stage.move_bot(stage.beta)
    await stage.until(lambda: stage.status().problem)
    assert stage.clock.next_due() is None
    assert [(each.channel_id, each.cause) for each in stage.told if each] == [(stage.alpha.id, "taken out")]
    # Dragged back, it is where it should be, and comes back again from then on.
    await stage.move_bot(stage.alpha)
    await stage.until(lambda: stage.clock.next_due() and stage.status().seated)
    await stage.clock.advance(60)
    await stage.seats.settled(guild_id)
    assert stage.told[-1] is None
    assert stage.status().problem is None
    await stage.move_bot(stage.beta)
    await stage.until(stage.clock.next_due)
    await stage.clock.advance(60)
    await stage.until(lambda: stage.status().seated)


async def test_after_a_long_time_in_its_seat_the_bot_comes_back_as_if_for_the_first_time(
    stage: SeatStage,
) -> None:
    guild_id = stage.guild.id
    await stage.seats.claim(guild_id, stage.alpha.id, "operation 1")
    await stage.seats.settled(guild_id)
    for _ in range(5):
        await stage.clock.advance(600)
        await stage.move_bot(None)
        await stage.until(lambda: stage.client.voice_clients == [] and stage.clock.next_due())
        await stage.clock.advance(5)
        await stage.until(lambda: stage.status().seated)


async def test_the_seat_outlives_a_change_of_region(stage: SeatStage) -> None:
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await stage.seats.settled(stage.guild.id)
    before = stage.world.voice_stats(stage.guild).identifies
    assert stage.world.faults.voice.change_region() == 1
    await stage.until(
        lambda: (
            stage.world.voice_stats(stage.guild).identifies > before
            and stage.world.voice_stats(stage.guild).connected
            and stage.status().seated
        )
    )
    assert stage.bot_channel() == stage.alpha.id
    await stage.until(lambda: beyond_whole(stage.client) == [])


async def test_in_a_stage_channel_the_bot_sits_in_the_audience(stage: SeatStage) -> None:
    channel = stage.guild.create_channel("Briefing", type=13)
    await stage.until(lambda: stage.client.get_channel(channel.id))
    assert await stage.seats.claim(stage.guild.id, channel.id, "operation 1") is None
    await stage.seats.settled(stage.guild.id)
    assert stage.status().seated
    assert stage.guild.voice_states[stage.world.bot_user.id].suppress


async def test_the_afk_channel_a_text_channel_and_one_that_is_gone_are_refused_in_words(
    stage: SeatStage,
) -> None:
    text, gone = stage.guild.create_channel("talk"), stage.guild.create_channel("Gone", type=2)
    stage.guild.set_afk_channel(stage.alpha)
    stage.guild.delete_channel(gone)
    await stage.until(lambda: (guild := stage.client.get_guild(stage.guild.id)) and guild.afk_channel)
    words = {}
    for channel in (stage.alpha, text, gone):
        problem = await stage.seats.claim(stage.guild.id, channel.id, "operation 1")
        assert problem is not None
        words[problem.cause] = problem.words
    assert words == {
        "afk": f"<#{stage.alpha.id}> is the AFK channel, where no time counts. Choose another.",
        "kind": "That is not a voice channel. Choose a voice channel.",
        "gone": "That channel is gone, or I may not see it.",
    }


async def test_a_bot_that_is_timed_out_says_so(stage: SeatStage) -> None:
    member = stage.guild.members[stage.world.bot_user.id]
    stage.guild.bot_role.permissions &= ~discord.Permissions(administrator=True).value  # type: ignore[union-attr]
    stage.guild.update_role(stage.guild.bot_role)  # type: ignore[arg-type]
    member.timed_out_until = discord.utils.utcnow() + timedelta(hours=1)
    stage.guild.update_member(member)
    guild = stage.client.get_guild(stage.guild.id)
    assert guild is not None
    await stage.until(guild.me.is_timed_out)
    problem = await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    assert problem is not None
    assert problem.words.endswith("Remove my time-out.")


async def test_a_claim_that_is_blocked_is_served_once_the_cause_is_gone(stage: SeatStage) -> None:
    guild_id = stage.guild.id
    problem = await stage.seats.claim(guild_id, stage.closed.id, "operation 1")
    assert problem is not None
    assert problem.cause == "missing connect"
    await stage.seats.claim(guild_id, stage.beta.id, "operation 2")
    await stage.seats.settled(guild_id)
    # Meanwhile the next one has the seat, and nothing that changes elsewhere moves it.
    assert stage.bot_channel() == stage.beta.id
    assert stage.seats.waiting == {guild_id}
    stage.seats.reconsider(guild_id)
    assert stage.status().owner == "operation 2"
    stage.closed.overwrites.clear()
    stage.guild.update_channel(stage.closed)
    await stage.until(lambda: stage.status().seated and stage.bot_channel() == stage.closed.id)
    assert stage.status().owner == "operation 1"
    assert stage.seats.waiting == set()


async def test_a_seat_that_is_free_again_is_taken(stage: SeatStage) -> None:
    quartz = stage.guild.add_member("quartz")
    await quartz.join(stage.small)
    await stage.until(lambda: stage.client.get_channel(stage.small.id).voice_states)  # type: ignore[union-attr]
    full = await stage.seats.claim(stage.guild.id, stage.small.id, "operation 1")
    assert full is not None
    assert full.cause == "full"
    await stage.seats.settled(stage.guild.id)
    await quartz.leave()
    await stage.until(lambda: stage.status().seated)
    assert stage.bot_channel() == stage.small.id


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


async def test_a_websocket_that_is_just_being_opened_is_closed_too(
    stage: SeatStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[DiscordVoiceWebSocket] = []

    async def identify(ws: DiscordVoiceWebSocket) -> None:
        opened.append(ws)
        await asyncio.Event().wait()

    monkeypatch.setattr(DiscordVoiceWebSocket, "identify", identify)
    monkeypatch.setattr(seat_joining, "CONNECT_SECONDS", 0.2)
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await stage.until(stage.clock.next_due)
    assert [each.ws.closed for each in opened] == [True]


async def test_close_leaves_at_once_even_in_the_middle_of_joining(stage: SeatStage) -> None:
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    await asyncio.sleep(0)
    await stage.seats.close()
    await stage.until(lambda: stage.bot_channel() is None)
    assert stage.client.voice_clients == []
    await stage.seats.claim(stage.guild.id, stage.alpha.id, "operation 1")
    assert stage.client.voice_clients == []

"""What the admins of a guild hear of the bot's seat: each cause once, and where Discord writes to them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import discord
import pytest
from support.waiting import until

from core.guilds.audit import page_of
from core.voice import seat_joining
from sandbox.server.channels import Channel, Overwrite
from sandbox.stage import Stage, open_stage

NO_CONNECT = discord.Permissions(connect=True).value
OWNER = "operations"


@pytest.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    async with open_stage(database_url, members=3) as made:
        await made.start_bot()
        yield made


def admins_read(stage: Stage, channel: Channel | None) -> None:
    """Make a channel the one for system messages."""
    guild = stage.scene.guild
    guild.settings["system_channel_id"] = None if channel is None else str(channel.id)
    guild.updated()


def allow_connecting(stage: Stage, channel: Channel, *, allowed: bool) -> None:
    """Give everybody the permission to connect, or take it."""
    everyone = stage.scene.guild.id
    channel.overwrites.pop(everyone, None)
    if not allowed:
        channel.overwrites[everyone] = Overwrite(everyone, 0, 0, NO_CONNECT)
    stage.scene.guild.update_channel(channel)


def said(stage: Stage, channel: Channel) -> list[str]:
    """The bot's messages in a channel, oldest first."""
    bot_id = str(stage.world.bot_user.id)
    return [each["content"] for each in stage.world.messages(channel.id) if each["author"]["id"] == bot_id]


async def changes(stage: Stage) -> list[tuple[str, str | None]]:
    """What the audit log says of seats, oldest first."""
    page = await stage.runtime.db.read(page_of, stage.scene.guild.id)
    return [(one.action, one.target) for one in reversed(page.changes) if one.action.startswith("seat.")]


async def test_a_cause_is_told_once_over_a_restart_too_and_another_one_anew(stage: Stage) -> None:
    guild, text = stage.scene.guild, stage.scene.text
    alpha = stage.scene.voice_channels[0]
    admins_read(stage, text)
    allow_connecting(stage, alpha, allowed=False)
    await stage.settle()
    for _ in range(2):
        for _ in range(3):
            problem = await stage.runtime.seats.claim(guild.id, alpha.id, OWNER)
            assert problem is not None
            assert problem.cause == "missing connect"
            await stage.runtime.seats.settled(guild.id)
            await stage.settle()
        await stage.stop_bot()
        await stage.start_bot()
    first = said(stage, text)
    assert len(first) == 1
    assert first[0].startswith("**Voice time is tracked, but I do not sit with you.**")
    assert f"I cannot join <#{alpha.id}>. Give my role there: Connect." in first[0]
    assert await changes(stage) == [("seat.problem", OWNER)]
    # Mended: the bot comes by itself, and says nothing; what is in the way next is told.
    await stage.runtime.seats.claim(guild.id, alpha.id, OWNER)
    await stage.settle()
    allow_connecting(stage, alpha, allowed=True)
    await until(lambda: stage.runtime.seats.status(guild.id).seated)
    await stage.settle()
    assert await changes(stage) == [("seat.problem", OWNER), ("seat.mended", OWNER)]
    guild.set_afk_channel(alpha)
    await stage.settle()
    await stage.runtime.seats.claim(guild.id, alpha.id, OWNER)
    await stage.runtime.seats.settled(guild.id)
    await stage.settle()
    second = said(stage, text)
    assert len(second) == 2
    assert "is the AFK channel" in second[1]


@pytest.mark.soak
async def test_a_cause_that_comes_and_goes_is_told_once_a_day(stage: Stage) -> None:
    guild, text, alpha = stage.scene.guild, stage.scene.text, stage.scene.voice_channels[0]
    admins_read(stage, text)
    for day in (1, 2):
        for _ in range(3):
            allow_connecting(stage, alpha, allowed=False)
            await stage.settle()
            await stage.runtime.seats.release(guild.id, OWNER)
            await stage.runtime.seats.settled(guild.id)
            await stage.runtime.seats.claim(guild.id, alpha.id, OWNER)
            await stage.runtime.seats.settled(guild.id)
            await stage.settle()
            allow_connecting(stage, alpha, allowed=True)
            await until(lambda: stage.runtime.seats.status(guild.id).seated)
            await stage.settle()
        assert len(said(stage, text)) == day
        await stage.advance(25 * 3600)


async def test_where_nobody_may_be_written_to_the_audit_log_has_it(stage: Stage) -> None:
    guild, alpha = stage.scene.guild, stage.scene.voice_channels[0]
    allow_connecting(stage, alpha, allowed=False)
    await stage.settle()
    await stage.runtime.seats.claim(guild.id, alpha.id, OWNER)
    await stage.runtime.seats.settled(guild.id)
    await stage.settle()
    assert said(stage, stage.scene.text) == []
    assert await changes(stage) == [("seat.problem", OWNER)]


async def test_tracking_goes_on_while_the_seat_is_fought_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seat_joining, "CONNECT_SECONDS", 3600.0)
    guild, alpha = stage.scene.guild, stage.scene.voice_channels[0]
    person = stage.scene.members[0]
    refusal = stage.world.faults.voice.refuse("no_server_update", times=None)
    await stage.runtime.seats.claim(guild.id, alpha.id, OWNER)
    await until(lambda: refusal.struck)
    await person.join(alpha)
    await until(lambda: any(one.user_id == person.id for one in stage.runtime.recorder.present_now(guild.id)))
    await asyncio.wait_for(stage.runtime.recorder.settled(guild.id), 60)
    assert not stage.runtime.seats.status(guild.id).seated

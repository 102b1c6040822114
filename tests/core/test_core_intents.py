"""Intents that plugins would like are asked for where Discord grants them, and done without elsewhere."""

from __future__ import annotations

import logging
from pathlib import Path

import discord
import pytest

from core.bot import withheld
from sandbox.stage import open_stage


@pytest.mark.parametrize("granted", [True, False])
async def test_the_bot_starts_with_and_without_the_members_intent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, granted: bool
) -> None:
    async with open_stage(f"sqlite:///{tmp_path / 'bot.sqlite3'}") as stage:
        if not granted:
            stage.world.privileged_intents.discard("members")
        with caplog.at_level(logging.WARNING):
            await stage.start_bot()
        assert stage.runtime.bot.intents.members is granted
        assert ("does not grant the application the intents members" in caplog.text) is not granted
        report = await stage.runtime.health.readiness.look()
        assert report.ready
        assert any("intents members" in note for note in report.notes) is not granted
        quartz, channel = stage.scene.members[0], stage.scene.voice_channels[0]
        for place in (channel, stage.scene.voice_channels[1]):
            await quartz.join(place)
            await stage.advance(60)
        ctx = stage.runtime.context_for("operations", stage.scene.guild.id)
        [session] = ctx.voice.open_sessions()
        assert (session.user_id, session.channel_id) == (quartz.id, stage.scene.voice_channels[1].id)


def test_an_unprivileged_wish_is_never_withheld() -> None:
    none = discord.ApplicationFlags()
    assert withheld(frozenset({"guild_scheduled_events"}), none) == ()
    assert withheld(frozenset({"members", "presences"}), none) == ("members", "presences")
    assert (
        withheld(frozenset({"members"}), discord.ApplicationFlags(gateway_guild_members_limited=True)) == ()
    )

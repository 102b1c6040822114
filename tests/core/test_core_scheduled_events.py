"""Scheduled events of a guild reach the plugins that ask for the intent, as copies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import discord
import pytest
from support.plugin_folder import PluginFolder

from core.events import ScheduledEventChanged
from sandbox.stage import Stage

Opener = Callable[..., AbstractAsyncContextManager[Stage]]
HEARS = "heard = []\n@hookimpl\nasync def on_scheduled_event_changed(event):\n    heard.append(event)"


@pytest.mark.parametrize("end", ["completed", "cancelled", "deleted"])
async def test_each_change_is_a_copy_of_its_moment(
    folder: PluginFolder, on_stage: Opener, lite: str, end: str
) -> None:
    folder.write("planner", HEARS, intents=["guild_scheduled_events"])
    folder.write("elsewhere", HEARS, intents=["guild_scheduled_events"])
    async with on_stage(lite, folder.selection("planner")) as stage:
        guild = stage.runtime.bot.get_guild(stage.scene.guild.id)
        assert guild is not None
        voice = stage.scene.voice_channels[0]
        channel = guild.get_channel(voice.id)
        assert isinstance(channel, discord.VoiceChannel)
        starts = stage.runtime.clock.now() + timedelta(hours=2)
        made = await guild.create_scheduled_event(
            name="Sunday mining",
            start_time=starts,
            channel=channel,
            entity_type=discord.EntityType.voice,
            privacy_level=discord.PrivacyLevel.guild_only,
        )
        await made.edit(name="Sunday mining, late")
        if end == "completed":
            await made.edit(status=discord.EventStatus.active)
        if end == "deleted":
            await made.delete()
        else:
            await made.edit(status=discord.EventStatus[end])
        await stage.settle()
        heard: list[ScheduledEventChanged] = folder.module("planner").heard
        first, renamed, *later = heard
        assert first == ScheduledEventChanged(
            guild.id, made.id, "created", "Sunday mining", "scheduled", starts, voice.id, first.at
        )
        assert (renamed.change, renamed.name, renamed.status) == (
            "updated",
            "Sunday mining, late",
            "scheduled",
        )
        assert [(each.change, each.status) for each in later] == {
            "completed": [("updated", "active"), ("updated", "completed")],
            "cancelled": [("updated", "cancelled")],
            "deleted": [("deleted", "scheduled")],
        }[end]
        assert folder.module("elsewhere").heard == []

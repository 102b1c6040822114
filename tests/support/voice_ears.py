"""A running bot on the sandbox with a plugin that only hears voice, for what the gateway does to sessions."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from support.plugin_folder import PluginFolder

from core.events import SessionRecord
from core.voice.store import sessions_between
from sandbox.server import Person
from sandbox.server.members import VoiceState
from sandbox.server.payloads import people
from sandbox.stage import Stage, open_stage

EARS = """
HEARD = []

@hookimpl
async def on_voice_session_started(ctx, event):
    HEARD.append(("started", ctx.guild_id, event.session.user_id, event.session.channel_id))

@hookimpl
async def on_voice_session_ended(ctx, event):
    HEARD.append(("ended", ctx.guild_id, event.session.user_id, event.session.channel_id))

@hookimpl
async def on_voice_session_moved(ctx, event):
    HEARD.append(("moved", ctx.guild_id, event.opened.user_id, event.opened.channel_id))
"""
SUNDAY = datetime.fromisoformat("2026-09-06T18:00+00:00")


class Ears:
    """What is played on, and what was recorded and heard."""

    def __init__(self, stage: Stage, heard: list[Any]) -> None:
        self.stage, self.scene, self.heard = stage, stage.scene, heard
        self.guild = stage.scene.guild

    async def rows(self, user_id: int, guild_id: int = 0, *, afk: bool = True) -> list[SessionRecord]:
        """Return a member's sessions, AFK ones too."""
        await self.stage.settle()
        guild, now, day = guild_id or self.guild.id, self.stage.world.clock.now(), timedelta(days=1)
        found: list[SessionRecord] = await self.stage.runtime.db.read(
            lambda: sessions_between(guild, now - day, now + day, user_id=user_id, afk=afk)
        )
        return found

    def hooks(self, user_id: int) -> list[str]:
        """Return what the plugin heard of a member."""
        return [what for what, _guild, user, _channel in self.heard if user == user_id]

    def say(self, person: Person, channel_id: int | None, *, member: bool = True, **flags: Any) -> None:
        """Send a voice state over the gateway that the sandbox's own world would not send."""
        state = VoiceState(person.id, self.guild.id, channel_id, "s", **flags)
        data = people.voice_state(state, person.member)
        if not member:
            del data["member"]
        self.stage.world.hub.dispatch("VOICE_STATE_UPDATE", data, guild_id=self.guild.id)

    def say_removed(self, person: Person) -> None:
        """Send that a member is gone, without what follows from it."""
        data = {"guild_id": str(self.guild.id), "user": people.user(person.user)}
        self.stage.world.hub.dispatch("GUILD_MEMBER_REMOVE", data, guild_id=self.guild.id)


@asynccontextmanager
async def open_ears(
    path: Path, *, start: datetime = SUNDAY, members: int = 12, intents: tuple[str, ...] = ("members",)
) -> AsyncIterator[Ears]:
    """Start the bot with the plugin on in every guild.

    :param path: an empty folder.
    :param intents: what the plugin asks for beyond voice.
    """
    folder = PluginFolder(path / "plugins")
    folder.write("ears", EARS, records_voice=True, intents=list(intents))
    try:
        url = f"sqlite:///{path / 'bot.sqlite3'}"
        async with open_stage(
            url, plugins=folder.selection("ears"), start=start, members=members, channels=5
        ) as stage:
            await stage.start_bot()
            yield Ears(stage, folder.module("ears").HEARD)
    finally:
        folder.forget()

"""Our bot on a sandbox with a plugin that only asks for voice, and the truth beside it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from support.plugin_folder import PluginFolder
from support.voice_process import all_rows, last_sight
from support.voice_truth import Blind, Evening

from core.database import Database, open_database
from core.events import SessionRecord
from sandbox.server import Person
from sandbox.server.channels import Channel
from sandbox.stage import Stage, open_stage

START = datetime(2026, 3, 1, 18, tzinfo=UTC)
LIMIT = timedelta(minutes=15)


class VoiceStage:
    """A stage on which people act through the world, and every act is noted.

    :param stage: opened; its bot is started by whoever wants it.
    :param limit: the bot's gap limit.
    """

    def __init__(self, stage: Stage, limit: timedelta) -> None:
        self.stage, self.world, self.scene = stage, stage.world, stage.scene
        self.guild = stage.scene.guild
        self.alpha, self.beta, self.gamma = stage.scene.voice_channels[:3]
        self.people = stage.scene.members
        stage.settings = replace(stage.settings, voice_gap_limit=limit)
        self.evening = Evening(stage.scene.afk.id, limit)
        self.world.voice.on_member_moved = self._noted(self.world.voice.on_member_moved)

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return self.world.clock.now()

    async def sit(self, people: Iterable[Person], channel: Channel | None) -> None:
        """Let people sit down somewhere, or leave."""
        for person in people:
            if channel is not None:
                await person.join(channel)
            elif person.channel_id is not None:
                await person.leave()

    def unseen(
        self,
        since: datetime,
        *changed: Person,
        left: datetime | None = None,
        noticed: datetime | None = None,
    ) -> None:
        """Note that the bot saw nothing since then, and who changed; it sees again now.

        :param left: the last proof that it lived, where that is earlier.
        :param noticed: when it noticed, where that is later.
        """
        users = frozenset(person.id for person in changed)
        self.evening.blinds.append(Blind(left or since, self.now, since, noticed or since, users))

    async def rows(self, who: Person | None = None, guild_id: int | None = None) -> list[SessionRecord]:
        """Return the rows of a member, or of all, oldest first."""
        await self.stage.settle()
        found: list[SessionRecord] = await self.stage.runtime.db.read(all_rows, guild_id or self.guild.id)
        return sorted((row for row in found if who is None or row.user_id == who.id), key=lambda row: row.id)

    async def check(self) -> None:
        """Compare all rows with the truth.

        :raises AssertionError: they are not within the bounds.
        """
        rows = await self.rows()
        wrong = self.evening.wrongs(rows, self.now)
        seated = {user: state.channel_id for user, state in self.guild.voice_states.items()}
        open_rows = {row.user_id: row.channel_id for row in rows if row.left is None}
        if open_rows != seated:
            wrong.append(f"open are {open_rows}, seated {seated}")
        assert not wrong, "\n".join(wrong)

    async def last_beat(self) -> datetime:
        """Return until when the guild was last seen, read while no bot runs."""
        database: Database = open_database(self.stage.settings.database_url)
        await database.start()
        try:
            beat = await database.read(last_sight, self.guild.id)
        finally:
            await database.close()
        assert isinstance(beat, datetime)
        return beat

    def _noted(self, before):  # type: ignore[no-untyped-def]
        def moved(guild, user_id, was, channel_id):  # type: ignore[no-untyped-def]
            before(guild, user_id, was, channel_id)
            if guild is self.guild and user_id != self.world.bot_user.id:
                self.evening.sit(user_id, channel_id, self.now)

        return moved


@contextlib.asynccontextmanager
async def voice_stage(
    url: str,
    folder: Path,
    *,
    limit: timedelta = LIMIT,
    members: int = 6,
    intents: tuple[str, ...] = (),
    start_bot: bool = True,
) -> AsyncIterator[VoiceStage]:
    """Open a stage with a plugin that records voice; its bot runs unless told otherwise."""
    plugins = PluginFolder(folder / "plugins")
    plugins.write("ears", records_voice=True, intents=list(intents))
    try:
        async with open_stage(
            url, plugins=plugins.selection("ears"), start=START, members=members, channels=4
        ) as stage:
            made = VoiceStage(stage, limit)
            if start_bot:
                await stage.start_bot()
            yield made
    finally:
        plugins.forget()

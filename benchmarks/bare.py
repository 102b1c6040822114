"""The baselines: discord.py alone, as somebody would write it who uses no framework."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import aiohttp
import discord
from discord import app_commands

from benchmarks.talk import Job, Line

ANSWER = "Here."


class BareBot(discord.AutoShardedClient):
    """A client with one command, or one listener, or nothing at all.

    :param on_event: called with every voice event, in the listener.
    """

    def __init__(
        self,
        job: Job,
        line: Line,
        on_event: Callable[[discord.Member, discord.VoiceState], None] | None = None,
    ) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, voice_states=True),
            connector=aiohttp.UnixConnector(path=job.socket, limit=0),
            guild_ready_timeout=job.ready_timeout,
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self._job = job
        self._line = line
        self._on_event = on_event
        self._heard = 0
        self._stamps: list[float] | None = [] if job.task == "scale" else None
        if job.task in {"voice", "commits", "scale"}:
            # Only where it is asked for: discord.py starts a task for each event that has a listener.
            self.on_voice_state_update = self._voice

    async def setup_hook(self) -> None:
        """Register the command that is measured."""
        if self._job.task == "slash":
            tree = app_commands.CommandTree(self)

            @tree.command(name="probe", description="Answer at once")
            async def probe(interaction: discord.Interaction[discord.Client]) -> None:
                await interaction.response.send_message(ANSWER)

            await tree.sync()

    async def on_ready(self) -> None:
        """Tell the measurer."""
        self._line.say("ready")

    async def _voice(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        if self._on_event is not None:
            self._on_event(member, after)
        if self._stamps is not None:
            self._stamps.append(time.monotonic())
        self._heard += 1
        if self._heard % self._job.events == 0:
            self._line.say("done")
            self._line.say("idle", stamps=self._stamps or [])
            if self._stamps:
                self._stamps.clear()


async def run(job: Job, on_event: Callable[[discord.Member, discord.VoiceState], None] | None = None) -> None:
    """Run the bot until the measurer says stop."""
    line = Line()
    async with BareBot(job, line, on_event) as bot:
        running = asyncio.create_task(bot.start(job.token))
        stopped = asyncio.create_task(line.stopped.wait())
        await asyncio.wait({running, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        await bot.close()
        await running


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(run(Job.from_command_line()))

"""A sandbox with one guild and more, and a plain client whose only feature is its seats."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
import discord

from core.clock import SteppedClock
from core.voice.seat import SeatProblem, Seats, SeatStatus
from core.voice.seat_joining import sits_in
from sandbox.server import SandboxServer, World, WorldClock
from sandbox.server.channels import Channel

NO_CONNECT = discord.Permissions(connect=True).value
NO_MOVING = discord.Permissions(move_members=True).value


@dataclass(frozen=True, slots=True)
class Told:
    """What the seats said of a claim that is not served."""

    guild_id: int
    owner: str
    channel_id: int
    cause: str


class SeatClient(discord.Client):
    """A plain client that tells its seats of its own voice states."""

    def __init__(self, connector: aiohttp.BaseConnector, clock: SteppedClock) -> None:
        super().__init__(
            intents=discord.Intents(guilds=True, voice_states=True),
            connector=connector,
            guild_ready_timeout=0.1,
            max_messages=None,
        )
        self.told: list[Told | None] = []
        self.seats = Seats(self, clock, jitter=lambda: 0.5, tell=self._tell)
        self.changed = asyncio.Condition()
        self.resumed = 0

    def _tell(self, guild_id: int, owner: str, channel_id: int, problem: SeatProblem | None) -> None:
        self.told.append(None if problem is None else Told(guild_id, owner, channel_id, problem.cause))

    async def on_guild_channel_update(
        self, before: discord.abc.GuildChannel, after: discord.abc.GuildChannel
    ) -> None:
        self.seats.reconsider(after.guild.id)

    async def on_resumed(self) -> None:
        self.resumed += 1

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        if member == member.guild.me:
            self.seats.own_state(member.guild.id, after.channel.id if after.channel else None)
        else:
            self.seats.reconsider(member.guild.id)
        async with self.changed:
            self.changed.notify_all()


class SeatStage:
    """A sandbox with one guild, and a client that is logged in to it."""

    def __init__(self, seed: int = 1) -> None:
        start = datetime(2026, 3, 1, 18, tzinfo=UTC)
        self.clock = SteppedClock(start)
        # Ids come from the time, and what is drawn for a guild from its id.
        self.world = World(clock=WorldClock(start), seed=seed)
        self.guild = self.world.create_guild("Red Legion")
        self.alpha = self.guild.create_channel("Alpha", type=2)
        self.beta = self.guild.create_channel("Beta", type=2)
        self.small = self.guild.create_channel(
            "Small", type=2, user_limit=1, overwrites={self.guild.id: (0, NO_MOVING)}
        )
        self.closed = self.guild.create_channel("Closed", type=2, overwrites={self.guild.id: (0, NO_CONNECT)})
        self.server = SandboxServer(self.world)
        self.client: SeatClient

    async def start(self) -> None:
        await self.server.start()
        addresses = self.server.addresses
        assert addresses.socket is not None
        self.client = SeatClient(aiohttp.UnixConnector(path=addresses.socket), self.clock)
        self.gateway = asyncio.create_task(self.client.start(addresses.token))
        ready = asyncio.create_task(self.client.wait_until_ready())
        await asyncio.wait({self.gateway, ready}, timeout=60, return_when=asyncio.FIRST_COMPLETED)
        assert ready.done(), "the client did not get ready"

    async def stop(self) -> None:
        await self.seats.close()
        await self.client.close()
        await asyncio.wait({self.gateway}, timeout=60)
        await self.server.close()

    @property
    def seats(self) -> Seats:
        return self.client.seats

    @property
    def told(self) -> list[Told | None]:
        """What the seats said of their claims, None for one that is served."""
        return self.client.told

    async def move_bot(self, channel: Channel | None) -> None:
        """Move the bot by hand, and return once its connection has followed."""
        channel_id = None if channel is None else channel.id
        self.world.voice.move(self.guild, self.world.bot_user.id, channel_id)
        guild = self.client.get_guild(self.guild.id)
        assert guild is not None
        if channel_id is None:
            await self.until(lambda: guild.voice_client is None)
        else:
            await self.until(
                lambda: (
                    sits_in(guild.voice_client, channel_id) and self.world.voice_stats(self.guild).connected
                )
            )

    def bot_channel(self) -> int | None:
        """Where the sandbox says the bot sits."""
        state = self.guild.voice_states.get(self.world.bot_user.id)
        return None if state is None else state.channel_id

    async def until(self, true: Callable[[], Any]) -> None:
        async def wait() -> None:
            while not true():
                async with self.client.changed:
                    try:
                        await asyncio.wait_for(self.client.changed.wait(), 0.02)
                    except TimeoutError:
                        continue

        await asyncio.wait_for(wait(), 60)

    def status(self) -> SeatStatus:
        """What the seats say of themselves in the one guild."""
        return self.seats.status(self.guild.id)

"""The Discord that is measured on: guilds of a plain shape, served by the measurer's own process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.talk import Job
from core.bot import GUILD_READY_TIMEOUT
from sandbox.server import Person, SandboxServer, World
from sandbox.server.channels import Channel
from sandbox.server.guilds import Guild

TEXT, VOICE = 0, 2


@dataclass(frozen=True, slots=True)
class Place:
    """A guild with a text channel, voice channels and people who sit nowhere yet."""

    guild: Guild
    text: Channel
    voice: list[Channel]
    people: list[Person]


class Scene:
    """A world that is being served, all for one bot.

    :param places: its guilds.
    """

    def __init__(self, world: World, server: SandboxServer, places: list[Place]) -> None:
        self.world = world
        self.places = places
        self._server = server

    def job(
        self,
        task: str,
        *,
        events: int = 0,
        database_url: str = "",
        plugins: tuple[str, ...] = (),
        on_by_default: tuple[str, ...] = (),
    ) -> Job:
        """Return the job of the bot on this scene; everything but the address is as for `Job`."""
        return Job(
            task=task,
            socket=str(self._server.addresses.socket),
            token=self.world.token,
            ready_timeout=GUILD_READY_TIMEOUT,
            events=events,
            database_url=database_url,
            plugins=plugins,
            on_by_default=on_by_default,
        )


@asynccontextmanager
async def open_scene(*, guilds: int = 1, people: int = 20, voice_channels: int = 7) -> AsyncIterator[Scene]:
    """Serve guilds of this shape until the block ends; nothing is recorded in the sandbox's log.

    :param people: members of each guild, besides its owner and the bot.
    """
    world = World(bot_name="red-legion")
    world.log.enabled = False
    places = [_place(world, number, people, voice_channels) for number in range(guilds)]
    server = SandboxServer(world)
    await server.start()
    try:
        yield Scene(world, server, places)
    finally:
        await server.close()


def _place(world: World, number: int, people: int, voice_channels: int) -> Place:
    guild = world.create_guild(f"Guild {number}", owner=f"owner_{number}")
    roles = [guild.create_role(f"Role {each}") for each in range(5)]
    text = guild.create_channel("general", type=TEXT)
    voice = [guild.create_channel(f"Channel {each}", type=VOICE) for each in range(voice_channels)]
    members = [
        guild.add_member(f"miner_{number}_{each}", roles=[roles[each % len(roles)]]) for each in range(people)
    ]
    return Place(guild, text, voice, members)

"""An AutoShardedBot with two shards: each hears of its own guilds, and comes back alone."""

from __future__ import annotations

import asyncio
from typing import Any

from discord.ext import commands
from support.loopback import Place, eventually
from support.tutorials import AtOnce, options, running


class Sharded(AtOnce, commands.AutoShardedBot):
    """Counts what its shards tell."""

    def __init__(self, **named: Any) -> None:
        super().__init__("!", **named)
        self.resumed: asyncio.Queue[int] = asyncio.Queue()
        self.ready_shards: set[int] = set()

    async def on_shard_ready(self, shard_id: int) -> None:
        self.ready_shards.add(shard_id)

    async def on_shard_resumed(self, shard_id: int) -> None:
        self.resumed.put_nowait(shard_id)


async def test_two_shards_share_the_guilds_and_one_resumes_alone(place: Place) -> None:
    guilds = [place.guild]
    while {(one.id >> 22) % 2 for one in guilds} != {0, 1}:
        guilds.append(place.world.create_guild(f"Haulers {len(guilds)}"))
    bot = Sharded(shard_count=2, **options(place))

    @bot.command()
    async def where(ctx: commands.Context[Any]) -> None:
        assert ctx.guild is not None
        await ctx.send(f"shard {ctx.guild.shard_id} of {bot.shard_count}")

    async with running(bot, place):
        await eventually(lambda: bot.ready_shards == {0, 1})
        assert {guild.id for guild in bot.guilds} == {one.id for one in guilds}
        assert {session.shard for session in place.world.hub.sessions.values()} == {(0, 2), (1, 2)}
        for guild in guilds:
            seen = bot.get_guild(guild.id)
            assert seen is not None
            assert seen.shard_id == (guild.id >> 22) % 2
        assert place.world.faults.drop_gateway(place.guild.id) == 1
        assert await asyncio.wait_for(bot.resumed.get(), 60) == (place.guild.id >> 22) % 2
        await place.quartz.send(place.text, "!where")
        said = await eventually(
            lambda: [one for one in place.world.messages(place.text.id) if one["author"].get("bot")]
        )
        assert said[0]["content"] == f"shard {(place.guild.id >> 22) % 2} of 2"


async def test_the_number_of_shards_is_asked_for(place: Place) -> None:
    place.world.gateway.shards = 2
    place.world.gateway.max_concurrency = 2
    bot = Sharded(**options(place))
    async with running(bot, place):
        await eventually(lambda: bot.ready_shards == {0, 1})
        assert bot.shard_count == 2

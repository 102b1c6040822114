"""Several shards: each has its guilds, and a real sharded client brings them together."""

from __future__ import annotations

import asyncio

import aiohttp
import discord
import pytest
from support.loopback import Place, eventually
from support.raw_gateway import raw_gateway

SHARDS = 3


@pytest.fixture
def guilds(place: Place) -> dict[int, set[str]]:
    """Found guilds until every shard has one; returns the names of each shard's."""
    found: dict[int, set[str]] = {shard: set() for shard in range(SHARDS)}
    found[(place.guild.id >> 22) % SHARDS].add(place.guild.name)
    number = 0
    while not all(found.values()):
        number += 1
        guild = place.world.create_guild(f"Crew {number}")
        found[(guild.id >> 22) % SHARDS].add(guild.name)
    return found


async def test_each_shard_has_its_own_guilds_and_events(place: Place, guilds: dict[int, set[str]]) -> None:
    for shard, names in guilds.items():
        async with raw_gateway(place.server) as gateway:
            ready = await gateway.ready(guilds=0, shard=[shard, SHARDS])
            assert ready["shard"] == [shard, SHARDS]
            assert len(ready["guilds"]) == len(names)
            seen = {(await gateway.until("GUILD_CREATE"))["name"] for _ in names}
            assert seen == names
            await place.quartz.join(
                place.alpha if place.quartz.channel_id == place.dispatch.id else place.dispatch
            )
            assert await gateway.silent() is not ((place.guild.id >> 22) % SHARDS == shard)


async def test_direct_messages_go_to_shard_0(place: Place) -> None:
    channel = place.world.direct_channel(place.quartz.id)
    async with raw_gateway(place.server) as first, raw_gateway(place.server) as second:
        await first.ready(guilds=0, shard=[0, 2])
        await second.ready(guilds=0, shard=[1, 2])
        place.world.messages_room.create(channel, place.quartz.user, {"content": "psst"})
        message = await first.until("MESSAGE_CREATE")
        assert message["content"] == "psst"
        assert "guild_id" not in message
        frames = [second.sequence]
        await second.say(1, None)
        while (frame := await second.next())["op"] != 11:
            frames.append(frame["t"])
        assert "MESSAGE_CREATE" not in frames


async def test_a_sharded_client_has_every_guild(place: Place, guilds: dict[int, set[str]]) -> None:
    place.world.gateway.shards = SHARDS
    socket = place.server.addresses.socket
    assert socket is not None

    class Client(discord.AutoShardedClient):
        async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
            """Skip discord.py's wait of 5 s before each further identify."""

    client = Client(
        intents=discord.Intents.all(),
        connector=aiohttp.UnixConnector(path=socket, limit=0),
        guild_ready_timeout=0.05,
    )
    running = asyncio.create_task(client.start(place.world.token))
    try:
        await eventually(client.is_ready)
        assert sorted(client.shards) == list(range(SHARDS))
        for shard, names in guilds.items():
            assert {guild.name for guild in client.guilds if guild.shard_id == shard} == names
        mine = client.shards[(place.guild.id >> 22) % SHARDS]
        place.world.faults.drop_gateway(place.guild.id)
        await place.quartz.join(place.dispatch)
        channel = client.get_channel(place.dispatch.id)
        assert isinstance(channel, discord.VoiceChannel)
        await eventually(lambda: [member.name for member in channel.members] == ["quartz"])
        assert not mine.is_closed()
    finally:
        await client.close()
        await running

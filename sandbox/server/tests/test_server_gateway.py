"""The gateway: login, events, intents, resumes, and everything that breaks on purpose."""

from __future__ import annotations

import asyncio

import aiohttp
import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually


async def test_login_sees_guild_members_and_voice(place: Place) -> None:
    await place.quartz.join(place.dispatch)
    bot = LoopbackBot(place.server)
    await bot.begin(place.world.token)
    try:
        guild = bot.guilds[0]
        assert guild.name == "Ember Prospectors"
        assert {member.name for member in guild.members} == {"opal", "quartz", "beryl", "robot"}
        assert [channel.name for channel in guild.voice_channels] == ["Dispatch", "Alpha"]
        assert [member.name for member in guild.voice_channels[0].members] == ["quartz"]
        assert guild.me.guild_permissions.connect
    finally:
        await bot.end()


async def test_wrong_token_is_refused_by_rest_and_gateway(place: Place) -> None:
    bot = LoopbackBot(place.server)
    with pytest.raises(discord.LoginFailure):
        await bot.begin("wrong")
    await bot.end()
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(place.server.addresses.gateway) as socket,
    ):
        assert (await socket.receive_json())["op"] == 10
        await socket.send_json({"op": 2, "d": {"token": "wrong", "intents": 0, "properties": {}}})
        assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE
        assert socket.close_code == 4004


async def test_privileged_intents_can_be_withheld(place: Place) -> None:
    place.world.privileged_intents = {"members"}
    bot = LoopbackBot(place.server)
    with pytest.raises(discord.PrivilegedIntentsRequired):
        await bot.begin(place.world.token)
    await bot.end()


async def test_without_the_members_intent_only_those_in_voice_are_known(place: Place) -> None:
    await place.quartz.join(place.dispatch)
    bot = LoopbackBot(place.server, intents=discord.Intents.default())
    await bot.begin(place.world.token)
    try:
        assert bot.guilds[0].get_member(place.quartz.id) is not None
        assert bot.guilds[0].get_member(place.beryl.id) is None
    finally:
        await bot.end()


async def test_many_members_come_in_chunks(place: Place) -> None:
    for number in range(300):
        place.guild.add_member(f"miner{number}")
    bot = LoopbackBot(place.server)
    await bot.begin(place.world.token)
    try:
        await eventually(lambda: bot.guilds[0].chunked)
        assert len(bot.guilds[0].members) == 304
    finally:
        await bot.end()


async def test_voice_events_arrive_in_order(place: Place, bot: LoopbackBot) -> None:
    await place.quartz.join(place.dispatch)
    await bot.until("voice_state_update", 1)
    await place.quartz.move(place.alpha)
    await bot.until("voice_state_update", 2)
    await place.quartz.leave()
    await bot.until("voice_state_update", 3)
    assert bot.heard == [("quartz", None), ("quartz", "Dispatch"), ("quartz", "Alpha")]


async def test_dropped_connection_resumes_with_what_was_missed(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.drop_gateway()
    await place.quartz.join(place.dispatch)
    await place.beryl.join(place.alpha)
    await bot.until("resumed")
    await bot.until("voice_state_update", 2)
    assert {name for name, _ in bot.heard} == {"quartz", "beryl"}
    assert bot.count["ready"] == 1


async def test_held_line_lets_nobody_in_until_its_time_has_passed(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.drop_gateway(hold_seconds=20, park=True)
    await place.world.clock.advance(10)
    await place.quartz.join(place.dispatch)
    assert place.world.hub.sequences() == {}
    async with aiohttp.ClientSession() as session:
        place.world.hub.parked = False
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(place.server.addresses.gateway)
        place.world.hub.parked = True
    await place.world.clock.advance(10)
    await bot.until("resumed")
    await bot.until("voice_state_update")


async def test_time_waits_for_a_bot_that_a_fault_threw_out(place: Place, bot: LoopbackBot) -> None:
    for times, fault in enumerate(
        (
            place.world.faults.drop_gateway,
            lambda: place.world.faults.drop_gateway(hold_seconds=20, park=True),
            place.world.faults.reconnect,
            lambda: place.world.faults.invalid_session(resumable=True),
        ),
        start=1,
    ):
        fault()
        await place.world.clock.advance(3600)
        await bot.until("resumed", times)
    assert bot.count["ready"] == 1


async def test_reconnect_and_both_invalid_sessions(place: Place, bot: LoopbackBot) -> None:
    assert place.world.faults.reconnect() == 1
    await bot.until("resumed", 1)
    assert place.world.faults.invalid_session(resumable=True) == 1
    await bot.until("resumed", 2)
    assert place.world.faults.invalid_session(resumable=False) == 1
    await bot.until("ready", 2)


async def test_lost_session_expires(place: Place, bot: LoopbackBot) -> None:
    session = next(iter(place.world.hub.sessions.values()))
    place.world.faults.drop_gateway(hold_seconds=400, park=True)
    await place.world.clock.advance(400)
    assert session.id not in place.world.hub.sessions
    await bot.until("ready", 2)


async def test_resume_of_an_unknown_session_is_answered_by_op_9(place: Place) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(place.server.addresses.gateway) as socket,
    ):
        await socket.receive_json()
        await socket.send_json({"op": 6, "d": {"token": place.world.token, "session_id": "gone", "seq": 3}})
        assert (await socket.receive_json())["op"] == 9


@pytest.mark.parametrize(
    ("frame", "code"),
    [("not json", 4002), ('{"op": 99}', 4001), ('{"op": 4, "d": {}}', 4003), ('{"op": 2, "d": 5}', 4002)],
)
async def test_bad_frames_close_the_connection(place: Place, frame: str, code: int) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(place.server.addresses.gateway) as socket,
    ):
        await socket.receive_json()
        await socket.send_str(frame)
        await socket.receive()
        assert socket.close_code == code


async def test_latency_is_measured_sanely(place: Place, bot: LoopbackBot) -> None:
    await eventually(lambda: bot.latency < 1)
    assert 0 < bot.latency < 1


async def test_guild_changes_reach_the_bot(place: Place, bot: LoopbackBot) -> None:
    garnet = place.guild.add_member("garnet")
    await bot.until("member_join")
    place.guild.set_roles(
        garnet, [next(role for role in place.guild.roles.values() if role.name == "Officer")]
    )
    await bot.until("member_update")
    await garnet.join(place.alpha)
    place.guild.remove_member(garnet)
    await bot.until("member_remove")
    place.guild.delete_channel(place.alpha)
    await bot.until("guild_channel_delete")
    second = place.world.create_guild("Basalt Haulers", owner="obsidian")
    await bot.until("guild_join")
    second.remove_bot()
    await bot.until("guild_remove")


async def test_join_to_create_hub_moves_and_tidies_up(place: Place, bot: LoopbackBot) -> None:
    entry = place.guild.create_channel("Create a crew", 2)
    place.guild.create_hub(entry, "{name}'s crew")
    await place.quartz.join(entry)
    assert place.quartz.channel_id == entry.id
    await place.world.clock.advance(1)
    made = place.guild.channel_named("Quartz's crew")
    assert place.quartz.channel_id == made.id
    assert 0 < place.world.truth.seconds(place.guild.id, place.quartz.id, [entry.id]) < 1
    await place.quartz.move(place.alpha)
    await place.world.clock.advance(1)
    assert made.id not in place.guild.channels
    await bot.until("guild_channel_delete")


async def test_server_gives_everything_back(place: Place) -> None:
    bots = [LoopbackBot(place.server) for _ in range(2)]
    await asyncio.gather(*(bot.begin(place.world.token) for bot in bots))
    assert len(place.world.hub.sequences()) == 2
    await asyncio.gather(*(bot.end() for bot in bots))
    await eventually(lambda: not place.world.hub.sequences())


async def test_a_sharded_client_logs_in_by_gateway_bot(place: Place) -> None:
    socket = place.server.addresses.socket
    assert socket is not None
    client = discord.AutoShardedClient(
        intents=discord.Intents.all(),
        connector=aiohttp.UnixConnector(path=socket, limit=0),
        guild_ready_timeout=0.05,
    )
    running = asyncio.create_task(client.start(place.world.token))
    await eventually(client.is_ready)
    assert list(client.shards) == [0]
    assert [guild.name for guild in client.guilds] == ["Ember Prospectors"]
    await client.close()
    await running

"""Dispatches that are held, doubled, mixed up, late or lost, and what a resume makes of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually, refused
from support.raw_gateway import RawGateway, raw_gateway

from sandbox.server import Refused


@pytest.fixture
async def gateway(place: Place) -> AsyncIterator[RawGateway]:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        yield gateway


async def to_and_fro(place: Place, times: int) -> None:
    """Let quartz sit down in another channel so many times."""
    for _ in range(times):
        await place.quartz.join(
            place.alpha if place.quartz.channel_id == place.dispatch.id else place.dispatch
        )


async def test_what_is_held_leaves_in_one_piece(place: Place, gateway: RawGateway) -> None:
    assert place.world.faults.hold() == 1
    await to_and_fro(place, 50)
    assert await gateway.silent()
    assert place.world.faults.release() == 50
    first = gateway.sequence + 1
    assert await gateway.dispatches(50) == [(first + each, "VOICE_STATE_UPDATE") for each in range(50)]
    await to_and_fro(place, 1)
    assert await gateway.dispatches(1) == [(first + 50, "VOICE_STATE_UPDATE")]


async def test_a_burst_is_one_write_to_the_socket(place: Place) -> None:
    where = urlsplit(place.server.addresses.gateway)
    reader, writer = await asyncio.open_connection(where.hostname, where.port)
    writer.write(
        b"GET /?v=10 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await reader.readuntil(b"heartbeat_interval")
    identify = b'{"op":2,"d":{"token":"%s","intents":128,"properties":{}}}' % place.world.token.encode()
    writer.write(b"\x81\xfe" + len(identify).to_bytes(2, "big") + bytes(4) + identify)
    await reader.readuntil(b'"t":"READY"')
    place.world.faults.hold()
    await to_and_fro(place, 20)
    # Of READY, which may come in pieces, nothing is left once an ACK has been read.
    writer.write(b"\x81\x8e" + bytes(4) + b'{"op":1,"d":1}')
    await reader.readuntil(b'{"op":11,"s":null,"t":null,"d":null}')
    place.world.faults.release()
    assert (await reader.read(1 << 20)).count(b'"t":"VOICE_STATE_UPDATE"') == 20
    writer.close()
    await writer.wait_closed()


async def test_time_does_not_wait_for_what_never_left(place: Place, gateway: RawGateway) -> None:
    place.world.faults.hold()
    await to_and_fro(place, 3)
    assert place.world.hub.sequences() == {gateway.session_id: gateway.sequence}
    place.world.faults.release()
    assert place.world.hub.sequences() == {gateway.session_id: gateway.sequence + 3}


async def test_a_hold_ends_by_number_and_by_time(place: Place, gateway: RawGateway) -> None:
    place.world.faults.hold(count=3)
    await to_and_fro(place, 4)
    assert len(await gateway.dispatches(4)) == 4
    place.world.faults.hold(seconds=30)
    await to_and_fro(place, 2)
    await place.world.clock.advance(29)
    assert await gateway.silent()
    await place.world.clock.advance(1)
    assert len(await gateway.dispatches(2)) == 2


async def test_dispatches_arrive_in_another_order(place: Place, gateway: RawGateway) -> None:
    place.world.faults.reorder(5)
    await to_and_fro(place, 6)
    numbers = [number for number, _ in await gateway.dispatches(6)]
    assert numbers[:5] != sorted(numbers[:5])
    assert sorted(numbers) == list(range(numbers[5] - 5, numbers[5] + 1))
    with pytest.raises(ValueError, match="2 dispatches"):
        place.world.faults.reorder(1)


async def test_dispatches_arrive_twice(place: Place, gateway: RawGateway) -> None:
    place.world.faults.duplicate(2, event="VOICE_STATE_UPDATE")
    place.guild.update_channel(place.alpha)
    await to_and_fro(place, 3)
    numbers = [number for number, name in await gateway.dispatches(6) if name == "VOICE_STATE_UPDATE"]
    last = numbers[-1]
    assert numbers == [last - 2, last - 2, last - 1, last - 1, last]


async def test_dispatches_are_late_and_stay_in_order(place: Place, gateway: RawGateway) -> None:
    place.world.faults.delay(10)
    await to_and_fro(place, 1)
    await place.world.clock.advance(9)
    place.world.faults.delay(0)
    place.guild.update_channel(place.alpha)
    assert await gateway.silent()
    await place.world.clock.advance(1)
    assert [name for _, name in await gateway.dispatches(2)] == ["VOICE_STATE_UPDATE", "CHANNEL_UPDATE"]
    place.guild.update_channel(place.alpha)
    assert len(await gateway.dispatches(1)) == 1
    with pytest.raises(ValueError, match="seconds"):
        place.world.faults.delay(-1)


async def test_a_resume_repeats_what_was_known_and_mixes_it(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        await to_and_fro(place, 3)
        await gateway.dispatches(3)
        session_id, sequence = gateway.session_id, gateway.sequence
        place.world.faults.replay(2, mixed=True)
        place.world.faults.hold()
        await to_and_fro(place, 4)
        place.world.faults.drop_gateway()
    async with raw_gateway(place.server) as gateway:
        await gateway.resume(session_id, sequence)
        *replayed, resumed = await gateway.dispatches(7)
        assert resumed[1] == "RESUMED"
        numbers = [number for number, _ in replayed]
        assert sorted(numbers) == list(range(sequence - 1, sequence + 5))
        assert numbers != sorted(numbers)
        # What was held has been replayed: it does not come once more.
        assert place.world.faults.release() == 0
        await to_and_fro(place, 1)
        assert (await gateway.dispatches(1))[0][0] > sequence + 4


async def test_a_fault_outlasts_the_connection(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        session_id, sequence = gateway.session_id, gateway.sequence
        place.world.faults.duplicate(1)
        place.world.faults.drop_gateway()
    async with raw_gateway(place.server) as gateway:
        await gateway.resume(session_id, sequence)
        await gateway.until("RESUMED")
        await to_and_fro(place, 1)
        first, second = await gateway.dispatches(2)
        assert first == second


async def test_on_a_half_open_connection_nothing_passes(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        session_id, sequence = gateway.session_id, gateway.sequence
        assert place.world.faults.half_open() == 1
        assert place.world.hub.sequences() == {}
        await gateway.say(1, None)
        await to_and_fro(place, 2)
        with pytest.raises(TimeoutError):
            await gateway.next(timeout=0.1)
        async with raw_gateway(place.server) as second:
            await second.resume(session_id, sequence)
            names = [name for _, name in await second.dispatches(3)]
            assert names == ["VOICE_STATE_UPDATE", "VOICE_STATE_UPDATE", "RESUMED"]
            await to_and_fro(place, 1)
            await second.until("VOICE_STATE_UPDATE")


async def test_a_half_open_connection_can_be_torn_down_later(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.half_open(seconds=60)
    await place.quartz.join(place.dispatch)
    await place.world.clock.advance(59)
    assert bot.count["voice_state_update"] == 0
    await place.world.clock.advance(1)
    await bot.until("resumed")
    await bot.until("voice_state_update")
    assert bot.count["ready"] == 1


async def test_a_half_open_client_that_never_comes_back_is_forgotten(place: Place) -> None:
    place.world.gateway.heartbeat_seconds = 0.1
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        place.world.faults.half_open()
        await eventually(lambda: not place.world.hub.sessions)


async def test_a_real_bot_lives_through_doubled_and_mixed_events(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.duplicate(3)
    await to_and_fro(place, 3)
    await bot.until("voice_state_update", 6)
    place.world.faults.reorder(4)
    await to_and_fro(place, 4)
    await bot.until("voice_state_update", 10)
    await place.quartz.leave()
    await bot.until("voice_state_update", 11)
    assert not bot.guilds[0].voice_channels[0].members
    assert not bot.guilds[0].voice_channels[1].members


async def test_an_interaction_that_comes_twice_is_answered_once(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.duplicate(1, event="INTERACTION_CREATE")
    outcome = await place.quartz.slash("drill form", channel=place.text)
    assert outcome.kind == "modal"
    await eventually(
        lambda: any(
            entry["kind"] == "rest" and entry["status"] == 400 and entry["response"]["code"] == 40060
            for entry in place.world.log.entries
        )
    )


async def test_a_guild_goes_away_and_comes_back(place: Place, bot: LoopbackBot) -> None:
    available = bot.count["guild_available"]
    assert place.world.faults.guild_outage(place.guild.id) == 1
    await bot.until("guild_unavailable")
    await place.quartz.join(place.dispatch)
    assert (await place.quartz.slash("drill form", channel=place.text)).kind == "none"
    with pytest.raises(Refused, match="unavailable already"):
        place.world.faults.guild_outage(place.guild.id)
    place.world.faults.guild_return(place.guild.id)
    await bot.until("guild_available", available + 1)
    assert bot.count["voice_state_update"] == bot.count["guild_join"] == bot.count["guild_remove"] == 0
    channel = bot.guilds[0].get_channel(place.dispatch.id)
    assert isinstance(channel, discord.VoiceChannel)
    assert [member.name for member in channel.members] == ["quartz"]
    with pytest.raises(Refused, match="not unavailable"):
        place.world.faults.guild_return(place.guild.id)


async def test_a_guild_can_be_away_at_the_start(place: Place) -> None:
    place.world.faults.guild_outage(place.guild.id)
    async with raw_gateway(place.server) as gateway:
        ready = await gateway.ready(guilds=0)
        assert ready["guilds"] == [{"id": str(place.guild.id), "unavailable": True}]
        assert await gateway.silent()
        await gateway.say(8, {"guild_id": str(place.guild.id), "query": "", "limit": 0})
        assert await gateway.silent()
        place.world.faults.guild_return(place.guild.id)
        back = await gateway.until("GUILD_CREATE")
        assert back["unavailable"] is False
        assert len(back["members"]) == 4


async def test_faults_of_a_guild_hit_its_shard_alone(place: Place) -> None:
    index = (place.guild.id >> 22) % 2
    async with raw_gateway(place.server) as mine, raw_gateway(place.server) as other:
        await mine.ready(shard=[index, 2])
        await other.ready(guilds=0, shard=[1 - index, 2])
        assert place.world.faults.hold(place.guild.id) == 1
        await to_and_fro(place, 1)
        assert await mine.silent()
        assert await other.silent()
        assert place.world.faults.release(place.guild.id) == 1
        await mine.until("VOICE_STATE_UPDATE")
        assert await other.silent()


async def test_an_unknown_guild_has_no_outage(place: Place) -> None:
    async def act() -> None:
        place.world.faults.guild_outage(1)

    assert await refused(act()) == "there is no guild 1"

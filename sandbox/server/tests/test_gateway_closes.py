"""Every code with which the gateway ends a connection, where it is due, and what is left of the session."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest
from support.loopback import LoopbackBot, Place
from support.raw_gateway import raw_gateway


@pytest.mark.parametrize("query", ["?v=5", "?v=11", "?v=ten"])
async def test_another_version_is_refused(place: Place, query: str) -> None:
    async with raw_gateway(place.server, query, greeted=False) as gateway:
        assert await gateway.closed() == 4012


async def test_another_encoding_is_not_understood(place: Place) -> None:
    async with raw_gateway(place.server, "?v=10&encoding=etf", greeted=False) as gateway:
        assert await gateway.closed() == 4002


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"intents": 1 << 30}, 4013),
        ({"intents": 1 << 17}, 4013),
        ({"intents": -1}, 4013),
        ({"intents": "513"}, 4013),
        ({"intents": None}, 4013),
        ({"shard": [1, 1]}, 4010),
        ({"shard": [0, 0]}, 4010),
        ({"shard": [0]}, 4010),
        ({"shard": "0/1"}, 4010),
        ({"presence": {"status": "sleepy"}}, 4002),
        ({"presence": []}, 4002),
        ({"large_threshold": "many"}, 4002),
    ],
)
async def test_an_identify_that_cannot_be(place: Place, fields: dict[str, Any], code: int) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.identify(**fields)
        assert await gateway.closed() == code
    assert not place.world.hub.sessions


@pytest.mark.parametrize("name", ["members", "presences", "message_content"])
async def test_a_withheld_intent_is_disallowed(place: Place, name: str) -> None:
    place.world.privileged_intents.remove(name)
    async with raw_gateway(place.server) as gateway:
        await gateway.identify()
        assert await gateway.closed() == 4014


async def test_a_shard_with_too_many_guilds_has_to_be_split(place: Place) -> None:
    place.world.gateway.guilds_per_shard = 2
    for name in ("Basalt Haulers", "Slag Kings"):
        place.world.create_guild(name)
    async with raw_gateway(place.server) as gateway:
        await gateway.identify()
        assert await gateway.closed() == 4011


@pytest.mark.parametrize("op", [3, 4, 8])
async def test_nothing_is_asked_before_identify(place: Place, op: int) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.say(op, {})
        assert await gateway.closed() == 4003


async def test_to_identify_twice_is_once_too_often(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        await gateway.identify()
        assert await gateway.closed() == 4005


@pytest.mark.parametrize(
    ("op", "data"),
    [
        (3, {"status": "online", "activities": [{"type": 0}]}),
        (3, {"status": "online", "activities": [{"name": "Ore", "type": 9}]}),
        (3, {}),
        (4, {"channel_id": None}),
        (8, {"guild_id": "1", "query": "", "limit": "all"}),
        (8, {"guild_id": ["1", "2"], "query": "", "limit": 0}),
    ],
)
async def test_a_frame_that_cannot_be_read(place: Place, op: int, data: dict[str, Any]) -> None:
    if op == 8 and data["guild_id"] == "1":
        data["guild_id"] = str(place.guild.id)
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        await gateway.say(op, data)
        assert await gateway.closed() == 4002


async def test_more_than_a_hundred_members_by_id_cannot_be_asked(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        await gateway.say(8, {"guild_id": str(place.guild.id), "user_ids": ["1"] * 101, "limit": 0})
        assert await gateway.closed() == 4002


async def test_a_frame_has_4096_bytes_at_most(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        await gateway.say(3, {"status": "online", "activities": [], "since": None, "x": "x" * 4000})
        await gateway.say(1, None)
        await gateway.until(op=11)
        await gateway.say(3, {"status": "online", "activities": [], "since": None, "x": "x" * 4096})
        assert await gateway.closed() == 4002


async def test_the_121st_frame_of_a_minute_is_one_too_many(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        for _ in range(119):
            await gateway.say(3, {"status": "idle", "activities": []})
        await gateway.say(1, None)
        assert await gateway.closed() == 4008
    (session,) = place.world.hub.sessions.values()
    async with raw_gateway(place.server) as gateway:
        await gateway.resume(session.id, session.sequence)
        assert await gateway.until("RESUMED")


async def test_a_number_that_was_never_sent_is_no_place_to_resume_from(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        session_id, sequence = gateway.session_id, gateway.sequence
        await gateway.socket.close(code=4000)
    async with raw_gateway(place.server) as gateway:
        await gateway.resume(session_id, sequence + 1)
        assert await gateway.closed() == 4007
    async with raw_gateway(place.server) as gateway:
        await gateway.resume(session_id, sequence)
        assert (await gateway.next())["op"] == 9
        await gateway.ready()


async def test_who_does_not_beat_is_closed_and_their_session_over(place: Place) -> None:
    place.world.gateway.heartbeat_seconds = 0.1
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        assert await gateway.closed() == 4009
    assert not place.world.hub.sessions


async def test_who_beats_stays(place: Place) -> None:
    place.world.gateway.heartbeat_seconds = 0.4
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        for _ in range(70):
            # The next ACK comes 10 ms later: in all longer than the patience of the gateway.
            await gateway.say(1, gateway.sequence)
            assert (await gateway.next())["op"] == 11
        assert len(place.world.hub.sessions) == 1


async def test_a_real_client_leaves_a_zombie_and_resumes(place: Place) -> None:
    place.world.gateway.heartbeat_seconds = 0.5
    bot = LoopbackBot(place.server, heartbeat_timeout=1.5)
    await bot.begin(place.world.token)
    try:
        place.world.gateway.heartbeat_seconds = 41.25
        assert place.world.faults.zombie() == 1
        await bot.until("resumed")
        await place.quartz.join(place.dispatch)
        await bot.until("voice_state_update")
        assert bot.count["ready"] == 1
    finally:
        await bot.end()


async def test_a_zombie_still_sends_events(place: Place) -> None:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        place.world.faults.zombie()
        await gateway.say(1, None)
        await place.quartz.join(place.dispatch)
        assert (await gateway.next())["t"] == "VOICE_STATE_UPDATE"
        with pytest.raises(TimeoutError):
            await gateway.next(timeout=0.1)


async def test_starts_of_sessions_are_counted_and_given_back_after_a_day(place: Place) -> None:
    async def limit() -> dict[str, Any]:
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bot {place.world.token}"}) as session,
            session.get(f"{place.server.addresses.rest}/gateway/bot") as answer,
        ):
            body: dict[str, Any] = await answer.json()
            return dict(body["session_start_limit"])

    place.world.gateway.sessions_per_day = 3
    day = 24 * 3600 * 1000
    assert await limit() == {"total": 3, "remaining": 3, "reset_after": day, "max_concurrency": 1}
    for _ in range(2):
        async with raw_gateway(place.server) as gateway:
            await gateway.ready()
    await place.world.clock.advance(3600)
    assert await limit() == {"total": 3, "remaining": 1, "reset_after": day - 3_600_000, "max_concurrency": 1}
    await place.world.clock.advance(23 * 3600)
    assert (await limit())["remaining"] == 3


async def test_one_session_too_many_in_a_day_costs_the_token(place: Place) -> None:
    place.world.gateway.sessions_per_day = 1
    before = place.world.token
    async with raw_gateway(place.server) as first, raw_gateway(place.server) as second:
        await first.ready()
        await second.identify()
        assert await second.closed() == 4004
        assert await first.closed() == 4004
    assert place.world.token != before
    async with raw_gateway(place.server) as gateway:
        await gateway.identify(token=before)
        assert await gateway.closed() == 4004


async def test_identifies_come_one_in_five_seconds_where_that_is_insisted_on(place: Place) -> None:
    place.world.gateway.pace_identifies = True
    async with raw_gateway(place.server) as first, raw_gateway(place.server) as second:
        await first.ready(shard=[0, 2], guilds=1 if (place.guild.id >> 22) % 2 == 0 else 0)
        await second.identify(shard=[1, 2])
        assert await second.next() == {"op": 9, "s": None, "t": None, "d": False}
        await place.world.clock.advance(5)
        await second.ready(shard=[1, 2], guilds=(place.guild.id >> 22) % 2)


async def test_as_many_shards_identify_at_once_as_the_concurrency_says(place: Place) -> None:
    place.world.gateway.pace_identifies = True
    place.world.gateway.max_concurrency = 2
    async with (
        raw_gateway(place.server) as first,
        raw_gateway(place.server) as second,
        raw_gateway(place.server) as third,
    ):
        await first.identify(shard=[0, 3])
        await first.until("READY")
        await second.identify(shard=[1, 3])
        await second.until("READY")
        await third.identify(shard=[2, 3])
        assert (await third.next())["op"] == 9

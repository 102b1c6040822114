"""The gateway's faults and numbers over the control address, as somebody with curl uses them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from support.loopback import Place
from support.raw_gateway import RawGateway, raw_gateway

Post = Callable[..., Awaitable[tuple[int, dict[str, Any]]]]


@pytest.fixture
async def post(place: Place) -> AsyncIterator[Post]:
    async with aiohttp.ClientSession() as session:

        async def post(path: str, **fields: Any) -> tuple[int, dict[str, Any]]:
            async with session.post(f"{place.server.addresses.control}{path}", json=fields) as answer:
                return answer.status, await answer.json()

        yield post


@pytest.fixture
async def gateway(place: Place) -> AsyncIterator[RawGateway]:
    async with raw_gateway(place.server) as gateway:
        await gateway.ready()
        yield gateway


async def test_dispatches_are_held_and_let_out(place: Place, post: Post, gateway: RawGateway) -> None:
    assert await post("/faults", kind="hold") == (200, {"kind": "hold", "connections": 1})
    await place.quartz.join(place.dispatch)
    await place.beryl.join(place.alpha)
    assert await gateway.silent()
    assert await post("/faults", kind="release") == (200, {"kind": "release", "dispatches": 2})
    await gateway.dispatches(2)


async def test_every_fault_of_dispatches_can_be_asked_for(
    place: Place, post: Post, gateway: RawGateway
) -> None:
    for fault in (
        {"kind": "duplicate", "count": 1, "event": "VOICE_STATE_UPDATE"},
        {"kind": "replay", "count": 1, "mixed": True},
        {"kind": "reorder", "count": 2},
        {"kind": "zombie"},
    ):
        assert await post("/faults", **fault) == (200, {"kind": fault["kind"], "connections": 1})
    await place.quartz.join(place.dispatch)
    first, second = await gateway.dispatches(2)
    assert first == second
    assert (await post("/faults", kind="delay", seconds=5))[0] == 200
    await place.quartz.leave()
    assert (await post("/clock", advance_seconds=5))[0] == 200
    assert (await gateway.dispatches(1))[0][1] == "VOICE_STATE_UPDATE"
    assert (await post("/faults", kind="half_open", seconds=60))[0] == 200
    assert place.world.hub.sequences() == {}


async def test_a_guild_goes_and_returns(place: Place, post: Post, gateway: RawGateway) -> None:
    guild_id = str(place.guild.id)
    assert (await post("/faults", kind="guild_outage", guild_id=guild_id))[0] == 200
    assert await gateway.until("GUILD_DELETE") == {"id": guild_id, "unavailable": True}
    assert (await post("/faults", kind="guild_outage", guild_id=guild_id))[0] == 409
    assert (await post("/faults", kind="guild_return", guild_id=guild_id))[0] == 200
    assert (await gateway.until("GUILD_CREATE"))["id"] == guild_id


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "guild_outage"}, "say which guild"),
        ({"kind": "reorder", "count": 1}, "2 or more"),
        ({"kind": "delay"}, "number of seconds"),
        ({"kind": "hold", "overlap": 1}, "no field"),
        ({"kind": "zombie", "count": 1}, "takes no count"),
    ],
)
async def test_what_cannot_be_is_said_in_words(post: Post, fields: dict[str, Any], words: str) -> None:
    status, body = await post("/faults", **fields)
    assert status == 400
    assert words in body["error"]


async def test_a_person_shows_what_they_play(place: Place, post: Post, gateway: RawGateway) -> None:
    member = f"/guilds/{place.guild.id}/members/{place.quartz.id}/presence"
    status, body = await post(member, status="idle", activity="Refining", mobile=True)
    assert (status, body["client_status"]) == (200, {"mobile": "idle"})
    assert (await gateway.until("PRESENCE_UPDATE"))["activities"][0]["name"] == "Refining"
    assert (await post(member, status="sleepy"))[0] == 400


async def test_the_numbers_of_the_gateway_are_changed(place: Place, post: Post) -> None:
    status, body = await post("/gateway", shards=2, sessions_per_day=1, heartbeat_seconds=30.5)
    assert (status, body["shards"], body["heartbeat_seconds"]) == (200, 2, 30.5)
    assert body["session_start_limit"]["total"] == 1
    assert place.world.gateway.sessions_per_day == 1
    assert await post("/gateway", shards=3, max_concurrency=0) == (
        400,
        {"error": "max_concurrency must be more than 0"},
    )
    assert place.world.gateway.shards == 2
    assert (await post("/gateway", pace_identifies="yes"))[0] == 400

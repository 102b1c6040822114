"""Faults of the HTTP API and rate limits, asked for over the control address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from support.loopback import Place


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(client: aiohttp.ClientSession, place: Place, path: str, body: Any = None) -> tuple[int, Any]:
    method = "GET" if body is None else "POST"
    async with client.request(method, place.server.addresses.control + path, json=body) as answer:
        return answer.status, await answer.json()


async def get_me(client: aiohttp.ClientSession, place: Place) -> int:
    headers = {"Authorization": f"Bot {place.world.token}"}
    address = place.server.addresses.rest + "/users/@me"
    async with client.get(address, headers=headers) as answer:
        await answer.read()
        return answer.status


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"kind": "http_status", "status": 504, "times": 1}, 504),
        ({"kind": "http_status", "status": 403, "code": 50001, "message": "Missing Access"}, 403),
        ({"kind": "http_slow", "seconds": 0.01, "route": "GET /users/@me", "done": True}, 200),
        ({"kind": "rate_limit", "retry_after": 0.2, "scope": "global"}, 429),
        ({"kind": "rate_limit", "scope": "cloudflare"}, 429),
    ],
)
async def test_each_kind(place: Place, client: aiohttp.ClientSession, fault: Any, status: int) -> None:
    code, told = await ask(client, place, "/faults", fault)
    assert code == 200
    assert told == {"kind": fault["kind"], "times": 1, "route": fault.get("route")}
    assert await get_me(client, place) == status
    assert await get_me(client, place) == 200


async def test_dead_connections_are_released(place: Place, client: aiohttp.ClientSession) -> None:
    await ask(client, place, "/faults", {"kind": "http_drop", "route": "GET /users/@me", "times": 2})
    with pytest.raises(aiohttp.ClientError):
        await get_me(client, place)
    await ask(client, place, "/faults", {"kind": "http_half_open", "route": "GET /gateway", "midway": True})
    assert await ask(client, place, "/faults", {"kind": "http_release"}) == (
        200,
        {"kind": "http_release", "ended": 1},
    )
    assert await get_me(client, place) == 200


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"kind": "http_status", "status": 200}, "400 to 599"),
        ({"kind": "http_status", "status": "x"}, "whole number"),
        ({"kind": "http_status", "seconds": 1}, "takes no seconds"),
        ({"kind": "http_drop", "times": 0}, "at least 1"),
        ({"kind": "http_slow", "route": "users"}, "is no route"),
        ({"kind": "rate_limit", "scope": "mine"}, "one of user"),
    ],
)
async def test_what_makes_no_sense(
    place: Place, client: aiohttp.ClientSession, fault: Any, words: str
) -> None:
    status, told = await ask(client, place, "/faults", fault)
    assert status == 400
    assert words in told["error"]


async def test_a_fault_of_the_http_api_is_not_for_a_guild(
    place: Place, client: aiohttp.ClientSession
) -> None:
    fault = {"kind": "http_drop", "guild_id": str(place.guild.id)}
    assert "not for a guild" in (await ask(client, place, "/faults", fault))[1]["error"]


async def test_rate_limits_are_told_and_changed(place: Place, client: aiohttp.ClientSession) -> None:
    assert (await ask(client, place, "/rate-limits"))[1]["everything"] is None
    changed = {"route": "GET /users/@me", "requests": 1, "seconds": 60}
    assert (await ask(client, place, "/rate-limits", changed))[1]["routes"] == {
        "GET /users/@me": {"requests": 1, "seconds": 60.0}
    }
    assert [await get_me(client, place) for _ in range(2)] == [200, 429]
    assert (await ask(client, place, "/rate-limits", {"preset": "discord"}))[1]["everything"] == {
        "requests": 50,
        "seconds": 1.0,
    }
    assert (await ask(client, place, "/rate-limits", {"preset": "generous"}))[1]["routes"] == {}
    for body, words in (
        ({"preset": "none"}, "generous, discord"),
        ({"route": "users", "requests": 1, "seconds": 1}, "write the route"),
        ({"route": "GET /users/@me", "requests": 0, "seconds": 1}, "at least 1 request"),
    ):
        status, told = await ask(client, place, "/rate-limits", body)
        assert status == 400
        assert words in told["error"]

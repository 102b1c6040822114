"""Rate limits as clients meet them: headers, buckets, 429 of every scope, and discord.py honouring them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest
from support.loopback import LoopbackBot, Place

from sandbox.server.rate_limits import Limit, RateLimits

MESSAGES = "/channels/{channel_id}/messages"


@pytest.fixture
async def client(place: Place) -> AsyncIterator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bot {place.world.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield session


def url(place: Place, path: str) -> str:
    return place.server.addresses.rest + path


async def say(client: aiohttp.ClientSession, place: Place, channel: Any) -> aiohttp.ClientResponse:
    async with client.post(url(place, f"/channels/{channel.id}/messages"), json={"content": "x"}) as answer:
        await answer.read()
        return answer


async def test_every_answer_tells_of_its_bucket(place: Place, client: aiohttp.ClientSession) -> None:
    place.world.rate_limits.limit("POST", MESSAGES, 5, 30.0)
    first = await say(client, place, place.text)
    assert first.headers["X-RateLimit-Limit"] == "5"
    assert first.headers["X-RateLimit-Remaining"] == "4"
    assert 29 < float(first.headers["X-RateLimit-Reset-After"]) <= 30
    assert abs(float(first.headers["X-RateLimit-Reset"]) - time.time() - 30) < 5
    assert first.headers["Via"]
    again = await say(client, place, place.text)
    assert again.headers["X-RateLimit-Remaining"] == "3"
    assert again.headers["X-RateLimit-Bucket"] == first.headers["X-RateLimit-Bucket"]
    async with client.get(url(place, f"/channels/{place.text.id}/messages")) as other:
        assert other.headers["X-RateLimit-Bucket"] != first.headers["X-RateLimit-Bucket"]


async def test_each_channel_has_a_count_of_its_own(place: Place, client: aiohttp.ClientSession) -> None:
    place.world.rate_limits.limit("POST", MESSAGES, 2, 30.0)
    other = place.guild.create_channel("general")
    assert [(await say(client, place, place.text)).status for _ in range(3)] == [200, 200, 429]
    assert (await say(client, place, other)).status == 200


async def test_a_full_bucket_is_refused_in_discords_shape(
    place: Place, client: aiohttp.ClientSession
) -> None:
    place.world.rate_limits.limit("POST", MESSAGES, 1, 30.0)
    await say(client, place, place.text)
    address = url(place, f"/channels/{place.text.id}/messages")
    async with client.post(address, json={"content": "x"}) as answer:
        body = await answer.json()
        assert answer.status == 429
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-RateLimit-Scope"] == "user"
        assert answer.headers["X-RateLimit-Remaining"] == "0"
        assert "X-RateLimit-Global" not in answer.headers
        assert answer.headers["Via"]
        assert int(answer.headers["Retry-After"]) == 30
    assert body["message"] == "You are being rate limited."
    assert body["global"] is False
    assert body["code"] == 0
    assert 29 < body["retry_after"] <= 30
    assert len(place.world.messages(place.text.id)) == 1


async def test_the_global_limit_counts_all_routes_but_those_of_interactions(
    place: Place, client: aiohttp.ClientSession
) -> None:
    place.world.rate_limits.everything = Limit(2, 30.0)
    for path in ("/users/@me", f"/channels/{place.text.id}"):
        async with client.get(url(place, path)) as answer:
            assert answer.status == 200
    async with client.get(url(place, "/gateway/bot")) as answer:
        assert answer.status == 429
        assert answer.headers["X-RateLimit-Global"] == "true"
        assert answer.headers["X-RateLimit-Scope"] == "global"
        assert "X-RateLimit-Bucket" not in answer.headers
        assert (await answer.json())["global"] is True
    async with client.post(url(place, "/interactions/1/x/callback"), json={"type": 5}) as answer:
        assert answer.status == 404
        assert "X-RateLimit-Bucket" not in answer.headers
        assert "X-RateLimit-Limit" not in answer.headers
    async with client.get(url(place, "/webhooks/1/x/messages/@original")) as answer:
        assert answer.status == 404
        assert "X-RateLimit-Bucket" in answer.headers


async def test_too_many_errors_of_the_bot_bring_cloudflare(
    place: Place, client: aiohttp.ClientSession
) -> None:
    place.world.rate_limits.invalid = Limit(3, 600.0)
    for _ in range(3):
        async with client.get(url(place, "/users/@me"), headers={"Authorization": "Bot wrong"}) as answer:
            assert answer.status == 401
    async with client.get(url(place, "/users/@me")) as answer:
        assert answer.status == 429
        assert "Via" not in answer.headers
        assert answer.content_type == "text/plain"
        assert int(answer.headers["Retry-After"]) > 500


async def test_discord_py_paces_itself_and_loses_nothing(place: Place, bot: LoopbackBot) -> None:
    place.world.rate_limits.limit("POST", MESSAGES, 4, 0.2)
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    began = time.monotonic()
    for number in range(9):
        await channel.send(str(number))
    assert time.monotonic() - began > 0.35
    said = [each["content"] for each in place.world.messages(place.text.id)]
    assert said == [str(number) for number in range(9)]
    statuses = [each["status"] for each in place.world.log if each["kind"] == "rest"]
    assert 429 not in statuses


@pytest.mark.parametrize("scope", ["user", "global", "shared"])
async def test_discord_py_waits_and_asks_again(place: Place, bot: LoopbackBot, scope: str) -> None:
    fault = place.world.faults.http.rate_limit(2, f"POST {MESSAGES}", retry_after=0.05, scope=scope)
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    message = await channel.send("at last")
    assert message.content == "at last"
    assert fault.hits == 2
    entries = [each for each in place.world.log if each.get("route") == MESSAGES]
    assert [each["status"] for each in entries] == [429, 429, 200]
    assert [each.get("fault") for each in entries] == ["rate_limit", "rate_limit", None]
    assert entries[0]["response"]["global"] is (scope == "global")


async def test_discord_py_gives_up_on_cloudflare(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.http.rate_limit(1, f"POST {MESSAGES}", scope="cloudflare")
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    with pytest.raises(discord.HTTPException) as banned:
        await channel.send("never")
    assert banned.value.status == 429
    assert place.world.messages(place.text.id) == []


async def test_discord_py_outlives_the_global_limit(place: Place, bot: LoopbackBot) -> None:
    place.world.rate_limits.everything = Limit(8, 0.2)
    found = await asyncio.gather(*(bot.fetch_user(place.beryl.id) for _ in range(24)))
    assert {each.name for each in found} == {"beryl"}
    refused = [each for each in place.world.log if each.get("status") == 429]
    assert refused
    assert all(each["response"]["global"] for each in refused)


async def test_a_follow_up_waits_too(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.http.rate_limit(1, "PATCH /webhooks/*", retry_after=0.05)
    outcome = await place.quartz.slash("drill report", place.text, {"ore": "gold"})
    assert (await outcome.final())["content"] == "gold"


def test_windows_end_and_are_forgotten() -> None:
    now = [100.0]
    limits = RateLimits(clock=lambda: now[0], wall=lambda: 1_000.0 + now[0])
    limits.default = Limit(2, 5.0)

    def ask(channel: str) -> float | None:
        return limits.ask("GET", MESSAGES, {"channel_id": channel}, authorised=True).retry_after

    assert [ask("1"), ask("1"), ask("1"), ask("2")] == [None, None, 5.0, None]
    now[0] += 4.5
    assert ask("1") == pytest.approx(0.5)
    now[0] += 0.5
    assert ask("1") is None
    for number in range(20_000):
        now[0] += 0.01
        ask(str(number))
    assert len(limits._windows) <= 4096
    limits.as_discord()
    assert limits.described()["everything"] == {"requests": 50, "seconds": 1.0}
    limits.generous()
    assert limits.described()["everything"] is None
    with pytest.raises(ValueError, match="at least 1 request"):
        limits.limit("GET", MESSAGES, 0, 1)

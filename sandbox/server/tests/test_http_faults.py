"""Answers that go wrong: what the bot meets, and what has happened in the world by then."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import aiohttp
import discord
import pytest
from support.loopback import LoopbackBot, Place, eventually

SEND = "POST /channels/{channel_id}/messages"


def channel_of(place: Place, bot: LoopbackBot) -> discord.TextChannel:
    channel = bot.get_channel(place.text.id)
    assert isinstance(channel, discord.TextChannel)
    return channel


def said(place: Place) -> list[str]:
    return [each["content"] for each in place.world.messages(place.text.id)]


@pytest.mark.parametrize(("status", "kind"), [(403, discord.Forbidden), (404, discord.NotFound)])
async def test_refusals(place: Place, bot: LoopbackBot, status: int, kind: type[Exception]) -> None:
    place.world.faults.http.status(status, 1, SEND)
    with pytest.raises(kind):
        await channel_of(place, bot).send("no")
    await channel_of(place, bot).send("yes")
    assert said(place) == ["yes"]
    assert place.world.faults.http.waiting == []


async def test_words_and_code_of_a_refusal(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.http.status(403, 1, SEND, code=50001, message="Missing Access")
    with pytest.raises(discord.Forbidden) as refused:
        await channel_of(place, bot).send("no")
    assert (refused.value.code, refused.value.text) == (50001, "Missing Access")


async def test_503_is_not_asked_again(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.http.status(503, 1, SEND)
    with pytest.raises(discord.DiscordServerError) as down:
        await channel_of(place, bot).send("no")
    assert down.value.status == 503
    assert said(place) == []


async def test_what_took_effect_although_the_answer_was_502_happens_twice(
    place: Place, bot: LoopbackBot
) -> None:
    place.world.faults.http.status(502, 1, SEND, done=True)
    await channel_of(place, bot).send("paid")
    assert said(place) == ["paid", "paid"]


async def test_a_slow_answer_waits_until_released(place: Place, bot: LoopbackBot) -> None:
    fault = place.world.faults.http.slow(None, 1, SEND)
    sending = asyncio.create_task(channel_of(place, bot).send("late"))
    await eventually(lambda: fault.hits)
    assert said(place) == []
    assert not sending.done()
    fault.release()
    assert (await sending).content == "late"


async def test_an_answer_that_is_late_by_itself(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.http.slow(0.05, 1, SEND, done=True)
    sending = asyncio.create_task(channel_of(place, bot).send("soon"))
    await eventually(lambda: said(place))
    assert (await sending).content == "soon"


@pytest.mark.parametrize("midway", [False, True])
async def test_a_torn_connection(place: Place, bot: LoopbackBot, midway: bool) -> None:
    place.world.faults.http.drop(1, SEND, midway=midway)
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError)):
        await channel_of(place, bot).send("lost")
    assert said(place) == (["lost"] if midway else [])
    await channel_of(place, bot).send("again")
    assert said(place)[-1] == "again"


@pytest.mark.parametrize("midway", [False, True])
async def test_a_half_open_connection(place: Place, bot: LoopbackBot, midway: bool) -> None:
    fault = place.world.faults.http.half_open(1, SEND, midway=midway)
    sending = asyncio.create_task(channel_of(place, bot).send("lost"))
    await eventually(lambda: fault.hits)
    await channel_of(place, bot).typing()
    assert not sending.done()
    fault.release()
    with pytest.raises((aiohttp.ServerDisconnectedError, aiohttp.ClientPayloadError, aiohttp.ClientOSError)):
        await sending


async def test_over_tcp_a_torn_connection_is_torn_too(place: Place) -> None:
    place.world.faults.http.drop(2, "/channels/*")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{place.server.addresses.rest}/channels/1/typing")
        with pytest.raises(aiohttp.ClientError):
            await session.post(f"{place.server.addresses.rest}/channels/1/typing")
        async with session.get(f"{place.server.addresses.rest}/gateway") as answer:
            assert answer.status in {200, 401}


async def test_the_callback_may_fail_although_the_answer_was_taken(place: Place, bot: LoopbackBot) -> None:
    place.world.faults.http.status(403, 1, "POST /interactions/*", done=True)
    outcome = await place.quartz.slash("drill start", place.text, {"crew": 1})
    assert outcome.kind == "message"


async def test_files_that_do_not_come(place: Place, bot: LoopbackBot) -> None:
    http = place.world.faults.http
    sent = await channel_of(place, bot).send(file=discord.File(io.BytesIO(b"a;b"), "a.csv"))
    http.status(404, 1, "/attachments/*")
    with pytest.raises(discord.NotFound):
        await sent.attachments[0].read()
    http.drop(1, "GET /attachments/*", midway=True)
    with pytest.raises(aiohttp.ClientError):
        await sent.attachments[0].read()
    http.rate_limit(1, "/attachments/*")
    with pytest.raises(discord.HTTPException):
        await sent.attachments[0].read()
    slow = http.slow(None, 1, "/attachments/*")
    reading = asyncio.create_task(sent.attachments[0].read())
    await eventually(lambda: slow.hits)
    slow.release()
    assert await reading == b"a;b"
    other = http.status(500, 1)
    assert await sent.attachments[0].read() == b"a;b"
    assert other.hits == 0


async def test_the_next_requests_and_no_others(place: Place, bot: LoopbackBot) -> None:
    http = place.world.faults.http
    first = http.status(404, 2, f"/channels/{place.text.id}/messages")
    other = http.status(404, 1, f"GET /channels/{place.dispatch.id}/*")
    for _ in range(2):
        with pytest.raises(discord.NotFound):
            await channel_of(place, bot).send("no")
    await channel_of(place, bot).send("yes")
    assert (first.hits, other.hits) == (2, 0)
    assert http.waiting == [other]
    assert http.release() == 1
    assert http.waiting == []


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda http: http.status(200), "400 to 599"),
        (lambda http: http.status(500, 0), "at least 1"),
        (lambda http: http.slow(-1), "0 or more"),
        (lambda http: http.rate_limit(scope="mine"), "one of user"),
        (lambda http: http.rate_limit(retry_after=-1), "0 or more"),
        (lambda http: http.drop(route="messages"), "is no route"),
    ],
)
async def test_faults_that_make_no_sense(place: Place, act: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        act(place.world.faults.http)

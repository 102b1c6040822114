"""After op 9 a client may go on where it is: discord.js resumes over the connection that told it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from support.loopback import Place


@pytest.fixture
async def line(place: Place) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with aiohttp.ClientSession() as client, client.ws_connect(place.server.addresses.gateway) as line:
        yield line


async def _identify(place: Place, line: aiohttp.ClientWebSocketResponse) -> str:
    await line.send_json({"op": 2, "d": {"token": place.world.token, "intents": 1 << 7, "properties": {}}})
    ready = await _next(line, "READY")
    return str(ready["d"]["session_id"])


async def _next(line: aiohttp.ClientWebSocketResponse, wanted: str | int) -> Any:
    while True:
        frame = await line.receive_json(timeout=60)
        if wanted in {frame["t"], frame["op"]}:
            return frame


async def test_a_resumable_session_is_resumed_with_what_it_missed(
    place: Place, line: aiohttp.ClientWebSocketResponse
) -> None:
    session_id = await _identify(place, line)
    assert place.world.faults.invalid_session(resumable=True) == 1
    assert (await _next(line, 9))["d"] is True
    await place.quartz.join(place.dispatch)
    await line.send_json({"op": 6, "d": {"token": place.world.token, "session_id": session_id, "seq": 1}})
    assert (await _next(line, "VOICE_STATE_UPDATE"))["d"]["user_id"] == str(place.quartz.id)
    await _next(line, "RESUMED")
    assert list(place.world.hub.sessions) == [session_id]


async def test_a_session_that_is_over_is_followed_by_a_new_one(
    place: Place, line: aiohttp.ClientWebSocketResponse
) -> None:
    first = await _identify(place, line)
    place.world.faults.invalid_session(resumable=False)
    assert (await _next(line, 9))["d"] is False
    second = await _identify(place, line)
    assert first != second
    assert list(place.world.hub.sessions) == [second]


async def test_who_says_goodbye_after_op_9_cannot_resume(
    place: Place, line: aiohttp.ClientWebSocketResponse
) -> None:
    session_id = await _identify(place, line)
    place.world.faults.invalid_session(resumable=True)
    await _next(line, 9)
    await line.close(code=1000)
    async with aiohttp.ClientSession() as client, client.ws_connect(place.server.addresses.gateway) as again:
        await again.send_json(
            {"op": 6, "d": {"token": place.world.token, "session_id": session_id, "seq": 1}}
        )
        assert (await _next(again, 9))["d"] is False

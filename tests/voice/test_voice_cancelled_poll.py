"""A voice websocket that is to end ends, though a message or a cancellation comes in the very moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from core.voice.connection import _WebSocket, close_all

BEAT_TAKEN = {"op": 6, "d": {"t": 1}}


@pytest.fixture
async def websocket() -> AsyncIterator[tuple[_WebSocket, web.WebSocketResponse]]:
    """A client's voice websocket on a real socket, and its other end."""
    ends: asyncio.Queue[web.WebSocketResponse] = asyncio.Queue()

    async def accept(request: web.Request) -> web.WebSocketResponse:
        end = web.WebSocketResponse()
        await end.prepare(request)
        await ends.put(end)
        async for _message in end:
            pass
        return end

    application = web.Application()
    application.router.add_get("/", accept)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    async with aiohttp.ClientSession() as session:
        client = await session.ws_connect(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        yield _WebSocket(client, asyncio.get_running_loop()), await ends.get()
        await client.close()
    await runner.cleanup()


async def test_a_message_in_the_moment_of_a_cancellation_does_not_swallow_it(
    websocket: tuple[_WebSocket, web.WebSocketResponse],
) -> None:
    polled, other = websocket
    cancelled = 0
    for spins in range(12):
        # Which turn takes the message is the interpreter's affair: the cancellation meets every one.
        polling = asyncio.create_task(_poll_for_ever(polled))
        await asyncio.sleep(0)
        await other.send_json(BEAT_TAKEN)
        for _spin in range(spins):
            await asyncio.sleep(0)
        polling.cancel()
        ended, _going_on = await asyncio.wait({polling}, timeout=60)
        assert ended, f"polls on after a cancellation {spins} turns after the message"
        cancelled += polling.cancelled()
    assert cancelled == 12


async def test_a_close_that_is_cancelled_before_it_begins_goes_on(
    websocket: tuple[_WebSocket, web.WebSocketResponse],
) -> None:
    ours, other = websocket
    closing = asyncio.create_task(close_all([ours], 7))
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    async with asyncio.timeout(60):
        while not (ours.ws.closed and other.closed):  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)


async def _poll_for_ever(polled: _WebSocket) -> None:
    while True:
        await polled.poll_event()

"""What the gateway's websockets are read by: in turns, in order, and not for longer than is waited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core.reading import AT_ONCE, take_turns

PATIENCE = 60


class Line:
    """A websocket server, and a client of it that takes turns."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.url = ""
        self.server: web.WebSocketResponse
        self.connected = asyncio.Event()
        self.sockets: list[aiohttp.ClientWebSocketResponse] = []
        client: Any = self
        take_turns(client)

    async def ws_connect(self, url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        """Connect as discord.py's HTTP client does."""
        socket = await self._session.ws_connect(url, compress=compress, max_msg_size=0, autoclose=False)
        self.sockets.append(socket)
        return socket

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Take the one connection."""
        self.server = web.WebSocketResponse()
        await self.server.prepare(request)
        self.connected.set()
        async for _ in self.server:
            pass
        return self.server


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    async with aiohttp.ClientSession() as session:
        made = Line(session)
        app = web.Application()
        app.router.add_get("/", made.serve)
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield made
        for socket in made.sockets:
            await socket.close()
        await runner.cleanup()


async def test_a_flood_is_read_in_order_and_in_turns(line: Line) -> None:
    socket = await line.ws_connect(line.url)
    await line.connected.wait()
    count = 10 * AT_ONCE
    turns: list[int] = []
    read: list[str] = []

    async def others() -> None:
        while len(read) < count:
            if not turns or turns[-1] != len(read):
                turns.append(len(read))
            await asyncio.sleep(0)

    for number in range(count):
        await line.server.send_str(str(number))
    watching = asyncio.create_task(others())
    async with asyncio.timeout(PATIENCE):
        while len(read) < count:
            read.append((await socket.receive(PATIENCE)).data)
        await watching
    assert read == [str(number) for number in range(count)]
    gaps = [later - earlier for earlier, later in zip(turns, [*turns[1:], count], strict=True)]
    assert max(gaps) <= AT_ONCE


async def test_silence_ends_the_wait(line: Line) -> None:
    socket = await line.ws_connect(line.url)
    await line.connected.wait()
    with pytest.raises(TimeoutError):
        await socket.receive(0.01)
    assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_what_comes_late_is_read(line: Line) -> None:
    socket = await line.ws_connect(line.url)
    await line.connected.wait()
    reading = asyncio.create_task(socket.receive(PATIENCE))
    await asyncio.sleep(0)
    await line.server.send_bytes(b"late")
    assert (await reading).data == b"late"
    reading = asyncio.create_task(socket.receive())
    await asyncio.sleep(0)
    await line.server.close(code=4000)
    ended = await reading
    assert (ended.type, ended.data) == (aiohttp.WSMsgType.CLOSE, 4000)


async def test_whoever_reads_can_be_cancelled(line: Line) -> None:
    socket = await line.ws_connect(line.url)
    await line.connected.wait()
    reading = asyncio.create_task(socket.receive(PATIENCE))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_connection_that_fails_says_so(line: Line) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await line.ws_connect(line.url + "nowhere")

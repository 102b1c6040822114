"""Reading from Discord in turns with everything else that the event loop has to do.

What is in a websocket's buffer is read without a turn of the loop in between, and a flood of events refills it
as fast: for thousands of them nothing else would be done, and no row written.
"""

from __future__ import annotations

import asyncio

import aiohttp
from discord.http import HTTPClient

#: Messages that are read before it is the others' turn: about 10 ms of work.
AT_ONCE = 250


def take_turns(http: HTTPClient) -> None:
    """Let every websocket that a client opens from now on give way after `AT_ONCE` messages."""
    connect = http.ws_connect

    async def ws_connect(url: str, *, compress: int = 0) -> aiohttp.ClientWebSocketResponse:
        socket = await connect(url, compress=compress)
        receive, count = socket.receive, 0

        async def receive_in_turn(timeout: float | None = None) -> aiohttp.WSMessage:
            nonlocal count
            count += 1
            if count % AT_ONCE == 0:
                await asyncio.sleep(0)
            return await receive(timeout)

        socket.receive = receive_in_turn  # type: ignore[method-assign]
        return socket

    http.ws_connect = ws_connect  # type: ignore[method-assign]

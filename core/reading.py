"""Reading from Discord in turns with everything else that the event loop has to do.

What is in a websocket's buffer is read without a turn of the loop in between, and a flood of events refills
it as fast: for thousands of them nothing else would be done, and no row written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from types import coroutine
from typing import Any, TypeVar

import aiohttp
from discord.http import HTTPClient

T = TypeVar("T")

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
            return await _within(timeout, receive())

        socket.receive = receive_in_turn  # type: ignore[method-assign]
        return socket

    http.ws_connect = ws_connect  # type: ignore[method-assign]


async def _within(seconds: float | None, work: Coroutine[Any, Any, T]) -> T:
    """Await `work`, with a timer only if it has to wait: to set one takes longer than to read a message.

    :raises TimeoutError: it took longer than `seconds`; None waits for ever.
    """
    try:
        waits_for = work.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    async with asyncio.timeout(seconds):
        return await _go_on(work, waits_for)


@coroutine
def _go_on(work: Coroutine[Any, Any, T], waits_for: Any) -> Generator[Any, Any, T]:
    """Return the result of a coroutine that was started by hand and waits for something."""
    try:
        while True:
            try:
                answer = yield waits_for
            except BaseException as error:
                waits_for = work.throw(error)
            else:
                waits_for = work.send(answer)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]

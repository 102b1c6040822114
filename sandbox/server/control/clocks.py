"""The clock of a bot in another process, stepped over a websocket together with the sandbox's own."""

from __future__ import annotations

import asyncio
import itertools
import json
from datetime import datetime
from typing import Any

from aiohttp import WSMsgType, web

from sandbox.server.world import World

_BAD_MESSAGE = 4000
_TOO_SLOW = 4001
_REASON_BYTES = 120


class RemoteClock:
    """Ticks the process behind a websocket, which answers once it is idle, with its next timer's time."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[datetime | None]] = {}
        self._closing: set[asyncio.Task[bool]] = set()

    async def tick(self, now: datetime, sequences: dict[str, int]) -> datetime | None:
        """Tell the time and wait until the process is idle. Raises ConnectionError when it has gone."""
        number = next(self._numbers)
        answer: asyncio.Future[datetime | None] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            await self.tell(now, sequences, number)
            return await answer
        except asyncio.CancelledError:
            # Nobody waits for it any longer: the clock is detached, and its process should learn of it.
            closing = asyncio.ensure_future(
                self._socket.close(code=_TOO_SLOW, message=b"no answer to a tick in time: detached")
            )
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
            raise
        finally:
            del self._waiting[number]

    async def tell(self, now: datetime, sequences: dict[str, int], number: int = 0) -> None:
        """Send one tick without waiting for its answer; number 0 is for the first of a connection."""
        if self._socket.closed:
            raise ConnectionError("the websocket is closed")
        tick = {"op": "tick", "now": now.isoformat(), "sequence": sequences, "id": number}
        await self._socket.send_str(json.dumps(tick))

    def heard(self, message: dict[str, Any]) -> None:
        """Take an idle message; one that nobody awaits is dropped. Raises ValueError for anything else."""
        if message.get("op") != "idle" or not isinstance(message.get("id"), int):
            raise ValueError('after a tick answer {"op": "idle", "id": its id, "next_due": ISO time or null}')
        due = _time(message.get("next_due"))
        waiting = self._waiting.get(message["id"])
        if waiting is not None and not waiting.done():
            waiting.set_result(due)

    async def gone(self) -> None:
        """Wake whoever waits for an answer that can no longer come, and let a close under way be said."""
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ConnectionError("its websocket was closed"))
        await asyncio.gather(*self._closing, return_exceptions=True)


async def attach_clock(world: World, request: web.Request) -> web.StreamResponse:
    """Serve one attached clock until its websocket closes: hello, a tick at once, then ticks and idles."""
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise web.HTTPBadRequest(reason="open /clock/attach as a websocket")
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    clock = RemoteClock(socket)
    greeted = False
    try:
        async for frame in socket:
            try:
                message = _message(frame.type, frame.data)
                if greeted:
                    clock.heard(message)
                    continue
                _check_hello(message)
            except ValueError as error:
                world.clock.detach(clock)
                await _refuse(socket, str(error))
                break
            greeted = True
            world.clock.attach(clock)
            await clock.tell(world.clock.now(), world.clock.sequences())
    finally:
        world.clock.detach(clock)
        await clock.gone()
    return socket


def _message(kind: WSMsgType, data: Any) -> dict[str, Any]:
    if kind not in (WSMsgType.TEXT, WSMsgType.BINARY):
        raise ValueError("send JSON text")
    try:
        message = json.loads(data)
    except ValueError as error:
        raise ValueError(f"that is not JSON: {error}") from error
    if not isinstance(message, dict):
        raise ValueError("send a JSON object with an op")
    return message


def _check_hello(message: dict[str, Any]) -> None:
    ids = message.get("session_ids", [])
    if message.get("op") != "hello" or not isinstance(ids, list):
        raise ValueError('say hello first: {"op": "hello", "session_ids": []}')


def _time(value: Any) -> datetime | None:
    if value is None:
        return None
    try:
        when = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"next_due is an ISO time or null, not {value!r}") from error
    if when.tzinfo is None:
        raise ValueError(f"next_due needs a UTC offset, such as +00:00: {value!r}")
    return when


async def _refuse(socket: web.WebSocketResponse, words: str) -> None:
    await socket.send_str(json.dumps({"op": "error", "error": words}))
    await socket.close(code=_BAD_MESSAGE, message=words.encode()[:_REASON_BYTES])

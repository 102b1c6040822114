"""A gateway client without any library: it says what a test makes it say and shows what it gets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from sandbox.server import SandboxServer

Json = dict[str, Any]
ALL_INTENTS = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))


class RawGateway:
    """One connection; ``session_id`` and ``sequence`` are what a resume would name."""

    def __init__(self, server: SandboxServer, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.server = server
        self.socket = socket
        self.session_id = ""
        self.sequence = 0

    async def next(self, timeout: float = 60.0) -> Json:
        """Return the next frame. Raises ConnectionError with the code when the connection was closed."""
        message = await self.socket.receive(timeout)
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(str(self.socket.close_code))
        frame: Json = json.loads(message.data)
        if frame.get("s"):
            self.sequence = frame["s"]
        if frame.get("t") == "READY":
            self.session_id = frame["d"]["session_id"]
        return frame

    async def until(self, event: str | None = None, *, op: int = 0) -> Json:
        """Return the data of the next dispatch of an event, or the next frame of an op."""
        while True:
            frame = await self.next()
            if frame["op"] == op and (event is None or frame["t"] == event):
                return frame["d"] if event is not None else frame

    async def dispatches(self, count: int) -> list[tuple[int, str]]:
        """Return numbers and names of the next dispatches."""
        found: list[tuple[int, str]] = []
        while len(found) < count:
            frame = await self.next()
            if frame["op"] == 0:
                found.append((frame["s"], frame["t"]))
        return found

    async def silent(self) -> bool:
        """Whether nothing comes in answer to a heartbeat but its ACK: all before it has been read."""
        await self.say(1, self.sequence)
        return (await self.next())["op"] == 11

    async def closed(self) -> int | None:
        """Return the code with which the connection is closed, whatever comes before."""
        while True:
            message = await self.socket.receive(60.0)
            if message.type not in {aiohttp.WSMsgType.TEXT, aiohttp.WSMsgType.BINARY}:
                return self.socket.close_code

    async def say(self, op: int, data: Any) -> None:
        """Send a frame."""
        await self.socket.send_json({"op": op, "d": data})

    async def identify(self, intents: int = ALL_INTENTS, **more: Any) -> None:
        """Send IDENTIFY; `more` are further fields of it."""
        token = more.pop("token", self.server.world.token)
        await self.say(2, {"token": token, "intents": intents, "properties": {}, **more})

    async def resume(self, session_id: str, sequence: int) -> None:
        """Send RESUME."""
        await self.say(6, {"token": self.server.world.token, "session_id": session_id, "seq": sequence})

    async def ready(self, intents: int = ALL_INTENTS, guilds: int = 1, **more: Any) -> Json:
        """Begin a session; return the data of READY after so many guilds have come."""
        await self.identify(intents, **more)
        data = await self.until("READY")
        for _ in range(guilds):
            await self.until("GUILD_CREATE")
        return data


@asynccontextmanager
async def raw_gateway(
    server: SandboxServer, query: str = "?v=10&encoding=json", *, greeted: bool = True
) -> AsyncIterator[RawGateway]:
    """Connect, and take HELLO unless it is not `greeted`."""
    # A half-open connection answers no closing handshake: it is not waited for.
    patience = aiohttp.ClientWSTimeout(ws_close=0.2)
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.addresses.gateway + query, timeout=patience) as socket,
    ):
        gateway = RawGateway(server, socket)
        if greeted:
            assert (await gateway.next())["op"] == 10
        yield gateway

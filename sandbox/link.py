"""Binds the bot to a running sandbox: its socket for the internet, its clock for the machine's."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import aiohttp

from core.clock import SteppedClock
from core.connection import Connection, Detach
from core.errors import StartupError

if TYPE_CHECKING:
    from core.bot import Bot
    from core.runtime import Runtime

log = logging.getLogger(__name__)

#: Real seconds that a bot gets to take in what the gateway has sent before the clock goes on without it.
PATIENCE = 8.0
#: Real seconds between two IDENTIFY calls; a sandbox does not mind.
IDENTIFY_PAUSE = 0.05
#: Real seconds that a dropped connection is waited for before time goes on without it.
RECONNECT_PATIENCE = 1.0
TURN = 0.001


@dataclass(frozen=True, slots=True)
class SandboxLink:
    """A way to a sandbox.

    :param connection: what the runtime connects with.
    """

    connection: Connection


@asynccontextmanager
async def open_link(control_url: str) -> AsyncIterator[SandboxLink]:
    """Ask a running sandbox how to reach it.

    :param control_url: the `control` value that `redlegion sandbox` prints.
    :raises StartupError: nobody answers there, or it is no sandbox.
    """
    url = control_url.rstrip("/")
    timeout = aiohttp.ClientTimeout(total=None, connect=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        try:
            async with session.get(f"{url}/addresses") as answer:
                addresses: dict[str, Any] = await answer.json()
            async with session.get(f"{url}/clock") as answer:
                start = datetime.fromisoformat((await answer.json())["now"])
            socket, token = str(addresses["socket"]), str(addresses["token"])
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError):
            raise StartupError(
                f"No sandbox answers at {control_url}: start one with `redlegion sandbox` and give its "
                "`control` address."
            ) from None
        clock = SteppedClock(start)
        attachment = ClockAttachment(session, f"{url}/clock/attach", clock)
        yield SandboxLink(
            Connection(
                token=token,
                clock=clock,
                connector=lambda: aiohttp.UnixConnector(path=socket, limit=0),
                identify_pause=IDENTIFY_PAUSE,
                attach=attachment.attach,
            )
        )


class ClockAttachment:
    """Turns the bot's clock whenever the sandbox turns its own, and answers when the bot is idle."""

    def __init__(self, session: aiohttp.ClientSession, url: str, clock: SteppedClock) -> None:
        self._session = session
        self._url = url
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._socket: aiohttp.ClientWebSocketResponse | None = None

    async def attach(self, runtime: Runtime) -> Detach:
        """Connect; returns what ends it. After the return the clock shows the sandbox's time."""
        self._socket = await self._session.ws_connect(self._url)
        await self._socket.send_json({"op": "hello", "session_ids": []})
        first = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._serve(self._socket, runtime, first), name="sandbox clock")
        await asyncio.wait({first, self._task}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        return self.detach

    async def detach(self) -> None:
        """Let the sandbox go on without this bot."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
        if self._socket is not None:
            await self._socket.close()

    async def _serve(
        self, socket: aiohttp.ClientWebSocketResponse, runtime: Runtime, first: asyncio.Future[None]
    ) -> None:
        reader = Reader(runtime.bot)
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                break
            tick = message.json()
            if tick.get("op") != "tick":
                continue
            try:
                async with asyncio.timeout(PATIENCE):
                    await self._take(runtime, reader, tick)
            except TimeoutError:
                log.warning("the bot was still busy when the sandbox turned its clock on")
            due = self._clock.next_due()
            answer = {"op": "idle", "id": tick["id"], "next_due": due.isoformat() if due else None}
            await socket.send_json(answer)
            if not first.done():
                first.set_result(None)

    async def _take(self, runtime: Runtime, reader: Reader, tick: dict[str, Any]) -> None:
        """Take in what the gateway has sent at the old time, then turn the clock."""
        await reader.caught_up({str(key): int(value) for key, value in tick["sequence"].items()})
        await runtime.idle()
        await self._clock.advance_to(datetime.fromisoformat(tick["now"]), runtime.idle)
        await runtime.idle()


class Reader:
    """Knows how far a bot has read what the gateway sent."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._gave_up = False

    async def caught_up(self, sequences: dict[str, int]) -> None:
        """Return once the bot has taken every dispatch that the sandbox has sent it.

        A connection that is down is waited for once per outage: a moment is enough for a resume, and a
        longer outage is one that somebody asked for.

        :param sequences: the last sequence number sent, by gateway session id.
        """
        waiting = 0.0
        while True:
            shards = list(self._bot.shards.values())
            if all(shard.id in self._bot.connected_shards and not _down(shard) for shard in shards):
                self._gave_up = False
                if not any(_behind(shard, sequences) for shard in shards):
                    return
            elif self._gave_up:
                return
            elif waiting > RECONNECT_PATIENCE:
                self._gave_up = True
                return
            else:
                waiting += TURN
            await asyncio.sleep(TURN)


def _websocket(shard: Any) -> Any:
    # discord.py keeps a shard's websocket to itself; only session id, sequence and state are read here.
    return getattr(getattr(shard, "_parent", None), "ws", None)


def _down(shard: Any) -> bool:
    websocket = _websocket(shard)
    return websocket is None or shard.is_closed() or websocket.socket.closed


def _behind(shard: Any, sequences: dict[str, int]) -> bool:
    websocket = _websocket(shard)
    return (websocket.sequence or 0) < sequences.get(websocket.session_id, 0)

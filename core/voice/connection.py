"""discord.py's voice client, with sockets that are gone once they are closed.

discord.py 2.7.1 reads the socket in a thread that waits for up to half a minute. Closing the socket does not
wake it, so thread and port stay for that long; and where a server update comes twice, the first socket stays
open for good. So does a websocket whose opening is cancelled when it stands but has not been handed over, and
one that was to be closed after a farewell that the gateway did not take. A message that arrives in the moment
of a cancellation swallows it, and what was to end goes on for ever.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable
from contextlib import suppress

import discord
from discord.gateway import DiscordVoiceWebSocket
from discord.voice_state import ConnectionFlowState, VoiceConnectionState

_log = logging.getLogger(__name__)

CLOSE_SECONDS = 1.0


async def close_all(sockets: Iterable[DiscordVoiceWebSocket], guild_id: int) -> None:
    """Close voice websockets, each within `CLOSE_SECONDS`; they are closed even if the wait is cancelled."""
    closing = asyncio.gather(*map(_close, sockets), return_exceptions=True)
    for outcome in await asyncio.shield(closing):
        if isinstance(outcome, Exception):
            _log.debug("closing a voice websocket in guild %d: %r", guild_id, outcome)


async def _close(ws: DiscordVoiceWebSocket) -> None:
    async with asyncio.timeout(CLOSE_SECONDS):
        await ws.close()


class SeatVoiceClient(discord.VoiceClient):
    """A voice client whose connection leaves no socket and no thread behind."""

    def create_connection_state(self) -> VoiceConnectionState:
        """Return the connection that discord.py is to use."""
        return _Connection(self)


class _Connection(VoiceConnectionState):
    def __init__(self, client: SeatVoiceClient) -> None:
        super().__init__(client)
        self._opened: list[_WebSocket] = []

    def _create_socket(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = _WakingSocket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self._socket_reader.resume()

    async def _connect_websocket(self, resume: bool) -> DiscordVoiceWebSocket:
        seq_ack = self.ws.seq_ack if self.ws else -1
        ws = await _WebSocket.from_connection_state(self, resume=resume, hook=self.hook, seq_ack=seq_ack)
        self._opened.append(ws)
        self.state = ConnectionFlowState.websocket_connected
        return ws

    async def disconnect(self, *, force: bool = True, cleanup: bool = True, wait: bool = False) -> None:
        if not force and not self.is_connected():
            return
        opened = self._hand_over()
        try:
            await super().disconnect(force=force, cleanup=cleanup, wait=wait)
        finally:
            await self._end(opened)

    async def soft_disconnect(
        self, *, with_state: ConnectionFlowState = ConnectionFlowState.got_both_voice_updates
    ) -> None:
        opened = self._hand_over()
        try:
            await super().soft_disconnect(with_state=with_state)
        finally:
            await self._end(opened)

    def _hand_over(self) -> list[_WebSocket]:
        """Take what is open now; discord.py may open anew while it still closes."""
        opened, self._opened = self._opened, []
        return opened

    async def _end(self, opened: list[_WebSocket]) -> None:
        """Close websockets; discord.py knows only the last one, and skips it when its farewell fails."""
        for ws in opened:
            if ws._keep_alive is not None:
                ws._keep_alive.stop()
        await close_all(opened, self.guild.id)
        # A pause after the end would put a reader to sleep that has not seen yet that it is to end.
        if self._socket_reader._end.is_set():
            self._socket_reader.stop()

    async def _potential_reconnect(self) -> bool:
        """Follow to another voice server within the time for a try; discord.py would wait for ever."""
        try:
            async with asyncio.timeout(self.timeout):
                return await super()._potential_reconnect()
        except TimeoutError:
            return False


class _WebSocket(DiscordVoiceWebSocket):
    """A websocket that ends when its first message cannot be sent: until then nobody else knows of it."""

    async def poll_event(self) -> None:
        await super().poll_event()
        # Up to Python 3.11 asyncio.wait_for hands over a message and drops a cancellation of the same moment.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise asyncio.CancelledError

    async def identify(self) -> None:
        try:
            await super().identify()
        except BaseException:
            await self.ws.close()
            raise

    async def resume(self) -> None:
        try:
            await super().resume()
        except BaseException:
            await self.ws.close()
            raise


class _WakingSocket(socket.socket):
    """A socket that wakes whoever waits for it in another thread when it is closed."""

    over = False

    def close(self) -> None:
        self.over = True
        # Not connected yet, nobody waits for it either.
        with suppress(OSError):
            self.shutdown(socket.SHUT_RDWR)
        super().close()

    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        if self.over:
            raise OSError("the socket is closed")
        return super().recv(bufsize, flags)

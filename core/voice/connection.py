"""discord.py's voice client, with sockets that are gone once they are closed.

discord.py 2.7.1 reads the socket in a thread that waits for up to half a minute. Closing the socket does not
wake it, so thread and port stay for that long; and where a server update comes twice, the first socket stays
open for good. So does a websocket whose opening is cancelled when it stands but has not been handed over.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import discord
from discord.gateway import DiscordVoiceWebSocket
from discord.voice_state import ConnectionFlowState, VoiceConnectionState


class SeatVoiceClient(discord.VoiceClient):
    """A voice client whose connection leaves no socket and no thread behind."""

    def create_connection_state(self) -> VoiceConnectionState:
        """Return the connection that discord.py is to use."""
        return _Connection(self)


class _Connection(VoiceConnectionState):
    def _create_socket(self) -> None:
        if self.socket:
            self.socket.close()
        self.socket = _WakingSocket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self._socket_reader.resume()

    async def _connect_websocket(self, resume: bool) -> DiscordVoiceWebSocket:
        seq_ack = self.ws.seq_ack if self.ws else -1
        ws = await _WebSocket.from_connection_state(self, resume=resume, hook=self.hook, seq_ack=seq_ack)
        self.state = ConnectionFlowState.websocket_connected
        return ws

    async def _potential_reconnect(self) -> bool:
        """Follow to another voice server within the time for a try; discord.py would wait for ever."""
        try:
            async with asyncio.timeout(self.timeout):
                return await super()._potential_reconnect()
        except TimeoutError:
            return False


class _WebSocket(DiscordVoiceWebSocket):
    """A websocket that ends when its first message cannot be sent: until then nobody else knows of it."""

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

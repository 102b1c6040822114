"""The voice websocket, version 8."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from sandbox.server.gateway.session import plain

if TYPE_CHECKING:
    from sandbox.server.voice.seat import Seat
    from sandbox.server.world import World

_log = logging.getLogger(__name__)
HEARTBEAT_MS = 13_750
MODES = ("aead_aes256_gcm_rtpsize", "aead_xchacha20_poly1305_rtpsize")
_IDENTIFY, _SELECT, _HEARTBEAT, _SPEAKING, _RESUME = 0, 1, 3, 5, 7
_UNKNOWN_OP, _UNAUTHENTICATED, _AUTH_FAILED, _TWICE, _SESSION_GONE = 4001, 4003, 4004, 4005, 4006
_UNKNOWN_MODE, _BAD_REQUEST = 4016, 4020


class VoiceSocket:
    """One voice connection of the bot."""

    def __init__(self, world: World, request: web.Request) -> None:
        self._world = world
        self._request = request
        self._ws = web.WebSocketResponse(max_msg_size=1 << 20)
        self._seat: Seat | None = None
        self._ssrc = world.random.getrandbits(31)
        self._ending: asyncio.Task[bool] | None = None

    def end(self, code: int) -> None:
        """Close with a code."""
        self._ending = asyncio.get_running_loop().create_task(self._ws.close(code=code))

    async def run(self) -> web.WebSocketResponse:
        """Serve the connection to its end."""
        await self._ws.prepare(self._request)
        await self._send(8, {"v": 8, "heartbeat_interval": HEARTBEAT_MS})
        try:
            async for message in self._ws:
                if message.type is not WSMsgType.TEXT:
                    continue
                try:
                    frame = json.loads(message.data)
                    self._world.log.add("voice", "in", op=frame["op"], data=plain(frame).get("d"))
                    code = await self._handle(frame["op"], frame.get("d"))
                except (ValueError, TypeError, KeyError, AttributeError):
                    _log.warning("a voice frame could not be read", exc_info=True)
                    code = _BAD_REQUEST
                if code:
                    await self._ws.close(code=code)
                    break
        finally:
            if self._seat is not None and self._seat.line is self:
                self._seat.line = None
            if self._ending is not None:
                await asyncio.gather(self._ending, return_exceptions=True)
        return self._ws

    async def _send(self, op: int, data: Any) -> None:
        self._world.log.add("voice", "out", op=op, data=data if op != 4 else {**data, "secret_key": "..."})
        await self._ws.send_str(json.dumps({"op": op, "d": data}))

    async def _handle(self, op: int, data: Any) -> int:
        """Answer one frame; return a close code, or 0 to go on."""
        if op == _HEARTBEAT:
            sent = data.get("t") if isinstance(data, dict) else data
            await self._send(6, {"t": sent})
        elif op in {_IDENTIFY, _RESUME}:
            return await self._identify(data, resumed=op == _RESUME)
        elif self._seat is None:
            return _UNAUTHENTICATED
        elif op == _SELECT:
            mode = data["data"]["mode"]
            if mode not in MODES:
                return _UNKNOWN_MODE
            key = list(self._world.random.randbytes(32))
            await self._send(4, {"mode": mode, "secret_key": key, "dave_protocol_version": 0})
        elif op != _SPEAKING and not 12 <= op <= 31:
            return _UNKNOWN_OP
        return 0

    async def _identify(self, data: Any, *, resumed: bool) -> int:
        if self._seat is not None:
            return _TWICE
        world = self._world
        guild = world.guilds.get(int(data["server_id"]))
        seat = world.bot_voice.seats.get(int(data["server_id"]))
        if guild is None or seat is None:
            return _SESSION_GONE
        if data.get("token") != seat.token:
            return _AUTH_FAILED
        state = guild.voice_states.get(world.bot_user.id)
        if state is None or state.session_id != data.get("session_id"):
            return _SESSION_GONE
        self._seat, seat.line = seat, self
        if resumed:
            await self._send(9, None)
            return 0
        ready = {
            "ssrc": self._ssrc,
            "ip": "127.0.0.1",
            "port": world.bot_voice.udp_port,
            "modes": list(MODES),
        }
        await self._send(2, ready | {"experiments": [], "streams": []})
        return 0

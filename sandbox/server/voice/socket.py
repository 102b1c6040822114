"""The voice websocket: version 8, and 4 to 7 for older clients."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from sandbox.server.gateway.session import plain
from sandbox.server.voice import cipher, dave
from sandbox.server.voice.bot import CLIENTS_CONNECT
from sandbox.server.voice.refusals import VoiceRefusal

if TYPE_CHECKING:
    from sandbox.server.voice.seat import Seat
    from sandbox.server.world import World

_log = logging.getLogger(__name__)
VERSIONS = range(4, 9)
NEWEST = 8
_IDENTIFY, _SELECT, _READY, _HEARTBEAT, _DESCRIPTION, _SPEAKING = 0, 1, 2, 3, 4, 5
_ACK, _RESUME, _HELLO, _RESUMED, _BACKEND = 6, 7, 8, 9, 16
_FROM_CLIENTS = frozenset({_SPEAKING, 12, 14, 15, _BACKEND, 18, 20, *range(21, 32)})
_UNKNOWN_OP, _NOT_DECODED, _UNAUTHENTICATED, _AUTH_FAILED, _TWICE, _SESSION_GONE = range(4001, 4007)
_TIMED_OUT, _NO_SERVER, _UNKNOWN_PROTOCOL, _UNKNOWN_MODE, _BAD_REQUEST = 4009, 4011, 4012, 4016, 4020
_BROKEN = 1006
_OUR_VERSIONS = {"voice": "0.11.0", "rtc_worker": "0.4.10"}
_IN_HOST = re.compile(r"-(\d+)\.")


class VoiceSocket:
    """One voice connection of the bot."""

    def __init__(self, world: World, request: web.Request) -> None:
        self._world = world
        self._voice = world.bot_voice
        self._request = request
        self._ws = web.WebSocketResponse(max_msg_size=1 << 20)
        self._queue: asyncio.Queue[str | bytes | int] = asyncio.Queue()
        self._seat: Seat | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._closed_with: int | None = None
        given = request.query.get("v", "4")
        self.version = int(given) if given.isascii() and given.isdigit() else 0
        named = request.match_info.get("guild") or next(iter(_IN_HOST.findall(request.host)), "0")
        self._guild_id = int(named)

    def end(self, code: int) -> None:
        """Close with a code after what is queued."""
        self._queue.put_nowait(code)

    def push(self, op: int, data: Any) -> None:
        """Send a message that a resume repeats when it was missed."""
        if self._seat is not None:
            self._out(op, data, self._seat.keep(op, data))

    async def run(self) -> web.StreamResponse:
        """Serve the connection to its end."""
        if self._refusal("handshake"):
            return web.Response(status=503, text="refused by a fault")
        await self._ws.prepare(self._request)
        writer = asyncio.create_task(self._write())
        try:
            if self.version not in VERSIONS:
                self.end(_UNKNOWN_PROTOCOL)
            else:
                self._hello()
            await self._read()
        finally:
            self._leave()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
        return self._ws

    def _hello(self) -> None:
        self._out(_HELLO, {"v": self.version, "heartbeat_interval": self._voice.heartbeat_ms})
        self._beaten()
        refusal = self._refusal("close_after_hello")
        if refusal is not None:
            self.end(refusal.code or _BROKEN)

    def _refusal(self, step: str) -> VoiceRefusal | None:
        return self._voice.refusal(step, self._guild_id)

    def _beaten(self) -> None:
        """Wind the clock up again after which a client that does not beat is closed."""
        if self._timer is not None:
            self._timer.cancel()
        seconds = 2 * self._voice.heartbeat_ms / 1000
        self._timer = asyncio.get_running_loop().call_later(seconds, self._silent)

    def _silent(self) -> None:
        if self._seat is not None:
            self._seat.lost = True
        self.end(_TIMED_OUT)

    async def _read(self) -> None:
        async for message in self._ws:
            if message.type is WSMsgType.BINARY:
                code = self._binary(message.data)
            elif message.type is WSMsgType.TEXT:
                code = self._text(message.data)
            else:
                continue
            if code:
                if self._seat is not None:
                    self._seat.lost = True
                self.end(code)

    def _text(self, text: str) -> int:
        try:
            frame = json.loads(text)
            op, data = frame["op"], frame.get("d")
        except (ValueError, KeyError, TypeError):
            return _NOT_DECODED
        self._world.log.add("voice", "in", op=op, data=plain(frame).get("d"))
        try:
            return self._handle(op, data)
        except (ValueError, TypeError, KeyError, AttributeError):
            _log.warning("voice op %s could not be read", op, exc_info=True)
            return _BAD_REQUEST

    def _binary(self, body: bytes) -> int:
        if self._seat is None:
            return _UNAUTHENTICATED
        if not body or body[0] not in _FROM_CLIENTS:
            return _UNKNOWN_OP
        self._world.log.add("voice", "in", op=body[0], data={"bytes": len(body) - 1})
        if body[0] == dave.KEY_PACKAGE:
            self._voice.stats(self._seat.guild_id).key_package_bytes = len(body) - 1
        return 0

    def _leave(self) -> None:
        """Note how the line ended; a client that says goodbye (1000, 1001) gives its session up."""
        if self._timer is not None:
            self._timer.cancel()
        code = self._closed_with or self._ws.close_code or _BROKEN
        seat = self._seat
        self._voice.closed(seat.guild_id if seat is not None else self._guild_id, code)
        if seat is None:
            return
        if seat.line is self:
            seat.line = None
            seat.lost = seat.lost or code in {1000, 1001}
        current = self._voice.seats.get(seat.guild_id)
        if current is not None and current.previous is self:
            current.previous = None

    async def _write(self) -> None:
        while True:
            frame = await self._queue.get()
            try:
                if isinstance(frame, str):
                    await self._ws.send_str(frame)
                elif isinstance(frame, bytes):
                    await self._ws.send_bytes(frame)
                elif frame == _BROKEN:
                    self._closed_with = frame
                    self._abort()
                else:
                    self._closed_with = self._closed_with or frame
                    await self._ws.close(code=frame)
            except (ConnectionError, RuntimeError) as error:
                # The client has gone; the reader sees it too.
                _log.debug("voice connection lost while writing: %s", error)
                return

    def _abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()

    def _out(self, op: int, data: Any, number: int | None = None) -> None:
        shown = {**data, "secret_key": "..."} if op == _DESCRIPTION else data
        self._world.log.add("voice", "out", op=op, data=shown)
        frame: dict[str, Any] = {"op": op, "d": data}
        if number is not None and self.version >= NEWEST:
            frame["seq"] = number
        self._queue.put_nowait(json.dumps(frame))

    def _handle(self, op: Any, data: Any) -> int:
        """Answer one frame; return a close code, or 0 to go on."""
        if op == _HEARTBEAT:
            self._heartbeat(data)
        elif op == _IDENTIFY:
            return self._identify(data)
        elif op == _RESUME:
            return self._resume(data)
        elif self._seat is None:
            return _UNAUTHENTICATED
        elif op == _SELECT:
            return self._select(self._seat, data)
        elif op == _SPEAKING:
            self._seat.speaking = int(data["speaking"])
        elif op == _BACKEND:
            self._out(_BACKEND, _OUR_VERSIONS)
        elif op not in _FROM_CLIENTS:
            return _UNKNOWN_OP
        return 0

    def _heartbeat(self, data: Any) -> None:
        if self.version >= NEWEST:
            nonce = data["t"]
            self._out(_ACK, {"t": int(nonce)})
        else:
            self._out(_ACK, int(data))
        self._beaten()
        if self._seat is not None:
            self._voice.stats(self._seat.guild_id).heartbeats += 1

    def _claim(self, data: Any) -> int:
        """Take the seat that the client names; return a close code when it is not theirs."""
        if self._seat is not None:
            return _TWICE
        guild_id = int(data["server_id"])
        if guild_id not in self._world.guilds:
            return _NO_SERVER
        seat = self._voice.seats.get(guild_id)
        if seat is None:
            return _SESSION_GONE
        if data["token"] != seat.token:
            return _AUTH_FAILED
        if data["session_id"] != seat.session_id or seat.lost:
            return _SESSION_GONE
        self._guild_id = guild_id
        self._seat = seat
        return 0

    def _identify(self, data: Any) -> int:
        code = self._claim(data)
        if code or self._seat is None:
            return code
        seat = self._seat
        if int(data["user_id"]) != self._world.bot_user.id:
            return _AUTH_FAILED
        if self._refusal("session_invalid"):
            return _SESSION_GONE
        self._take_line(seat)
        seat.mode, seat.address, seat.speaking = None, None, 0
        seat.dave = min(int(data.get("max_dave_protocol_version") or 0), self._world.dave_protocol_version)
        stats = self._voice.stats(seat.guild_id)
        stats.identifies, stats.version = stats.identifies + 1, self.version
        if self._refusal("no_ready"):
            return 0
        modes = ["no_such_mode"] if self._refusal("unknown_modes") else list(cipher.MODES)
        where = {"ssrc": seat.ssrc, "ip": "127.0.0.1", "port": self._voice.udp_port, "modes": modes}
        self._out(_READY, {**where, "experiments": [], "streams": []})
        return 0

    def _take_line(self, seat: Seat) -> None:
        """Make this the seat's line; one that the client left open is closed."""
        for line in (seat.line, seat.previous):
            if line is not None and line is not self:
                line.end(4014)
        seat.line, seat.previous = self, None

    def _select(self, seat: Seat, data: Any) -> int:
        if data["protocol"] != "udp":
            return _UNKNOWN_PROTOCOL
        mode = data["data"]["mode"]
        if mode not in cipher.MODES or self._refusal("mode_refused"):
            return _UNKNOWN_MODE
        seat.address = seat.address or (str(data["data"]["address"]), int(data["data"]["port"]))
        if self._refusal("no_description"):
            return 0
        seat.mode, seat.key = mode, self._world.random.randbytes(cipher.KEY_SIZE)
        self._describe(seat)
        others = self._voice.others(self._world.guilds[seat.guild_id])
        if others:
            self.push(CLIENTS_CONNECT, {"user_ids": [str(each) for each in others]})
        if seat.dave:
            number = seat.keep(dave.EXTERNAL_SENDER, dave.external_sender())
            self._out_binary(dave.EXTERNAL_SENDER, dave.external_sender(), number)
        refusal = self._refusal("close")
        if refusal is not None:
            code = refusal.code or _SESSION_GONE
            asyncio.get_running_loop().call_soon(self._voice.end, seat.guild_id, code)
        return 0

    def _describe(self, seat: Seat) -> None:
        described = {"mode": seat.mode, "secret_key": list(seat.key), "dave_protocol_version": seat.dave}
        self._voice.stats(seat.guild_id).dave_protocol_version = seat.dave
        self._out(_DESCRIPTION, described)

    def _out_binary(self, op: int, body: bytes, number: int) -> None:
        self._world.log.add("voice", "out", op=op, data={"bytes": len(body)})
        self._queue.put_nowait(dave.frame(number, op, body))

    def _resume(self, data: Any) -> int:
        code = self._claim(data)
        if code or self._seat is None:
            return code
        seat = self._seat
        if not seat.resumable or self._refusal("no_resume"):
            return _SESSION_GONE
        self._take_line(seat)
        self._voice.stats(seat.guild_id).resumes += 1
        self._out(_RESUMED, None)
        if self.version >= NEWEST:
            for number, op, body in seat.missed(int(data.get("seq_ack", -1))):
                if isinstance(body, bytes):
                    self._out_binary(op, body, number)
                else:
                    self._out(op, body, number)
        if self._voice.repeats_description:
            self._describe(seat)
        return 0

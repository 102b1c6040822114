"""The gateway's websocket: from HELLO to the last frame."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from sandbox.server.gateway import compress, intents, ready
from sandbox.server.gateway.session import Session, plain

if TYPE_CHECKING:
    from sandbox.server.world import World

_log = logging.getLogger(__name__)
HEARTBEAT_MS = 41_250
ACK_AFTER = 0.01
"""Seconds before a heartbeat is acknowledged: at once, discord.py would measure a negative time."""

_HEARTBEAT, _IDENTIFY, _PRESENCE, _VOICE, _RESUME, _MEMBERS = 1, 2, 3, 4, 6, 8
_CLEAN = frozenset({1000, 1001})


class _Close(Exception):
    """The server ends the connection with a code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class GatewaySocket:
    """One websocket connection of a client."""

    def __init__(self, world: World, request: web.Request, resume_url: str, voice_endpoint: str) -> None:
        self._world = world
        self._request = request
        self._resume_url = resume_url
        self._voice_endpoint = voice_endpoint
        self._pack = compress.packer(request.query.get("compress"))
        self._ws = web.WebSocketResponse(max_msg_size=1 << 20, compress=False)
        self._queue: asyncio.Queue[str | int] = asyncio.Queue()
        self._session: Session | None = None
        self._by_client = False

    def send(self, frame: str) -> None:
        """Queue one frame."""
        self._queue.put_nowait(frame)

    def close(self, code: int) -> None:
        """Close with a code after what is queued."""
        self._queue.put_nowait(code)

    def abort(self) -> None:
        """Tear the connection down without a close frame."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    async def run(self) -> web.WebSocketResponse:
        """Serve the connection to its end."""
        await self._ws.prepare(self._request)
        writer = asyncio.create_task(self._write())
        self.send(
            json.dumps(
                {"op": 10, "s": None, "t": None, "d": {"heartbeat_interval": HEARTBEAT_MS, "_trace": []}}
            )
        )
        try:
            await self._read()
        except _Close as end:
            self._world.log.note(f"gateway closed with {end.code}: {end}")
            await self._ws.close(code=end.code, message=str(end).encode())
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._detach()
        return self._ws

    def _detach(self) -> None:
        session = self._session
        if session is None:
            return
        if session.connection is self:
            clean = self._ws.close_code in _CLEAN and self._by_client
            self._world.hub.lost(session, for_good=clean)

    async def _write(self) -> None:
        while True:
            frame = await self._queue.get()
            try:
                if isinstance(frame, int):
                    await self._ws.close(code=frame)
                elif self._pack is not None:
                    await self._ws.send_bytes(self._pack(frame.encode()))
                else:
                    await self._ws.send_str(frame)
            except (ConnectionError, RuntimeError) as error:
                # The client has gone; the reader sees it too, and the session keeps the events for a resume.
                _log.debug("gateway connection lost while writing: %s", error)
                return

    async def _read(self) -> None:
        while True:
            message = await self._ws.receive()
            if message.type in {WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR}:
                self._by_client = message.type is WSMsgType.CLOSE
                return
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                continue
            try:
                frame = json.loads(message.data)
                op = frame["op"]
            except (ValueError, KeyError, TypeError):
                raise _Close(4002, "Error while decoding payload.") from None
            self._world.log.add(
                "gateway",
                "in",
                op=op,
                data=plain(frame).get("d"),
                session=self._session.id if self._session else None,
            )
            try:
                self._handle(op, frame.get("d"))
            except (ValueError, TypeError, KeyError, AttributeError):
                _log.warning("op %s could not be read", op, exc_info=True)
                raise _Close(4002, "Error while decoding payload.") from None

    def _handle(self, op: Any, data: Any) -> None:
        if op == _HEARTBEAT:
            asyncio.get_running_loop().call_later(
                ACK_AFTER, self.send, '{"op":11,"s":null,"t":null,"d":null}'
            )
        elif op == _IDENTIFY:
            self._identify(data)
        elif op == _RESUME:
            self._resume(data)
        elif op not in {_PRESENCE, _VOICE, _MEMBERS}:
            raise _Close(4001, "Unknown opcode.")
        elif self._session is None:
            raise _Close(4003, "Not authenticated.")
        elif op == _VOICE:
            self._voice(self._session, data)
        elif op == _MEMBERS:
            for chunk in ready.chunks(self._world, self._session, data):
                self._world.hub.send(self._session, "GUILD_MEMBERS_CHUNK", chunk)

    def _authenticate(self, data: Any) -> None:
        if self._session is not None:
            raise _Close(4005, "Already authenticated.")
        if not isinstance(data, dict):
            raise _Close(4002, "Error while decoding payload.")
        if str(data.get("token", "")).removeprefix("Bot ") != self._world.token:
            raise _Close(4004, "Authentication failed.")

    def _identify(self, data: Any) -> None:
        self._authenticate(data)
        asked = data.get("intents")
        if not isinstance(asked, int) or asked & ~intents.KNOWN:
            raise _Close(4013, "Invalid intent(s).")
        for name, bit in intents.PRIVILEGED.items():
            if asked & bit and name not in self._world.privileged_intents:
                raise _Close(4014, "Disallowed intent(s).")
        index, count = data.get("shard") or (0, 1)
        if not 0 <= index < count:
            raise _Close(4010, "Invalid shard.")
        world = self._world
        session = Session(
            f"{world.random.getrandbits(128):032x}",
            asked,
            (index, count),
            int(data.get("large_threshold") or 50),
            connection=self,
            voice_endpoint=self._voice_endpoint,
        )
        self._session = session
        world.hub.sessions[session.id] = session
        world.hub.send(session, "READY", ready.ready(world, session, self._resume_url))
        if session.may_hear("GUILD_CREATE", in_guild=True):
            for guild in ready.own_guilds(world, session):
                world.hub.send(session, "GUILD_CREATE", ready.guild_create(world, session, guild))

    def _resume(self, data: Any) -> None:
        self._authenticate(data)
        session = self._world.hub.sessions.get(str(data.get("session_id")))
        missed = session.missed(int(data.get("seq") or 0)) if session else None
        if session is None or missed is None:
            self.send('{"op":9,"s":null,"t":null,"d":false}')
            return
        if session.connection is not None:
            session.connection.close(4000)
        self._session = session
        for frame in missed:
            self.send(frame)
        session.connection = self
        self._world.hub.back(session)
        session.voice_endpoint = self._voice_endpoint
        self._world.hub.send(session, "RESUMED", {"_trace": ["sandbox"]})

    def _voice(self, session: Session, data: Any) -> None:
        guild = self._world.guilds.get(int(data["guild_id"]))
        if guild is None or self._world.bot_user.id not in guild.members:
            return
        given = data.get("channel_id")
        channel_id = int(given) if given is not None else None
        flags = {"self_mute": bool(data.get("self_mute")), "self_deaf": bool(data.get("self_deaf"))}
        self._world.bot_voice.asked(guild, channel_id, flags)


async def serve(
    world: World, request: web.Request, resume_url: str, voice_endpoint: str
) -> web.StreamResponse:
    """Answer a gateway handshake; while the line is held, refuse it or leave it waiting."""
    if world.hub.held:
        if not world.hub.parked:
            return web.Response(status=503, text="the gateway is held by a fault")
        await world.hub.wait_released()
    return await GatewaySocket(world, request, resume_url, voice_endpoint).run()

"""The gateway's websocket: from HELLO to the last frame."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from sandbox.server.gateway import chunks, closing, compress, identify, ready
from sandbox.server.gateway.closing import Closing
from sandbox.server.gateway.outlet import Outlet
from sandbox.server.gateway.session import Session, plain
from sandbox.server.gateway.watchdog import Watchdog

if TYPE_CHECKING:
    from sandbox.server.world import World

_log = logging.getLogger(__name__)
ACK_AFTER = 0.01
"""Seconds before a heartbeat is acknowledged: at once, discord.py would measure a negative time."""

_HEARTBEAT, _IDENTIFY, _PRESENCE, _VOICE, _RESUME, _MEMBERS = 1, 2, 3, 4, 6, 8
_INVALID = '{"op":9,"s":null,"t":null,"d":false}'
_ACK = '{"op":11,"s":null,"t":null,"d":null}'
_CLEAN = frozenset({1000, 1001})
_ENDS = frozenset({WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR})
_FATAL = frozenset({closing.INVALID_SEQUENCE, closing.SESSION_TIMED_OUT, closing.AUTHENTICATION_FAILED})
"""Codes after which there is nothing left to resume."""


class GatewaySocket:
    """One websocket connection of a client."""

    def __init__(self, world: World, request: web.Request, resume_url: str, voice_endpoint: str) -> None:
        self._world = world
        self._request = request
        self._resume_url = resume_url
        self._voice_endpoint = voice_endpoint
        self._ws = web.WebSocketResponse(max_msg_size=1 << 20, compress=False)
        self._outlet = Outlet(self._ws, request, compress.packer(request.query.get("compress")))
        settings = world.gateway
        self._interval = settings.heartbeat_seconds
        self._watchdog = Watchdog(self._interval, settings.frames_per_minute, self._silent)
        self._session: Session | None = None
        self._dismissed: Session | None = None
        self._by_client = False
        self.acknowledging = True

    @property
    def frozen(self) -> bool:
        """Whether nothing passes in either direction."""
        return self._outlet.frozen

    def send(self, frame: str) -> None:
        """Queue one frame."""
        self._outlet.put((frame,))

    def send_together(self, frames: Sequence[str]) -> None:
        """Queue frames that leave in one write."""
        self._outlet.put(frames)

    def close(self, code: int) -> None:
        """Close with a code after what is queued."""
        if self.frozen:
            self.abort()
        else:
            self._outlet.close(code)

    def abort(self) -> None:
        """Tear the connection down without a close frame."""
        transport = self._request.transport
        if transport is not None:
            transport.abort()

    def invalidate(self, resumable: bool) -> None:
        """Say that the session is no longer this connection's, which may now resume it or identify anew."""
        self.send(f'{{"op":9,"s":null,"t":null,"d":{"true" if resumable else "false"}}}')
        session, self._session = self._session, None
        if session is not None:
            self._dismissed = session
            self._world.hub.lost(session, for_good=not resumable)

    def freeze(self) -> None:
        """Let nothing pass any more, without a word to anybody."""
        self._outlet.freeze()
        transport = self._request.transport
        if transport is not None and not transport.is_closing():
            transport.pause_reading()

    async def run(self) -> web.WebSocketResponse:
        """Serve the connection to its end."""
        stream = await self._ws.prepare(self._request)
        writer = asyncio.create_task(self._outlet.run(stream))
        try:
            query = self._request.query
            identify.check_address(query.get("v"), query.get("encoding"))
            hello = {"heartbeat_interval": round(self._interval * 1000), "_trace": []}
            self.send(json.dumps({"op": 10, "s": None, "t": None, "d": hello}))
            self._watchdog.beat()
            await self._read()
        except Closing as end:
            self._world.log.note(f"gateway closed with {end.code}: {end}")
            if end.code in _FATAL and self._session is not None:
                self._world.hub.forget(self._session)
            await self._ws.close(code=end.code, message=str(end).encode())
        finally:
            self._watchdog.stop()
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)
            self._detach()
        return self._ws

    def _silent(self) -> None:
        """End a connection whose heartbeats stay away; its session is over."""
        code = closing.SESSION_TIMED_OUT
        self._world.log.note(f"gateway closed with {code}: no heartbeat came")
        session = self._session
        if session is not None and session.connection is self:
            session.connection = None
            self._world.hub.forget(session)
        self.close(code)

    def _detach(self) -> None:
        clean = self._ws.close_code in _CLEAN and self._by_client
        session = self._session
        if session is not None and session.connection is self:
            self._world.hub.lost(session, for_good=clean)
        former = self._dismissed
        if clean and session is None and former is not None and former.connection is None:
            # A client that says goodbye gives its session up, even one that op 9 would have let it resume.
            self._world.hub.forget(former)

    async def _read(self) -> None:
        while True:
            message = await self._ws.receive()
            if message.type in _ENDS:
                self._by_client = message.type is WSMsgType.CLOSE
                return
            if message.type not in {WSMsgType.TEXT, WSMsgType.BINARY} or self.frozen:
                continue
            self._watchdog.frame()
            try:
                if len(message.data) > self._world.gateway.largest_frame:
                    raise ValueError("the frame is too large")
                frame = json.loads(message.data)
                op = frame["op"]
            except (ValueError, KeyError, TypeError):
                raise Closing(closing.DECODE_ERROR) from None
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
                raise Closing(closing.DECODE_ERROR) from None

    def _handle(self, op: Any, data: Any) -> None:
        if op == _HEARTBEAT:
            self._watchdog.beat()
            if self.acknowledging:
                asyncio.get_running_loop().call_later(ACK_AFTER, self.send, _ACK)
        elif op == _IDENTIFY:
            self._identify(data)
        elif op == _RESUME:
            self._resume(data)
        elif op not in {_PRESENCE, _VOICE, _MEMBERS}:
            raise Closing(closing.UNKNOWN_OPCODE)
        elif self._session is None:
            raise Closing(closing.NOT_AUTHENTICATED)
        elif op == _PRESENCE:
            self._world.presences.of_bot(data)
        elif op == _VOICE:
            self._voice(self._session, data)
        else:
            for chunk in chunks.answers(self._world, self._session, data):
                self._world.hub.send(self._session, "GUILD_MEMBERS_CHUNK", chunk)

    def _authenticate(self, data: Any) -> None:
        if self._session is not None:
            raise Closing(closing.ALREADY_AUTHENTICATED)
        if not isinstance(data, dict):
            raise Closing(closing.DECODE_ERROR)
        if str(data.get("token", "")).removeprefix("Bot ") != self._world.token:
            raise Closing(closing.AUTHENTICATION_FAILED)

    def _identify(self, data: Any) -> None:
        self._authenticate(data)
        world = self._world
        asked, shard = identify.check_intents(world, data.get("intents")), identify.shard_of(data)
        identify.check_size(world, shard)
        if not world.hub.starts.take(shard[0]):
            self.send(_INVALID)
            return
        presence = data.get("presence")
        world.presences.of_bot(presence if presence is not None else {"status": "online"})
        session = Session(
            f"{world.random.getrandbits(128):032x}",
            asked,
            shard,
            int(data.get("large_threshold") or 50),
            connection=self,
            voice_endpoint=self._voice_endpoint,
        )
        self._session = session
        world.hub.sessions[session.id] = session
        world.hub.send(session, "READY", ready.ready(world, session, self._resume_url))
        if session.may_hear("GUILD_CREATE", in_guild=True):
            for guild in ready.own_guilds(world, session):
                if guild.id not in world.hub.unavailable:
                    world.hub.send(session, "GUILD_CREATE", ready.guild_create(world, session, guild))

    def _resume(self, data: Any) -> None:
        self._authenticate(data)
        hub = self._world.hub
        session = hub.sessions.get(str(data.get("session_id")))
        if session is None:
            self.send(_INVALID)
            return
        after = int(data.get("seq") or 0)
        if not 0 <= after <= session.sequence:
            hub.forget(session)
            raise Closing(closing.INVALID_SEQUENCE)
        missed = session.line.replay(session, after) if session.line else session.missed(after)
        if missed is None:
            hub.forget(session)
            self.send(_INVALID)
            return
        if session.connection is not None:
            session.connection.close(closing.UNKNOWN_ERROR)
        self._session = session
        self.send_together(missed)
        session.connection = self
        hub.back(session)
        session.voice_endpoint = self._voice_endpoint
        hub.send(session, "RESUMED", {"_trace": ["sandbox"]})

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

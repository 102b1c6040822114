"""The voice websocket by hand: versions, heartbeats, close codes, resumes, and sealed packets both ways."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from support.loopback import Place, eventually

from sandbox.server.voice import cipher, rtp

SESSION_CLOSES = (4006, 4009, 4014, 4015, 4021, 4022)


class RawVoice:
    """A voice client that says exactly what a test wants said."""

    def __init__(self, place: Place, http: aiohttp.ClientSession) -> None:
        self.place = place
        self.http = http
        self.key = b""
        self.ssrc = 0
        self.port = 0
        self.mode = cipher.MODES[-1]
        self.ws: aiohttp.ClientWebSocketResponse

    @property
    def seat(self) -> Any:
        return self.place.world.bot_voice.seats[self.place.guild.id]

    async def open(self, version: int | None = 8) -> dict[str, Any]:
        base = self.place.server.addresses.gateway.replace("ws://", "http://")
        query = "" if version is None else f"?v={version}"
        self.ws = await self.http.ws_connect(f"{base}voice/{self.place.guild.id}/{query}")
        return await self.receive()

    async def send(self, op: int, data: Any) -> None:
        await self.ws.send_str(json.dumps({"op": op, "d": data}))

    async def receive(self) -> dict[str, Any]:
        message = await self.ws.receive(timeout=60)
        assert message.type is aiohttp.WSMsgType.TEXT, (message, self.ws.close_code)
        return json.loads(message.data)  # type: ignore[no-any-return]

    async def closed(self) -> int | None:
        """Return the code with which the server closes, whatever comes before."""
        while not self.ws.closed:
            await self.ws.receive(timeout=60)
        return self.ws.close_code

    def credentials(self, **more: Any) -> dict[str, Any]:
        return {
            "server_id": str(self.place.guild.id),
            "user_id": str(self.place.world.bot_user.id),
            "session_id": self.seat.session_id,
            "token": self.seat.token,
        } | more

    async def describe(self, mode: str | None = None, **identify: Any) -> dict[str, Any]:
        """Identify, choose a mode, and return the session description."""
        await self.send(0, self.credentials(**identify))
        ready = await self.receive()
        assert ready["op"] == 2
        self.ssrc, self.port, self.mode = ready["d"]["ssrc"], ready["d"]["port"], mode or self.mode
        data = {"address": "127.0.0.1", "port": 1, "mode": self.mode}
        await self.send(1, {"protocol": "udp", "data": data})
        described = await self.receive()
        self.key = bytes(described["d"]["secret_key"])
        return described


@pytest.fixture
async def raw(place: Place) -> AsyncIterator[RawVoice]:
    place.world.bot_voice.asked(place.guild, place.dispatch.id, {})
    async with aiohttp.ClientSession() as http:
        yield RawVoice(place, http)


async def test_version_8_numbers_and_acknowledges(place: Place, raw: RawVoice) -> None:
    hello = await raw.open()
    assert hello == {"op": 8, "d": {"v": 8, "heartbeat_interval": 13_750}}
    described = await raw.describe()
    assert "seq" not in described
    await raw.send(3, {"t": 1501184119561, "seq_ack": -1})
    assert await raw.receive() == {"op": 6, "d": {"t": 1501184119561}}
    await place.quartz.join(place.dispatch)
    connected = await raw.receive()
    assert connected == {"op": 11, "d": {"user_ids": [str(place.quartz.id)]}, "seq": 1}
    await place.quartz.leave()
    assert await raw.receive() == {"op": 13, "d": {"user_id": str(place.quartz.id)}, "seq": 2}
    await raw.send(16, {})
    assert set((await raw.receive())["d"]) == {"voice", "rtc_worker"}


@pytest.mark.parametrize("version", [None, 4])
async def test_version_4_has_no_numbers(place: Place, raw: RawVoice, version: int | None) -> None:
    hello = await raw.open(version)
    assert hello["d"]["v"] == 4
    await raw.describe()
    await raw.send(3, 77)
    assert await raw.receive() == {"op": 6, "d": 77}
    await place.quartz.join(place.dispatch)
    assert "seq" not in await raw.receive()


async def test_other_versions_are_not_spoken(raw: RawVoice) -> None:
    base = raw.place.server.addresses.gateway.replace("ws://", "http://")
    raw.ws = await raw.http.ws_connect(f"{base}voice/?v=3")
    assert await raw.closed() == 4012


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("{", 4002),
        ("[]", 4002),
        ('{"op": 99, "d": {}}', 4003),
        ('{"op": 5, "d": {"speaking": 1, "delay": 0, "ssrc": 1}}', 4003),
        ('{"op": 0, "d": {}}', 4020),
        ('{"op": 0, "d": {"server_id": "1", "session_id": "a", "token": "b", "user_id": "1"}}', 4011),
        ('{"op": 3, "d": {"seq_ack": 1}}', 4020),
    ],
)
async def test_what_is_wrong_before_identify(raw: RawVoice, frame: str, code: int) -> None:
    await raw.open()
    await raw.ws.send_str(frame)
    assert await raw.closed() == code
    await eventually(lambda: raw.place.world.voice_stats(raw.place.guild).closes[code] == 1)


@pytest.mark.parametrize(
    ("wrong", "code"), [({"token": "?"}, 4004), ({"session_id": "?"}, 4006), ({"user_id": "1"}, 4004)]
)
async def test_whoever_is_not_the_bot_is_refused(raw: RawVoice, wrong: dict[str, str], code: int) -> None:
    await raw.open()
    await raw.send(0, raw.credentials(**wrong))
    assert await raw.closed() == code


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"op": 99, "d": {}}, 4001),
        ({"op": 0, "d": {}}, 4005),
        ({"op": 1, "d": {"protocol": "webrtc", "data": {}}}, 4012),
        ({"op": 1, "d": {"protocol": "udp", "data": {"address": "", "port": 1, "mode": "plain"}}}, 4016),
        ({"op": 5, "d": {"speaking": "loudly"}}, 4020),
    ],
)
async def test_what_is_wrong_after_identify(raw: RawVoice, frame: dict[str, Any], code: int) -> None:
    await raw.open()
    await raw.describe()
    await raw.ws.send_str(json.dumps(frame))
    assert await raw.closed() == code


async def test_silence_ends_the_session(place: Place, raw: RawVoice) -> None:
    place.world.bot_voice.heartbeat_ms = 300
    await raw.open()
    await raw.describe()
    assert await raw.closed() == 4009
    place.world.bot_voice.heartbeat_ms = 13_750
    await raw.open()
    await raw.send(7, raw.credentials(seq_ack=0))
    assert await raw.closed() == 4006


async def test_a_resume_repeats_what_was_missed(place: Place, raw: RawVoice) -> None:
    await raw.open()
    described = await raw.describe()
    await place.quartz.join(place.dispatch)
    assert (await raw.receive())["seq"] == 1
    raw.ws._response.connection.transport.abort()  # type: ignore[union-attr]
    await eventually(lambda: raw.seat.line is None)
    await raw.open()
    await raw.send(7, raw.credentials(seq_ack=0))
    assert await raw.receive() == {"op": 9, "d": None}
    assert (await raw.receive())["seq"] == 1
    again = await raw.receive()
    assert again["d"]["secret_key"] == described["d"]["secret_key"]
    assert place.world.voice_stats(place.guild).resumes == 1
    assert place.world.voice_stats(place.guild).connected


async def test_a_goodbye_ends_the_session(raw: RawVoice) -> None:
    await raw.open()
    await raw.describe()
    await raw.ws.close(code=1000)
    await eventually(lambda: raw.seat.lost)
    await raw.open()
    await raw.send(7, raw.credentials(seq_ack=0))
    assert await raw.closed() == 4006


@pytest.mark.parametrize("code", SESSION_CLOSES)
async def test_the_server_ends_it(place: Place, raw: RawVoice, code: int) -> None:
    await raw.open()
    await raw.describe()
    assert place.world.faults.voice.close(code) == 1
    assert await raw.closed() == code
    gone = code in {4014, 4022}
    assert (place.world.bot_user.id not in place.guild.voice_states) is gone
    if gone:
        return
    await raw.open()
    await raw.send(7, raw.credentials(seq_ack=-1))
    if code == 4015:
        assert (await raw.receive())["op"] == 9
    else:
        assert await raw.closed() == 4006


@pytest.mark.parametrize("mode", cipher.MODES)
async def test_packets_are_opened_and_sealed(place: Place, raw: RawVoice, mode: str) -> None:
    loop = asyncio.get_running_loop()
    await raw.open()
    await raw.describe(mode)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.setblocking(False)
        udp.bind(("127.0.0.1", 0))
        await loop.sock_connect(udp, ("127.0.0.1", raw.port))
        await loop.sock_sendall(udp, struct.pack(">HHI66x", 1, 70, raw.ssrc))
        answer = await asyncio.wait_for(loop.sock_recv(udp, 100), 60)
        assert struct.unpack(">H", answer[-2:])[0] == udp.getsockname()[1]
        await loop.sock_sendall(udp, b"\x01\0\0\0\0\0\0\0")
        header = rtp.header(1, 960, raw.ssrc)
        for number, opus in enumerate((b"\xfc" + b"a" * 30, b"\xff\x03abc", rtp.SILENCE)):
            await loop.sock_sendall(udp, cipher.seal(mode, raw.key, header, opus, number))
        extended = bytes([0x90]) + header[1:] + struct.pack(">HH", 0xBEDE, 1)
        await loop.sock_sendall(udp, cipher.seal(mode, raw.key, extended, b"\x51\0\0\0" + rtp.SILENCE, 3))
        await loop.sock_sendall(udp, cipher.seal(mode, bytes(32), header, rtp.SILENCE, 4))
        stats = place.world.voice_stats(place.guild)
        await eventually(lambda: stats.unreadable == 1)
        me = stats.sender(place.world.bot_user.id)
        assert (me.packets, me.frames, me.silence) == (4, 1 + 3 + 1 + 1, 2)
        await place.quartz.join(place.dispatch)
        assert await place.quartz.talk(1) == 1
        while (packet := await asyncio.wait_for(loop.sock_recv(udp, 200), 60))[1] != rtp.OPUS_TYPE:
            continue
        assert cipher.unseal(mode, raw.key, packet, 12) == rtp.SILENCE


async def test_dave_is_taken_only_from_who_can(place: Place, raw: RawVoice) -> None:
    place.world.dave_protocol_version = 1
    await raw.open()
    assert (await raw.describe())["d"]["dave_protocol_version"] == 0
    await raw.ws.close()
    await eventually(lambda: raw.seat.lost)
    place.world.bot_voice.asked(place.guild, place.dispatch.id, {})
    await raw.open()
    assert (await raw.describe(max_dave_protocol_version=1))["d"]["dave_protocol_version"] == 1
    sender = await raw.ws.receive(timeout=60)
    assert struct.unpack(">HB", sender.data[:3]) == (1, 25)
    await raw.ws.send_bytes(bytes([26]) + b"package")
    await raw.ws.send_str(json.dumps({"op": 23, "d": {"transition_id": 1}}))
    stats = place.world.voice_stats(place.guild)
    await eventually(lambda: stats.key_package_bytes == 7)


async def test_a_moderator_moves_and_a_second_line_replaces_the_first(place: Place, raw: RawVoice) -> None:
    await raw.open()
    await raw.describe()
    first, token = raw.ws, raw.seat.token
    place.world.voice.move(place.guild, place.world.bot_user.id, place.alpha.id)
    assert raw.seat.token != token
    await raw.open()
    await raw.describe()
    second, raw.ws = raw.ws, first
    assert await raw.closed() == 4014
    assert not second.closed
    await second.close()

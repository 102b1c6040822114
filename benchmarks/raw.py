"""A gateway client that does as little as can be: it counts what it gets, and answers commands at once.

Its own cost must not hide the sandbox's: there is no library in it, and JSON is read only where it must be.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from benchmarks.talk import Job, Line

BEAT_EVERY = 30.0
POSTERS = 4
READ_BYTES = 1 << 20
_IDENTIFY = 2
_ANSWER = json.dumps({"type": 4, "data": {"content": "Here."}}).encode()
_HANDSHAKE = (
    "GET /?v=10&encoding=json HTTP/1.1\r\nHost: gateway.discord.gg\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


class Frames:
    """Cuts what a server sends into the payloads of its frames."""

    def __init__(self) -> None:
        self._rest = b""

    def cut(self, data: bytes) -> list[bytes]:
        """Return the payloads that are complete."""
        data = self._rest + data
        at, size, found = 0, len(data), []
        while size - at >= 2:
            length, begin = data[at + 1], at + 2
            if length == 126:
                length, begin = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
            elif length == 127:
                length, begin = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
            if size < begin + length:
                break
            found.append(data[begin : begin + length])
            at = begin + length
        self._rest = data[at:]
        return found


def frame(op: int, data: object) -> bytes:
    """Return one frame of a client, masked with zeros."""
    payload = json.dumps({"op": op, "d": data}).encode()
    return b"\x81\xfe" + len(payload).to_bytes(2, "big") + bytes(4) + payload


class Poster:
    """One kept connection for requests; answers are counted and not waited for."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, token: str) -> None:
        self._reader = reader
        self._writer = writer
        self._token = token

    def send(self, method: str, path: str, body: bytes) -> None:
        """Send a request behind those that are under way."""
        head = (
            f"{method} /api/v10{path} HTTP/1.1\r\nHost: discord.com\r\nAuthorization: Bot {self._token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + body)

    async def count(self, answered: Callable[[int], None]) -> None:
        """Read answers until the connection ends, telling how many have come."""
        while data := await self._reader.read(READ_BYTES):
            answered(data.count(b"HTTP/1.1 2"))


async def run(job: Job) -> None:
    """Read until the measurer says stop; the line hears "done" after each `job.events` that were measured.

    For the task "answer" an event is a command that was answered, for "read" a voice state.
    """
    line = Line()
    reader, writer = await asyncio.open_unix_connection(job.socket, limit=READ_BYTES)
    writer.write(_HANDSHAKE.encode())
    await reader.readuntil(b"\r\n\r\n")
    identify = {"token": job.token, "intents": 1 << 7, "properties": {"os": "", "browser": "", "device": ""}}
    writer.write(frame(_IDENTIFY, identify))
    posters = [Poster(*await asyncio.open_unix_connection(job.socket), job.token) for _ in range(POSTERS)]
    heard = 0

    def tell(count: int) -> None:
        nonlocal heard
        for _ in range((heard + count) // job.events - heard // job.events):
            line.say("done")
        heard += count

    async def read() -> None:
        frames, turn = Frames(), 0
        while data := await reader.read(READ_BYTES):
            states = 0
            for payload in frames.cut(data):
                if payload.startswith(b'{"op":0,"t":"VOICE_STATE_UPDATE"'):
                    states += 1
                elif payload.startswith(b'{"op":0,"t":"INTERACTION_CREATE"'):
                    one = json.loads(payload)["d"]
                    path = f"/interactions/{one['id']}/{one['token']}/callback"
                    posters[turn % POSTERS].send("POST", path, _ANSWER)
                    turn += 1
                elif payload.startswith(b'{"op":0,"t":"READY"'):
                    line.say("ready")
            if job.task == "read" and states:
                tell(states)

    async def beat() -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            writer.write(frame(1, None))

    work = [asyncio.create_task(read()), asyncio.create_task(beat())]
    work += [
        asyncio.create_task(each.count(tell if job.task == "answer" else lambda count: None))
        for each in posters
    ]
    stopped = asyncio.create_task(line.stopped.wait())
    await asyncio.wait({stopped, *work}, return_when=asyncio.FIRST_COMPLETED)
    for task in work:
        if task.done():
            task.result()
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    writer.close()


if __name__ == "__main__":
    asyncio.run(run(Job.from_command_line()))

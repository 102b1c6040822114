"""The server: one aiohttp application behind a TCP port and a unix socket."""

from __future__ import annotations

import asyncio
import shutil
import socket
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.server.control import control_routes
from sandbox.server.gateway import socket as gateway
from sandbox.server.page import page_routes
from sandbox.server.rest.api import router
from sandbox.server.rest.torn import broken_file
from sandbox.server.voice import udp
from sandbox.server.voice.socket import VoiceSocket

if TYPE_CHECKING:
    from sandbox.server.world import World

_LARGEST_REQUEST = 64 * 1024 * 1024
_VOICE_HOST = "discord.media"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a client finds the sandbox, and who it is there."""

    rest: str
    gateway: str
    token: str
    application_id: str
    guilds: list[str]
    control: str
    socket: str | None
    page: str | None = None

    def as_dict(self) -> dict[str, object]:
        """Return it as JSON."""
        return asdict(self)


class SandboxServer:
    """Serves a world on loopback only.

    ``port`` 0 takes a free one. ``socket_path`` None makes a unix socket in a directory of its own; clients
    with aiohttp's UnixConnector reach everything through it whatever host name they ask for.
    ``page`` serves the web page at /page/.
    """

    def __init__(
        self,
        world: World,
        host: str = "127.0.0.1",
        port: int = 0,
        socket_path: Path | None = None,
        *,
        page: bool = False,
    ) -> None:
        if host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError(f"the sandbox serves on loopback only, not on {host}")
        self.world = world
        self._host = host
        self._port = port
        self._page = page
        self._socket_path = socket_path
        self._own_directory: str | None = None
        self._api = router(world)
        self._runner: web.AppRunner | None = None
        self._udp: udp.VoiceUdp | None = None

    async def start(self) -> None:
        """Open the ports. Raises OSError when one is taken."""
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.router.add_get("/control/addresses", self._addresses)
        app.add_routes(control_routes(self.world))
        if self._page:
            app.add_routes(page_routes())
        app.router.add_route("*", "/api/v{version:\\d+}/{path:.*}", self._rest)
        app.router.add_get("/attachments/{owner:\\d+}/{attachment:\\d+}/{filename}", self._file)
        app.router.add_get("/emojis/{emoji:\\d+}.{kind:png|webp|gif|jpeg|jpg}", self._emoji)
        app.router.add_get("/ephemeral-attachments/{owner:\\d+}/{attachment:\\d+}/{filename}", self._file)
        # Clients append ?v= to the endpoint, some with a slash before it.
        for path in ("/voice", "/voice/", "/voice/{guild:\\d+}", "/voice/{guild:\\d+}/"):
            app.router.add_get(path, self._voice)
        app.router.add_get("/", self._socket)
        # aiohttp would wait for handlers of open websockets for a minute otherwise.
        runner = web.AppRunner(app, handle_signals=False, access_log=None, shutdown_timeout=0.5)
        await runner.setup()
        self._runner = runner
        try:
            site = web.TCPSite(runner, self._host, self._port)
            await site.start()
            if hasattr(socket, "AF_UNIX"):
                await web.UnixSite(runner, self._unix_path()).start()
            self._udp = await udp.listen("127.0.0.1", self.world)
        except OSError:
            await self.close()
            raise
        self._port = int(runner.addresses[0][1])

    def _unix_path(self) -> str:
        if self._socket_path is None:
            self._own_directory = tempfile.mkdtemp(prefix="sandbox-")
            self._socket_path = Path(self._own_directory) / "discord.sock"
        self._socket_path.unlink(missing_ok=True)
        return str(self._socket_path)

    async def close(self) -> None:
        """End all connections and free the ports."""
        self.world.changes.end()
        self.world.faults.http.release()
        for session in tuple(self.world.hub.sessions.values()):
            if session.connection is not None:
                session.connection.abort()
        if self._udp is not None:
            self._udp.close()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        if self._socket_path is not None:
            self._socket_path.unlink(missing_ok=True)
        if self._own_directory is not None:
            await asyncio.to_thread(shutil.rmtree, self._own_directory, ignore_errors=True)
            self._own_directory, self._socket_path = None, None

    @property
    def addresses(self) -> Addresses:
        """Where clients find this server; complete once started."""
        base = f"{self._host}:{self._port}"
        return Addresses(
            rest=f"http://{base}/api/v10",
            gateway=f"ws://{base}/",
            token=self.world.token,
            application_id=str(self.world.application_id),
            guilds=[str(guild_id) for guild_id in self.world.guilds],
            control=f"http://{base}/control",
            socket=str(self._socket_path) if self._socket_path is not None else None,
            page=f"http://{base}/page/" if self._page else None,
        )

    async def _addresses(self, request: web.Request) -> web.Response:
        return web.json_response(self.addresses.as_dict())

    def _gateway_url(self, request: web.Request) -> str:
        if _by_unix(request):
            return "wss://gateway.discord.gg/"
        return self.addresses.gateway

    async def _rest(self, request: web.Request) -> web.StreamResponse:
        return await self._api.handle(request, "/" + request.match_info["path"], self._gateway_url(request))

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.json_response(
                {"error": "this is a sandbox's gateway; people go to /control"}, status=426
            )
        if request.host.split(":")[0].endswith(_VOICE_HOST):
            return await self._voice(request)
        endpoint = f"sandbox.{_VOICE_HOST}:443" if _by_unix(request) else f"{self._host}:{self._port}/voice"
        return await gateway.serve(self.world, request, self._gateway_url(request), endpoint)

    async def _voice(self, request: web.Request) -> web.StreamResponse:
        return await VoiceSocket(self.world, request).run()

    async def _file(self, request: web.Request) -> web.StreamResponse:
        where = request.match_info
        stored = self.world.messages_room.files.get(
            (int(where["owner"]), int(where["attachment"]), where["filename"])
        )
        if stored is None:
            return web.Response(status=404, text="This content is no longer available.")
        # A file may be a page with a script; opened in a browser it must not act for the person who opens it.
        headers = {"Content-Type": stored.content_type, "X-Content-Type-Options": "nosniff",
                   "Content-Security-Policy": "sandbox; default-src 'none'"}  # fmt: skip
        fault = self.world.faults.http.take("GET", None, request.path, named=True)
        if fault is not None:
            return await broken_file(request, fault, stored.data or b"", headers)
        return web.Response(body=stored.data, headers=headers)

    async def _emoji(self, request: web.Request) -> web.StreamResponse:
        emoji_id = int(request.match_info["emoji"])
        for guild in self.world.guilds.values():
            if emoji_id in guild.emojis:
                found = guild.emojis[emoji_id]
                return web.Response(body=found.image, content_type=found.content_type)
        return web.Response(status=404)


def _by_unix(request: web.Request) -> bool:
    transport = request.transport
    opened = transport.get_extra_info("socket") if transport is not None else None
    return opened is not None and opened.family == getattr(socket, "AF_UNIX", None)

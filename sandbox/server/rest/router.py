"""The way of a request: found, authorised, read, answered, logged."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from aiohttp import BodyPartReader, web

from sandbox.server.acts import consequences
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.http_faults import DROP, HALF_OPEN, RATE_LIMIT, SLOW, STATUS, HttpFault
from sandbox.server.messages import Upload
from sandbox.server.payloads.interactions import UPLOAD_LIMIT
from sandbox.server.rate_limits import CLOUDFLARE, SHARED, Verdict, refusal
from sandbox.server.rest.torn import torn

if TYPE_CHECKING:
    from sandbox.server.channels import Channel
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member
    from sandbox.server.world import World

_log = logging.getLogger(__name__)
Json = dict[str, Any]


@dataclass(slots=True)
class Call:
    """One request, read: its path parameters, query, JSON body and files."""

    world: World
    parameters: dict[str, str]
    query: dict[str, str]
    base_url: str
    body: Any = None
    files: list[Upload] = field(default_factory=list)
    reason: str | None = None
    authorization: str = ""

    def id(self, name: str) -> int:
        """Return a path parameter as an id. Raises RestError 50035."""
        value = self.parameters[name]
        if not (value.isascii() and value.isdigit()):
            raise invalid_form((name,), "NUMBER_TYPE_COERCE", f'Value "{value}" is not snowflake.')
        return int(value)

    def json(self) -> Json:
        """Return the body as an object. Raises RestError 50035."""
        if not isinstance(self.body, dict):
            raise invalid_form((), "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType")
        return self.body

    def guild(self) -> Guild:
        """Return the guild of the path. Raises RestError 10004, or 50001 when the bot is no member of it."""
        guild = self.world.guilds.get(self.id("guild_id"))
        if guild is None:
            raise unknown("guild")
        if self.world.bot_user.id not in guild.members:
            raise RestError(403, 50001, "Missing Access")
        return guild

    def channel(self) -> Channel:
        """Return the channel of the path. Raises RestError 10003 or 50001."""
        channel = self.world.channels.get(self.id("channel_id"))
        if channel is None:
            raise unknown("channel")
        if channel.guild_id and self.world.bot_user.id not in self.world.guilds[channel.guild_id].members:
            raise RestError(403, 50001, "Missing Access")
        return channel

    def member(self, guild: Guild) -> Member:
        """Return the member of the path, ``@me`` being the bot. Raises RestError 10007."""
        given = self.parameters.get("user_id", "@me")
        user_id = self.world.bot_user.id if given == "@me" else self.id("user_id")
        member = guild.members.get(user_id)
        if member is None:
            raise unknown("member")
        return member


Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A path as Discord's API description writes it, and what answers it."""

    method: str
    template: str
    handler: Callable[[Call], Answer]
    authorised: bool = True


Found = tuple[Route, dict[str, str]]


class Routes:
    """A table of routes, filled by decorators."""

    def __init__(self) -> None:
        self.all: list[Route] = []

    def __call__(
        self, method: str, template: str, *, authorised: bool = True
    ) -> Callable[[Callable[[Call], Answer]], Callable[[Call], Answer]]:
        """Register the decorated function for a method and path."""

        def add(handler: Callable[[Call], Answer]) -> Callable[[Call], Answer]:
            self.all.append(Route(method, template, handler, authorised))
            return handler

        return add


class Router:
    """Finds and runs the route of a request."""

    def __init__(self, world: World, *tables: Routes) -> None:
        self._world = world
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for table in tables:
            for route in table.all:
                parts = route.template.strip("/").split("/")
                self._by_shape.setdefault((route.method, len(parts)), []).append((parts, route))
        for routes in self._by_shape.values():
            routes.sort(key=lambda each: sum(part.startswith("{") for part in each[0]))

    def _find(self, method: str, path: str) -> Found | None:
        given = path.strip("/").split("/")
        for parts, route in self._by_shape.get((method, len(given)), ()):
            parameters: dict[str, str] = {}
            for part, value in zip(parts, given, strict=True):
                if part.startswith("{"):
                    parameters[part[1:-1]] = value
                elif part != value:
                    break
            else:
                return route, parameters
        return None

    async def handle(self, request: web.Request, path: str, base_url: str) -> web.StreamResponse:
        """Answer a request for a path below /api/vN, within rate limits, and broken where a fault asks."""
        world, method = self._world, request.method
        found = self._find(method, path)
        template = found[0].template if found else None
        call = Call(world, found[1] if found else {}, dict(request.query), base_url)
        call.reason = unquote(request.headers.get("X-Audit-Log-Reason", "")) or None
        call.authorization = request.headers.get("Authorization", "")
        fault = world.faults.http.take(method, template, path)
        verdict = Verdict({})
        if fault is not None and fault.kind == RATE_LIMIT:
            verdict = world.rate_limits.forced(method, template or path, fault.scope, fault.retry_after)
        elif found is not None:
            authorised = found[0].authorised
            verdict = world.rate_limits.ask(method, found[0].template, call.parameters, authorised=authorised)
        headers = {**verdict.headers, "Via": "1.1 google"}
        answer: Any = None
        if verdict.retry_after is not None:
            await _read_anyway(request, call)
            status, answer, headers = _refused(verdict)
        elif fault is None:
            status, answer = await self._act(request, call, found)
        else:
            status, answer = await self._act_broken(request, call, found, fault)
        faulty: Json = {} if fault is None else {"fault": fault.kind}
        world.log.add(
            "rest",
            "in",
            method=method,
            path=path,
            route=template,
            status=status,
            request=call.body,
            response=answer,
            files=[upload.filename for upload in call.files],
            **faulty,
        )
        world.rate_limits.answered(status, shared=fault is not None or verdict.scope == SHARED)
        if fault is not None and fault.kind in {DROP, HALF_OPEN}:
            headers["Content-Type"] = "application/json"
            return await torn(request, fault, status, _encoded(answer), headers)
        if status == 204:
            return web.Response(status=204, headers=headers)
        if isinstance(answer, str):
            return web.Response(status=status, text=answer, headers=headers)
        # discord.py compares the content type with ==: the charset of json_response breaks it.
        headers["Content-Type"] = "application/json"
        return web.Response(status=status, body=_encoded(answer), headers=headers)

    async def _act_broken(
        self, request: web.Request, call: Call, found: Found | None, fault: HttpFault
    ) -> tuple[int, Any]:
        """Do what a request asks as far as the fault lets it, and return the answer meant for the client."""
        if fault.kind == SLOW:
            if not fault.done:
                await fault.wait()
            acted = await self._act(request, call, found)
            if fault.done:
                await fault.wait()
            return acted
        acted = (0, None)
        if fault.done or fault.midway:
            acted = await self._act(request, call, found)
        else:
            await _read_anyway(request, call)
        return fault.error() if fault.kind == STATUS else acted

    async def _act(self, request: web.Request, call: Call, found: Found | None) -> tuple[int, Any]:
        try:
            if found is None:
                raise RestError(404, 0, "404: Not Found")
            route = found[0]
            if route.authorised and request.headers.get("Authorization") != f"Bot {self._world.token}":
                raise RestError(401, 0, "401: Unauthorized")
            await _read(request, call)
            with consequences():
                return route.handler(call)
        except RestError as error:
            return error.status, error.body()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            # A value of a kind that no limit looked at; said aloud, as it may be the sandbox's mistake.
            _log.warning("%s %s could not be read", request.method, request.path, exc_info=True)
            return 400, invalid_form((), "VALUE_INVALID", f"{type(error).__name__}: {error}").body()


def _encoded(answer: Any) -> bytes:
    return json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()


def _refused(verdict: Verdict) -> tuple[int, Any, dict[str, str]]:
    if verdict.scope == CLOUDFLARE:
        # Cloudflare stands before Discord: its answer has neither Via nor JSON, and clients give up on it.
        return (
            429,
            "error code: 1015",
            {"Retry-After": str(ceil(verdict.retry_after or 0)), "Server": "cloudflare"},
        )
    body, headers = refusal(verdict)
    return 429, body, {**headers, "Via": "1.1 google"}


async def _read_anyway(request: web.Request, call: Call) -> None:
    with contextlib.suppress(RestError):
        await _read(request, call)


async def _read(request: web.Request, call: Call) -> None:
    if request.method == "GET" or not request.can_read_body:
        return
    kind = request.content_type
    if kind == "multipart/form-data":
        await _read_multipart(request, call)
        return
    if kind == "application/x-www-form-urlencoded":
        # So Pycord sends what has no files.
        fields = {name: str(value) for name, value in (await request.post()).items()}
        given = fields.pop("payload_json", None)
        call.body = fields if given is None else _decoded(given.encode())
        return
    raw = await request.read()
    if raw:
        call.body = _decoded(raw)


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw, parse_float=_number)
    except ValueError:
        raise RestError(400, 50109, "The request body contains invalid JSON.") from None


def _number(text: str) -> int | float:
    """Return what a number with a point is: 10.0 counts as the whole number that it is (Red sends such)."""
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


async def _read_multipart(request: web.Request, call: Call) -> None:
    reader = await request.multipart()
    size = 0
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            continue
        data = bytes(await part.read())
        if part.name == "payload_json":
            call.body = _decoded(data)
        elif part.name and part.filename:
            size += len(data)
            key = part.name.removeprefix("files[").removesuffix("]")
            call.files.append(Upload(key, part.filename, data, part.headers.get("Content-Type")))
        else:
            call.body = {**(call.body or {}), str(part.name): data.decode()}
    if call.body is None:
        call.body = {}
    if size > UPLOAD_LIMIT:
        raise RestError(413, 40005, "Request entity too large")

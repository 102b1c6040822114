"""The ways of the control address, each guarded: loopback only, and every error said in words."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from yarl import URL

from sandbox.server.control.clocks import attach_clock
from sandbox.server.control.events import events
from sandbox.server.control.verbs import VERBS, Act
from sandbox.server.errors import Refused, RestError
from sandbox.server.world import World

PREFIX = "/control"
_ATTACH = "/clock/attach"
_EVENTS = "/events"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def control_routes(world: World) -> list[web.RouteDef]:
    """The routes of the control address over one world, with paths that start with /control.

    Answers are JSON; errors are `{"error": words}` with a 4xx; whoever is beyond loopback is refused (403).
    """
    routes = [web.route(verb.method, PREFIX + verb.path, _guarded(world, verb.act)) for verb in VERBS]
    routes.append(web.route("GET", PREFIX + _ATTACH, _guarded(world, attach_clock)))
    routes.append(web.route("GET", PREFIX + _EVENTS, _guarded(world, events)))
    routes += [web.route("GET", path, _guarded(world, _list_verbs)) for path in (PREFIX, PREFIX + "/")]
    routes.append(web.route("*", PREFIX + "/{rest:.*}", _guarded(world, _unknown)))
    return routes


async def _list_verbs(world: World, request: web.Request) -> Any:
    verbs = [{"method": verb.method, "path": verb.path, "takes": verb.takes} for verb in VERBS]
    attach = {"method": "GET", "path": _ATTACH, "takes": "a websocket"}
    watch = {"method": "GET", "path": _EVENTS, "takes": "nothing; answers server-sent events"}
    return {"now": world.clock.now().isoformat(), "below": PREFIX, "verbs": [*verbs, attach, watch]}


async def _unknown(world: World, request: web.Request) -> Any:
    path = request.path.removeprefix(PREFIX)
    known = sorted({verb.method for verb in VERBS if _same_shape(verb.path, path)})
    if known:
        raise Refused(f"{path} takes {' or '.join(known)}, not {request.method}", 405)
    raise Refused(f"there is no {request.method} {path}; GET {PREFIX}/ lists what there is", 404)


def _same_shape(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.split("/")
    return len(wanted) == len(given) and all(
        one.startswith("{") or one == other for one, other in zip(wanted, given, strict=True)
    )


def _guarded(world: World, act: Act) -> _Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            check_local(request)
            answer = await act(world, request)
        except Refused as refusal:
            return _json({"error": str(refusal)}, refusal.status)
        except RestError as refusal:
            return _json({"error": refusal.message}, refusal.status)
        except web.HTTPException as refusal:
            return _json({"error": refusal.reason}, refusal.status)
        return answer if isinstance(answer, web.StreamResponse) else _json(answer)

    return handle


def check_local(request: web.Request) -> None:
    """Refuse other machines, and web pages that a browser on this one has open (by Host and Origin).

    Raises Refused (403).
    """
    transport = request.transport
    if transport is not None and isinstance(transport.get_extra_info("sockname"), str | bytes):
        return  # a unix socket: its file's permissions decide, and every host name is served there
    origin = request.headers.get("Origin")
    named = [request.remote, request.url.host, *([URL(origin).host] if origin else [])]
    if not all(_is_loopback(name) for name in named):
        raise Refused("the control address answers this machine only, under 127.0.0.1 or localhost", 403)


def _is_loopback(name: str | None) -> bool:
    if name is None:
        return False
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _json(body: Any, status: int = 200) -> web.Response:
    text = json.dumps(body, ensure_ascii=False, default=str)
    return web.Response(text=text, status=status, content_type="application/json")

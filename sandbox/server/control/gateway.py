"""GET and POST /gateway: the numbers by which the gateway judges its clients."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from aiohttp import web

from sandbox.server.control.bodies import read_body
from sandbox.server.errors import Refused
from sandbox.server.gateway.settings import GatewaySettings
from sandbox.server.world import World

MOST = 1_000_000
LONGEST_BEAT = 86_400.0
NAMES = tuple(each.name for each in fields(GatewaySettings))
TAKES = "{" + ", ".join(f'"{name}"' for name in NAMES) + "}"


async def show(world: World, request: web.Request) -> Any:
    """Return the numbers, and what is left of today's session starts."""
    return asdict(world.gateway) | {"session_start_limit": world.hub.starts.limit()}


async def change(world: World, request: web.Request) -> Any:
    """Change the numbers that are given, all of them or none. Raises Refused."""
    body = await read_body(request, NAMES)
    given: dict[str, Any] = {}
    for name in NAMES:
        if name not in body:
            continue
        if name == "pace_identifies":
            given[name] = body.flag(name)
            continue
        given[name] = (
            body.seconds(name, most=LONGEST_BEAT) if name == "heartbeat_seconds" else body.count(name, MOST)
        )
        if not given[name]:
            raise Refused(f"{name} must be more than 0")
    for name, value in given.items():
        setattr(world.gateway, name, value)
    return await show(world, request)

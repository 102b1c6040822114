"""The faults of the HTTP API over the control address, and the rate limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.server.control.bodies import Body, read_body, read_query
from sandbox.server.errors import Refused
from sandbox.server.http_faults import HttpFault
from sandbox.server.world import World

Json = dict[str, Any]
Act = Callable[[World, Body, int | None], Json]
_LONGEST = 86400.0
_MOST = 100_000


def _status(world: World, body: Body, times: int, route: str | None) -> HttpFault:
    return world.faults.http.status(
        body.count("status", 599),
        times,
        route,
        code=body.count("code", 10_000_000) if "code" in body else None,
        message=body.text("message") if "message" in body else None,
        done=body.flag("done"),
    )


def _slow(world: World, body: Body, times: int, route: str | None) -> HttpFault:
    seconds = body.seconds("seconds", most=_LONGEST) if "seconds" in body else None
    return world.faults.http.slow(seconds, times, route, done=body.flag("done"))


def _drop(world: World, body: Body, times: int, route: str | None) -> HttpFault:
    return world.faults.http.drop(times, route, midway=body.flag("midway"), done=body.flag("done"))


def _half_open(world: World, body: Body, times: int, route: str | None) -> HttpFault:
    return world.faults.http.half_open(times, route, midway=body.flag("midway"), done=body.flag("done"))


def _rate_limit(world: World, body: Body, times: int, route: str | None) -> HttpFault:
    after = body.seconds("retry_after", most=_LONGEST, default=0.5)
    scope = body.text("scope") if "scope" in body else "user"
    return world.faults.http.rate_limit(times, route, retry_after=after, scope=scope)


def _as_act(make: Callable[[World, Body, int, str | None], HttpFault]) -> Act:
    def act(world: World, body: Body, guild_id: int | None) -> Json:
        if guild_id is not None:
            raise Refused("a fault of the HTTP API is for a route, not for a guild: give route, not guild_id")
        times = body.count("times", _MOST) if "times" in body else 1
        route = body.text("route") if "route" in body else None
        try:
            made = make(world, body, times, route)
        except ValueError as error:
            raise Refused(str(error)) from error
        return {"times": made.left, "route": route}

    return act


def _release(world: World, body: Body, guild_id: int | None) -> Json:
    return {"ended": world.faults.http.release()}


_COMMON = ("route", "times")
HTTP_KINDS: dict[str, tuple[tuple[str, ...], Act]] = {
    "http_status": ((*_COMMON, "status", "code", "message", "done"), _as_act(_status)),
    "http_slow": ((*_COMMON, "seconds", "done"), _as_act(_slow)),
    "http_drop": ((*_COMMON, "midway", "done"), _as_act(_drop)),
    "http_half_open": ((*_COMMON, "midway", "done"), _as_act(_half_open)),
    "rate_limit": ((*_COMMON, "retry_after", "scope"), _as_act(_rate_limit)),
    "http_release": ((), _release),
}
"""Each kind with the fields it takes."""

LIMITS_TAKE = '{"preset": "generous" | "discord"} or {"route": "POST /channels/{channel_id}/messages", '
LIMITS_TAKE += '"requests", "seconds"}'


async def rate_limits(world: World, request: web.Request) -> Any:
    """Tell the rate limits, or change them. Raises Refused."""
    limits = world.rate_limits
    if request.method == "GET":
        read_query(request, ())
        return limits.described()
    body = await read_body(request, ("preset", "route", "requests", "seconds"))
    if "preset" in body:
        presets = {"generous": limits.generous, "discord": limits.as_discord}
        name = body.text("preset")
        if name not in presets:
            raise Refused(f"preset is one of {', '.join(presets)}, not {name!r}")
        presets[name]()
        return limits.described()
    method, _, route = body.text("route").partition(" ")
    if not route.startswith("/"):
        raise Refused("write the route like POST /channels/{channel_id}/messages")
    try:
        limits.limit(method, route, body.count("requests", _MOST), body.seconds("seconds", most=_LONGEST))
    except ValueError as error:
        raise Refused(str(error)) from error
    return limits.described()

"""The faults of the gateway that POST /faults knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.server.control.bodies import Body
from sandbox.server.errors import Refused
from sandbox.server.world import World

Act = Callable[[World, Body, int | None], dict[str, Any]]
LONGEST = 366 * 86400.0
MOST = 100_000
"""The largest count that a fault takes."""


def _drop(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    hold = body.seconds("hold_seconds", most=LONGEST, default=0.0)
    return {"connections": world.faults.drop_gateway(guild_id, hold, park=body.flag("park"))}


def _invalid(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    return {"connections": world.faults.invalid_session(body.flag("resumable"), guild_id)}


def _reconnect(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    return {"connections": world.faults.reconnect(guild_id)}


def _zombie(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    return {"connections": world.faults.zombie(guild_id)}


def _half_open(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    seconds = body.seconds("seconds", most=LONGEST, default=0.0)
    return {"connections": world.faults.half_open(guild_id, seconds)}


def _hold(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    seconds = body.seconds("seconds", most=LONGEST, default=0.0)
    count, mixed = _count(body, 0), body.flag("mixed")
    return {"connections": world.faults.hold(guild_id, count=count, seconds=seconds, mixed=mixed)}


def _release(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    return {"dispatches": world.faults.release(guild_id)}


def _reorder(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    count = _count(body, 2)
    if count < 2:
        raise Refused("count must be 2 or more: one dispatch has no other order")
    return {"connections": world.faults.reorder(count, guild_id)}


def _duplicate(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    event = body.text("event") if "event" in body else None
    return {"connections": world.faults.duplicate(_count(body, 1), guild_id, event=event)}


def _delay(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    return {"connections": world.faults.delay(body.seconds("seconds", most=LONGEST), guild_id)}


def _replay(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    return {"connections": world.faults.replay(_count(body, 0), guild_id, mixed=body.flag("mixed"))}


def _outage(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    return {"connections": world.faults.guild_outage(_guild(guild_id))}


def _return(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    return {"connections": world.faults.guild_return(_guild(guild_id))}


def _count(body: Body, absent: int) -> int:
    return body.count("count", MOST) if "count" in body else absent


def _guild(guild_id: int | None) -> int:
    if guild_id is None:
        raise Refused("say which guild: guild_id")
    return guild_id


GATEWAY_KINDS: dict[str, tuple[tuple[str, ...], Act]] = {
    "drop_gateway": (("hold_seconds", "park"), _drop),
    "invalid_session": (("resumable",), _invalid),
    "reconnect": ((), _reconnect),
    "zombie": ((), _zombie),
    "half_open": (("seconds",), _half_open),
    "hold": (("count", "seconds", "mixed"), _hold),
    "release": ((), _release),
    "reorder": (("count",), _reorder),
    "duplicate": (("count", "event"), _duplicate),
    "delay": (("seconds",), _delay),
    "replay": (("count", "mixed"), _replay),
    "guild_outage": ((), _outage),
    "guild_return": ((), _return),
}

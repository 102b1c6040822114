"""POST /faults: each kind of fault, the fields it takes, and what it does with the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.server.control.bodies import Body, read_body
from sandbox.server.control.gateway_faults import GATEWAY_KINDS, LONGEST, MOST
from sandbox.server.control.http_faults import HTTP_KINDS
from sandbox.server.control.voice_faults import VOICE_KINDS
from sandbox.server.errors import Refused
from sandbox.server.plans import performed_by
from sandbox.server.world import World

MOST_SEED = 2**53


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: what it takes besides ``guild_id``, and the act that tells what came of it."""

    takes: tuple[str, ...]
    act: Callable[[World, Body, int | None], dict[str, Any]]


def _plan(world: World, body: Body, guild_id: int | None) -> dict[str, Any]:
    if guild_id is not None:
        raise Refused("a plan chooses the guilds itself: it takes no guild_id")
    if "seed" not in body:
        raise Refused('seed is missing: give a whole number, such as "seed": 7')
    seconds = body.seconds("seconds", most=LONGEST, default=3600.0)
    count = body.count("count", MOST) if "count" in body else 8
    kinds = [str(kind) for kind in body.values("kinds")] if "kinds" in body else None
    plan = world.faults.plan(body.count("seed", MOST_SEED), seconds, count, kinds)
    return {"plan": [str(each) for each in plan.faults]}


KINDS: dict[str, Kind] = {
    **{name: Kind(takes, act) for name, (takes, act) in GATEWAY_KINDS.items()},
    **{name: Kind(takes, act) for name, (takes, act) in HTTP_KINDS.items()},
    **{name: Kind(takes, act) for name, (takes, act) in VOICE_KINDS.items()},
}
KINDS["plan"] = Kind(("seed", "seconds", "count", "kinds"), _plan)
_FIELDS = tuple(dict.fromkeys(name for kind in KINDS.values() for name in kind.takes))
TAKES = '{"kind": ' + " | ".join(f'"{name}"' for name in KINDS) + f', "guild_id", {", ".join(_FIELDS)}}}'


async def fault(world: World, request: web.Request) -> Any:
    """Do what a request to /faults asks for. Raises Refused."""
    body = await read_body(request, ("kind", "guild_id", *_FIELDS))
    name, guild_id = body.text("kind"), body.optional_id("guild_id")
    if guild_id is not None:
        world.guild(guild_id)
    if name not in KINDS:
        raise Refused(f"there is no fault {name!r}; choose one of: {', '.join(KINDS)}")
    for given in _FIELDS:
        if given in body and given not in KINDS[name].takes:
            raise Refused(f"{name} takes no {given}")
    return {"kind": name} | KINDS[name].act(world, body, guild_id)


def perform(world: World, name: str, fields: dict[str, Any], guild_id: int | None = None) -> dict[str, Any]:
    """Do one fault of the table, with the fields that POST /faults takes. Raises Refused."""
    if name not in KINDS:
        raise Refused(f"there is no fault {name!r}; choose one of: {', '.join(KINDS)}")
    return KINDS[name].act(world, Body(fields), guild_id)


performed_by(perform)

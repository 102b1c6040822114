"""POST /faults: each kind of fault, the fields it takes, and what it does with the world."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.server.control.bodies import Body, read_body
from sandbox.server.control.gateway_faults import GATEWAY_KINDS
from sandbox.server.control.http_faults import HTTP_KINDS
from sandbox.server.control.voice_faults import VOICE_KINDS
from sandbox.server.errors import Refused
from sandbox.server.world import World


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault: what it takes besides ``guild_id``, and the act that tells what came of it."""

    takes: tuple[str, ...]
    act: Callable[[World, Body, int | None], dict[str, Any]]


KINDS: dict[str, Kind] = {
    **{name: Kind(takes, act) for name, (takes, act) in GATEWAY_KINDS.items()},
    **{name: Kind(takes, act) for name, (takes, act) in HTTP_KINDS.items()},
    **{name: Kind(takes, act) for name, (takes, act) in VOICE_KINDS.items()},
}
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

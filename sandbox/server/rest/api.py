"""The whole HTTP API, from its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.rest import accounts, commands, guilds, interactions, members, messages, voice
from sandbox.server.rest.router import Router

if TYPE_CHECKING:
    from sandbox.server.world import World


def router(world: World) -> Router:
    """Return the router of a world's HTTP API."""
    rooms = (accounts, commands, guilds, interactions, members, messages, voice)
    return Router(world, *(room.routes for room in rooms))

"""The whole HTTP API, from its rooms."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.rest import (
    accounts,
    audit,
    bans,
    bare,
    channels,
    commands,
    emojis,
    events,
    guilds,
    interactions,
    invites,
    members,
    messages,
    pins,
    reactions,
    roles,
    threads,
    voice,
    webhooks,
)
from sandbox.server.rest.router import Router

if TYPE_CHECKING:
    from sandbox.server.world import World


def router(world: World) -> Router:
    """Return the router of a world's HTTP API."""
    # Calls with a webhook's token come to webhooks, which hands on those of interactions.
    rooms = (
        accounts, commands, guilds, roles, channels, threads, members, bans, messages, reactions, pins,
        emojis, webhooks, interactions, invites, events, audit, bare, voice,
    )  # fmt: skip
    return Router(world, *(room.routes for room in rooms))

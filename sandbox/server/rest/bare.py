"""What no guild here has: read it and it is an empty list, so that bots which look around go on."""

from __future__ import annotations

from sandbox.server import permissions
from sandbox.server.errors import unknown
from sandbox.server.rest import checks
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()


@routes("GET", "/guilds/{guild_id}/stickers")
def stickers(call: Call) -> Answer:
    """Return a guild's stickers."""
    call.guild()
    return 200, []


@routes("GET", "/guilds/{guild_id}/soundboard-sounds")
def sounds(call: Call) -> Answer:
    """Return a guild's sounds."""
    call.guild()
    return 200, {"items": []}


@routes("GET", "/guilds/{guild_id}/integrations")
@routes("GET", "/guilds/{guild_id}/templates")
@routes("GET", "/guilds/{guild_id}/auto-moderation/rules")
def for_managers(call: Call) -> Answer:
    """Return what only those who manage the guild may see."""
    checks.in_guild(call.guild(), permissions.MANAGE_GUILD)
    return 200, []


@routes("GET", "/sticker-packs")
def sticker_packs(call: Call) -> Answer:
    """Return the stickers that Discord sells."""
    return 200, {"sticker_packs": []}


@routes("GET", "/soundboard-default-sounds")
def default_sounds(call: Call) -> Answer:
    """Return the sounds that every guild has."""
    return 200, []


@routes("GET", "/applications/{application_id}/emojis")
def own_emojis(call: Call) -> Answer:
    """Return the application's own emojis."""
    _mine(call)
    return 200, {"items": []}


@routes("GET", "/applications/{application_id}/entitlements")
def entitlements(call: Call) -> Answer:
    """Return what people bought of the application."""
    _mine(call)
    return 200, []


def _mine(call: Call) -> None:
    if call.id("application_id") != call.world.application_id:
        raise unknown("application")

"""The bot's own account, its application, and where the gateway is."""

from __future__ import annotations

from typing import Any

from sandbox.server import permissions
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.payloads import application, guilds, people
from sandbox.server.rest import queries
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()


@routes("GET", "/gateway", authorised=False)
def gateway(call: Call) -> Answer:
    """Where to connect."""
    return 200, {"url": call.base_url}


@routes("GET", "/gateway/bot")
def gateway_bot(call: Call) -> Answer:
    """Where to connect, how often, and with how many shards."""
    world = call.world
    limit = world.hub.starts.limit()
    return 200, {"url": call.base_url, "shards": world.gateway.shards, "session_start_limit": limit}


@routes("GET", "/applications/@me")
@routes("GET", "/oauth2/applications/@me")
def own_application(call: Call) -> Answer:
    """The bot's application."""
    return 200, application.application(call.world)


@routes("GET", "/users/@me")
def me(call: Call) -> Answer:
    """The bot's account."""
    return 200, people.own_user(call.world.bot_user)


@routes("PATCH", "/users/@me")
def edit_me(call: Call) -> Answer:
    """Rename the bot; pictures are taken and not kept."""
    name = call.json().get("username")
    if name is not None:
        if not isinstance(name, str) or not 2 <= len(name) <= 32:
            raise invalid_form(("username",), "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 32 in length.")
        call.world.bot_user.username = name
    return 200, people.own_user(call.world.bot_user)


@routes("GET", "/users/{user_id}")
def user(call: Call) -> Answer:
    """Any account."""
    found = call.world.users.get(call.id("user_id"))
    if found is None:
        raise unknown("user")
    return 200, people.user(found)


@routes("GET", "/users/@me/guilds")
def own_guilds(call: Call) -> Answer:
    """The guilds the bot is a member of."""
    world = call.world
    bot = world.bot_user.id
    shown = []
    for guild in sorted(world.guilds.values(), key=lambda each: each.id):
        if bot not in guild.members:
            continue
        body: dict[str, Any] = {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": guild.owner_id == bot,
            "permissions": str(permissions.in_guild(guild, guild.members[bot])),
            "features": [],
        }
        if queries.flag(call, "with_counts"):
            body |= {"approximate_member_count": len(guild.members), "approximate_presence_count": 0}
        shown.append(body)
    page = queries.page(call, [int(each["id"]) for each in shown], 200, 200)
    return 200, [each for each in shown if int(each["id"]) in page]


@routes("DELETE", "/users/@me/guilds/{guild_id}")
def leave_guild(call: Call) -> Answer:
    """Leave a guild."""
    call.guild().remove_bot()
    return 204, None


@routes("POST", "/users/@me/channels")
def open_direct(call: Call) -> Answer:
    """Open the direct channel with a user."""
    recipient = call.world.users.get(int(call.json().get("recipient_id") or 0))
    if recipient is None:
        raise invalid_form(("recipient_id",), "BASE_TYPE_REQUIRED", "This field is required")
    if recipient.bot:
        raise RestError(400, 50007, "Cannot send messages to this user")
    return 200, guilds.direct_channel(call.world.direct_channel(recipient.id), recipient)

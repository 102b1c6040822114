"""Guilds, their roles, and their channels."""

from __future__ import annotations

from typing import Any

from sandbox.server import permissions
from sandbox.server.channels import Channel, Overwrite
from sandbox.server.errors import Refused, RestError, invalid_form, unknown
from sandbox.server.guilds import Guild
from sandbox.server.members import Role
from sandbox.server.payloads import guilds as shapes
from sandbox.server.rest import checks
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()


@routes("GET", "/guilds/{guild_id}")
def get_guild(call: Call) -> Answer:
    """Return a guild."""
    guild = call.guild()
    body = shapes.guild(guild)
    if call.query.get("with_counts") in {"1", "true"}:
        body |= {"approximate_member_count": len(guild.members), "approximate_presence_count": 0}
    return 200, body


@routes("GET", "/guilds/{guild_id}/roles")
def get_roles(call: Call) -> Answer:
    """Return a guild's roles."""
    return 200, [shapes.role(role) for role in call.guild().roles.values()]


@routes("GET", "/guilds/{guild_id}/roles/{role_id}")
def get_role(call: Call) -> Answer:
    """Return one role."""
    return 200, shapes.role(_role(call, call.guild()))


@routes("POST", "/guilds/{guild_id}/roles")
def create_role(call: Call) -> Answer:
    """Add a role."""
    guild, body = call.guild(), call.json()
    checks.in_guild(guild, permissions.MANAGE_ROLES)
    role = guild.create_role(
        str(body.get("name") or "new role"),
        permissions=int(body.get("permissions") or 0),
        color=int(body.get("color") or 0),
        hoist=bool(body.get("hoist")),
    )
    return 200, shapes.role(role)


@routes("PATCH", "/guilds/{guild_id}/roles/{role_id}")
def edit_role(call: Call) -> Answer:
    """Change a role."""
    guild, body = call.guild(), call.json()
    checks.in_guild(guild, permissions.MANAGE_ROLES)
    role = _role(call, guild)
    for name, kind in (
        ("name", str),
        ("permissions", int),
        ("color", int),
        ("hoist", bool),
        ("mentionable", bool),
    ):
        if body.get(name) is not None:
            setattr(role, name, kind(body[name]))
    guild.update_role(role)
    return 200, shapes.role(role)


@routes("DELETE", "/guilds/{guild_id}/roles/{role_id}")
def delete_role(call: Call) -> Answer:
    """Remove a role."""
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_ROLES)
    role = _role(call, guild)
    if role.id == guild.id or role.managed:
        raise RestError(400, 50028, "Invalid Role")
    guild.delete_role(role)
    return 204, None


def _role(call: Call, guild: Guild) -> Role:
    role = guild.roles.get(call.id("role_id"))
    if role is None:
        raise unknown("role")
    return role


@routes("GET", "/guilds/{guild_id}/channels")
def get_channels(call: Call) -> Answer:
    """Return a guild's channels."""
    return 200, [shapes.channel(channel) for channel in call.guild().channels.values()]


@routes("POST", "/guilds/{guild_id}/channels")
def create_channel(call: Call) -> Answer:
    """Add a channel."""
    guild, body = call.guild(), call.json()
    checks.in_guild(guild, permissions.MANAGE_CHANNELS)
    name = body.get("name")
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise invalid_form(("name",), "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    parent = guild.channels.get(int(body.get("parent_id") or 0))
    try:
        channel = guild.create_channel(
            name,
            int(body.get("type") or 0),
            parent=parent,
            overwrites=_overwrites(body.get("permission_overwrites") or []),
            user_limit=int(body.get("user_limit") or 0),
            topic=body.get("topic"),
        )
    except Refused as refused:
        raise invalid_form(("parent_id",), "CHANNEL_PARENT_INVALID", str(refused)) from None
    return 201, shapes.channel(channel)


def _overwrites(bodies: list[dict[str, Any]]) -> list[Overwrite]:
    return [
        Overwrite(
            int(each["id"]),
            int(each.get("type") or 0),
            int(each.get("allow") or 0),
            int(each.get("deny") or 0),
        )
        for each in bodies
    ]


@routes("GET", "/channels/{channel_id}")
def get_channel(call: Call) -> Answer:
    """Return a channel."""
    return 200, _shape(call, call.channel())


@routes("PATCH", "/channels/{channel_id}")
def edit_channel(call: Call) -> Answer:
    """Change a channel."""
    channel, body = call.channel(), call.json()
    checks.in_channel(call, channel, permissions.MANAGE_CHANNELS)
    for name in ("name", "topic", "user_limit", "nsfw", "bitrate", "position"):
        if name in body:
            setattr(channel, name, body[name])
    if "rate_limit_per_user" in body:
        channel.rate_limit = int(body["rate_limit_per_user"] or 0)
    if "parent_id" in body:
        channel.parent_id = int(body["parent_id"]) if body["parent_id"] else None
    if body.get("permission_overwrites") is not None:
        channel.overwrites = {each.id: each for each in _overwrites(body["permission_overwrites"])}
    call.world.guilds[channel.guild_id].update_channel(channel)
    return 200, _shape(call, channel)


@routes("DELETE", "/channels/{channel_id}")
def delete_channel(call: Call) -> Answer:
    """Remove a channel."""
    channel = call.channel()
    checks.in_channel(call, channel, permissions.MANAGE_CHANNELS)
    if channel.guild_id:
        call.world.guilds[channel.guild_id].delete_channel(channel)
    return 200, _shape(call, channel)


@routes("PUT", "/channels/{channel_id}/permissions/{overwrite_id}")
def put_overwrite(call: Call) -> Answer:
    """Set what a role or member may do in a channel."""
    channel, body = call.channel(), call.json()
    checks.in_channel(call, channel, permissions.MANAGE_ROLES)
    overwrite = _overwrites([{**body, "id": call.id("overwrite_id")}])[0]
    channel.overwrites[overwrite.id] = overwrite
    call.world.guilds[channel.guild_id].update_channel(channel)
    return 204, None


@routes("DELETE", "/channels/{channel_id}/permissions/{overwrite_id}")
def delete_overwrite(call: Call) -> Answer:
    """Drop an overwrite."""
    channel = call.channel()
    checks.in_channel(call, channel, permissions.MANAGE_ROLES)
    if channel.overwrites.pop(call.id("overwrite_id"), None) is None:
        raise unknown("overwrite")
    call.world.guilds[channel.guild_id].update_channel(channel)
    return 204, None


def _shape(call: Call, channel: Channel) -> dict[str, Any]:
    if not channel.guild_id:
        return shapes.direct_channel(channel, call.world.users[channel.recipient_id])
    return shapes.channel(channel)

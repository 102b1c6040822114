"""Members and their voice states."""

from __future__ import annotations

from typing import Any

from sandbox.server import permissions
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.guilds import Guild
from sandbox.server.members import Member
from sandbox.server.payloads import people as shapes
from sandbox.server.rest import checks
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_ONE = "/guilds/{guild_id}/members/{user_id}"


def _shape(guild: Guild, member: Member) -> dict[str, Any]:
    state = guild.voice_states.get(member.user.id)
    return shapes.member(member, deaf=bool(state and state.deaf), mute=bool(state and state.mute))


@routes("GET", "/guilds/{guild_id}/members")
def get_members(call: Call) -> Answer:
    """Return members in the order of their ids, after an id, up to a limit."""
    guild = call.guild()
    if "members" not in call.world.privileged_intents:
        raise RestError(403, 50001, "Missing Access")
    after, limit = int(call.query.get("after", 0)), int(call.query.get("limit", 1))
    found = sorted(user_id for user_id in guild.members if user_id > after)[:limit]
    return 200, [_shape(guild, guild.members[user_id]) for user_id in found]


@routes("GET", "/guilds/{guild_id}/members/search")
def search_members(call: Call) -> Answer:
    """Return the members whose name begins with the query."""
    guild = call.guild()
    query, limit = call.query.get("query", "").lower(), int(call.query.get("limit", 1))
    found = [
        member
        for member in guild.members.values()
        if member.user.username.lower().startswith(query) or member.display_name.lower().startswith(query)
    ]
    return 200, [_shape(guild, member) for member in found[:limit]]


@routes("GET", _ONE)
def get_member(call: Call) -> Answer:
    """Return one member."""
    guild = call.guild()
    return 200, _shape(guild, call.member(guild))


@routes("PATCH", "/guilds/{guild_id}/members/@me")
@routes("PATCH", _ONE)
def edit_member(call: Call) -> Answer:
    """Change a member's nick and roles, or move, put out, mute or deafen them in voice."""
    guild, body = call.guild(), call.json()
    member = call.member(guild)
    _check(guild, body, mine=member.user.id == call.world.bot_user.id)
    if "nick" in body or "roles" in body:
        if "nick" in body:
            member.nick = body["nick"] or None
        if body.get("roles") is not None:
            member.roles = [int(each) for each in body["roles"] if int(each) in guild.roles]
        guild.update_member(member)
    if {"channel_id", "mute", "deaf"} & set(body):
        _voice(call, guild, member, body)
    return 200, _shape(guild, member)


def _check(guild: Guild, body: dict[str, Any], *, mine: bool) -> None:
    asks = {
        "nick": permissions.CHANGE_NICKNAME if mine else permissions.MANAGE_NICKNAMES,
        "roles": permissions.MANAGE_ROLES,
        "channel_id": permissions.MOVE_MEMBERS,
        "mute": permissions.MUTE_MEMBERS,
        "deaf": permissions.DEAFEN_MEMBERS,
    }
    for name, needed in asks.items():
        if name in body:
            checks.in_guild(guild, needed)


def _voice(call: Call, guild: Guild, member: Member, body: dict[str, Any]) -> None:
    state = guild.voice_states.get(member.user.id)
    if state is None:
        raise RestError(400, 40032, "Target user is not connected to voice.")
    target = state.channel_id
    if "channel_id" in body:
        target = int(body["channel_id"]) if body["channel_id"] else None
        if target is not None and (target not in guild.channels or not guild.channels[target].is_voice):
            raise invalid_form(("channel_id",), "CHANNEL_TYPE_INVALID", "Invalid channel type")
    flags = {name: bool(body[name]) for name in ("mute", "deaf") if body.get(name) is not None}
    call.world.voice.move(guild, member.user.id, target, flags=flags)


@routes("PUT", _ONE + "/roles/{role_id}")
def add_role(call: Call) -> Answer:
    """Give a member a role."""
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_ROLES)
    member, role_id = call.member(guild), call.id("role_id")
    if role_id not in guild.roles:
        raise unknown("role")
    if role_id not in member.roles:
        member.roles.append(role_id)
        guild.update_member(member)
    return 204, None


@routes("DELETE", _ONE + "/roles/{role_id}")
def remove_role(call: Call) -> Answer:
    """Take a role from a member."""
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_ROLES)
    member, role_id = call.member(guild), call.id("role_id")
    if role_id in member.roles:
        member.roles.remove(role_id)
        guild.update_member(member)
    return 204, None


@routes("DELETE", _ONE)
def kick(call: Call) -> Answer:
    """Put a member out of the guild."""
    guild = call.guild()
    checks.in_guild(guild, permissions.KICK_MEMBERS)
    guild.remove_member(call.member(guild))
    return 204, None


@routes("GET", "/guilds/{guild_id}/voice-states/@me")
@routes("GET", "/guilds/{guild_id}/voice-states/{user_id}")
def get_voice_state(call: Call) -> Answer:
    """Return where a member sits."""
    guild = call.guild()
    member = call.member(guild)
    state = guild.voice_states.get(member.user.id)
    if state is None:
        raise unknown("voice state")
    return 200, shapes.voice_state(state, member)

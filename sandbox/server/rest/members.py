"""Members and their voice states."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sandbox.server import moderation, permissions
from sandbox.server.audit import Action, changed
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.guilds import Guild
from sandbox.server.limits import check_member
from sandbox.server.members import Member, Role
from sandbox.server.payloads import people as shapes
from sandbox.server.payloads import stamp
from sandbox.server.rest import checks, queries
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
    after, limit = queries.optional_id(call, "after") or 0, queries.number(call, "limit", 1, 1, 1000)
    found = sorted(user_id for user_id in guild.members if user_id > after)[:limit]
    return 200, [_shape(guild, guild.members[user_id]) for user_id in found]


@routes("GET", "/guilds/{guild_id}/members/search")
def search_members(call: Call) -> Answer:
    """Return the members whose name begins with the query."""
    guild = call.guild()
    query, limit = call.query.get("query", "").lower(), queries.number(call, "limit", 1, 1, 1000)
    if not query:
        raise invalid_form(("query",), "BASE_TYPE_REQUIRED", "This field is required")
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
    """Change a member's nick and roles, silence them, or move, put out, mute or deafen them in voice."""
    guild, body = call.guild(), call.json()
    member = call.member(guild)
    mine = member.user.id == call.world.bot_user.id
    checks.kept(check_member(body, call.world.clock.now()))
    _check(call, guild, member, body, mine=mine)
    before = _told(member)
    roles_before = list(member.roles)
    if "nick" in body:
        member.nick = body["nick"] or None
    if body.get("roles") is not None:
        member.roles = list(dict.fromkeys(int(each) for each in body["roles"]))
    if "communication_disabled_until" in body:
        until = body["communication_disabled_until"]
        member.timed_out_until = _moment(until) if until else None
    changes = changed(before, _told(member), tuple(before))
    if changes or member.roles != roles_before:
        guild.update_member(member)
    if changes:
        checks.note(call, guild, Action.MEMBER_UPDATE, member.user.id, changes=changes)
    _note_roles(call, guild, member, roles_before)
    if {"channel_id", "mute", "deaf"} & set(body):
        _voice(call, guild, member, body)
    return 200, _shape(guild, member)


def _told(member: Member) -> dict[str, Any]:
    until = member.timed_out_until
    return {"nick": member.nick, "communication_disabled_until": stamp(until) if until else None}


def _moment(given: str) -> datetime:
    moment = datetime.fromisoformat(given)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _check(call: Call, guild: Guild, member: Member, body: dict[str, Any], *, mine: bool) -> None:
    asks = {
        "nick": permissions.CHANGE_NICKNAME if mine else permissions.MANAGE_NICKNAMES,
        "roles": permissions.MANAGE_ROLES,
        "communication_disabled_until": permissions.MODERATE_MEMBERS,
        "channel_id": permissions.MOVE_MEMBERS,
        "mute": permissions.MUTE_MEMBERS,
        "deaf": permissions.DEAFEN_MEMBERS,
    }
    for name, needed in asks.items():
        if name in body:
            checks.in_guild(guild, needed)
    if "nick" in body and not mine:
        checks.above(guild, member)
    if body.get("communication_disabled_until") is not None:
        checks.above(guild, member)
        if permissions.in_guild(guild, member) & permissions.ADMINISTRATOR:
            raise checks.missing_permissions()
    if body.get("roles") is not None:
        for role_id in {int(each) for each in body["roles"]} ^ set(member.roles):
            _may_give(guild, role_id)


def _may_give(guild: Guild, role_id: int) -> Role:
    """Return a role that the bot may give and take. Raises RestError 10011 or 50013."""
    role = guild.roles.get(role_id)
    if role is None or role.id == guild.id:
        raise unknown("role")
    checks.above(guild, role)
    if role.managed:
        raise checks.missing_permissions()
    return role


def _note_roles(call: Call, guild: Guild, member: Member, before: list[int]) -> None:
    changes = []
    for key, ids in (
        ("$add", [each for each in member.roles if each not in before]),
        ("$remove", [each for each in before if each not in member.roles]),
    ):
        if ids:
            named = [{"id": str(each), "name": guild.roles[each].name} for each in ids]
            changes.append({"key": key, "new_value": named})
    if changes:
        checks.note(call, guild, Action.MEMBER_ROLES, member.user.id, changes=changes)


def _voice(call: Call, guild: Guild, member: Member, body: dict[str, Any]) -> None:
    state = guild.voice_states.get(member.user.id)
    if state is None:
        raise RestError(400, 40032, "Target user is not connected to voice.")
    target = state.channel_id
    if "channel_id" in body:
        target = int(body["channel_id"]) if body["channel_id"] else None
        if target is not None:
            if target not in guild.channels or not guild.channels[target].is_voice:
                raise invalid_form(("channel_id",), "CHANNEL_TYPE_INVALID", "Invalid channel type")
            checks.in_channel(call, guild.channels[target], permissions.CONNECT)
    flags = {name: bool(body[name]) for name in ("mute", "deaf") if body.get(name) is not None}
    before = {name: getattr(state, name) for name in flags}
    moved = target != state.channel_id
    call.world.voice.move(guild, member.user.id, target, flags=flags)
    if moved and target is None:
        checks.note(call, guild, Action.MEMBER_DISCONNECT, None, options={"count": 1})
    elif moved:
        options = {"channel_id": target, "count": 1}
        checks.note(call, guild, Action.MEMBER_MOVE, None, options=options)
    changes = changed(before, flags, tuple(flags))
    if changes:
        checks.note(call, guild, Action.MEMBER_UPDATE, member.user.id, changes=changes)


@routes("PUT", _ONE + "/roles/{role_id}")
def add_role(call: Call) -> Answer:
    """Give a member a role."""
    return _set_role(call, given=True)


@routes("DELETE", _ONE + "/roles/{role_id}")
def remove_role(call: Call) -> Answer:
    """Take a role from a member."""
    return _set_role(call, given=False)


def _set_role(call: Call, *, given: bool) -> Answer:
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_ROLES)
    member = call.member(guild)
    role = _may_give(guild, call.id("role_id"))
    before = list(member.roles)
    if given != (role.id in before):
        if given:
            member.roles.append(role.id)
        else:
            member.roles.remove(role.id)
        guild.update_member(member)
        _note_roles(call, guild, member, before)
    return 204, None


@routes("DELETE", _ONE)
def kick(call: Call) -> Answer:
    """Put a member out of the guild."""
    guild = call.guild()
    checks.in_guild(guild, permissions.KICK_MEMBERS)
    member = call.member(guild)
    checks.above(guild, member)
    moderation.kick(guild, call.world.bot_user.id, member, call.reason)
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

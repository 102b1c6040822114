"""Roles of a guild."""

from __future__ import annotations

from collections import Counter

from sandbox.server import permissions
from sandbox.server.audit import Action, changed
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.guilds import Guild
from sandbox.server.limits import check_role
from sandbox.server.members import Role
from sandbox.server.payloads import Json
from sandbox.server.payloads import guilds as shapes
from sandbox.server.rest import checks
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
MOST = 250
_ALL = "/guilds/{guild_id}/roles"
_ONE = _ALL + "/{role_id}"
_TOLD = ("name", "permissions", "color", "hoist", "mentionable")


def _role(call: Call, guild: Guild) -> Role:
    role = guild.roles.get(call.id("role_id"))
    if role is None:
        raise unknown("role")
    return role


@routes("GET", _ALL)
def get_roles(call: Call) -> Answer:
    """Return a guild's roles."""
    return 200, [shapes.role(role) for role in call.guild().roles.values()]


@routes("GET", _ALL + "/member-counts")
def counts(call: Call) -> Answer:
    """Return how many members have each role."""
    guild = call.guild()
    counted = Counter(role for member in guild.members.values() for role in member.roles)
    return 200, {str(role): counted[role] for role in guild.roles if role != guild.id}


@routes("GET", _ONE)
def get_role(call: Call) -> Answer:
    """Return one role."""
    return 200, shapes.role(_role(call, call.guild()))


def _granted(body: Json, mine: int, had: int = 0) -> int:
    """Return the permissions a body gives a role. Raises RestError 50013 for those the bot lacks itself."""
    asked = int(body["permissions"]) & permissions.ALL
    if (asked ^ had) & ~mine:
        raise checks.missing_permissions()
    return asked


@routes("POST", _ALL)
def create_role(call: Call) -> Answer:
    """Add a role at the bottom. Without named permissions it has those of @everyone."""
    guild, body = call.guild(), call.body or {}
    mine = checks.in_guild(guild, permissions.MANAGE_ROLES)
    checks.kept(check_role(body))
    if len(guild.roles) >= MOST:
        raise RestError(400, 30005, f"Maximum number of guild roles reached ({MOST})")
    granted = guild.roles[guild.id].permissions
    if body.get("permissions") is not None:
        granted = _granted(body, mine)
    role = guild.create_role(
        str(body.get("name") or "new role"),
        permissions=granted,
        color=_color(body) or 0,
        hoist=bool(body.get("hoist")),
        mentionable=bool(body.get("mentionable")),
        at_bottom=True,
    )
    changes = changed(None, shapes.role(role), _TOLD)
    checks.note(call, guild, Action.ROLE_CREATE, role.id, changes=changes)
    return 200, shapes.role(role)


@routes("PATCH", _ALL)
def place(call: Call) -> Answer:
    """Put roles at positions; those at or above the bot's own highest cannot be moved, nor moved there."""
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_ROLES)
    if not isinstance(call.body, list):
        raise invalid_form((), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    me = guild.members[call.world.bot_user.id]
    top = max((guild.roles[each].position for each in me.roles), default=0)
    positions: dict[int, int] = {}
    for each in call.body:
        role = guild.roles.get(int(each["id"]))
        if role is None:
            raise unknown("role")
        position = role.position if each.get("position") is None else int(each["position"])
        if position == role.position:
            continue
        if role.id == guild.id:
            raise RestError(400, 50028, "Invalid Role")
        checks.above(guild, role)
        if position >= top and me.user.id != guild.owner_id:
            raise checks.missing_permissions()
        positions[role.id] = position
    if positions:
        guild.place_roles(positions)
    return 200, [shapes.role(role) for role in guild.roles.values()]


@routes("PATCH", _ONE)
def edit_role(call: Call) -> Answer:
    """Change a role."""
    guild, body = call.guild(), call.json()
    mine = checks.in_guild(guild, permissions.MANAGE_ROLES)
    role = _role(call, guild)
    checks.kept(check_role(body))
    if role.id != guild.id:
        checks.above(guild, role)
    before = shapes.role(role)
    if body.get("permissions") is not None:
        role.permissions = _granted(body, mine, role.permissions)
    if body.get("name") is not None and role.id != guild.id:
        role.name = body["name"]
    color = _color(body)
    role.color = role.color if color is None else color
    for name in ("hoist", "mentionable"):
        if body.get(name) is not None:
            setattr(role, name, body[name])
    changes = changed(before, shapes.role(role), _TOLD)
    if changes:
        guild.update_role(role)
        checks.note(call, guild, Action.ROLE_UPDATE, role.id, changes=changes)
    return 200, shapes.role(role)


def _color(body: Json) -> int | None:
    """Return a body's colour: of the gradient that newer clients send its first."""
    given = body.get("color")
    if given is None and isinstance(body.get("colors"), dict):
        given = body["colors"].get("primary_color")
    return None if given is None else int(given)


@routes("DELETE", _ONE)
def delete_role(call: Call) -> Answer:
    """Remove a role."""
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_ROLES)
    role = _role(call, guild)
    if role.id == guild.id or role.managed:
        raise RestError(400, 50028, "Invalid Role")
    checks.above(guild, role)
    guild.delete_role(role)
    checks.note(call, guild, Action.ROLE_DELETE, role.id, changes=changed(shapes.role(role), None, _TOLD))
    return 204, None

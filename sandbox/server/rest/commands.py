"""Application commands, global and per guild."""

from __future__ import annotations

from sandbox.server import menus
from sandbox.server.command_permissions import Rule
from sandbox.server.commands import GLOBAL
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.limits import check_command_permissions
from sandbox.server.rest import checks
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_GLOBAL = "/applications/{application_id}/commands"
_GUILD = "/applications/{application_id}/guilds/{guild_id}/commands"


def _scope(call: Call) -> int:
    if call.id("application_id") != call.world.application_id:
        raise unknown("application")
    return call.guild().id if "guild_id" in call.parameters else GLOBAL


@routes("GET", _GLOBAL)
@routes("GET", _GUILD)
def listing(call: Call) -> Answer:
    """Return a scope's commands, their translations only ``with_localizations``."""
    found = call.world.commands.all(_scope(call))
    if call.query.get("with_localizations", "").lower() in {"1", "true"}:
        return 200, found
    return 200, menus.untranslated(found)


@routes("PUT", _GLOBAL)
@routes("PUT", _GUILD)
def overwrite(call: Call) -> Answer:
    """Replace a scope's commands."""
    scope = _scope(call)
    if not isinstance(call.body, list):
        raise invalid_form((), "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
    return 200, call.world.commands.overwrite(scope, checks.commands(call.body))


@routes("POST", _GLOBAL)
@routes("POST", _GUILD)
def create(call: Call) -> Answer:
    """Add a command, or replace the one of its name."""
    scope = _scope(call)
    body = call.json()
    checks.one_command(body)
    command, new = call.world.commands.upsert(scope, body)
    return 201 if new else 200, command


@routes("GET", _GLOBAL + "/{command_id}")
@routes("GET", _GUILD + "/{command_id}")
def get(call: Call) -> Answer:
    """Return one command."""
    return 200, call.world.commands.get(_scope(call), call.id("command_id"))


@routes("PATCH", _GLOBAL + "/{command_id}")
@routes("PATCH", _GUILD + "/{command_id}")
def edit(call: Call) -> Answer:
    """Change a command."""
    scope, body = _scope(call), call.json()
    checks.one_command({**call.world.commands.get(scope, call.id("command_id")), **body})
    return 200, call.world.commands.edit(scope, call.id("command_id"), body)


@routes("DELETE", _GLOBAL + "/{command_id}")
@routes("DELETE", _GUILD + "/{command_id}")
def delete(call: Call) -> Answer:
    """Remove a command."""
    call.world.commands.delete(_scope(call), call.id("command_id"))
    return 204, None


@routes("GET", _GUILD + "/permissions")
def all_permissions(call: Call) -> Answer:
    """Return the overrides of all commands."""
    _scope(call)
    return 200, call.world.command_permissions.shapes(call.guild())


@routes("GET", _GUILD + "/{command_id}/permissions")
def permissions(call: Call) -> Answer:
    """Return the overrides of one command, or of the application by its id."""
    _scope(call)
    return 200, call.world.command_permissions.shape(call.guild(), call.id("command_id"))


@routes("PUT", _GUILD + "/{command_id}/permissions", authorised=False)
def set_permissions(call: Call) -> Answer:
    """Replace the overrides of one command, which takes the access token of a person."""
    if call.authorization == f"Bot {call.world.token}":
        raise RestError(403, 20001, "Bots cannot use this endpoint")
    if call.authorization != f"Bearer {call.world.bearer}":
        raise RestError(401, 0, "401: Unauthorized")
    _scope(call)
    guild, command_id = call.guild(), call.id("command_id")
    known = {each["id"] for each in (*call.world.commands.all(GLOBAL), *call.world.commands.all(guild.id))}
    if command_id != call.world.application_id and str(command_id) not in known:
        raise unknown("application command")
    body = call.json()
    checks.kept(check_command_permissions(body))
    rules = tuple(
        Rule(int(each["id"]), int(each["type"]), bool(each["permission"])) for each in body["permissions"]
    )
    shape = {
        "id": str(command_id),
        "application_id": str(call.world.application_id),
        "guild_id": str(guild.id),
        "permissions": body["permissions"],
    }
    call.world.command_permissions.set(guild, command_id, rules)
    return 200, shape

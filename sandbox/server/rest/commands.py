"""Application commands, global and per guild."""

from __future__ import annotations

from sandbox.server.commands import GLOBAL
from sandbox.server.errors import RestError, invalid_form, unknown
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
    """Return a scope's commands."""
    return 200, call.world.commands.all(_scope(call))


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
    """Return the overrides of all commands: nobody has set any."""
    _scope(call)
    return 200, []


@routes("GET", _GUILD + "/{command_id}/permissions")
def permissions(call: Call) -> Answer:
    """Return the overrides of one command: nobody has set any."""
    _scope(call)
    raise RestError(404, 10066, "Unknown application command permissions")

"""What every route asks first: may the bot, and does the body keep Discord's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox.server import permissions
from sandbox.server.errors import RestError
from sandbox.server.limits import Violation, check_callback, check_commands, check_message, error_body
from sandbox.server.messages import COMPONENTS_V2, LOADING

if TYPE_CHECKING:
    from sandbox.server.channels import Channel
    from sandbox.server.guilds import Guild
    from sandbox.server.messages import Message
    from sandbox.server.rest.router import Call

Json = dict[str, Any]
_UPDATE = 7


def _judged(violations: Sequence[Violation]) -> None:
    if violations:
        body = error_body(list(violations))
        raise RestError(400, int(body["code"]), str(body["message"]), body.get("errors"))


def message(call: Call, *, edited: Message | None = None) -> Json:
    """Return a body that makes or edits a message. Raises RestError 50006 or 50035 when it breaks a limit."""
    body = call.json()
    files = [each.filename for each in call.files]
    v2 = False
    if edited is not None:
        files += [each.filename for each in edited.attachments]
        v2 = bool(edited.flags & COMPONENTS_V2)
    waiting = edited is not None and edited.flags & LOADING
    _judged(check_message(body, files=files, editing=edited is not None and not waiting, v2=v2))
    return body


def commands(bodies: list[Json]) -> list[Json]:
    """Return commands that keep the limits. Raises RestError 50035."""
    _judged(check_commands(bodies))
    return bodies


def one_command(body: Json) -> None:
    """Raise RestError 50035 unless a command keeps the limits."""
    found = check_commands([body])
    _judged([Violation(each.path[1:], each.code, each.message) for each in found])


def callback(call: Call, source: Message | None) -> Json:
    """Return an interaction's answer that keeps the limits; ``source``: the message it came from.

    Raises RestError 50035.
    """
    body = call.json()
    files = [each.filename for each in call.files]
    v2 = False
    if body.get("type") == _UPDATE and source is not None:
        files += [each.filename for each in source.attachments]
        v2 = bool(source.flags & COMPONENTS_V2)
    _judged(check_callback(body, files=files, v2=v2))
    return body


def in_guild(guild: Guild, needed: int) -> None:
    """Raise RestError 50013 unless the bot has the permissions in a guild."""
    me = guild.members[guild.world.bot_user.id]
    if permissions.in_guild(guild, me) & needed != needed:
        raise RestError(403, 50013, "Missing Permissions")


def in_channel(call: Call, channel: Channel, needed: int) -> None:
    """Raise RestError 50001 when the bot does not see a channel, 50013 when it lacks a permission in it."""
    if not channel.guild_id:
        return
    guild = call.world.guilds[channel.guild_id]
    bits = permissions.in_channel(guild, guild.members[call.world.bot_user.id], channel)
    if not bits & permissions.VIEW_CHANNEL:
        raise RestError(403, 50001, "Missing Access")
    if bits & needed != needed:
        raise RestError(403, 50013, "Missing Permissions")

"""What every route asks first: may the bot, and does the body keep Discord's limits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sandbox.server import permissions
from sandbox.server.audit import Action
from sandbox.server.errors import RestError
from sandbox.server.limits import Violation, check_callback, check_commands, check_message, error_body
from sandbox.server.messages import COMPONENTS_V2, LOADING

if TYPE_CHECKING:
    from sandbox.server.channels import Channel
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member, Role
    from sandbox.server.messages import Message
    from sandbox.server.rest.router import Call

Json = dict[str, Any]
_UPDATE = 7
_OF_CHANNEL = permissions.MANAGE_CHANNELS | permissions.MANAGE_ROLES


def _judged(violations: Sequence[Violation]) -> None:
    if violations:
        body = error_body(list(violations))
        raise RestError(400, int(body["code"]), str(body["message"]), body.get("errors"))


def message(call: Call, *, edited: Message | None = None, body: Json | None = None) -> Json:
    """Return a body that makes or edits a message. Raises RestError 50006 or 50035 when it breaks a limit."""
    body = call.json() if body is None else body
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


def callback(call: Call, source: Message | None, option_type: int | None = None) -> Json:
    """Return an interaction's answer that keeps the limits; ``source``: the message it came from.

    ``option_type``: the kind of option that is being completed. Raises RestError 50035.
    """
    body = call.json()
    files = [each.filename for each in call.files]
    v2 = False
    if body.get("type") == _UPDATE and source is not None:
        files += [each.filename for each in source.attachments]
        v2 = bool(source.flags & COMPONENTS_V2)
    _judged(check_callback(body, files=files, v2=v2, option_type=option_type))
    return body


def kept(violations: Sequence[Violation]) -> None:
    """Raise RestError 50035 for what a body broke."""
    _judged(violations)


def in_guild(guild: Guild, needed: int) -> int:
    """Return the bot's permissions in a guild. Raises RestError 50013 unless ``needed`` are among them."""
    me = guild.members[guild.world.bot_user.id]
    bits = permissions.in_guild(guild, me)
    if bits & needed != needed:
        raise missing_permissions()
    return bits


def awake(call: Call, channel: Channel) -> None:
    """Raise RestError 50083 in a thread that was put away, or is locked against the bot."""
    thread = channel.thread
    if thread is not None and thread.archived:
        raise RestError(400, 50083, "Thread is archived")


def missing_permissions() -> RestError:
    """Return the 403 of who may not do that."""
    return RestError(403, 50013, "Missing Permissions")


def above(guild: Guild, other: Member | Role) -> None:
    """Raise RestError 50013 unless the bot stands above a member or role in the hierarchy."""
    if not permissions.outranks(guild, guild.members[guild.world.bot_user.id], other):
        raise missing_permissions()


def note(
    call: Call,
    guild: Guild,
    action: Action,
    target_id: int | None,
    *,
    changes: Sequence[Json] = (),
    options: Json | None = None,
) -> None:
    """Write what the bot did into the guild's audit log, with the reason its request gave."""
    actor = guild.world.bot_user.id
    guild.audit.write(actor, action, target_id, changes=changes, options=options, reason=call.reason)


def in_channel(call: Call, channel: Channel, needed: int) -> int:
    """Return the bot's permissions in a channel.

    Raises RestError 50001 when it does not see the channel, 50013 when ``needed`` are not among them.

    To send messages in a thread is a permission of its own.
    """
    if not channel.guild_id:
        return permissions.ALL
    guild = call.world.guilds[channel.guild_id]
    bits = permissions.in_channel(guild, guild.members[call.world.bot_user.id], channel)
    if not bits & permissions.VIEW_CHANNEL:
        raise RestError(403, 50001, "Missing Access")
    if channel.is_voice and needed & _OF_CHANNEL and not bits & permissions.CONNECT:
        # A voice channel that is closed to the bot is as good as hidden from it.
        raise RestError(403, 50001, "Missing Access")
    if channel.thread is not None and needed & permissions.SEND_MESSAGES:
        needed = needed & ~permissions.SEND_MESSAGES | permissions.SEND_IN_THREADS
    if bits & needed != needed:
        raise missing_permissions()
    return bits

"""Messages of a channel."""

from __future__ import annotations

from datetime import timedelta

from sandbox.server import permissions
from sandbox.server.audit import Action
from sandbox.server.channels import DM, Channel
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.messages import Message, writable
from sandbox.server.payloads import Json
from sandbox.server.rest import checks, queries
from sandbox.server.rest.router import Answer, Call, Routes
from sandbox.server.snowflake import created_at

routes = Routes()
_ALL = "/channels/{channel_id}/messages"
_ONE = _ALL + "/{message_id}"
_BULK_WITHIN = timedelta(days=14)
_BY_PEOPLE = frozenset({0, 19, 20, 23})
_FORWARD = 1


def readable(call: Call) -> Message:
    """Return the message of the path that the bot may read. Raises RestError 10008, 50001 or 50013."""
    channel = call.channel()
    checks.in_channel(call, channel, permissions.READ_HISTORY)
    message = call.world.messages_room.get(channel.id, call.id("message_id"))
    if message.visible_to is not None:
        # An ephemeral message lives with its interaction's token alone.
        raise unknown("message")
    return message


@routes("POST", _ALL)
def create(call: Call) -> Answer:
    """Write a message."""
    channel = call.channel()
    if not writable(channel):
        checks.in_channel(call, channel, 0)
        raise RestError(400, 50008, "Cannot send messages in a non-text channel")
    if channel.type == DM and not _shares_a_guild(call, channel.recipient_id):
        raise RestError(403, 50007, "Cannot send messages to this user")
    needed = permissions.SEND_MESSAGES | (permissions.ATTACH_FILES if call.files else 0)
    bits = checks.in_channel(call, channel, needed)
    body = checks.message(call)
    if body.get("embeds") and not bits & permissions.EMBED_LINKS:
        raise checks.missing_permissions()
    if channel.thread is not None and channel.thread.locked and not bits & permissions.MANAGE_THREADS:
        checks.awake(call, channel)
    _check_reference(call, channel, body)
    room = call.world.messages_room
    return 200, room.payload(room.create(channel, call.world.bot_user, body, call.files))


def _shares_a_guild(call: Call, user_id: int) -> bool:
    me = call.world.bot_user.id
    return any(me in each.members and user_id in each.members for each in call.world.guilds.values())


def _check_reference(call: Call, channel: Channel, body: Json) -> None:
    reference = body.get("message_reference")
    if not reference:
        return
    known = call.world.messages_room.by_id.get(int(reference.get("message_id") or 0))
    if known is None and reference.get("fail_if_not_exists", True):
        raise invalid_form(("message_reference",), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
    if known is None:
        return
    source = call.world.channels.get(known.channel_id)
    if reference.get("type") == _FORWARD and source is not None:
        checks.in_channel(call, source, permissions.READ_HISTORY)
    elif known.channel_id != channel.id:
        words = "Cannot reply to a message in a different channel"
        raise invalid_form(("message_reference",), "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL", words)
    elif not checks.in_channel(call, channel, 0) & permissions.READ_HISTORY:
        words = "Cannot reply without permission to read message history"
        raise invalid_form(("message_reference",), "REPLIES_REQUIRE_READ_MESSAGE_HISTORY", words)
    elif known.type not in _BY_PEOPLE:
        words = "Cannot reply to a system message"
        raise invalid_form(("message_reference",), "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE", words)


@routes("GET", _ALL)
def history(call: Call) -> Answer:
    """Return a channel's messages, newest first: none to whom its history is closed."""
    channel = call.channel()
    bits = checks.in_channel(call, channel, 0)
    room = call.world.messages_room
    limit = queries.number(call, "limit", 50, 1, 100)
    before, after = queries.optional_id(call, "before"), queries.optional_id(call, "after")
    around = queries.optional_id(call, "around")
    seen = [each for each in room.in_channel(channel.id) if each.visible_to is None]
    if not bits & permissions.READ_HISTORY:
        seen = []
    if around is not None:
        seen = sorted(seen, key=lambda each: abs(each.id - around))[:limit]
        seen.sort(key=lambda each: each.id)
    elif before is not None:
        seen = [each for each in seen if each.id < before][-limit:]
    elif after is not None:
        seen = [each for each in seen if each.id > after][:limit]
    return 200, [room.payload(each) for each in reversed(seen[-limit:])]


@routes("GET", _ONE)
def get(call: Call) -> Answer:
    """Return one message."""
    return 200, call.world.messages_room.payload(readable(call))


@routes("PATCH", _ONE)
def edit(call: Call) -> Answer:
    """Edit one of the bot's messages; of others' only the flags, with Manage Messages."""
    message = readable(call)
    if message.author.id != call.world.bot_user.id:
        if set(call.json()) != {"flags"}:
            raise RestError(403, 50005, "Cannot edit a message authored by another user")
        checks.in_channel(call, call.channel(), permissions.MANAGE_MESSAGES)
    if message.type not in _BY_PEOPLE:
        raise RestError(403, 50021, "Cannot execute action on a system message")
    checks.awake(call, call.channel())
    body = checks.message(call, edited=message)
    room = call.world.messages_room
    return 200, room.payload(room.edit(message, body, call.files))


@routes("DELETE", _ONE)
def delete(call: Call) -> Answer:
    """Remove a message; other people's need Manage Messages."""
    message = readable(call)
    mine = message.author.id == call.world.bot_user.id
    if not mine:
        if not message.guild_id:
            raise RestError(403, 50003, "Cannot execute action on a DM channel")
        checks.in_channel(call, call.channel(), permissions.MANAGE_MESSAGES)
    checks.awake(call, call.channel())
    call.world.messages_room.delete(message)
    if not mine:
        options = {"channel_id": message.channel_id, "count": 1}
        guild = call.world.guilds[message.guild_id]
        checks.note(call, guild, Action.MESSAGE_DELETE, message.author.id, options=options)
    return 204, None


@routes("POST", _ALL + "/bulk-delete")
def bulk_delete(call: Call) -> Answer:
    """Remove 2 to 100 messages at once, none of them older than two weeks."""
    channel = call.channel()
    if not channel.guild_id:
        raise RestError(403, 50003, "Cannot execute action on a DM channel")
    checks.in_channel(call, channel, permissions.MANAGE_MESSAGES)
    given = call.json().get("messages") or []
    if not 2 <= len(given) <= 100:
        raise invalid_form(("messages",), "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.")
    wanted = {int(each) for each in given}
    oldest = call.world.clock.now() - _BULK_WITHIN
    if any(created_at(each) < oldest for each in wanted):
        raise RestError(400, 50034, "You can only bulk delete messages that are under 14 days old.")
    room = call.world.messages_room
    found = [each for each in room.in_channel(channel.id) if each.id in wanted and each.visible_to is None]
    room.delete_many(channel, found)
    if found:
        guild = call.world.guilds[channel.guild_id]
        options = {"count": len(found)}
        checks.note(call, guild, Action.MESSAGE_BULK_DELETE, channel.id, options=options)
    return 204, None


@routes("POST", "/channels/{channel_id}/typing")
def typing(call: Call) -> Answer:
    """Show that the bot is typing."""
    checks.in_channel(call, call.channel(), permissions.SEND_MESSAGES)
    return 204, None

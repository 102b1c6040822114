"""Messages of a channel."""

from __future__ import annotations

from sandbox.server import permissions
from sandbox.server.errors import RestError, invalid_form
from sandbox.server.messages import Message, writable
from sandbox.server.rest import checks
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_ALL = "/channels/{channel_id}/messages"
_ONE = _ALL + "/{message_id}"


def _message(call: Call) -> Message:
    channel = call.channel()
    checks.in_channel(call, channel, permissions.READ_HISTORY)
    message = call.world.messages_room.get(channel.id, call.id("message_id"))
    if message.visible_to is not None:
        # An ephemeral message lives with its interaction's token alone.
        raise RestError(404, 10008, "Unknown Message")
    return message


@routes("POST", _ALL)
def create(call: Call) -> Answer:
    """Write a message."""
    channel = call.channel()
    needed = permissions.SEND_MESSAGES | (permissions.ATTACH_FILES if call.files else 0)
    checks.in_channel(call, channel, needed)
    if not writable(channel):
        raise RestError(400, 50008, "Cannot send messages in a non-text channel")
    body = checks.message(call)
    reference = body.get("message_reference")
    if reference and reference.get("fail_if_not_exists", True):
        known = call.world.messages_room.by_id.get(int(reference.get("message_id") or 0))
        if known is None:
            raise invalid_form(("message_reference",), "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message")
    room = call.world.messages_room
    return 200, room.payload(room.create(channel, call.world.bot_user, body, call.files))


@routes("GET", _ALL)
def history(call: Call) -> Answer:
    """Return a channel's messages, newest first."""
    channel = call.channel()
    checks.in_channel(call, channel, permissions.READ_HISTORY)
    room = call.world.messages_room
    limit = int(call.query.get("limit", 50))
    if not 1 <= limit <= 100:
        raise invalid_form(("limit",), "NUMBER_TYPE_MAX", "int value should be between 1 and 100.")
    seen = [each for each in room.in_channel(channel.id) if each.visible_to is None]
    if "before" in call.query:
        seen = [each for each in seen if each.id < int(call.query["before"])]
    if "after" in call.query:
        seen = [each for each in seen if each.id > int(call.query["after"])][:limit]
    if "around" in call.query:
        seen = sorted(seen, key=lambda each: abs(each.id - int(call.query["around"])))[:limit]
        seen.sort(key=lambda each: each.id)
    return 200, [room.payload(each) for each in reversed(seen[-limit:])]


@routes("GET", _ONE)
def get(call: Call) -> Answer:
    """Return one message."""
    return 200, call.world.messages_room.payload(_message(call))


@routes("PATCH", _ONE)
def edit(call: Call) -> Answer:
    """Edit one of the bot's messages."""
    message = _message(call)
    if message.author.id != call.world.bot_user.id:
        raise RestError(403, 50005, "Cannot edit a message authored by another user")
    body = checks.message(call, edited=message)
    room = call.world.messages_room
    return 200, room.payload(room.edit(message, body, call.files))


@routes("DELETE", _ONE)
def delete(call: Call) -> Answer:
    """Remove a message; other people's need Manage Messages."""
    message = _message(call)
    if message.author.id != call.world.bot_user.id:
        checks.in_channel(call, call.channel(), permissions.MANAGE_MESSAGES)
    call.world.messages_room.delete(message)
    return 204, None


@routes("POST", _ALL + "/bulk-delete")
def bulk_delete(call: Call) -> Answer:
    """Remove 2 to 100 messages at once."""
    channel = call.channel()
    checks.in_channel(call, channel, permissions.MANAGE_MESSAGES)
    given = call.json().get("messages") or []
    if not 2 <= len(given) <= 100:
        raise invalid_form(("messages",), "BASE_TYPE_BAD_LENGTH", "Must be between 2 and 100 in length.")
    room = call.world.messages_room
    for message_id in {int(each) for each in given}:
        message = room.by_id.get(message_id)
        if message is not None and message.channel_id == channel.id and message.visible_to is None:
            room.delete(message)
    return 204, None


@routes("POST", "/channels/{channel_id}/typing")
def typing(call: Call) -> Answer:
    """Show that the bot is typing."""
    checks.in_channel(call, call.channel(), permissions.SEND_MESSAGES)
    return 204, None

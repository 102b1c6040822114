"""Pins, by the routes of today and by the ones before."""

from __future__ import annotations

from datetime import datetime

from sandbox.server import permissions, pins
from sandbox.server.audit import Action
from sandbox.server.errors import invalid_form
from sandbox.server.messages import Message
from sandbox.server.payloads import stamp
from sandbox.server.rest import checks, queries
from sandbox.server.rest.messages import readable
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_NOW = "/channels/{channel_id}/messages/pins"
_THEN = "/channels/{channel_id}/pins"


@routes("GET", _NOW)
def listing(call: Call) -> Answer:
    """Return pins, the latest first, before a moment."""
    channel = call.channel()
    bits = checks.in_channel(call, channel, 0)
    limit = queries.number(call, "limit", 50, 1, 50)
    found = pins.pinned(call.world, channel.id) if bits & permissions.READ_HISTORY else []
    if "before" in call.query:
        try:
            before = datetime.fromisoformat(call.query["before"])
        except ValueError:
            words = f"Could not parse {call.query['before']}. Should be ISO8601."
            raise invalid_form(("before",), "DATE_TIME_TYPE_PARSE", words) from None
        found = [each for each in found if each.pinned is not None and each.pinned < before]
    items = [
        {"pinned_at": stamp(each.pinned), "message": call.world.messages_room.payload(each)}
        for each in found[:limit]
        if each.pinned is not None
    ]
    return 200, {"items": items, "has_more": len(found) > limit}


@routes("GET", _THEN)
def old_listing(call: Call) -> Answer:
    """Return the latest 50 pins."""
    channel = call.channel()
    bits = checks.in_channel(call, channel, 0)
    found = pins.pinned(call.world, channel.id) if bits & permissions.READ_HISTORY else []
    return 200, [call.world.messages_room.payload(each) for each in found[:50]]


@routes("PUT", _NOW + "/{message_id}")
@routes("PUT", _THEN + "/{message_id}")
def pin(call: Call) -> Answer:
    """Pin a message."""
    message = _pinnable(call)
    if message.pinned is None:
        pins.pin(call.world, message, call.world.bot_user)
        _note(call, message, Action.MESSAGE_PIN)
    return 204, None


@routes("DELETE", _NOW + "/{message_id}")
@routes("DELETE", _THEN + "/{message_id}")
def unpin(call: Call) -> Answer:
    """Unpin a message."""
    message = _pinnable(call)
    if message.pinned is not None:
        pins.unpin(call.world, message)
        _note(call, message, Action.MESSAGE_UNPIN)
    return 204, None


def _pinnable(call: Call) -> Message:
    message = readable(call)
    checks.in_channel(call, call.channel(), permissions.PIN_MESSAGES)
    checks.awake(call, call.channel())
    return message


def _note(call: Call, message: Message, action: Action) -> None:
    if message.guild_id:
        options = {"channel_id": message.channel_id, "message_id": message.id}
        guild = call.world.guilds[message.guild_id]
        checks.note(call, guild, action, message.author.id, options=options)

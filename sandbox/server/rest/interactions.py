"""The bot's answers to interactions: the first one, and everything by their token."""

from __future__ import annotations

from sandbox.server.errors import unknown
from sandbox.server.interactions import Interaction
from sandbox.server.payloads import interactions as shapes
from sandbox.server.rest import checks
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_HOOK = "/webhooks/{webhook_id}/{webhook_token}"


@routes("POST", "/interactions/{interaction_id}/{interaction_token}/callback", authorised=False)
def callback(call: Call) -> Answer:
    """Take the first answer; with ``with_response`` the message it made is told."""
    world = call.world
    one = world.interactions.for_answer(call.id("interaction_id"), call.parameters["interaction_token"])
    body = checks.callback(call, one.source, one.focused_type)
    world.interactions.answer(one, body, call.files)
    if call.query.get("with_response", "").lower() in {"1", "true"}:
        return 200, shapes.callback(world, one)
    return 204, None


def _interaction(call: Call) -> Interaction:
    if call.id("webhook_id") != call.world.application_id:
        raise unknown("webhook")
    return call.world.interactions.for_webhook(call.parameters["webhook_token"])


@routes("POST", _HOOK, authorised=False)
def follow_up(call: Call) -> Answer:
    """Send a further message."""
    one = _interaction(call)
    message = call.world.interactions.follow_up(one, checks.message(call), call.files)
    return 200, call.world.messages_room.payload(message)


@routes("GET", _HOOK + "/messages/@original", authorised=False)
@routes("GET", _HOOK + "/messages/{message_id}", authorised=False)
def get(call: Call) -> Answer:
    """Return one of the interaction's messages."""
    one = _interaction(call)
    message = call.world.interactions.message(one, call.parameters.get("message_id", "@original"))
    return 200, call.world.messages_room.payload(message)


@routes("PATCH", _HOOK + "/messages/@original", authorised=False)
@routes("PATCH", _HOOK + "/messages/{message_id}", authorised=False)
def edit(call: Call) -> Answer:
    """Edit one of the interaction's messages."""
    one = _interaction(call)
    message = call.world.interactions.message(one, call.parameters.get("message_id", "@original"))
    body = checks.message(call, edited=message)
    return 200, call.world.messages_room.payload(call.world.interactions.edit(one, message, body, call.files))


@routes("DELETE", _HOOK + "/messages/@original", authorised=False)
@routes("DELETE", _HOOK + "/messages/{message_id}", authorised=False)
def delete(call: Call) -> Answer:
    """Remove one of the interaction's messages."""
    one = _interaction(call)
    message = call.world.interactions.message(one, call.parameters.get("message_id", "@original"))
    call.world.messages_room.delete(message)
    return 204, None

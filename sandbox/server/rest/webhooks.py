"""Webhooks of channels; calls with the token of an interaction go on to the interactions."""

from __future__ import annotations

from sandbox.server import permissions
from sandbox.server.audit import Action, changed
from sandbox.server.channels import FORUMS, NEWS, STAGE, TEXT, VOICE, Channel
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.limits import check_shown_name, check_webhook
from sandbox.server.members import User
from sandbox.server.messages import Message
from sandbox.server.payloads import Json
from sandbox.server.rest import checks, interactions, queries
from sandbox.server.rest.router import Answer, Call, Routes
from sandbox.server.webhooks import Webhook, shape

routes = Routes()
_CHANNEL = "/channels/{channel_id}/webhooks"
_ONE = "/webhooks/{webhook_id}"
_WITH_TOKEN = _ONE + "/{webhook_token}"
_MESSAGE = _WITH_TOKEN + "/messages/{message_id}"
_ORIGINAL = _WITH_TOKEN + "/messages/@original"
_TAKES = frozenset({TEXT, VOICE, NEWS, STAGE}) | FORUMS
_TOLD = ("name", "channel_id")


def _manages(call: Call, channel: Channel) -> None:
    checks.in_channel(call, channel, permissions.MANAGE_WEBHOOKS)


def _of_path(call: Call) -> Webhook:
    webhook = call.world.webhooks.get(call.id("webhook_id"))
    if call.world.bot_user.id not in call.world.guilds[webhook.guild_id].members:
        raise unknown("webhook")
    _manages(call, call.world.channels[webhook.channel_id])
    return webhook


def _by_token(call: Call) -> Webhook:
    return call.world.webhooks.get(call.id("webhook_id"), call.parameters["webhook_token"])


@routes("POST", _CHANNEL)
def create(call: Call) -> Answer:
    """Add a webhook to a channel."""
    channel, body = call.channel(), call.json()
    _manages(call, channel)
    if channel.type not in _TAKES:
        raise RestError(400, 50024, "Cannot execute action on this channel type")
    checks.kept(check_webhook(body, creating=True))
    webhook = call.world.webhooks.create(channel, call.world.bot_user, body["name"])
    _note(call, webhook, Action.WEBHOOK_CREATE, changed(None, shape(webhook), _TOLD))
    return 200, shape(webhook)


@routes("GET", _CHANNEL)
def of_channel(call: Call) -> Answer:
    """Return a channel's webhooks."""
    channel = call.channel()
    _manages(call, channel)
    return 200, [_shape(call, each) for each in call.world.webhooks.in_channel(channel.id)]


@routes("GET", "/guilds/{guild_id}/webhooks")
def of_guild(call: Call) -> Answer:
    """Return a guild's webhooks."""
    guild = call.guild()
    checks.in_guild(guild, permissions.MANAGE_WEBHOOKS)
    found = [each for each in call.world.webhooks.by_id.values() if each.guild_id == guild.id]
    return 200, [_shape(call, each) for each in found]


def _shape(call: Call, webhook: Webhook) -> Json:
    # The token of a webhook is shown to its own application, and for those that no application made.
    return shape(webhook, token=webhook.application_id in {None, call.world.application_id})


@routes("GET", _ONE)
def get(call: Call) -> Answer:
    """Return a webhook."""
    return 200, _shape(call, _of_path(call))


@routes("PATCH", _ONE)
def edit(call: Call) -> Answer:
    """Change a webhook's name or channel."""
    webhook, body = _of_path(call), call.json()
    checks.kept(check_webhook(body))
    before = shape(webhook)
    if body.get("channel_id"):
        target = call.world.channels.get(int(body["channel_id"]))
        if target is None or target.guild_id != webhook.guild_id:
            raise unknown("channel")
        _manages(call, target)
        webhook.channel_id = target.id
    webhook.name = body.get("name") or webhook.name
    call.world.webhooks.changed(webhook.channel_id)
    _note(call, webhook, Action.WEBHOOK_UPDATE, changed(before, shape(webhook), _TOLD))
    return 200, _shape(call, webhook)


@routes("DELETE", _ONE)
def delete(call: Call) -> Answer:
    """Remove a webhook."""
    webhook = _of_path(call)
    call.world.webhooks.delete(webhook)
    _note(call, webhook, Action.WEBHOOK_DELETE, changed(shape(webhook), None, _TOLD))
    return 204, None


def _note(call: Call, webhook: Webhook, action: Action, changes: list[Json]) -> None:
    checks.note(call, call.world.guilds[webhook.guild_id], action, webhook.id, changes=changes)


@routes("GET", _WITH_TOKEN, authorised=False)
def get_by_token(call: Call) -> Answer:
    """Return a webhook to whoever knows its token."""
    return 200, shape(_by_token(call), author=False)


@routes("PATCH", _WITH_TOKEN, authorised=False)
def edit_by_token(call: Call) -> Answer:
    """Rename a webhook by its token."""
    webhook, body = _by_token(call), call.json()
    checks.kept(check_webhook(body))
    webhook.name = body.get("name") or webhook.name
    call.world.webhooks.changed(webhook.channel_id)
    return 200, shape(webhook, author=False)


@routes("DELETE", _WITH_TOKEN, authorised=False)
def delete_by_token(call: Call) -> Answer:
    """Remove a webhook by its token."""
    call.world.webhooks.delete(_by_token(call))
    return 204, None


def _is_channels(call: Call) -> bool:
    return call.id("webhook_id") != call.world.application_id


@routes("POST", _WITH_TOKEN, authorised=False)
def execute(call: Call) -> Answer:
    """Write through a webhook; with ``wait`` the message is told."""
    if not _is_channels(call):
        return interactions.follow_up(call)
    webhook = _by_token(call)
    body = checks.message(call)
    checks.kept(check_shown_name(body))
    target = _target(call, webhook, body)
    author = User(webhook.id, body.get("username") or webhook.name, bot=True)
    room = call.world.messages_room
    first = target.thread is not None and target.thread.total_sent == 0 and body.get("thread_name")
    message = room.create(
        target,
        author,
        body,
        call.files,
        webhook_id=webhook.id,
        counted=not first,
        message_id=target.id if first else None,
    )
    return (200, room.payload(message)) if queries.flag(call, "wait") else (204, None)


def _target(call: Call, webhook: Webhook, body: Json) -> Channel:
    channel = call.world.channels[webhook.channel_id]
    thread_id = queries.optional_id(call, "thread_id")
    if thread_id is not None:
        thread = call.world.channels.get(thread_id)
        if thread is None or thread.parent_id != channel.id:
            raise unknown("channel")
        return thread
    if channel.type not in FORUMS:
        if body.get("thread_name"):
            words = "Webhooks can only create threads in forum channels"
            raise RestError(400, 220_003, words)
        return channel
    if not body.get("thread_name"):
        words = "Webhooks posted to forum channels must have a thread_name or thread_id"
        raise RestError(400, 220_001, words)
    author = User(webhook.id, webhook.name, bot=True)
    tags = tuple(int(each) for each in body.get("applied_tags") or ())
    return call.world.threads.start(channel, author, body["thread_name"], tags=tags, announced=False)


def _message(call: Call) -> Message:
    webhook = _by_token(call)
    name = call.parameters.get("message_id", "@original")
    if not name.isdigit():
        raise invalid_form(("message_id",), "NUMBER_TYPE_COERCE", f'Value "{name}" is not snowflake.')
    found = call.world.messages_room.by_id.get(int(name))
    if found is None or found.webhook_id != webhook.id:
        raise unknown("message")
    return found


@routes("GET", _ORIGINAL, authorised=False)
@routes("GET", _MESSAGE, authorised=False)
def get_message(call: Call) -> Answer:
    """Return what a webhook wrote."""
    if not _is_channels(call):
        return interactions.get(call)
    return 200, call.world.messages_room.payload(_message(call))


@routes("PATCH", _ORIGINAL, authorised=False)
@routes("PATCH", _MESSAGE, authorised=False)
def edit_message(call: Call) -> Answer:
    """Edit what a webhook wrote."""
    if not _is_channels(call):
        return interactions.edit(call)
    message = _message(call)
    body = checks.message(call, edited=message)
    room = call.world.messages_room
    return 200, room.payload(room.edit(message, body, call.files))


@routes("DELETE", _ORIGINAL, authorised=False)
@routes("DELETE", _MESSAGE, authorised=False)
def delete_message(call: Call) -> Answer:
    """Remove what a webhook wrote."""
    if not _is_channels(call):
        return interactions.delete(call)
    call.world.messages_room.delete(_message(call))
    return 204, None

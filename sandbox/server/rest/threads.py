"""Threads of a channel, posts of a forum, and their members."""

from __future__ import annotations

from datetime import datetime

from sandbox.server import permissions
from sandbox.server.audit import Action, changed
from sandbox.server.channels import (
    CATEGORY,
    FORUMS,
    NEWS_THREAD,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    TEXT,
    THREADED,
    Channel,
)
from sandbox.server.errors import RestError, invalid_form, unknown
from sandbox.server.limits import check_thread
from sandbox.server.payloads import Json
from sandbox.server.payloads import threads as shapes
from sandbox.server.rest import checks, queries
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_CHANNEL = "/channels/{channel_id}"
_MEMBERS = _CHANNEL + "/thread-members"
_MEMBER = _MEMBERS + "/{user_id}"
_TOLD = ("name", "type", "archived", "locked", "auto_archive_duration", "rate_limit_per_user", "invitable")


def shape(call: Call, channel: Channel) -> Json:
    """Return a thread with the bot's membership of it."""
    return shapes.thread_for(call.world, channel)


def _flat(channel: Channel) -> Json:
    body = shapes.thread(channel)
    metadata: Json = body["thread_metadata"]
    return body | metadata


def _parent(call: Call) -> Channel:
    parent = call.channel()
    if parent.type not in THREADED:
        raise RestError(400, 50024, "Cannot execute action on this channel type")
    return parent


@routes("POST", _CHANNEL + "/messages/{message_id}/threads")
def from_message(call: Call) -> Answer:
    """Start a thread from a message."""
    parent, body = _parent(call), call.json()
    checks.in_channel(call, parent, permissions.CREATE_PUBLIC_THREADS | permissions.READ_HISTORY)
    message = call.world.messages_room.get(parent.id, call.id("message_id"))
    if message.visible_to is not None:
        raise unknown("message")
    checks.kept(check_thread(body, creating=True))
    if message.id in call.world.channels:
        raise RestError(400, 160004, "A thread has already been created for this message")
    return 201, _started(call, parent, body, message_id=message.id)


@routes("POST", _CHANNEL + "/threads")
def start(call: Call) -> Answer:
    """Start a thread without a message, or a post in a forum."""
    parent, body = _parent(call), call.json()
    checks.kept(check_thread(body, creating=True))
    if parent.type in FORUMS:
        return 201, _post(call, parent, body)
    kind = body.get("type") or PRIVATE_THREAD
    if kind == PRIVATE_THREAD and parent.type != TEXT:
        raise invalid_form(("type",), "CHANNEL_TYPE_INVALID", "Invalid channel type")
    private = kind == PRIVATE_THREAD
    checks.in_channel(
        call, parent, permissions.CREATE_PRIVATE_THREADS if private else permissions.CREATE_PUBLIC_THREADS
    )
    return 201, _started(call, parent, body, private=private)


def _started(
    call: Call, parent: Channel, body: Json, *, message_id: int | None = None, private: bool = False
) -> Json:
    world = call.world
    thread = world.threads.start(
        parent,
        world.bot_user,
        body["name"],
        message=world.messages_room.by_id[message_id] if message_id is not None else None,
        private=private,
        auto_archive=body.get("auto_archive_duration"),
        rate_limit=body.get("rate_limit_per_user"),
        invitable=body.get("invitable") is not False,
    )
    _note(call, thread, Action.THREAD_CREATE, changed(None, _flat(thread), _TOLD))
    return shape(call, thread)


def _post(call: Call, parent: Channel, body: Json) -> Json:
    world = call.world
    checks.in_channel(call, parent, permissions.SEND_MESSAGES)
    words = body.get("message")
    if not isinstance(words, dict):
        raise invalid_form(("message",), "BASE_TYPE_REQUIRED", "This field is required")
    checks.message(call, body=words)
    tags = tuple(int(each) for each in body.get("applied_tags") or ())
    if any(each not in {tag.id for tag in parent.tags} for each in tags):
        raise RestError(404, 10087, "Unknown Tag")
    thread = world.threads.start(
        parent,
        world.bot_user,
        body["name"],
        auto_archive=body.get("auto_archive_duration"),
        rate_limit=body.get("rate_limit_per_user"),
        tags=tags,
        announced=False,
    )
    # The first message of a post bears the post's id.
    message = world.messages_room.create(
        thread, world.bot_user, words, call.files, counted=False, message_id=thread.id
    )
    parent.last_message_id = thread.id
    _note(call, thread, Action.THREAD_CREATE, changed(None, _flat(thread), _TOLD))
    return shape(call, thread) | {"message": world.messages_room.payload(message)}


def _note(call: Call, channel: Channel, action: Action, changes: list[Json]) -> None:
    checks.note(call, call.world.guilds[channel.guild_id], action, channel.id, changes=changes)


def edit(call: Call, channel: Channel, body: Json) -> Answer:
    """Change a thread: its owner may rename, archive and wake it, whoever manages threads all."""
    thread = channel.thread
    assert thread is not None
    bits = checks.in_channel(call, channel, 0)
    checks.kept(check_thread(body))
    manages = bool(bits & permissions.MANAGE_THREADS)
    mine = thread.owner_id == call.world.bot_user.id
    waking = set(body) == {"archived"} and body["archived"] is False and not thread.locked
    if not (manages or (mine and not body.get("locked")) or (waking and bits & permissions.SEND_IN_THREADS)):
        raise checks.missing_permissions()
    if thread.archived and body.get("archived") is not False:
        raise RestError(400, 50083, "Thread is archived")
    before = _flat(channel)
    if body.get("name") is not None:
        channel.name = body["name"]
    if body.get("rate_limit_per_user") is not None:
        channel.rate_limit = int(body["rate_limit_per_user"])
    thread.auto_archive = body.get("auto_archive_duration") or thread.auto_archive
    for name in ("locked", "invitable"):
        if body.get(name) is not None:
            setattr(thread, name, body[name])
    if body.get("applied_tags") is not None:
        thread.tags = [int(each) for each in body["applied_tags"]]
    if body.get("archived") is not None and body["archived"] != thread.archived:
        call.world.threads.archive(channel, archived=body["archived"])
    else:
        call.world.threads.changed(channel)
    _note(call, channel, Action.THREAD_UPDATE, changed(before, _flat(channel), _TOLD))
    return 200, shape(call, channel)


def remove(call: Call, channel: Channel) -> None:
    """Drop a thread."""
    checks.in_channel(call, channel, permissions.MANAGE_THREADS)
    call.world.threads.delete(channel)
    _note(call, channel, Action.THREAD_DELETE, changed(_flat(channel), None, _TOLD))


def _thread(call: Call) -> Channel:
    channel = call.channel()
    if channel.thread is None:
        raise RestError(400, 50024, "Cannot execute action on this channel type")
    return channel


@routes("GET", _MEMBERS)
def members(call: Call) -> Answer:
    """Return a thread's members."""
    channel = _thread(call)
    checks.in_channel(call, channel, 0)
    if "members" not in call.world.privileged_intents:
        raise RestError(403, 50001, "Missing Access")
    assert channel.thread is not None
    known = sorted(channel.thread.members)
    if queries.flag(call, "with_member"):
        known = queries.page(call, known, 100, 100)
    return 200, [_member(call, channel, each) for each in known]


def _member(call: Call, channel: Channel, user_id: int) -> Json:
    body = shapes.member(channel, user_id)
    if queries.flag(call, "with_member"):
        guild = call.world.guilds[channel.guild_id]
        body["member"] = shapes.of_guild(guild, guild.members[user_id])
    return body


@routes("GET", _MEMBER)
def member(call: Call) -> Answer:
    """Return one member of a thread."""
    channel = _thread(call)
    checks.in_channel(call, channel, 0)
    user_id = call.member(call.world.guilds[channel.guild_id]).user.id
    assert channel.thread is not None
    if user_id not in channel.thread.members:
        raise unknown("member")
    return 200, _member(call, channel, user_id)


@routes("PUT", _MEMBERS + "/@me")
@routes("PUT", _MEMBER)
def join(call: Call) -> Answer:
    """Join a thread, or add somebody to it."""
    channel = _thread(call)
    guild = call.world.guilds[channel.guild_id]
    user_id = call.member(guild).user.id
    thread = channel.thread
    assert thread is not None
    mine = user_id == call.world.bot_user.id
    bits = checks.in_channel(call, channel, 0 if mine else permissions.SEND_MESSAGES)
    if thread.archived:
        raise RestError(400, 50083, "Thread is archived")
    closed = channel.type == PRIVATE_THREAD and not thread.invitable and not mine
    if closed and thread.owner_id != call.world.bot_user.id and not bits & permissions.MANAGE_THREADS:
        raise checks.missing_permissions()
    call.world.threads.join(channel, user_id)
    return 204, None


@routes("DELETE", _MEMBERS + "/@me")
@routes("DELETE", _MEMBER)
def leave(call: Call) -> Answer:
    """Leave a thread, or put somebody out of it."""
    channel = _thread(call)
    user_id = call.member(call.world.guilds[channel.guild_id]).user.id
    thread = channel.thread
    assert thread is not None
    bits = checks.in_channel(call, channel, 0)
    me = call.world.bot_user.id
    owned = channel.type == PRIVATE_THREAD and thread.owner_id == me
    if user_id != me and not owned and not bits & permissions.MANAGE_THREADS:
        raise checks.missing_permissions()
    if thread.archived:
        raise RestError(400, 50083, "Thread is archived")
    call.world.threads.leave(channel, user_id)
    return 204, None


@routes("GET", "/guilds/{guild_id}/threads/active")
def active(call: Call) -> Answer:
    """Return the threads of a guild that are not put away, newest first."""
    found = sorted(call.world.threads.seen_by_bot(call.guild()), key=lambda each: -each.id)
    return 200, _listed(call, found) | {"has_more": False}


@routes("GET", _CHANNEL + "/threads/archived/public")
def archived_public(call: Call) -> Answer:
    """Return the public threads of a channel that were put away, the latest first."""
    return _archived(call, private=False)


@routes("GET", _CHANNEL + "/threads/archived/private")
def archived_private(call: Call) -> Answer:
    """Return the private threads of a channel that were put away, for who manages threads."""
    checks.in_channel(call, call.channel(), permissions.MANAGE_THREADS)
    return _archived(call, private=True)


@routes("GET", _CHANNEL + "/users/@me/threads/archived/private")
def archived_joined(call: Call) -> Answer:
    """Return the private threads that were put away and of which the bot is a member, by id."""
    return _archived(call, private=True, joined=True)


def _archived(call: Call, *, private: bool, joined: bool = False) -> Answer:
    parent = call.channel()
    checks.in_channel(call, parent, permissions.READ_HISTORY)
    if parent.type == CATEGORY or not parent.guild_id:
        raise RestError(400, 50024, "Cannot execute action on this channel type")
    limit = queries.number(call, "limit", 50, 2, 100)
    kinds = {PRIVATE_THREAD} if private else {PUBLIC_THREAD, NEWS_THREAD}
    found: list[tuple[float, Channel]] = []
    before = _before(call, joined=joined)
    for each in call.world.guilds[parent.guild_id].threads.values():
        thread = each.thread
        if thread is None or not thread.archived or each.parent_id != parent.id or each.type not in kinds:
            continue
        if joined and call.world.bot_user.id not in thread.members:
            continue
        place = float(each.id) if joined else thread.archived_at.timestamp()
        if before is None or place < before:
            found.append((place, each))
    found.sort(key=lambda pair: (-pair[0], -pair[1].id))
    shown = [each for _, each in found[:limit]]
    return 200, _listed(call, shown) | {"has_more": len(found) > limit}


def _before(call: Call, *, joined: bool) -> float | None:
    if "before" not in call.query:
        return None
    if joined:
        given = queries.optional_id(call, "before")
        return None if given is None else float(given)
    try:
        return datetime.fromisoformat(call.query["before"]).timestamp()
    except ValueError:
        words = f"Could not parse {call.query['before']}. Should be ISO8601."
        raise invalid_form(("before",), "DATE_TIME_TYPE_PARSE", words) from None


def _listed(call: Call, found: list[Channel]) -> Json:
    me = call.world.bot_user.id
    mine = [
        shapes.member(each, me) for each in found if each.thread is not None and me in each.thread.members
    ]
    return {"threads": [shapes.thread(each) for each in found], "members": mine}

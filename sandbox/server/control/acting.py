"""What people do over the control address beside voice and interactions: messages, moderation, the guild."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sandbox.server.control import views
from sandbox.server.control.bodies import Body, read_body, read_id
from sandbox.server.errors import Refused
from sandbox.server.managing import channel_shape
from sandbox.server.payloads import events, threads
from sandbox.server.people import Person
from sandbox.server.world import World

Json = dict[str, Any]
Acted = Callable[[Person, Body, web.Request], Awaitable[Any]]
_MEMBER = "/guilds/{guild}/members/{user}"
_MOST_SECONDS = 366 * 86400.0
_MOST_BITS = 2**53
_CHANNEL_FIELDS = ("name", "topic", "user_limit", "position", "nsfw", "bitrate", "rate_limit")


def _act(
    method: str, path: str, takes: tuple[str, ...], act: Acted
) -> tuple[str, str, str, Callable[[World, web.Request], Awaitable[Any]]]:
    """Return a verb of a person: it reads the body and answers with what the act returns."""

    async def handle(world: World, request: web.Request) -> Any:
        guild_id, user_id = (read_id(request.match_info[each], f"the {each}") for each in ("guild", "user"))
        person = world.person(guild_id, user_id)
        return await act(person, await read_body(request, takes), request)

    words = "{" + ", ".join(f'"{each}"' for each in takes) + "}" if takes else ""
    return method, _MEMBER + path, words, handle


async def _react(person: Person, body: Body, request: web.Request) -> Any:
    message_id, emoji, user_id = body.id("message_id"), body.text("emoji"), body.optional_id("user_id")
    if body.flag("remove"):
        await person.unreact(message_id, emoji, user_id)
    elif user_id is not None:
        raise Refused("nobody reacts for others: user_id is for taking their reaction away")
    else:
        await person.react(message_id, emoji)
    return _message(person, message_id)


async def _pin(person: Person, body: Body, request: web.Request) -> Any:
    message_id = body.id("message_id")
    await (person.pin(message_id) if _on(body, "pinned") else person.unpin(message_id))
    return _message(person, message_id)


async def _edit(person: Person, body: Body, request: web.Request) -> Any:
    return await person.edit_message(body.id("message_id"), body.text("content"))


async def _delete(person: Person, body: Body, request: web.Request) -> Any:
    await person.delete_message(body.id("message_id"))
    return {"deleted": True}


async def _direct(person: Person, body: Body, request: web.Request) -> Any:
    return await person.send_direct(body.text("content"))


async def _directs(person: Person, body: Body, request: web.Request) -> Any:
    return person.direct_messages()


async def _kick(person: Person, body: Body, request: web.Request) -> Any:
    await person.kick(body.id("user_id"), _words(body, "reason"))
    return {"kicked": True}


async def _ban(person: Person, body: Body, request: web.Request) -> Any:
    delete = body.count("delete_seconds", 604_800) if "delete_seconds" in body else 0
    await person.ban(body.id("user_id"), _words(body, "reason"), delete)
    return {"banned": True}


async def _unban(person: Person, body: Body, request: web.Request) -> Any:
    await person.unban(body.id("user_id"), _words(body, "reason"))
    return {"banned": False}


async def _time_out(person: Person, body: Body, request: web.Request) -> Any:
    null = "seconds" in body and body.is_null("seconds")
    seconds = None if null else body.seconds("seconds", most=_MOST_SECONDS)
    await person.time_out(body.id("user_id"), seconds, _words(body, "reason"))
    return _member(person, body.id("user_id"))


async def _move(person: Person, body: Body, request: web.Request) -> Any:
    user_id, channel_id = body.id("user_id"), body.optional_id("channel_id")
    if "channel_id" not in body:
        raise Refused("say where to: channel_id, null to put them out of voice")
    if channel_id is None:
        await person.disconnect_member(user_id)
    else:
        await person.move_member(user_id, channel_id)
    return _member(person, user_id)


async def _silence(person: Person, body: Body, request: web.Request) -> Any:
    user_id = body.id("user_id")
    if "mute" not in body and "deaf" not in body:
        raise Refused("say what: mute or deaf, true or false")
    if "mute" in body:
        await person.server_mute(user_id, body.flag("mute"))
    if "deaf" in body:
        await person.server_deafen(user_id, body.flag("deaf"))
    return _member(person, user_id)


async def _nick(person: Person, body: Body, request: web.Request) -> Any:
    user_id = body.optional_id("user_id")
    await person.nick(None if body.is_null("nick") else body.text("nick"), user_id)
    return _member(person, user_id or person.id)


async def _role(person: Person, body: Body, request: web.Request) -> Any:
    user_id, role_id = body.id("user_id"), body.id("role_id")
    give = person.give_role if _on(body, "given") else person.take_role
    await give(user_id, role_id)
    return _member(person, user_id)


async def _create_role(person: Person, body: Body, request: web.Request) -> Any:
    bits = body.count("permissions", _MOST_BITS) if "permissions" in body else 0
    role = await person.create_role(body.text("name"), permissions=bits)
    return {"id": str(role.id), "name": role.name, "permissions": str(role.permissions)}


async def _delete_role(person: Person, body: Body, request: web.Request) -> Any:
    await person.delete_role(_path_id(request, "role"))
    return {"deleted": True}


async def _create_channel(person: Person, body: Body, request: web.Request) -> Any:
    channel = await person.create_channel(
        body.text("name"),
        body.count("type", 100) if "type" in body else 0,
        parent=body.optional_id("parent_id"),
        user_limit=body.count("user_limit", 99) if "user_limit" in body else 0,
        topic=_words(body, "topic"),
    )
    return channel_shape(channel)


async def _edit_channel(person: Person, body: Body, request: web.Request) -> Any:
    fields = {name: body.plain(name) for name in _CHANNEL_FIELDS if name in body}
    return channel_shape(await person.edit_channel(_path_id(request, "channel"), **fields))


async def _delete_channel(person: Person, body: Body, request: web.Request) -> Any:
    await person.delete_channel(_path_id(request, "channel"))
    return {"deleted": True}


async def _create_event(person: Person, body: Body, request: web.Request) -> Any:
    event = await person.create_event(
        body.text("name"),
        body.text("start"),
        channel=body.optional_id("channel_id"),
        location=_words(body, "location"),
        end=_words(body, "end"),
        description=_words(body, "description"),
    )
    return events.event(event, counted=True)


async def _change_event(person: Person, body: Body, request: web.Request) -> Any:
    event_id = _path_id(request, "event")
    event = person.guild.events.get(event_id)
    if "interested" in body:
        await person.interest(event_id, body.flag("interested"))
    if "status" in body:
        await person.set_event(event_id, body.text("status"))
    if event is None or ("interested" not in body and "status" not in body):
        raise Refused("say what: interested, true or false, or a status: active, completed, canceled")
    return events.event(event, counted=True)


async def _delete_event(person: Person, body: Body, request: web.Request) -> Any:
    await person.delete_event(_path_id(request, "event"))
    return {"deleted": True}


async def _typing(person: Person, body: Body, request: web.Request) -> Any:
    await person.typing(body.id("channel_id"))
    return {"typing": True}


async def _start_thread(person: Person, body: Body, request: web.Request) -> Any:
    return await person.start_thread(
        body.id("channel_id"),
        body.text("name"),
        message_id=body.optional_id("message_id"),
        private=body.flag("private"),
        text=_words(body, "text"),
    )


async def _change_thread(person: Person, body: Body, request: web.Request) -> Any:
    thread_id = _path_id(request, "thread")
    if "joined" not in body and "archived" not in body:
        raise Refused("say what: joined or archived, true or false")
    if "joined" in body:
        await (person.join_thread if body.flag("joined") else person.leave_thread)(thread_id)
    if "archived" in body:
        await person.archive_thread(thread_id, archived=body.flag("archived"))
    return threads.thread(person.guild.threads[thread_id])


async def _bot(person: Person, body: Body, request: web.Request) -> Any:
    if _on(body, "member"):
        bits = body.count("permissions", _MOST_BITS) if "permissions" in body else None
        await person.invite_bot(bits)
    else:
        await person.remove_bot()
    return {"member": person.guild.world.bot_user.id in person.guild.members}


async def _hub(person: Person, body: Body, request: web.Request) -> Any:
    template = body.text("name_template") if "name_template" in body else "{name}'s crew"
    await person.create_hub(body.id("channel_id"), template)
    return {"channel_id": str(body.id("channel_id")), "name_template": template}


async def _quit(person: Person, body: Body, request: web.Request) -> Any:
    if person.id == person.guild.owner_id:
        raise Refused("the owner of a guild cannot leave it", 403)
    person.guild.remove_member(person)
    return {"member": False}


async def _found_guild(world: World, request: web.Request) -> Any:
    body = await read_body(request, ("name", "owner", "bot"))
    owner = body.text("owner") if "owner" in body else "opal"
    guild = world.create_guild(body.text("name"), owner, bot=_on(body, "bot"))
    return views.guild(world, guild)


async def _join_guild(world: World, request: web.Request) -> Any:
    guild = world.guild(read_id(request.match_info["guild"], "the guild in the path"))
    body = await read_body(request, ("username", "nick", "global_name", "roles"))
    roles = [read_id(each, "a role") for each in body.values("roles")] if "roles" in body else []
    person = guild.add_member(body.text("username"), roles, _words(body, "nick"), _words(body, "global_name"))
    return _member(person, person.id)


def _member(person: Person, user_id: int) -> Json:
    shown = views.guild(person.guild.world, person.guild)["members"]
    return next(each for each in shown if each["id"] == str(user_id))


def _message(person: Person, message_id: int) -> Json:
    room = person.guild.world.messages_room
    return room.payload(room.by_id[message_id])


def _words(body: Body, name: str) -> str | None:
    return None if name not in body or body.is_null(name) else body.text(name)


def _on(body: Body, name: str) -> bool:
    return body.flag(name) if name in body else True


def _path_id(request: web.Request, name: str) -> int:
    return read_id(request.match_info[name], f"the {name} in the path")


ACTING_VERBS = (
    ("POST", "/guilds", '{"name", "owner", "bot": bool}', _found_guild),
    ("POST", "/guilds/{guild}/members", '{"username", "nick", "global_name", "roles": [...]}', _join_guild),
    _act("DELETE", "", (), _quit),
    _act("POST", "/react", ("message_id", "emoji", "remove", "user_id"), _react),
    _act("POST", "/pin", ("message_id", "pinned"), _pin),
    _act("POST", "/edit", ("message_id", "content"), _edit),
    _act("POST", "/delete", ("message_id",), _delete),
    _act("POST", "/direct", ("content",), _direct),
    _act("GET", "/direct", (), _directs),
    _act("POST", "/kick", ("user_id", "reason"), _kick),
    _act("POST", "/ban", ("user_id", "reason", "delete_seconds"), _ban),
    _act("POST", "/unban", ("user_id", "reason"), _unban),
    _act("POST", "/timeout", ("user_id", "seconds", "reason"), _time_out),
    _act("POST", "/move", ("user_id", "channel_id"), _move),
    _act("POST", "/silence", ("user_id", "mute", "deaf"), _silence),
    _act("POST", "/nick", ("nick", "user_id"), _nick),
    _act("POST", "/give", ("user_id", "role_id", "given"), _role),
    _act("POST", "/roles", ("name", "permissions"), _create_role),
    _act("DELETE", "/roles/{role}", (), _delete_role),
    _act("POST", "/channels", ("name", "type", "parent_id", "user_limit", "topic"), _create_channel),
    _act("POST", "/channels/{channel}", _CHANNEL_FIELDS, _edit_channel),
    _act("DELETE", "/channels/{channel}", (), _delete_channel),
    _act(
        "POST",
        "/events",
        ("name", "start", "channel_id", "location", "end", "description"),
        _create_event,
    ),
    _act("POST", "/events/{event}", ("interested", "status"), _change_event),
    _act("DELETE", "/events/{event}", (), _delete_event),
    _act("POST", "/typing", ("channel_id",), _typing),
    _act("POST", "/threads", ("channel_id", "name", "message_id", "private", "text"), _start_thread),
    _act("POST", "/threads/{thread}", ("joined", "archived"), _change_thread),
    _act("POST", "/bot", ("member", "permissions"), _bot),
    _act("POST", "/hub", ("channel_id", "name_template"), _hub),
)
"""Method, path, what it takes, and the act."""

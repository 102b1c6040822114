"""Each verb of the control address: its way, what it takes, and what it does with the world."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from aiohttp import web

from sandbox.server.control import faults, gateway, http_faults, pagelog, sight, using, views
from sandbox.server.control.acting import ACTING_VERBS
from sandbox.server.control.bodies import read_body, read_id, read_query
from sandbox.server.control.recording import RECORDING_VERBS
from sandbox.server.errors import Refused
from sandbox.server.people import Person
from sandbox.server.recording import KINDS
from sandbox.server.voice.talk import MOST_FRAMES
from sandbox.server.world import World

Act: TypeAlias = Callable[[World, web.Request], Awaitable[Any]]

LONGEST_STEP = 366 * 86400.0
MOST_LOG = 10_000
MOST_NUMBER = 2**53
_VOICE_FLAGS = ("self_mute", "self_deaf", "self_stream", "self_video", "mute", "deaf")
_MEMBER = "/guilds/{guild}/members/{user}"


@dataclass(frozen=True, slots=True)
class Verb:
    """One thing that can be asked: method, path below /control, what it takes in words, and the act."""

    method: str
    path: str
    takes: str
    act: Act


async def _guilds(world: World, request: web.Request) -> Any:
    return [views.guild(world, one) for one in world.guilds.values()]


async def _voice(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("channel_id", *_VOICE_FLAGS))
    flags = {name: body.flag(name) for name in _VOICE_FLAGS if name in body}
    if "channel_id" not in body and not flags:
        raise Refused(f"say where to: channel_id, null to leave; or change one of {', '.join(_VOICE_FLAGS)}")
    if "channel_id" in body:
        channel_id = body.optional_id("channel_id")
        if channel_id is None:
            if flags:
                raise Refused("who leaves has no voice state: give channel_id null alone")
            await person.leave()
        else:
            await person.join(channel_id)
    if flags:
        await person.set_voice(**flags)
    return views.voice(person)


async def _voice_stats(world: World, request: web.Request) -> Any:
    return world.voice_stats(_path_id(request, "guild")).as_dict()


async def _talk(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("frames",))
    return {"heard": await person.talk(body.count("frames", MOST_FRAMES) if "frames" in body else 5)}


async def _speak(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("wanted",))
    await person.request_to_speak(body.flag("wanted") if "wanted" in body else True)
    return views.voice(person)


async def _idle(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    await read_body(request, ())
    await person.idle()
    return views.voice(person)


async def _presence(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("status", "activity", "mobile"))
    activity = body.text("activity") if "activity" in body else None
    await person.set_presence(body.text("status"), activity, mobile=body.flag("mobile"))
    return world.presences.payload(person.id)


async def _slash(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("channel_id", "command", "options", "stale"))
    outcome = await person.slash(
        body.text("command"),
        channel=body.id("channel_id"),
        options=body.mapping("options"),
        stale=body.flag("stale"),
    )
    return views.outcome(outcome)


async def _autocomplete(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("channel_id", "command", "options", "focused"))
    outcome = await person.autocomplete(
        body.text("command"),
        channel=body.id("channel_id"),
        options=body.mapping("options"),
        focused=body.text("focused"),
    )
    return views.outcome(outcome)


async def _click(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("message_id", "custom_id"))
    return views.outcome(await person.click(body.id("message_id"), body.text("custom_id")))


async def _choose(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("message_id", "custom_id", "values"))
    custom_id, values = body.text("custom_id"), body.values("values") if "values" in body else None
    return views.outcome(await person.choose(body.id("message_id"), custom_id, values))


async def _submit(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("interaction_id", "values"))
    return views.outcome(await person.submit(body.id("interaction_id"), body.mapping("values")))


async def _send(world: World, request: web.Request) -> Any:
    person = _person(world, request)
    body = await read_body(request, ("channel_id", "content"))
    return await person.send(body.id("channel_id"), body.text("content"))


async def _messages(world: World, request: web.Request) -> Any:
    query = read_query(request, ("as", "limit"))
    found = world.messages(_path_id(request, "channel"), as_user=query.optional_id("as"))
    return found[max(0, len(found) - query.count("limit", MOST_LOG)) :]


async def _attachment(world: World, request: web.Request) -> Any:
    name = request.match_info["name"]
    data = world.attachment(_path_id(request, "message"), name)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    # Opened in a browser, a file must not act for the person who opens it.
    headers = {"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'"}
    return web.Response(body=data, content_type=kind, headers=headers)


async def _clock(world: World, request: web.Request) -> Any:
    return {"now": world.clock.now().isoformat(), "attached": world.clock.attached}


async def _advance(world: World, request: web.Request) -> Any:
    body = await read_body(request, ("advance_seconds",))
    await world.clock.advance(body.seconds("advance_seconds", most=LONGEST_STEP))
    return {"now": world.clock.now().isoformat()}


async def _truth(world: World, request: web.Request) -> Any:
    query = read_query(request, ("guild", "user"))
    guild_id, user_id = query.optional_id("guild"), query.optional_id("user")
    return [
        views.stay(one)
        for one in world.truth
        if guild_id in (None, one.guild_id) and user_id in (None, one.user_id)
    ]


async def _log(world: World, request: web.Request) -> Any:
    query = read_query(request, ("kind", "limit"))
    limit = query.count("limit", MOST_LOG)
    kind = query.text("kind") if "kind" in query else None
    if kind is not None and kind not in KINDS:
        raise Refused(f"kind is one of {', '.join(KINDS)}, not {kind}")
    found = [entry for entry in world.log.entries if kind in (None, entry["kind"])]
    return found[len(found) - min(limit, len(found)) :]


async def _sight(world: World, request: web.Request) -> Any:
    viewer = read_query(request, ("as",)).id("as")
    return sight.guild(world, world.person(_path_id(request, "guild"), viewer))


async def _log_lines(world: World, request: web.Request) -> Any:
    query = read_query(request, ("after", "limit"))
    after = query.count("after", MOST_NUMBER) if "after" in query else -1
    return pagelog.lines(world, after, query.count("limit", MOST_LOG))


async def _log_entry(world: World, request: web.Request) -> Any:
    return pagelog.entry(world, _path_id(request, "number"))


def _person(world: World, request: web.Request) -> Person:
    return world.person(_path_id(request, "guild"), _path_id(request, "user"))


def _path_id(request: web.Request, name: str) -> int:
    return read_id(request.match_info[name], f"the {name} in the path")


VERBS = (
    Verb("GET", "/guilds", "", _guilds),
    Verb("POST", f"{_MEMBER}/voice", '{"channel_id": id or null, "self_mute": bool, ...}', _voice),
    Verb("GET", "/guilds/{guild}/voice", "", _voice_stats),
    Verb("POST", f"{_MEMBER}/talk", '{"frames": n}', _talk),
    Verb("POST", f"{_MEMBER}/request-to-speak", '{"wanted": bool}', _speak),
    Verb("POST", f"{_MEMBER}/idle", "{}", _idle),
    Verb("POST", f"{_MEMBER}/presence", '{"status", "activity", "mobile": bool}', _presence),
    Verb("POST", f"{_MEMBER}/slash", '{"channel_id", "command", "options", "stale"}', _slash),
    Verb("POST", f"{_MEMBER}/autocomplete", '{"channel_id", "command", "options", "focused"}', _autocomplete),
    Verb("POST", f"{_MEMBER}/click", '{"message_id", "custom_id"}', _click),
    Verb("POST", f"{_MEMBER}/choose", '{"message_id", "custom_id", "values": [...]}', _choose),
    Verb("POST", f"{_MEMBER}/submit", '{"interaction_id", "values": {custom_id: value or list}}', _submit),
    Verb("GET", f"{_MEMBER}/menu", "", using.menu),
    Verb("POST", f"{_MEMBER}/locale", '{"locale": "de"}', using.locale),
    Verb(
        "POST", f"{_MEMBER}/context", '{"command", "message_id" | "user_id" and "channel_id"}', using.context
    ),
    Verb("POST", f"{_MEMBER}/dismiss", '{"message_id"}', using.dismiss),
    Verb("POST", f"{_MEMBER}/messages", '{"channel_id", "content"}', _send),
    *(Verb(*each) for each in ACTING_VERBS),
    Verb("GET", "/guilds/{guild}/sight", "?as=user", _sight),
    Verb("GET", "/channels/{channel}/messages", "?as=user&limit=", _messages),
    Verb("GET", "/messages/{message}/attachments/{name}", "", _attachment),
    Verb("GET", "/clock", "", _clock),
    Verb("POST", "/clock", '{"advance_seconds": n}', _advance),
    Verb("POST", "/faults", faults.TAKES, faults.fault),
    Verb("GET", "/gateway", "", gateway.show),
    Verb("POST", "/gateway", gateway.TAKES, gateway.change),
    Verb("GET", "/rate-limits", "", http_faults.rate_limits),
    Verb("POST", "/rate-limits", http_faults.LIMITS_TAKE, http_faults.rate_limits),
    Verb("GET", "/truth", "?guild=&user=", _truth),
    Verb("GET", "/log", "?kind=rest|gateway|voice|note|act|clock&limit=", _log),
    *(Verb(*each) for each in RECORDING_VERBS),
    Verb("GET", "/log/lines", "?after=number&limit=", _log_lines),
    Verb("GET", "/log/{number}", "", _log_entry),
)

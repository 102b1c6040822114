"""The verbs for menus: what a member is offered, in which language, and commands on users and messages."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.server.control import views
from sandbox.server.control.bodies import read_body, read_id, read_query
from sandbox.server.errors import Refused
from sandbox.server.people import Person
from sandbox.server.world import World


async def menu(world: World, request: web.Request) -> Any:
    """Tell the commands that a member is offered, in their language."""
    read_query(request, ())
    person = _person(world, request)
    return {"locale": person.locale, "commands": person.menu}


async def locale(world: World, request: web.Request) -> Any:
    """Switch the language of a member's client."""
    person = _person(world, request)
    body = await read_body(request, ("locale",))
    person.set_locale(body.text("locale"))
    return {"locale": person.locale}


async def context(world: World, request: web.Request) -> Any:
    """Pick a command from the menu of a user or of a message."""
    person = _person(world, request)
    body = await read_body(request, ("command", "user_id", "channel_id", "message_id", "stale"))
    name, stale = body.text("command"), body.flag("stale")
    if ("message_id" in body) == ("user_id" in body):
        raise Refused("say on what: message_id, or user_id with the channel_id they act in")
    if "message_id" in body:
        return views.outcome(await person.use_on_message(name, body.id("message_id"), stale=stale))
    user_id, channel_id = body.id("user_id"), body.id("channel_id")
    return views.outcome(await person.use_on_user(name, user_id, channel_id, stale=stale))


async def dismiss(world: World, request: web.Request) -> Any:
    """Put away a message that only this member sees."""
    person = _person(world, request)
    body = await read_body(request, ("message_id",))
    message_id = body.id("message_id")
    await person.dismiss(message_id)
    return {"message_id": str(message_id)}


def _person(world: World, request: web.Request) -> Person:
    where = request.match_info
    return world.person(
        read_id(where["guild"], "the guild in the path"), read_id(where["user"], "the user in the path")
    )

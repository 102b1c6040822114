"""Every route with every kind of nonsense: always an answer in Discord's shape, never a broken server."""

from __future__ import annotations

import itertools
import random
from typing import Any

import aiohttp
import pytest
from support.loopback import LoopbackBot, Place
from support.resource_stage import ADMINISTRATOR, grant

from sandbox.server import events
from sandbox.server.emojis import Emoji
from sandbox.server.events import ScheduledEvent
from sandbox.server.rest import api

_NAMES = (
    "name", "type", "permissions", "position", "id", "parent_id", "permission_overwrites", "roles", "nick",
    "channel_id", "user_ids", "message", "messages", "available_tags", "scheduled_start_time", "status",
    "entity_type", "privacy_level", "entity_metadata", "content", "allow", "deny", "image", "archived",
    "flags", "communication_disabled_until", "afk_channel_id", "color", "colors", "max_age", "applied_tags",
    "topic", "default_reaction_emoji", "description",
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None,
    True,
    -1,
    3,
    2**70,
    "",
    "x",
    "7",
    [],
    ["x"],
    [None],
    [{}],
    {},
    {"id": "x"},
    1.5,
)
# These end what the others need: the bot's stay, or its rights to answer.
_LEFT_OUT = {("DELETE", "/users/@me/guilds/{guild_id}")}


def bodies(draw: random.Random) -> list[Any]:
    """Return bodies that fit no route, and some that fit it in half of their fields."""
    made: list[Any] = [None, [], {}, "text", 5, [5], [{}], [{"id": "x"}], [{"id": None, "position": None}]]
    made += [{name: draw.choice(_VALUES) for name in draw.sample(_NAMES, 8)} for _ in range(6)]
    return made


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
async def test_every_route_answers_nonsense_in_discords_shape(
    place: Place, bot: LoopbackBot, method: str
) -> None:
    grant(place, ADMINISTRATOR)
    world, guild = place.world, place.guild
    world.log.enabled = False
    draw = random.Random(method)
    message = world.messages_room.create(place.text, world.bot_user, {"content": "x"})
    thread = world.threads.start(place.text, world.bot_user, "T")
    hook = world.webhooks.create(place.text, world.bot_user, "News")
    start = world.clock.now()
    event = ScheduledEvent(world.mint.next(), guild.id, world.bot_user, "E", events.VOICE, start)
    events.add(guild, event)
    emoji = Emoji(world.mint.next(), "au", world.bot_user)
    guild.emojis[emoji.id] = emoji
    role = guild.create_role("R")
    known: dict[str, list[Any]] = {
        "guild_id": [guild.id],
        "channel_id": [place.text.id, place.alpha.id, thread.id],
        "message_id": [message.id],
        "user_id": [place.quartz.id, guild.owner_id],
        "role_id": [role.id, guild.id],
        "webhook_id": [hook.id],
        "webhook_token": [hook.token],
        "guild_scheduled_event_id": [event.id],
        "emoji_id": [emoji.id],
        "emoji_name": ["👍", "x"],
        "application_id": [world.application_id],
        "overwrite_id": [role.id, place.quartz.id],
        "code": ["abc"],
    }
    headers = {"Authorization": f"Bot {world.token}"}
    odd = (5, "x", "0", 2**70)
    asked = 0
    async with aiohttp.ClientSession(headers=headers) as http:
        for route in {each.template: each for each in _routes(world) if each.method == method}.values():
            if (method, route.template) in _LEFT_OUT:
                continue
            names = [part[1:-1] for part in route.template.split("/") if part.startswith("{")]
            places = list(itertools.product(*(known.get(name, [5]) for name in names)))[:4]
            places += [tuple(draw.choice(odd) for _ in names) for _ in range(2)] if names else []
            for values in places:
                path = route.template.format(**dict(zip(names, values, strict=True)))
                for body in bodies(draw) if method != "GET" else [None]:
                    query = {"limit": draw.choice(["x", "0", "1"]), "before": draw.choice(["x", "5"])}
                    url = place.server.addresses.rest + path
                    async with http.request(method, url, json=body, params=query) as answer:
                        asked += 1
                        words = await answer.text()
                        assert answer.status < 500, (method, path, body, words)
                        if answer.status >= 400:
                            error = await answer.json()
                            assert {"code", "message"} <= set(error), (method, path, body, error)
    assert asked > 50


def _routes(world: Any) -> list[Any]:
    table = api.router(world)._by_shape
    return [route for listed in table.values() for _, route in listed]

"""Interactions that Discord's own client would not send: any command, component or form from anywhere.

A message of another guild, a custom id of an older version, a direct channel: the bot's real client gets
them all.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.server import Outcome, Person
from sandbox.server.channels import Channel
from sandbox.server.interactions import Interaction
from sandbox.server.payloads import interactions as shapes
from sandbox.stage import Stage

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL = 2, 3, 4, 5
BUTTON, STRING_SELECT, USER_SELECT, ROLE_SELECT = 2, 3, 5, 6
STRING, USER = 3, 6
_COMPONENTS_V2 = 1 << 15
_EPHEMERAL = 1 << 6


@dataclass(frozen=True, slots=True)
class Answer:
    """What the bot answered to one interaction once all had settled.

    :param kind: message, deferred, update, modal, choices, or none.
    :param body: the message or form in JSON, or the choices.
    """

    kind: str
    body: Any

    @property
    def text(self) -> str:
        """All words that a person reads of it."""
        return "\n".join(_words(self.body))

    @property
    def private(self) -> bool:
        """Whether only who asked sees it."""
        return isinstance(self.body, dict) and bool(int(self.body.get("flags") or 0) & _EPHEMERAL)


async def answer_to(stage: Stage, outcome: Outcome) -> Answer:
    """Return what a person was answered in the end."""
    await stage.settle()
    if outcome.kind == "choices":
        return Answer("choices", outcome.choices)
    if outcome.kind == "modal":
        return Answer("modal", outcome.modal)
    if outcome.kind == "deferred" and outcome.message is not None and outcome.message["flags"] & 1 << 7:
        return Answer("deferred", await outcome.final())
    return Answer(outcome.kind, outcome.message)


async def forge(
    stage: Stage, person: Person, channel: Channel, kind: int, data: Mapping[str, Any], **more: Any
) -> Answer:
    """Send an interaction as a person, unchecked, and return the answer.

    :param data: of the interaction, as Discord sends it.
    :param more: `source`, the message that it hangs on; `opener`, what opened a form.
    """
    one = stage.world.interactions.create(
        person.guild, person.guild.members[person.id], channel.id, kind, dict(data), **more
    )
    await asyncio.wait_for(one.answered.wait(), 10)
    await stage.settle()
    if one.kind == "choices":
        return Answer("choices", one.choices)
    if one.kind == "modal":
        return Answer("modal", one.modal)
    if one.callback == 5:
        await asyncio.wait_for(one.settled.wait(), 10)
    message = one.latest or one.original
    return Answer(one.kind or "none", message and stage.world.messages_room.payload(message))


def command_data(path: str, options: Iterable[Mapping[str, Any]] = (), **more: Any) -> dict[str, Any]:
    """Return the data of a slash command.

    :param options: those of the command itself, with name, type and value.
    """
    first, *words = path.split()
    filled = [dict(option) for option in options]
    for depth, word in enumerate(reversed(words)):
        filled = [{"type": 1 if depth == 0 else 2, "name": word, "options": filled}]
    return {"id": "1", "name": first, "type": 1, "options": filled, **more}


async def press(
    stage: Stage,
    person: Person,
    channel: Channel,
    custom_id: str,
    *,
    kind: int = BUTTON,
    values: Iterable[str] = (),
    framed: bool = True,
) -> Answer:
    """Use a button or select menu with any custom id on a message of the bot.

    :param framed: whether the message is made of components, as panels are.
    """
    data: dict[str, Any] = {"custom_id": custom_id, "component_type": kind, "id": 1}
    if kind != BUTTON:
        data |= {"values": list(values), "resolved": {}}
    return await forge(stage, person, channel, COMPONENT, data, source=_message(stage, channel, framed))


async def submit(
    stage: Stage, person: Person, channel: Channel, custom_id: str, fields: Mapping[str, str]
) -> Answer:
    """Send a form with any custom id and any fields."""
    rows = [
        {
            "type": 18,
            "id": number * 2,
            "component": {"type": 4, "id": number * 2 + 1, "custom_id": name, "value": value},
        }
        for number, (name, value) in enumerate(fields.items(), 1)
    ]
    data = {"custom_id": custom_id, "components": rows}
    more = {"source": _message(stage, channel, True), "opener": _opener(stage, person, channel)}
    return await forge(stage, person, channel, MODAL, data, **more)


def _opener(stage: Stage, person: Person, channel: Channel) -> Interaction:
    """The press of a button that opened a form long ago."""
    world = stage.world
    place = (channel.guild_id, channel.id, person.id, world.clock.now())
    one = Interaction(world.mint.next(), "", COMPONENT, *place, {}, {}, source=_message(stage, channel, True))
    one.metadata = shapes.metadata(world, one, person.user, None)
    return one


def _message(stage: Stage, channel: Channel, framed: bool) -> Any:
    """An old message of the bot."""
    body = (
        {"flags": _COMPONENTS_V2, "components": [{"type": 10, "content": "once upon a time"}]}
        if framed
        else {"content": "once upon a time"}
    )
    return stage.world.messages_room.create(channel, stage.world.bot_user, body)


#: Where words for people stand in messages, forms and choices.
_SPOKEN = frozenset({"content", "label", "title", "description", "placeholder", "name", "value", "text"})


def _words(part: Any) -> list[str]:
    if isinstance(part, dict):
        if "author" in part:
            part = {k: part[k] for k in ("content", "embeds", "components", "attachments") if k in part}
        found = []
        for name, value in part.items():
            if name in _SPOKEN and isinstance(value, str) and value:
                found.append(value)
            else:
                found += _words(value)
        return found
    if isinstance(part, list):
        return [word for each in part for word in _words(each)]
    return []


class Ears:
    """Keeps all that the bot tells Discord, from now on."""

    def __init__(self, stage: Stage) -> None:
        self.said: list[Any] = []
        self.stop = stage.world.log.on_entry(self._hear)

    def _hear(self, entry: dict[str, Any]) -> None:
        if entry["kind"] == "rest" and entry["method"] != "GET" and entry["request"]:
            # The bodies are the live objects.
            self.said.append(json.loads(json.dumps(entry["request"], default=str)))

    def take(self) -> list[Any]:
        """Return what was said since the last time."""
        taken, self.said = self.said, []
        return taken

"""The arguments of acts as JSON, and the things of a world by names that hold in a replay as well."""

from __future__ import annotations

import base64
import dataclasses
import importlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sandbox.server.channels import DM, Channel
from sandbox.server.errors import Refused
from sandbox.server.events import ScheduledEvent
from sandbox.server.members import Member, Role, User
from sandbox.server.messages import Message

if TYPE_CHECKING:
    from sandbox.server.world import World

Json = dict[str, Any]
ID = re.compile(r"(?<!\d)\d{17,20}(?!\d)")
_PLAIN = (bool, int, float, str, type(None))
_MOST_EXACT = 2**53
_OURS = "sandbox.server."
_BY_ID = {Channel: "$channel", Role: "$role", Message: "$message"}


class Encoder:
    """Turns arguments into JSON; ``named`` collects how to find again what has no id of the founding.

    ``fields``: things come with their fields, which the act is about to announce.
    """

    def __init__(self, world: World, *, fields: bool = False) -> None:
        self._world = world
        self._fields = fields
        self.named: dict[str, Json] = {}

    def encode(self, value: Any) -> Any:
        """Return a value as JSON."""
        mark = _BY_ID.get(type(value))
        if mark is not None:
            self.look_at_id(value.id)
            fields = self._simple(value) if mark != "$message" else {}
            return {mark: str(value.id)} | ({"fields": fields} if fields else {})
        if isinstance(value, str):
            self.look_at(value)
            return str(value)
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _MOST_EXACT:
            self.look_at(str(value))
            return {"$int": str(int(value))}
        if isinstance(value, _PLAIN):
            return value
        if isinstance(value, datetime):
            return {"$time": value.isoformat()}
        if isinstance(value, bytes):
            return {"$bytes": base64.b64encode(value).decode()}
        if isinstance(value, Mapping):
            pairs = [[self.encode(key), self.encode(each)] for key, each in value.items()]
            plain = all(isinstance(key, str) and not key.startswith("$") for key in value)
            return dict(pairs) if plain else {"$map": pairs}
        return self._thing(value)

    def look_at(self, text: str) -> None:
        """Remember the names of the ids in a text."""
        for number in ID.findall(text):
            self.look_at_id(int(number))

    def look_at_id(self, number: int) -> None:
        """Remember the name of what came into being after the scene was set."""
        if number >= self._world.mint.first and str(number) not in self.named:
            name = name_of(self._world, number)
            if name is not None:
                self.named[str(number)] = name
                for each in name.values():
                    self.look_at(str(each))

    def _thing(self, value: Any) -> Any:
        member = value if isinstance(value, Member) else getattr(value, "member", None)
        if isinstance(member, Member):
            self.look_at(f"{member.guild_id} {member.user.id}")
            return {"$member": [str(member.guild_id), str(member.user.id)], "fields": self._simple(member)}
        if isinstance(value, ScheduledEvent):
            return self.encode(value.id)
        if isinstance(value, User):
            return {"$user": value.username}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            kind = type(value)
            fields = {each.name: self.encode(getattr(value, each.name)) for each in dataclasses.fields(value)}
            return {"$made": f"{kind.__module__}:{kind.__qualname__}", "fields": fields}
        if isinstance(value, Iterable):
            return [self.encode(each) for each in value]
        return {"$unknown": repr(value)}

    def _simple(self, thing: Any) -> Json:
        return _simple_fields(thing) if self._fields else {}


class Decoder:
    """Turns the JSON of an act back into arguments, for another world than it was written in."""

    def __init__(self, world: World, named: Mapping[str, Json]) -> None:
        self._world = world
        self._named = named

    def decode(self, value: Any, *, changing: bool = False) -> Any:
        """Return the value; ``changing``: things take the fields they had. Raises Refused (404)."""
        if isinstance(value, str):
            return ID.sub(lambda found: self.number(found.group()), value)
        if isinstance(value, list):
            return [self.decode(each, changing=changing) for each in value]
        if not isinstance(value, dict):
            return value
        mark = next((key for key in value if key.startswith("$")), None)
        if mark is None:
            return {self.decode(key): self.decode(each, changing=changing) for key, each in value.items()}
        return self._marked(mark, value[mark], value.get("fields") or {}, changing=changing)

    def number(self, text: str) -> str:
        """Return the id that a recorded id has in this world, as text."""
        name = self._named.get(text)
        if name is None:
            return text
        found = find(self._world, {key: self.decode(each) for key, each in name.items()})
        return text if found is None else str(found)

    def _marked(self, mark: str, value: Any, fields: Json, *, changing: bool) -> Any:
        world = self._world
        if mark == "$int":
            return int(self.number(value))
        if mark == "$time":
            return datetime.fromisoformat(value)
        if mark == "$bytes":
            return base64.b64decode(value)
        if mark == "$map":
            return {self.decode(key): self.decode(each) for key, each in value}
        if mark == "$user":
            return world.user(value)
        if mark == "$made":
            return _made(value, {key: self.decode(each) for key, each in fields.items()})
        thing: Any = None
        if mark == "$member":
            guild_id, user_id = (int(self.number(each)) for each in value)
            thing = world.guild(guild_id).members.get(user_id)
        elif mark == "$channel":
            thing = world.channels.get(int(self.number(value)))
        elif mark == "$message":
            thing = world.messages_room.by_id.get(int(self.number(value)))
        elif mark == "$role":
            number = int(self.number(value))
            thing = next((each.roles[number] for each in world.guilds.values() if number in each.roles), None)
        if thing is None:
            raise Refused(f"the {mark[1:]} {value} of the recording is not there", 404)
        if changing:
            for name, each in fields.items():
                setattr(thing, name, self.decode(each))
        return thing


def name_of(world: World, number: int) -> Json | None:
    """Return a name for what has an id: where it stands in its world; None for what has no name."""
    if number in world.messages_room.by_id:
        message = world.messages_room.by_id[number]
        around = world.messages_room.in_channel(message.channel_id)
        return {"message": around.index(message), "channel": str(message.channel_id)}
    if number in world.interactions.by_id:
        return {"interaction": list(world.interactions.by_id).index(number)}
    if number in world.channels:
        channel = world.channels[number]
        if channel.type == DM:
            return {"direct": str(channel.recipient_id)}
        return {"channel_name": channel.name, "guild": str(channel.guild_id)}
    if number in world.users:
        return {"user": world.users[number].username}
    for guild in world.guilds.values():
        if number == guild.id:
            return {"guild_name": guild.name}
        if number in guild.roles:
            return {"role": guild.roles[number].name, "guild": str(guild.id)}
        if number in guild.events:
            return {"event": list(guild.events).index(number), "guild": str(guild.id)}
    return None


def find(world: World, name: Mapping[str, Any]) -> int | None:
    """Return the id of what has a name in a world, or None."""
    if "message" in name:
        around = world.messages_room.in_channel(int(name["channel"]))
        return around[name["message"]].id if name["message"] < len(around) else None
    if "interaction" in name:
        numbers = list(world.interactions.by_id)
        return numbers[name["interaction"]] if name["interaction"] < len(numbers) else None
    if "direct" in name:
        return world.direct_channel(int(name["direct"])).id
    if "user" in name:
        return next((each.id for each in world.users.values() if each.username == name["user"]), None)
    if "guild_name" in name:
        return next((each.id for each in world.guilds.values() if each.name == name["guild_name"]), None)
    guild = world.guilds.get(int(name["guild"]))
    if guild is None:
        return None
    if "event" in name:
        events = list(guild.events)
        return events[name["event"]] if name["event"] < len(events) else None
    if "role" in name:
        return next((each.id for each in guild.roles.values() if each.name == name["role"]), None)
    # The newest of a name: join-to-create hubs make one after the other.
    here = (*guild.channels.values(), *guild.threads.values())
    found = [each.id for each in here if each.name == name["channel_name"]]
    return found[-1] if found else None


def places(world: World, verb: str, arguments: Mapping[str, Any]) -> dict[str, int]:
    """Return where the components of an act stand: libraries make up other custom ids in every run."""
    if verb in {"click", "choose"}:
        message = world.messages_room.by_id.get(_number(arguments.get("message_id")))
        return _order(message.components if message else None)
    if verb == "submit":
        opener = world.interactions.by_id.get(_number(arguments.get("interaction_id")))
        return _order(opener.modal.get("components") if opener and opener.modal else None)
    return {}


def custom_ids_for(world: World, verb: str, arguments: Json, recorded: Mapping[str, int]) -> Json:
    """Return an act's arguments with the custom ids that stand in the places of the recorded ones."""
    now = {place: custom_id for custom_id, place in places(world, verb, arguments).items()}
    known = set(now.values())

    def other(custom_id: str) -> str:
        return custom_id if custom_id in known else now.get(recorded.get(custom_id, -1), custom_id)

    changed = dict(arguments)
    if verb in {"click", "choose"} and "custom_id" in arguments:
        changed["custom_id"] = other(arguments["custom_id"])
    elif verb == "submit" and isinstance(arguments.get("values"), dict):
        changed["values"] = {other(key): value for key, value in arguments["values"].items()}
    return changed


def _order(parts: Any) -> dict[str, int]:
    return {custom_id: place for place, custom_id in enumerate(_custom_ids(parts))}


def _custom_ids(parts: Any) -> Iterator[str]:
    if isinstance(parts, dict):
        if "custom_id" in parts:
            yield str(parts["custom_id"])
        for each in parts.values():
            if isinstance(each, list | dict):
                yield from _custom_ids(each)
    elif isinstance(parts, list):
        for each in parts:
            yield from _custom_ids(each)


def _number(value: Any) -> int:
    return int(value) if str(value).isdigit() else 0


def _simple_fields(thing: Any) -> Json:
    return {
        each.name: value
        for each in dataclasses.fields(thing)
        if each.name not in {"id", "guild_id"}
        and isinstance(value := getattr(thing, each.name), _PLAIN)
        and (not isinstance(value, int) or abs(value) <= _MOST_EXACT)
    }


def _made(name: str, fields: Json) -> Any:
    module, _, kind = name.partition(":")
    if not module.startswith(_OURS) or not kind.isidentifier():
        raise Refused(f"the recording holds a {name}, which is none of the sandbox's values")
    made = getattr(importlib.import_module(module), kind, None)
    if made is None or not dataclasses.is_dataclass(made):
        raise Refused(f"the recording holds a {name}, which this sandbox does not know")
    assert callable(made)
    return made(**fields)

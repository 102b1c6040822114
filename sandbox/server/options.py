"""What a person types into a command, checked as Discord's client checks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.server import menus, permissions
from sandbox.server.channels import Channel
from sandbox.server.errors import Refused
from sandbox.server.members import Role, User
from sandbox.server.payloads import guilds as guild_shapes
from sandbox.server.payloads import messages as message_shapes
from sandbox.server.payloads import people

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.messages import Attachment

Json = dict[str, Any]
STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER, ATTACHMENT = range(3, 12)
_WORDS = {STRING: "text", INTEGER: "a whole number", BOOLEAN: "true or false", NUMBER: "a number"}
_LARGEST = 2**53 - 1


class Resolved:
    """Collects the objects behind ids, as an interaction's ``resolved`` carries them."""

    def __init__(self, guild: Guild, locale: str = menus.DEFAULT_LOCALE, *, direct: bool = False) -> None:
        self.locale = locale
        self._direct = direct
        self._guild = guild
        self._kinds: dict[str, Json] = {}

    def user(self, user_id: int) -> None:
        """Add a member with their user, in a direct channel the user alone. Raises Refused (404)."""
        if self._direct:
            if user_id not in self._guild.world.users:
                raise Refused(f"there is no user {user_id}", 404)
            self._put("users", user_id, people.user(self._guild.world.users[user_id]))
            return
        member = self._guild.members.get(user_id)
        if member is None:
            raise Refused(f"{user_id} is not a member of {self._guild.name}", 404)
        shape = people.member(member, with_user=False)
        shape["permissions"] = str(permissions.in_guild(self._guild, member))
        self._put("users", user_id, people.user(member.user))
        self._put(
            "members", user_id, {key: value for key, value in shape.items() if key not in {"deaf", "mute"}}
        )

    def role(self, role_id: int) -> None:
        """Add a role. Raises Refused (404)."""
        self._need_guild("roles")
        if role_id not in self._guild.roles:
            raise Refused(f"{role_id} is not a role of {self._guild.name}", 404)
        self._put("roles", role_id, guild_shapes.role(self._guild.roles[role_id]))

    def channel(self, channel_id: int, user_id: int, kinds: list[int] | None) -> None:
        """Add a channel with the acting member's permissions in it. Raises Refused."""
        self._need_guild("channels")
        channel = self._guild.channels.get(channel_id) or self._guild.threads.get(channel_id)
        if channel is None:
            raise Refused(f"{channel_id} is not a channel of {self._guild.name}", 404)
        if kinds and channel.type not in kinds:
            raise Refused(f"{channel.name} is of type {channel.type}; this takes channels of type {kinds}")
        bits = permissions.in_channel(self._guild, self._guild.members[user_id], channel)
        self._put("channels", channel_id, guild_shapes.partial_channel(channel, bits))

    def mentionable(self, some_id: int) -> None:
        """Add a member or a role."""
        if some_id in self._guild.roles and not self._direct:
            self.role(some_id)
        else:
            self.user(some_id)

    def attachment(self, one: Attachment) -> None:
        """Add a file."""
        self._put("attachments", one.id, message_shapes.attachment(one))

    def _need_guild(self, things: str) -> None:
        if self._direct:
            raise Refused(f"a direct channel has no {things}")

    def _put(self, kind: str, some_id: int, value: Json) -> None:
        self._kinds.setdefault(kind, {})[str(some_id)] = value

    def body(self) -> Json:
        """Return what was collected."""
        return self._kinds


def fill(
    guild: Guild,
    user_id: int,
    schema: list[Json],
    given: dict[str, Any],
    *,
    focused: str | None = None,
    locale: str = menus.DEFAULT_LOCALE,
    direct: bool = False,
) -> tuple[list[Json], Json]:
    """Return the options of an interaction and its ``resolved``.

    Options and choices may be named in the language of ``locale``; the bot gets them as registered. With
    ``focused`` (autocomplete) nothing is required and the focused value is passed on as typed. Raises
    Refused for anything Discord's client would not send.
    """
    known = {option["name"]: option for option in schema}
    spoken = {menus.said(option, "name", locale): option["name"] for option in schema}
    given = {spoken.get(name, name): value for name, value in given.items()}
    focused = None if focused is None else spoken.get(focused, focused)
    for name in given:
        if name not in known:
            raise Refused(f"there is no option {name}; the options are: {', '.join(known) or 'none'}")
    if focused is not None:
        if not known.get(focused, {}).get("autocomplete"):
            raise Refused(f"option {focused} has no autocomplete")
        given = {focused: "", **given}
    resolved = Resolved(guild, locale, direct=direct)
    filled: list[Json] = []
    for name, option in known.items():
        if given.get(name) is None:
            if option.get("required") and focused is None:
                raise Refused(f"option {name} is required")
            continue
        entry: Json = {"type": option["type"], "name": name}
        if name == focused:
            entry |= {"value": str(given[name]), "focused": True}
        else:
            entry["value"] = _value(guild, user_id, option, given[name], resolved)
        filled.append(entry)
    return filled, resolved.body()


def _value(guild: Guild, user_id: int, option: Json, given: Any, resolved: Resolved) -> Any:
    kind = option["type"]
    if kind in {STRING, INTEGER, NUMBER}:
        return _ranged(option, _chosen(option, given, resolved.locale))
    if kind == BOOLEAN:
        return _typed(option, given)
    if kind == ATTACHMENT:
        stored = guild.world.uploads.take(given, option["name"])
        resolved.attachment(stored)
        return str(stored.id)
    some_id = as_id(given, option["name"])
    if kind == USER:
        resolved.user(some_id)
    elif kind == ROLE:
        resolved.role(some_id)
    elif kind == CHANNEL:
        resolved.channel(some_id, user_id, option.get("channel_types"))
    elif kind == MENTIONABLE:
        resolved.mentionable(some_id)
    return str(some_id)


def as_id(given: Any, name: str) -> int:
    """Return the id in a number, a string of digits, or an object that has one. Raises Refused."""
    if isinstance(given, (Channel, Role, User)) or (
        not isinstance(given, (int, str)) and hasattr(given, "id")
    ):
        return int(given.id)
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if isinstance(given, str) and given.isascii() and given.isdigit():
        return int(given)
    raise Refused(f"option {name} takes an id, not {given!r}")


def _typed(option: Json, given: Any) -> Any:
    kind = option["type"]
    fits = {
        STRING: isinstance(given, str),
        INTEGER: isinstance(given, int) and not isinstance(given, bool) and abs(given) <= _LARGEST,
        BOOLEAN: isinstance(given, bool),
        NUMBER: isinstance(given, (int, float)) and not isinstance(given, bool) and abs(given) <= _LARGEST,
    }
    if not fits[kind]:
        raise Refused(f"option {option['name']} takes {_WORDS[kind]}, not {given!r}")
    return given


def _chosen(option: Json, given: Any, locale: str) -> Any:
    choices = option.get("choices")
    if not choices:
        return _typed(option, given)
    for choice in choices:
        if given in {choice["value"], choice["name"], menus.said(choice, "name", locale)}:
            return choice["value"]
    names = ", ".join(menus.said(choice, "name", locale) for choice in choices)
    raise Refused(f"option {option['name']} takes one of: {names}; not {given!r}")


def _ranged(option: Json, value: Any) -> Any:
    text = option["type"] == STRING
    size = len(value) if text else value
    low = option.get("min_length" if text else "min_value")
    high = option.get("max_length" if text else "max_value", 6000 if text else None)
    unit = " characters" if text else ""
    if low is not None and size < low:
        raise Refused(f"option {option['name']} takes at least {low}{unit}, not {size}")
    if high is not None and size > high:
        raise Refused(f"option {option['name']} takes at most {high}{unit}, not {size}")
    return value

"""What the control address tells: guilds, menus, voice states, outcomes, the truth, the log."""

from __future__ import annotations

from typing import Any

from sandbox.server.guilds import Guild
from sandbox.server.people import Outcome, Person
from sandbox.server.truth import Stay
from sandbox.server.world import World

Json = dict[str, Any]
_FLAGS = ("mute", "deaf", "self_mute", "self_deaf", "self_stream", "self_video", "suppress")


def guild(world: World, one: Guild) -> Json:
    """A guild: its roles, channels, members (with the voice channel they sit in) and the menu they see."""
    return {
        "id": str(one.id),
        "name": one.name,
        "owner_id": str(one.owner_id),
        "roles": [
            {"id": str(role.id), "name": role.name, "permissions": str(role.permissions)}
            for role in one.roles.values()
        ],
        "channels": [
            {"id": str(channel.id), "name": channel.name, "type": channel.type}
            for channel in one.channels.values()
        ],
        "members": [
            {
                "id": str(member.user.id),
                "username": member.user.username,
                "display_name": member.display_name,
                "roles": [str(role_id) for role_id in member.roles],
                "bot": member.user.bot,
                "voice_channel_id": _text_or_none(_seat(one, member.user.id)),
            }
            for member in one.members.values()
        ],
        "menu": menu(world, one),
    }


def menu(world: World, one: Guild) -> list[Json]:
    """The slash commands that this guild's members see now, one entry for each path that can be called."""
    return [
        {"name": path["command"], "description": path["description"], "type": 1, "options": path["options"]}
        for path in world.commands.paths(one.id)
    ]


def voice(person: Person) -> Json:
    """Where a member sits, and what they hear and say."""
    state = person.guild.voice_states.get(person.id)
    flags = {name: bool(state and getattr(state, name)) for name in _FLAGS}
    return {"channel_id": _text_or_none(person.channel_id), **flags}


def outcome(one: Outcome) -> Json:
    """What a member saw happen after they acted."""
    return {
        "interaction_id": _text_or_none(one.interaction_id),
        "kind": one.kind,
        "message": one.message,
        "modal": one.modal,
        "choices": one.choices,
    }


def stay(one: Stay) -> Json:
    """One stay in one voice channel; `until` is null while it lasts."""
    return {
        "guild_id": str(one.guild_id),
        "user_id": str(one.user_id),
        "channel_id": str(one.channel_id),
        "since": one.since.isoformat(),
        "until": None if one.until is None else one.until.isoformat(),
        "bot": one.bot,
    }


def _seat(one: Guild, user_id: int) -> int | None:
    state = one.voice_states.get(user_id)
    return state.channel_id if state else None


def _text_or_none(value: int | None) -> str | None:
    return None if value is None else str(value)

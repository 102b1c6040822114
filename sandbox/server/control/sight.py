"""A guild as one of its members sees it: the channels open to them, who sits where, the menu."""

from __future__ import annotations

from typing import Any

from sandbox.server import permissions
from sandbox.server.channels import CATEGORY, DM, Channel
from sandbox.server.guilds import Guild
from sandbox.server.members import Member
from sandbox.server.people import Person
from sandbox.server.world import World

Json = dict[str, Any]
_FLAGS = ("mute", "deaf", "self_mute", "self_deaf", "self_stream", "self_video", "suppress")
_NOWHERE = {"position": 0, "parent_id": None, "topic": None, "user_limit": 0, "last_message_id": None}
_MAY = {
    "write": permissions.SEND_MESSAGES,
    "connect": permissions.CONNECT,
    "command": permissions.USE_APPLICATION_COMMANDS,
}


def guild(world: World, person: Person) -> Json:
    """Return the person's guild through their eyes; what they may not see is not there."""
    one = person.guild
    bits = permissions.in_guild(one, person.member)
    return {
        "id": str(one.id),
        "name": one.name,
        "owner_id": str(one.owner_id),
        "bot": {
            "id": str(world.bot_user.id),
            "member": world.bot_user.id in one.members,
            "connected": any(
                each.connection is not None and each.sees(one.id) for each in world.hub.sessions.values()
            ),
        },
        "you": {"id": str(person.id), "permissions": str(bits)},
        "roles": [
            {"id": str(role.id), "name": role.name, "color": role.color, "position": role.position}
            for role in one.roles.values()
        ],
        "channels": _channels(world, one, person),
        "members": [_member(one, member) for member in one.members.values()],
        "menu": person.menu,
    }


def _channels(world: World, one: Guild, person: Person) -> list[Json]:
    shown = []
    for channel in (*one.channels.values(), *one.threads.values()):
        bits = permissions.in_channel(one, person.member, channel)
        asleep = channel.thread is not None and channel.thread.archived
        if bits & permissions.VIEW_CHANNEL and not asleep:
            shown.append(_channel(channel, [name for name, bit in _MAY.items() if bits & bit]))
    # A category is there for what is in it.
    holding = {channel["parent_id"] for channel in shown}
    shown = [each for each in shown if each["type"] != CATEGORY or each["id"] in holding]
    return shown + _direct(world, one, person)


def _direct(world: World, one: Guild, person: Person) -> list[Json]:
    """The direct channel with the bot; its id is "direct" until somebody has written in it."""
    if world.bot_user.id not in one.members:
        return []
    mine = [each for each in world.channels.values() if each.type == DM and each.recipient_id == person.id]
    told = _channel(mine[0], ["write"]) if mine else {"id": "direct", "type": DM, "may": ["write"]}
    return [{**_NOWHERE, **told, "name": world.bot_user.username}]


def _channel(channel: Channel, may: list[str]) -> Json:
    return {
        "id": str(channel.id),
        "name": channel.name,
        "type": channel.type,
        "position": channel.position,
        "parent_id": None if channel.parent_id is None else str(channel.parent_id),
        "topic": channel.topic,
        "user_limit": channel.user_limit,
        "last_message_id": None if channel.last_message_id is None else str(channel.last_message_id),
        "may": may,
    }


def _member(one: Guild, member: Member) -> Json:
    state = one.voice_states.get(member.user.id)
    voice = None
    if state is not None and state.channel_id is not None:
        voice = {"channel_id": str(state.channel_id)} | {name: bool(getattr(state, name)) for name in _FLAGS}
    return {
        "id": str(member.user.id),
        "username": member.user.username,
        "display_name": member.display_name,
        "bot": member.user.bot,
        "roles": [str(role_id) for role_id in member.roles],
        "voice": voice,
    }

"""Interactions as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server import permissions
from sandbox.server.members import User
from sandbox.server.payloads import Json, guilds, messages, people

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.interactions import Interaction
    from sandbox.server.members import Member
    from sandbox.server.world import World

UPLOAD_LIMIT = 10 * 1024 * 1024
"""Bytes that one request's files may have."""
_COMMAND, _COMPONENT, _MODAL = 2, 3, 5
_ON_USER, _ON_MESSAGE = 2, 3


def metadata(world: World, one: Interaction, user: User, opener: Interaction | None) -> Json:
    """Return what a message tells of the interaction it came from."""
    body: Json = {
        "id": str(one.id),
        "type": one.type,
        "user": people.user(user),
        "authorizing_integration_owners": {"0": str(one.guild_id)},
    }
    if one.type == _COMMAND and one.data.get("type") == _ON_USER:
        body["target_user"] = people.user(world.users[int(one.data["target_id"])])
    if one.type == _COMMAND and one.data.get("type") == _ON_MESSAGE:
        body["target_message_id"] = one.data["target_id"]
    if one.type == _COMPONENT and one.source is not None:
        body["interacted_message_id"] = str(one.source.id)
    if one.type == _MODAL and opener is not None:
        body["triggering_interaction_metadata"] = opener.metadata
    return body


def interaction(world: World, one: Interaction, guild: Guild, member: Member) -> Json:
    """Return the INTERACTION_CREATE payload."""
    if not one.guild_id:
        return _common(world, one, member.user) | _direct(world, one, member.user)
    channel = world.channels[one.channel_id]
    me = guild.members[world.bot_user.id]
    bits = permissions.in_channel(guild, member, channel)
    state = guild.voice_states.get(member.user.id)
    return _common(world, one, member.user) | {
        "guild_id": str(guild.id),
        "guild": {"id": str(guild.id), "locale": "en-US", "features": []},
        "guild_locale": "en-US",
        "channel": guilds.partial_channel(channel, bits),
        "member": people.member(member, deaf=bool(state and state.deaf), mute=bool(state and state.mute))
        | {"permissions": str(bits)},
        "app_permissions": str(permissions.in_channel(guild, me, channel)),
        "context": 0,
    }


def _direct(world: World, one: Interaction, user: User) -> Json:
    channel = guilds.direct_channel(world.channels[one.channel_id], user)
    bits = str(permissions.EVERYONE)
    return {
        "user": people.user(user),
        "channel": channel | {"permissions": bits},
        "app_permissions": bits,
        "context": 1,
    }


def _common(world: World, one: Interaction, user: User) -> Json:
    body: Json = {
        "id": str(one.id),
        "application_id": str(world.application_id),
        "type": one.type,
        "token": one.token,
        "version": 1,
        "data": one.data,
        "channel_id": str(one.channel_id),
        "locale": world.locales.get(user.id, "en-US"),
        "entitlements": [],
        "entitlement_sku_ids": [],
        "authorizing_integration_owners": {"0": str(one.guild_id)},
        "attachment_size_limit": UPLOAD_LIMIT,
    }
    if one.source is not None:
        body["message"] = messages.message(world, one.source)
    return body


def callback(world: World, one: Interaction) -> Json:
    """Return the answer to a callback that asked for one."""
    body: Json = {
        "id": str(one.id),
        "type": one.type,
        "channel_id": str(one.channel_id),
    }
    if one.guild_id:
        body["guild_id"] = str(one.guild_id)
    answer: Json = {"interaction": body}
    if one.original is not None:
        body["response_message_id"] = str(one.original.id)
        body["response_message_loading"] = one.callback == 5
        body["response_message_ephemeral"] = one.original.visible_to is not None
        if one.callback in {4, 7}:
            answer["resource"] = {"type": one.callback, "message": messages.message(world, one.original)}
    return answer

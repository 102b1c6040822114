"""Threads and their members as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.server.channels import PRIVATE_THREAD, Channel
from sandbox.server.payloads import Json, optional_id, people, stamp

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member
    from sandbox.server.world import World


def thread(one: Channel) -> Json:
    """Return a thread object."""
    assert one.thread is not None
    data = one.thread
    metadata: Json = {
        "archived": data.archived,
        "archive_timestamp": stamp(data.archived_at),
        "auto_archive_duration": data.auto_archive,
        "locked": data.locked,
        "create_timestamp": stamp(data.created),
    }
    if one.type == PRIVATE_THREAD:
        metadata["invitable"] = data.invitable
    body: Json = {
        "id": str(one.id),
        "type": one.type,
        "guild_id": str(one.guild_id),
        "name": one.name,
        "parent_id": optional_id(one.parent_id),
        "owner_id": str(data.owner_id),
        "last_message_id": optional_id(one.last_message_id),
        "last_pin_timestamp": stamp(one.last_pin) if one.last_pin else None,
        "flags": one.flags,
        "rate_limit_per_user": one.rate_limit,
        "message_count": data.message_count,
        "total_message_sent": data.total_sent,
        "member_count": min(50, len(data.members)),
        "thread_metadata": metadata,
    }
    if data.tags:
        body["applied_tags"] = [str(each) for each in data.tags]
    return body


def thread_for(world: World, one: Channel) -> Json:
    """Return a thread with the bot's membership of it, when there is one."""
    body = thread(one)
    assert one.thread is not None
    if world.bot_user.id in one.thread.members:
        body["member"] = member(one, world.bot_user.id)
    return body


def member(one: Channel, user_id: int) -> Json:
    """Return a thread member object."""
    assert one.thread is not None
    return {
        "id": str(one.id),
        "user_id": str(user_id),
        "join_timestamp": stamp(one.thread.members[user_id]),
        "flags": 0,
    }


def of_guild(guild: Guild, person: Member) -> Json:
    """Return a member object with what they hear and say in voice."""
    state = guild.voice_states.get(person.user.id)
    return people.member(person, deaf=bool(state and state.deaf), mute=bool(state and state.mute))

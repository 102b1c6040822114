"""What moderators do to members: put out, ban, let back in, silence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.server.audit import Action, changed
from sandbox.server.payloads import Json, people, stamp
from sandbox.server.snowflake import created_at

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member, User

LONGEST_TIMEOUT = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Ban:
    """Somebody who may not come back."""

    user: User
    reason: str | None = None


def shape(one: Ban) -> Json:
    """Return a ban object."""
    return {"user": people.user(one.user), "reason": one.reason}


def kick(guild: Guild, actor_id: int, member: Member, reason: str | None = None) -> None:
    """Put a member out; they may come back."""
    guild.remove_member(member)
    guild.audit.write(actor_id, Action.KICK, member.user.id, reason=reason)


def ban(guild: Guild, actor_id: int, user: User, reason: str | None = None, delete_seconds: int = 0) -> None:
    """Put somebody out for good, with what they wrote within the last ``delete_seconds``.

    They need not be a member. To ban twice changes nothing.
    """
    if user.id in guild.bans:
        return
    guild.bans[user.id] = Ban(user, reason)
    _tell(guild, "GUILD_BAN_ADD", user)
    if user.id in guild.members:
        guild.remove_member(guild.members[user.id])
    if delete_seconds:
        _delete_written(guild, user, guild.world.clock.now() - timedelta(seconds=delete_seconds))
    guild.audit.write(actor_id, Action.BAN, user.id, reason=reason)


def unban(guild: Guild, actor_id: int, user_id: int, reason: str | None = None) -> None:
    """Let somebody come back. Raises KeyError when they are not banned."""
    one = guild.bans.pop(user_id)
    _tell(guild, "GUILD_BAN_REMOVE", one.user)
    guild.audit.write(actor_id, Action.UNBAN, user_id, reason=reason)


def time_out(
    guild: Guild, actor_id: int, member: Member, until: datetime | None, reason: str | None = None
) -> None:
    """Silence a member until a moment, None: no longer."""
    name = "communication_disabled_until"
    before = {name: stamp(member.timed_out_until) if member.timed_out_until else None}
    member.timed_out_until = until
    changes = changed(before, {name: stamp(until) if until else None}, (name,))
    guild.update_member(member)
    guild.audit.write(actor_id, Action.MEMBER_UPDATE, member.user.id, changes=changes, reason=reason)


def _tell(guild: Guild, event: str, user: User) -> None:
    if guild.world.bot_user.id in guild.members:
        body: Json = {"guild_id": str(guild.id), "user": people.user(user)}
        guild.world.hub.dispatch(event, body, guild_id=guild.id)


def _delete_written(guild: Guild, user: User, since: datetime) -> None:
    room = guild.world.messages_room
    for channel in (*guild.channels.values(), *guild.threads.values()):
        found = [
            each
            for each in room.in_channel(channel.id)
            if each.author.id == user.id and created_at(each.id) >= since
        ]
        room.delete_many(channel, found)

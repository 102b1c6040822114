"""Invites: made, looked up, followed."""

from __future__ import annotations

import string
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sandbox.server import permissions
from sandbox.server.errors import Refused, unknown
from sandbox.server.payloads import Json, people, stamp

if TYPE_CHECKING:
    from sandbox.server.channels import Channel
    from sandbox.server.guilds import Guild
    from sandbox.server.members import User
    from sandbox.server.people import Person
    from sandbox.server.world import World

MOST = 1000
"""Invites of one guild."""
_LETTERS = string.ascii_letters + string.digits


@dataclass(slots=True)
class Invite:
    """A way into a guild; ``max_age`` in seconds and ``max_uses`` are 0 for no end."""

    code: str
    guild_id: int
    channel_id: int
    inviter: User
    created: datetime
    max_age: int = 86_400
    max_uses: int = 0
    temporary: bool = False
    uses: int = 0

    @property
    def expires(self) -> datetime | None:
        """When it ends, None for never."""
        return self.created + timedelta(seconds=self.max_age) if self.max_age else None


class InviteRoom:
    """Keeps the invites of all guilds."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_code: dict[str, Invite] = {}

    def of_guild(self, guild: Guild) -> list[Invite]:
        """Return a guild's invites that still work."""
        kept = [each for each in self._by_code.values() if each.guild_id == guild.id]
        return [each for each in kept if self._good(each)]

    def get(self, code: str) -> Invite:
        """Return an invite that works. Raises RestError 10006."""
        found = self._by_code.get(code)
        if found is None or not self._good(found):
            raise unknown("invite")
        return found

    def create(
        self,
        channel: Channel,
        inviter: User,
        *,
        max_age: int = 86_400,
        max_uses: int = 0,
        temporary: bool = False,
        unique: bool = False,
    ) -> Invite:
        """Make an invite to a channel, or return a like one of the same inviter unless ``unique``."""
        world = self._world
        guild = world.guilds[channel.guild_id]
        asked = (channel.id, inviter.id, max_age, max_uses, temporary)
        for each in self.of_guild(guild):
            like = (each.channel_id, each.inviter.id, each.max_age, each.max_uses, each.temporary)
            if like == asked and not each.uses and not unique:
                return each
        code = "".join(world.random.choices(_LETTERS, k=8))
        invite = Invite(
            code, guild.id, channel.id, inviter, world.clock.now(), max_age, max_uses, temporary=temporary
        )
        self._by_code[code] = invite
        body = details(invite) | {
            "channel_id": str(channel.id),
            "guild_id": str(guild.id),
            "code": code,
            "type": 0,
            "inviter": people.user(inviter),
            "expires_at": stamp(invite.expires) if invite.expires else None,
        }
        self._tell("INVITE_CREATE", channel, body)
        return invite

    def delete(self, invite: Invite) -> None:
        """Revoke an invite."""
        del self._by_code[invite.code]
        body: Json = {
            "channel_id": str(invite.channel_id),
            "guild_id": str(invite.guild_id),
            "code": invite.code,
        }
        self._tell("INVITE_DELETE", self._world.channels[invite.channel_id], body)

    def forget_channel(self, channel_id: int) -> None:
        """Drop the invites to a channel that goes."""
        for each in [each for each in self._by_code.values() if each.channel_id == channel_id]:
            self.delete(each)

    def accept(self, code: str, username: str) -> Person:
        """Let somebody join a guild by an invite. Raises Refused."""
        found = self._by_code.get(code)
        if found is None or not self._good(found):
            raise Refused(f"there is no invite {code}, or it has expired", 404)
        person = self._world.guilds[found.guild_id].add_member(username)
        found.uses += 1
        if found.max_uses and found.uses >= found.max_uses:
            self.delete(found)
        return person

    def _good(self, invite: Invite) -> bool:
        if invite.expires is None or self._world.clock.now() < invite.expires:
            return True
        self._by_code.pop(invite.code, None)
        return False

    def _tell(self, event: str, channel: Channel, body: Json) -> None:
        guild = self._world.guilds[channel.guild_id]
        bot = guild.members.get(self._world.bot_user.id)
        if bot is not None and permissions.in_channel(guild, bot, channel) & permissions.MANAGE_CHANNELS:
            self._world.hub.dispatch(event, body, guild_id=guild.id)


def details(invite: Invite) -> Json:
    """Return what only those who manage a guild's invites see of one."""
    return {
        "uses": invite.uses,
        "max_uses": invite.max_uses,
        "max_age": invite.max_age,
        "temporary": invite.temporary,
        "created_at": stamp(invite.created),
    }


def shape(world: World, invite: Invite, *, counts: bool = False, whole: bool = False) -> Json:
    """Return an invite object; ``whole`` with its uses and age, ``counts`` with the guild's size."""
    guild, channel = world.guilds[invite.guild_id], world.channels[invite.channel_id]
    body: Json = {
        "type": 0,
        "code": invite.code,
        "expires_at": stamp(invite.expires) if invite.expires else None,
        "flags": 0,
        "guild": {
            "id": str(guild.id),
            "name": guild.name,
            "splash": None,
            "banner": None,
            "description": guild.settings.get("description"),
            "icon": None,
            "features": [],
            "verification_level": guild.settings.get("verification_level", 0),
            "vanity_url_code": None,
            "nsfw_level": 0,
            "nsfw": False,
            "premium_subscription_count": 0,
        },
        "guild_id": str(guild.id),
        "channel": {"id": str(channel.id), "type": channel.type, "name": channel.name},
        "inviter": people.user(invite.inviter),
    }
    if whole:
        body |= details(invite)
    if counts:
        body |= {
            "approximate_member_count": len(guild.members),
            "approximate_presence_count": len(guild.members),
        }
    return body

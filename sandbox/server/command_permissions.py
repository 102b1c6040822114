"""Who may use which command, as a guild's moderators set it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.server import permissions
from sandbox.server.errors import RestError
from sandbox.server.payloads import Json

if TYPE_CHECKING:
    from sandbox.server.channels import Channel
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member
    from sandbox.server.world import World

ROLE, USER, CHANNEL = 1, 2, 3
MOST = 100


@dataclass(frozen=True, slots=True)
class Rule:
    """One override: a role's, a user's or a channel's id, the kind of it, and whether it may."""

    id: int
    kind: int
    allowed: bool


class CommandPermissions:
    """Keeps the overrides of each guild: of single commands, and of the application for all the others."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rules: dict[tuple[int, int], tuple[Rule, ...]] = {}

    def of(self, guild: Guild, command_id: int) -> tuple[Rule, ...]:
        """Return the overrides of a command, or of the application by its id."""
        return self._rules.get((guild.id, command_id), ())

    def shapes(self, guild: Guild) -> list[Json]:
        """Return everything that was overridden in a guild."""
        return [self.shape(guild, key) for guild_id, key in self._rules if guild_id == guild.id]

    def shape(self, guild: Guild, command_id: int) -> Json:
        """Return the overrides of one command. Raises RestError 10066 when it has none."""
        if (guild.id, command_id) not in self._rules:
            raise RestError(404, 10066, "Unknown application command permissions")
        return {
            "id": str(command_id),
            "application_id": str(self._world.application_id),
            "guild_id": str(guild.id),
            "permissions": [
                {"id": str(each.id), "type": each.kind, "permission": each.allowed}
                for each in self.of(guild, command_id)
            ],
        }

    def set(self, guild: Guild, command_id: int, rules: tuple[Rule, ...]) -> None:
        """Replace the overrides of a command, or of the application; none lets the defaults stand again."""
        self._rules[guild.id, command_id] = rules
        body = self.shape(guild, command_id)
        if not rules:
            del self._rules[guild.id, command_id]
        if self._world.bot_user.id in guild.members:
            event = "APPLICATION_COMMAND_PERMISSIONS_UPDATE"
            self._world.hub.dispatch(event, body, guild_id=guild.id)

    def allows(self, guild: Guild, member: Member, channel: Channel | None, command: Json) -> bool:
        """Whether a member may use a command in a channel, None: somewhere in the guild.

        What is set for the command goes before what is set for the application, a user's override before
        those of roles, and both before the permissions that the command asks for by default.
        """
        bits = (
            permissions.in_guild(guild, member)
            if channel is None
            else permissions.in_channel(guild, member, channel)
        )
        if bits & permissions.ADMINISTRATOR:
            return True
        for rules in (self.of(guild, int(command["id"])), self.of(guild, self._world.application_id)):
            if channel is not None and _of_channel(rules, guild, channel) is False:
                return False
            said = _of_member(rules, guild, member)
            if said is not None:
                return said
        needed = command["default_member_permissions"]
        return needed is None or (int(needed) != 0 and bits & int(needed) == int(needed))


def _of_channel(rules: tuple[Rule, ...], guild: Guild, channel: Channel) -> bool | None:
    here = channel.id if channel.thread is None else channel.parent_id
    found = {each.id: each.allowed for each in rules if each.kind == CHANNEL}
    # The guild's id less one stands for all its channels.
    return found.get(here or 0, found.get(guild.id - 1))


def _of_member(rules: tuple[Rule, ...], guild: Guild, member: Member) -> bool | None:
    for each in rules:
        if each.kind == USER and each.id == member.user.id:
            return each.allowed
    held = [each.allowed for each in rules if each.kind == ROLE and each.id in member.roles]
    if held:
        return any(held)
    return next((each.allowed for each in rules if each.kind == ROLE and each.id == guild.id), None)

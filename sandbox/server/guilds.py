"""A guild: its roles, channels, members, and who sits where."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sandbox.server import payloads, permissions
from sandbox.server.acts import recorded
from sandbox.server.audit import AuditLog
from sandbox.server.channels import CATEGORY, VOICE, VOICE_LIKE, Channel, Overwrite
from sandbox.server.emojis import Emoji
from sandbox.server.errors import Refused
from sandbox.server.hubs import Hub as CrewHub
from sandbox.server.members import Member, Role, User, VoiceState
from sandbox.server.moderation import Ban
from sandbox.server.payloads import guilds as shapes
from sandbox.server.payloads import people

if TYPE_CHECKING:
    from sandbox.server.events import ScheduledEvent
    from sandbox.server.people import Person
    from sandbox.server.world import World


@recorded(
    lambda guild: guild.world,
    lambda guild: {"actor": "guild", "guild_id": str(guild.id)},
    but=("ranked_roles", "channel_named"),
)
class Guild:
    """Made by :meth:`World.create_guild`. Whatever changes is dispatched to the bot, once a member."""

    def __init__(self, world: World, guild_id: int, name: str, owner_id: int) -> None:
        self.world = world
        self.id = guild_id
        self.name = name
        self.owner_id = owner_id
        self.afk_channel_id: int | None = None
        self.afk_timeout = 300
        self.roles: dict[int, Role] = {
            guild_id: Role(guild_id, "@everyone", permissions.EVERYONE, position=0),
        }
        self.channels: dict[int, Channel] = {}
        self.members: dict[int, Member] = {}
        self.voice_states: dict[int, VoiceState] = {}
        self.hubs: dict[int, CrewHub] = {}
        self.threads: dict[int, Channel] = {}
        self.bans: dict[int, Ban] = {}
        self.emojis: dict[int, Emoji] = {}
        self.events: dict[int, ScheduledEvent] = {}
        self.audit = AuditLog(self)
        self.settings: payloads.Json = {}
        """Fields of the guild object that were set away from what every guild begins with."""

    def __repr__(self) -> str:
        return f"<Guild {self.name!r} {self.id}>"

    def _dispatch(self, event: str, data: payloads.Json, *, mine: bool = False) -> None:
        if self.world.bot_user.id in self.members:
            self.world.hub.dispatch(event, data, guild_id=self.id, mine=mine)

    def create_role(
        self,
        name: str,
        *,
        permissions: int = 0,
        color: int = 0,
        hoist: bool = False,
        mentionable: bool = False,
        at_bottom: bool = False,
    ) -> Role:
        """Add a role; ``permissions`` are Discord's bits, on top of @everyone's.

        It comes to stand above the others, but below the bot's own, so that the bot can give it:
        :meth:`place_roles` orders them otherwise. With ``at_bottom`` it is the lowest, as those that
        are made through the API.
        """
        role = Role(
            self.world.entity_id(), name, permissions, 1 if at_bottom else len(self.roles), color=color,
            hoist=hoist, mentionable=mentionable,
        )  # fmt: skip
        self.roles[role.id] = role
        self._dispatch("GUILD_ROLE_CREATE", {"guild_id": str(self.id), "role": shapes.role(role)})
        if at_bottom:
            self.place_roles({role.id: 1})
            return role
        own = self.bot_role
        if own is not None and own.position == role.position - 1:
            self.place_roles({own.id: role.position, role.id: own.position})
        return role

    @property
    def bot_role(self) -> Role | None:
        """The role that came with the bot."""
        mine = self.world.bot_user.id
        return next((each for each in self.roles.values() if each.bot_id == mine), None)

    def place_roles(self, positions: Mapping[int, int]) -> list[Role]:
        """Put roles, by id, at positions (1 is the lowest), the others closing up; return those that moved.

        Raises Refused for @everyone, which stays at the bottom, and for a role that is not there.
        """
        for role_id in positions:
            if role_id not in self.roles or role_id == self.id:
                raise Refused(f"role {role_id} is none of {self.name}'s that can be moved")
        rest = [each for each in self.ranked_roles() if each.id not in positions and each.id != self.id]
        for role_id, position in sorted(positions.items(), key=lambda each: each[1]):
            rest.insert(max(0, position - 1), self.roles[role_id])
        moved = [role for position, role in enumerate(rest, 1) if role.position != position]
        for position, role in enumerate(rest, 1):
            role.position = position
        for role in moved:
            self.update_role(role)
        return moved

    def ranked_roles(self) -> list[Role]:
        """Return the roles, the lowest first; of two at one position the older is the higher."""
        return sorted(self.roles.values(), key=lambda each: (each.position, -each.id))

    def update_role(self, role: Role) -> None:
        """Tell the bot that a role's fields were changed."""
        self.world.threads.look_again(self)
        self._dispatch("GUILD_ROLE_UPDATE", {"guild_id": str(self.id), "role": shapes.role(role)})

    def delete_role(self, role: Role) -> None:
        """Take a role away from everybody and drop it."""
        del self.roles[role.id]
        for member in self.members.values():
            if role.id in member.roles:
                member.roles.remove(role.id)
        self._dispatch("GUILD_ROLE_DELETE", {"guild_id": str(self.id), "role_id": str(role.id)})
        for channel in self.channels.values():
            if channel.overwrites.pop(role.id, None) is not None:
                self.update_channel(channel)
        self.place_roles({})

    def create_channel(
        self,
        name: str,
        type: int = 0,  # noqa: A002 - Discord's word
        *,
        parent: Channel | None = None,
        overwrites: Mapping[int, tuple[int, int]] | Iterable[Overwrite] = (),
        user_limit: int = 0,
        topic: str | None = None,
        announced: bool = True,
    ) -> Channel:
        """Add a channel: type 0 text, 2 voice, 4 category, 13 stage.

        ``overwrites`` maps a role's or member's id to (allow, deny) bits. ``user_limit`` 0 means no limit.
        Unless ``announced`` the bot hears of it only by :meth:`created_channel`.
        Raises Refused when the parent is not a category of this guild.
        """
        if parent is not None and (parent.type != CATEGORY or parent.id not in self.channels):
            raise Refused(f"{parent.name} is not a category of {self.name}")
        if isinstance(overwrites, Mapping):
            overwrites = [
                Overwrite(each, 0 if each in self.roles else 1, allow, deny)
                for each, (allow, deny) in overwrites.items()
            ]
        channel = Channel(
            self.world.entity_id(),
            self.id,
            name,
            type,
            position=sum(
                1 for each in self.channels.values() if (each.type in VOICE_LIKE) == (type in VOICE_LIKE)
            ),
            parent_id=parent.id if parent else None,
            topic=topic,
            user_limit=user_limit,
            overwrites={each.id: each for each in overwrites},
        )
        self.channels[channel.id] = channel
        self.world.channels[channel.id] = channel
        if announced:
            self.created_channel(channel)
        return channel

    def created_channel(self, channel: Channel) -> None:
        """Tell the bot of a new channel."""
        self._dispatch("CHANNEL_CREATE", shapes.channel(channel))

    def update_channel(self, channel: Channel) -> None:
        """Tell the bot that a channel's fields were changed."""
        self._dispatch("CHANNEL_UPDATE", shapes.channel(channel))
        self.world.threads.look_again(self)

    def delete_channel(self, channel: Channel) -> None:
        """Drop a channel with its threads and messages; who sat in it is put out first, as Discord does."""
        world = self.world
        for thread in [each for each in self.threads.values() if each.parent_id == channel.id]:
            world.threads.delete(thread)
        world.invites.forget_channel(channel.id)
        world.webhooks.forget_channel(channel.id)
        for state in [each for each in self.voice_states.values() if each.channel_id == channel.id]:
            self.world.voice.move(self, state.user_id, None)
        if self.afk_channel_id == channel.id:
            self.afk_channel_id = None
        self.hubs.pop(channel.id, None)
        del self.channels[channel.id]
        del self.world.channels[channel.id]
        world.messages_room.forget(channel.id)
        self._dispatch("CHANNEL_DELETE", shapes.channel(channel))
        for child in self.channels.values():
            if child.parent_id == channel.id:
                child.parent_id = None
                self.update_channel(child)

    def set_afk_channel(self, channel: Channel | None) -> None:
        """Make a voice channel the one where idle members are put. Raises Refused for another kind."""
        if channel is not None and channel.type != VOICE:
            raise Refused(f"{channel.name} is not a voice channel")
        self.afk_channel_id = channel.id if channel else None
        self.updated()

    def updated(self) -> None:
        """Tell the bot that the guild's own fields were changed."""
        self._dispatch("GUILD_UPDATE", shapes.guild(self))

    def create_hub(self, channel: Channel, name_template: str = "{name}'s crew") -> CrewHub:
        """Make a voice channel a join-to-create hub, run by another bot.

        Who joins it is moved, some hundred milliseconds of sandbox time later, to a new voice channel named
        after ``name_template`` with ``{name}``; that channel is deleted when it is empty.
        """
        if channel.type != VOICE:
            raise Refused(f"{channel.name} is not a voice channel")
        if not any(member.user.username == "crew-maker" for member in self.members.values()):
            maker = self.world.user("crew-maker", bot=True)
            self._add(maker, roles=(), nick=None)
        hub = CrewHub(self, channel, name_template)
        self.hubs[channel.id] = hub
        return hub

    def add_member(
        self,
        username: str,
        roles: Iterable[Role | int] = (),
        nick: str | None = None,
        global_name: str | None = None,
    ) -> Person:
        """Let a person join; the same user name in another guild is the same account.

        Raises Refused when they are a member already.
        """
        user = self.world.user(username, global_name=global_name)
        if user.id in self.members:
            raise Refused(f"{username} is a member of {self.name} already", 409)
        if user.id in self.bans:
            raise Refused(f"{username} is banned from {self.name}", 403)
        self._add(user, roles, nick)
        return self.world.person(self.id, user.id)

    def add_bot(self, *, permissions: int = permissions.BOT) -> Member:
        """Let the application's bot join, with a managed role of its own that holds ``permissions``."""
        user = self.world.bot_user
        if user.id in self.members:
            raise Refused(f"the bot is a member of {self.name} already", 409)
        role = Role(
            self.world.entity_id(), user.username, permissions, len(self.roles), managed=True, bot_id=user.id
        )
        self.roles[role.id] = role
        member = self._add(user, [role], None)
        self.world.announce_guild(self)
        return member

    def remove_bot(self) -> None:
        """Put the bot out of the guild."""
        bot = self.world.bot_user
        self.world.voice.leave_if_seated(self, bot.id)
        self.world.hub.dispatch("GUILD_DELETE", {"id": str(self.id)}, guild_id=self.id, mine=True)
        del self.members[bot.id]
        if self.bot_role is not None:
            self.delete_role(self.bot_role)
        self.world.commands.forget_guild(self.id)

    def _add(self, user: User, roles: Iterable[Role | int], nick: str | None) -> Member:
        ids = [role if isinstance(role, int) else role.id for role in roles]
        for role_id in ids:
            if role_id not in self.roles or role_id == self.id:
                raise Refused(f"role {role_id} is none of {self.name}'s")
        member = Member(user, self.id, self.world.clock.now(), nick, ids)
        self.members[user.id] = member
        self._dispatch("GUILD_MEMBER_ADD", people.member(member) | {"guild_id": str(self.id)})
        return member

    def update_member(self, member: Member) -> None:
        """Tell the bot that a member's fields were changed."""
        state = self.voice_states.get(member.user.id)
        data = people.member(member, deaf=bool(state and state.deaf), mute=bool(state and state.mute))
        mine = member.user.id == self.world.bot_user.id
        self._dispatch("GUILD_MEMBER_UPDATE", data | {"guild_id": str(self.id)}, mine=mine)
        if mine:
            self.world.threads.look_again(self)

    def set_roles(self, person: Person | Member, roles: Iterable[Role | int]) -> None:
        """Give a member exactly these roles."""
        member = self.members[person.user.id]
        member.roles = [role if isinstance(role, int) else role.id for role in roles]
        self.update_member(member)

    def remove_member(self, person: Person | Member) -> None:
        """Let a person leave the guild; the null voice update follows, as on Discord."""
        self.world.threads.left_guild(self, person.user.id)
        member = self.members.pop(person.user.id)
        user = people.user(member.user)
        self._dispatch("GUILD_MEMBER_REMOVE", {"guild_id": str(self.id), "user": user})
        if member.user.id in self.voice_states:
            self.world.voice.move(self, member.user.id, None, member=member)

    def channel_named(self, name: str) -> Channel:
        """Return the first channel of a name. Raises Refused (404) when there is none."""
        for channel in self.channels.values():
            if channel.name == name:
                return channel
        raise Refused(f"{self.name} has no channel named {name}", 404)

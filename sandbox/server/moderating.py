"""What moderators do to members, with the permissions and the rank that Discord asks for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sandbox.server import moderation, options, permissions
from sandbox.server.audit import Action, changed
from sandbox.server.channels import Channel
from sandbox.server.errors import Refused, RestError
from sandbox.server.interacting import Interacting
from sandbox.server.members import Member, Role, User, VoiceState
from sandbox.server.payloads import Json

Who = Member | Interacting | int | str
LONGEST_NICK = 32
LONGEST_REASON = 512


@contextmanager
def in_words() -> Iterator[None]:
    """Refuse a person in the words that the HTTP API has for the bot."""
    try:
        yield
    except RestError as error:
        raise Refused(error.message, error.status) from error


class Acting(Interacting):
    """What every act of a person begins with: may they, and whom do they mean."""

    def _need(self, bit: int, words: str, channel: Channel | None = None) -> None:
        """Raise Refused (403) unless the person has a permission, in a channel or in the guild."""
        member = self._still_here()
        bits = permissions.in_guild(self.guild, member)
        if channel is not None:
            bits = permissions.in_channel(self.guild, member, channel)
        if not bits & bit:
            raise Refused(f"{member.user.username} may not {words}", 403)

    def _one(self, who: Who) -> Member:
        member = who if isinstance(who, Member) else getattr(who, "member", None)
        number = options.as_id(who, "user_id") if isinstance(who, int | str) else 0
        found = self.guild.members.get(number or (member.user.id if member else 0))
        if found is None:
            named = member.user.username if member else number
            raise Refused(f"{named} is not a member of {self.guild.name}", 404)
        return found

    def _below(self, other: Member | Role, words: str) -> None:
        """Raise Refused (403) unless somebody, or a role, stands below the person."""
        me = self._still_here()
        if not permissions.outranks(self.guild, me, other):
            name = other.name if isinstance(other, Role) else other.user.username
            raise Refused(f"{me.user.username} may not {words}: {name} does not stand below them", 403)

    def _role(self, role: Role | int | str) -> Role:
        number = role.id if isinstance(role, Role) else options.as_id(role, "role_id")
        found = self.guild.roles.get(number)
        if found is None or found.id == self.guild.id:
            raise Refused(f"{self.guild.name} has no role {number} that can be given", 404)
        return found

    def _note(
        self, action: Action, target_id: int | None, reason: str | None = None, **fields: Json | list[Json]
    ) -> None:
        changes, about = fields.get("changes", []), fields.get("about")
        assert isinstance(changes, list)
        assert about is None or isinstance(about, dict)
        self.guild.audit.write(
            self.member.user.id, action, target_id, changes=changes, options=about, reason=reason
        )


class Moderating(Acting):
    """The acts of a moderator; each writes the guild's audit log."""

    async def kick(self, who: Who, reason: str | None = None) -> None:
        """Put a member out of the guild, who may come back. Raises Refused."""
        member = self._target(who, permissions.KICK_MEMBERS, "kick members", reason)
        moderation.kick(self.guild, self.member.user.id, member, reason)

    async def ban(self, who: Who | User, reason: str | None = None, delete_seconds: int = 0) -> None:
        """Put somebody out for good, with what they wrote in the last ``delete_seconds``.

        They need not be a member. Raises Refused.
        """
        if not 0 <= delete_seconds <= 7 * 86400:
            raise Refused("delete_seconds is 0 to 604800, seven days")
        user = self._account(who)
        if user.id in self.guild.bans:
            raise Refused(f"{user.username} is banned already", 409)
        if user.id in self.guild.members:
            self._target(user.id, permissions.BAN_MEMBERS, "ban members", reason)
        else:
            self._need(permissions.BAN_MEMBERS, "ban members")
        moderation.ban(self.guild, self.member.user.id, user, reason, delete_seconds)

    async def unban(self, who: Who | User, reason: str | None = None) -> None:
        """Let somebody come back. Raises Refused (404) when they are not banned."""
        self._need(permissions.BAN_MEMBERS, "lift bans")
        user = self._account(who)
        if user.id not in self.guild.bans:
            raise Refused(f"{user.username} is not banned", 404)
        moderation.unban(self.guild, self.member.user.id, user.id, reason)

    async def time_out(self, who: Who, seconds: float | None, reason: str | None = None) -> None:
        """Silence a member for so many seconds of sandbox time (None: no longer). Raises Refused."""
        member = self._target(who, permissions.MODERATE_MEMBERS, "time members out", reason)
        if permissions.in_guild(self.guild, member) & permissions.ADMINISTRATOR:
            raise Refused(f"{member.user.username} is an administrator, whom nobody times out", 403)
        until = None
        if seconds is not None:
            if not 0 < seconds <= moderation.LONGEST_TIMEOUT.total_seconds():
                raise Refused("a timeout lasts more than 0 seconds and up to 28 days")
            until = self._world.clock.now() + timedelta(seconds=seconds)
        moderation.time_out(self.guild, self.member.user.id, member, until, reason)

    async def move_member(self, who: Who, channel: Channel | int | str) -> None:
        """Move a seated member, bots too, to another voice channel, full or not. Raises Refused."""
        state = self._in_voice(who)
        target = self._channel(channel)
        if not target.is_voice:
            raise Refused(f"{target.name} is not a voice channel")
        seat = self.guild.channels[state.channel_id or 0]
        self._need(permissions.MOVE_MEMBERS, f"move members out of {seat.name}", seat)
        self._need(permissions.CONNECT, f"connect to {target.name}, nor move somebody there", target)
        if state.channel_id != target.id:
            self._world.voice.move(self.guild, state.user_id, target.id)
            self._note(Action.MEMBER_MOVE, None, about={"channel_id": target.id, "count": 1})

    async def disconnect_member(self, who: Who) -> None:
        """Put a seated member, bots too, out of voice. Raises Refused."""
        state = self._in_voice(who)
        seat = self.guild.channels[state.channel_id or 0]
        self._need(permissions.MOVE_MEMBERS, f"disconnect members from {seat.name}", seat)
        self._world.voice.move(self.guild, state.user_id, None)
        self._note(Action.MEMBER_DISCONNECT, None, about={"count": 1})

    async def server_mute(self, who: Who, muted: bool = True) -> None:
        """Silence a seated member for everybody, or let them speak again. Raises Refused."""
        self._server_voice(who, "mute", muted, permissions.MUTE_MEMBERS, "mute members")

    async def server_deafen(self, who: Who, deafened: bool = True) -> None:
        """Let a seated member hear nothing, or hear again. Raises Refused."""
        self._server_voice(who, "deaf", deafened, permissions.DEAFEN_MEMBERS, "deafen members")

    async def nick(self, nick: str | None, who: Who | None = None) -> None:
        """Change the person's own nickname, or another member's; None takes it away. Raises Refused."""
        member = self._still_here() if who is None else self._one(who)
        if member is self._still_here():
            bits = permissions.in_guild(self.guild, member)
            if not bits & (permissions.CHANGE_NICKNAME | permissions.MANAGE_NICKNAMES):
                raise Refused(f"{member.user.username} may not change their nickname", 403)
        else:
            self._need(permissions.MANAGE_NICKNAMES, "change nicknames")
            self._below(member, "change their nickname")
        if nick is not None and not 1 <= len(nick) <= LONGEST_NICK:
            raise Refused(f"a nickname has 1 to {LONGEST_NICK} characters, not {len(nick)}")
        before, member.nick = {"nick": member.nick}, nick
        self.guild.update_member(member)
        changes = changed(before, {"nick": nick}, ("nick",))
        self._note(Action.MEMBER_UPDATE, member.user.id, changes=changes)

    async def give_role(self, who: Who, role: Role | int | str) -> None:
        """Give a member a role; to have it already is fine. Raises Refused."""
        self._set_role(who, role, given=True)

    async def take_role(self, who: Who, role: Role | int | str) -> None:
        """Take a role from a member; not to have it is fine. Raises Refused."""
        self._set_role(who, role, given=False)

    def _set_role(self, who: Who, role: Role | int | str, *, given: bool) -> None:
        member, found = self._one(who), self._role(role)
        self._need(permissions.MANAGE_ROLES, "give or take roles")
        self._below(found, f"give or take {found.name}")
        if found.managed:
            raise Refused(f"{found.name} belongs to a bot and cannot be given or taken")
        if given == (found.id in member.roles):
            return
        if given:
            member.roles.append(found.id)
        else:
            member.roles.remove(found.id)
        self.guild.update_member(member)
        named = [{"id": str(found.id), "name": found.name}]
        changes: list[Json] = [{"key": "$add" if given else "$remove", "new_value": named}]
        self._note(Action.MEMBER_ROLES, member.user.id, changes=changes)

    def _target(self, who: Who, bit: int, words: str, reason: str | None) -> Member:
        self._need(bit, words)
        if reason is not None and len(reason) > LONGEST_REASON:
            raise Refused(f"a reason has at most {LONGEST_REASON} characters, not {len(reason)}")
        member = self._one(who)
        if member is self._still_here():
            raise Refused(f"nobody may {words} when it is themselves", 403)
        self._below(member, words)
        return member

    def _account(self, who: Who | User) -> User:
        if isinstance(who, User):
            return who
        if isinstance(who, Member):
            return who.user
        if isinstance(who, Interacting):
            return who.member.user
        user = self._world.users.get(options.as_id(who, "user_id"))
        if user is None:
            raise Refused(f"there is no user {who}", 404)
        return user

    def _in_voice(self, who: Who) -> VoiceState:
        member = self._one(who)
        state = self.guild.voice_states.get(member.user.id)
        if state is None or state.channel_id is None:
            raise Refused(f"{member.user.username} sits in no voice channel", 409)
        return state

    def _server_voice(self, who: Who, name: str, value: bool, bit: int, words: str) -> None:
        state = self._in_voice(who)
        self._need(bit, words, self.guild.channels[state.channel_id or 0])
        changes = changed({name: getattr(state, name)}, {name: value}, (name,))
        self._world.voice.set_flags(self.guild, state.user_id, **{name: value})
        if changes:
            self._note(Action.MEMBER_UPDATE, state.user_id, changes=changes)

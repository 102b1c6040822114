"""People: what the members of a guild do, through what Discord's own client would let them do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.server import permissions
from sandbox.server.acts import recorded
from sandbox.server.channels import Channel
from sandbox.server.conversing import Conversing
from sandbox.server.errors import Refused
from sandbox.server.interacting import Outcome
from sandbox.server.managing import Managing
from sandbox.server.moderating import Moderating
from sandbox.server.voice import manners
from sandbox.server.voice.talk import talk
from sandbox.server.writing import Writing

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member, User

__all__ = ["Outcome", "Person"]

Json = dict[str, Any]


@recorded(
    lambda person: person.guild.world,
    lambda person: {"actor": "person", "guild_id": str(person.guild.id), "user_id": str(person.id)},
    but=("direct_messages",),
)
class Person(Moderating, Managing, Writing, Conversing):
    """One member of one guild, acting. Made by :meth:`Guild.add_member`, found by :meth:`World.person`."""

    def __init__(self, guild: Guild, member: Member) -> None:
        self.guild = guild
        self.member = member
        self._world = guild.world

    def __repr__(self) -> str:
        return f"<Person {self.username} of {self.guild.name!r}>"

    @property
    def user(self) -> User:
        """The account."""
        return self.member.user

    @property
    def id(self) -> int:
        """The account's id."""
        return self.member.user.id

    @property
    def username(self) -> str:
        """The account's name."""
        return self.member.user.username

    @property
    def channel_id(self) -> int | None:
        """The voice channel they sit in."""
        state = self.guild.voice_states.get(self.id)
        return state.channel_id if state else None

    async def join(self, channel: Channel | int | str) -> None:
        """Sit down in a voice channel, from nowhere or from another one; to sit there already is fine.

        Raises Refused when it is no voice channel of this guild, full, or closed to this person.
        """
        target = self._channel(channel)
        if not target.is_voice:
            raise Refused(f"{target.name} is not a voice channel")
        if self.channel_id == target.id:
            return
        bits = permissions.in_channel(self.guild, self._still_here(), target)
        if not bits & permissions.CONNECT:
            raise Refused(f"{self.username} may not connect to {target.name}", 403)
        if target.user_limit and not bits & permissions.MOVE_MEMBERS:
            seated = sum(1 for state in self.guild.voice_states.values() if state.channel_id == target.id)
            if seated >= target.user_limit:
                raise Refused(f"{target.name} is full ({target.user_limit})", 409)
        self._world.voice.move(self.guild, self.id, target.id)

    async def move(self, channel: Channel | int | str) -> None:
        """Change the voice channel. Raises Refused (409) when they sit in none."""
        self._seated()
        await self.join(channel)

    async def leave(self) -> None:
        """Leave voice. Raises Refused (409) when they sit in no channel."""
        self._seated()
        self._world.voice.move(self.guild, self.id, None)

    async def set_presence(self, status: str, activity: str | None = None, *, mobile: bool = False) -> None:
        """Show as online, idle, dnd or invisible, playing ``activity``. Raises Refused for another status."""
        self._still_here()
        doing = [{"name": activity, "type": 0}] if activity else []
        self._world.presences.set(self.id, status, doing, client="mobile" if mobile else "desktop")

    async def set_voice(self, **flags: bool) -> None:
        """Change what they hear and say: self_mute, self_deaf, self_stream, self_video, mute, deaf, suppress.

        Raises Refused (409) when they sit in no channel, (400) for another flag.
        """
        unknown = set(flags) - {
            "self_mute",
            "self_deaf",
            "self_stream",
            "self_video",
            "mute",
            "deaf",
            "suppress",
        }
        if unknown:
            raise Refused(f"a voice state has no {', '.join(sorted(unknown))}")
        for name, value in flags.items():
            if not isinstance(value, bool):
                raise Refused(f"{name} is true or false, not {value!r}")
        self._seated()
        self._world.voice.set_flags(self.guild, self.id, **flags)

    async def talk(self, frames: int = 5) -> int:
        """Send so many silent Opus frames; returns how many of them went to the bot.

        Raises Refused for who sits nowhere, may not be heard there, or is muted.
        """
        self._seated()
        return await talk(self._world, self.guild, self.id, frames)

    async def request_to_speak(self, wanted: bool = True) -> None:
        """Raise the hand in a stage channel, or take it down. Raises Refused elsewhere (409)."""
        self._seated()
        now = self._world.clock.now()
        manners.request_to_speak(self._world, self.guild, self.id, now if wanted else None)

    async def idle(self) -> None:
        """Do nothing any more: after the guild's AFK time-out they are put into the AFK channel.

        Raises Refused (409) for who sits nowhere, or without an AFK channel.
        """
        self._seated()
        manners.idle(self._world, self.guild, self.id)

    async def send(self, channel: Channel | int | str, text: str) -> Json:
        """Write a message; return it. Raises Refused when it is empty, too long, or not allowed."""
        target = self._channel(channel)
        bits = permissions.in_channel(self.guild, self._still_here(), target)
        if not bits & permissions.to_write_in(target):
            raise Refused(f"{self.username} may not write in {target.name}", 403)
        shut = target.thread is not None and target.thread.archived and target.thread.locked
        if shut and not bits & permissions.MANAGE_THREADS:
            raise Refused(f"{target.name} is locked", 403)
        if not text.strip() or len(text) > 2000:
            raise Refused(f"a message has 1 to 2000 characters, not {len(text)}")
        message = self._world.messages_room.create(target, self.user, {"content": text})
        return self._world.messages_room.payload(message)

    def _seated(self) -> None:
        self._still_here()
        if self.channel_id is None:
            raise Refused(f"{self.username} sits in no voice channel", 409)

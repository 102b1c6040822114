"""People: what the members of a guild do, through what Discord's own client would let them do."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.server import components as parts
from sandbox.server import modals, options, permissions
from sandbox.server.acts import recorded
from sandbox.server.channels import Channel
from sandbox.server.errors import Refused
from sandbox.server.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
from sandbox.server.voice import manners
from sandbox.server.voice.talk import talk

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member, User
    from sandbox.server.messages import Message
    from sandbox.server.world import World

Json = dict[str, Any]


@dataclass(slots=True)
class Outcome:
    """What a person saw happen; ``kind`` is message, deferred, update, modal, choices, or none."""

    interaction_id: int | None
    kind: str
    message: Json | None
    modal: Json | None
    choices: list[Json] | None
    _interaction: Interaction
    _world: World

    async def final(self, timeout: float = 5.0) -> Json:
        """Return the message that stands after a deferral, waiting up to ``timeout`` real seconds.

        For a message or an update it is there at once. Raises TimeoutError when the bot adds nothing.
        """
        try:
            await asyncio.wait_for(self._interaction.settled.wait(), timeout)
        except TimeoutError:
            raise TimeoutError(f"the bot said nothing more within {timeout:g} s") from None
        assert self._interaction.latest is not None
        return self._world.messages_room.payload(self._interaction.latest)


@recorded(
    lambda person: person.guild.world,
    lambda person: {"actor": "person", "guild_id": str(person.guild.id), "user_id": str(person.id)},
)
class Person:
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
        if not text.strip() or len(text) > 2000:
            raise Refused(f"a message has 1 to 2000 characters, not {len(text)}")
        message = self._world.messages_room.create(target, self.user, {"content": text})
        return self._world.messages_room.payload(message)

    async def slash(
        self,
        command: str,
        channel: Channel | int | str,
        options: dict[str, Any] | None = None,
        stale: bool = False,
    ) -> Outcome:
        """Run a slash command, named by its words: ``"panel open"``.

        ``stale``: from a menu that has not heard yet that the command left. Raises Refused for what is not
        in the menu, not allowed, or does not fit the options.
        """
        data, target = self._command(command, channel, options or {}, stale=stale)
        one = self._act(target.id, COMMAND, data, command_name=command.removeprefix("/"))
        return await self._outcome(one)

    async def autocomplete(
        self,
        command: str,
        channel: Channel | int | str,
        options: dict[str, Any] | None = None,
        *,
        focused: str,
    ) -> Outcome:
        """Type into the ``focused`` option of a command and get its choices."""
        data, target = self._command(command, channel, options or {}, focused=focused)
        return await self._outcome(self._act(target.id, AUTOCOMPLETE, data))

    async def click(self, message_id: int | str, custom_id: str) -> Outcome:
        """Press a button. Raises Refused when it is not on a message they see, disabled, or a link."""
        message, part = self._part(message_id, custom_id)
        if part["type"] != parts.BUTTON:
            raise Refused(f"{custom_id} is not a button")
        data = {"custom_id": custom_id, "component_type": parts.BUTTON, "id": part["id"]}
        return await self._outcome(self._act(message.channel_id, COMPONENT, data, source=message))

    async def choose(self, message_id: int | str, custom_id: str, values: list[Any]) -> Outcome:
        """Pick values in a select menu. Raises Refused for a choice that is not there, too few, too many."""
        message, part = self._part(message_id, custom_id)
        if part["type"] not in parts.SELECTS:
            raise Refused(f"{custom_id} is not a select menu")
        resolved = options.Resolved(self.guild)
        picked = modals.chosen(self.guild, self.id, part, values, resolved)
        data: Json = {
            "custom_id": custom_id,
            "component_type": part["type"],
            "id": part["id"],
            "values": picked,
        }
        if part["type"] != parts.STRING_SELECT:
            data["resolved"] = resolved.body()
        return await self._outcome(self._act(message.channel_id, COMPONENT, data, source=message))

    async def submit(self, interaction_id: int | str, values: dict[str, Any]) -> Outcome:
        """Fill in and send the modal that an interaction of theirs opened. Raises Refused."""
        opener = self._world.interactions.by_id.get(options.as_id(interaction_id, "interaction_id"))
        if (
            opener is None
            or opener.user_id != self.id
            or opener.guild_id != self.guild.id
            or opener.modal is None
        ):
            raise Refused(f"interaction {interaction_id} opened no modal for {self.username}", 404)
        if not opener.modal_open:
            raise Refused("that modal was sent already", 409)
        answered, resolved = modals.fill(self.guild, self.id, opener.modal, values)
        data: Json = {"custom_id": opener.modal["custom_id"], "components": answered}
        if resolved:
            data["resolved"] = resolved
        opener.modal_open = False
        source = opener.source
        one = self._act(opener.channel_id, MODAL, data, source=source, opener=opener)
        return await self._outcome(one)

    def _command(
        self,
        path: str,
        channel: Channel | int | str,
        given: Json,
        *,
        stale: bool = False,
        focused: str | None = None,
    ) -> tuple[Json, Channel]:
        target = self._channel(channel)
        command, words, schema = self._world.commands.find(self.guild.id, path, stale=stale)
        self._may_use(command, target)
        filled, resolved = options.fill(self.guild, self.id, schema, given, focused=focused)
        for depth, word in enumerate(reversed(words)):
            filled = [{"type": 1 if depth == 0 else 2, "name": word, "options": filled}]
        data: Json = {"id": command["id"], "name": command["name"], "type": 1, "options": filled}
        if resolved:
            data["resolved"] = resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return data, target

    def _may_use(self, command: Json, channel: Channel) -> None:
        bits = permissions.in_channel(self.guild, self._still_here(), channel)
        if not bits & permissions.USE_APPLICATION_COMMANDS:
            raise Refused(f"{self.username} may not use commands in {channel.name}", 403)
        needed = command["default_member_permissions"]
        if needed is None or bits & permissions.ADMINISTRATOR:
            return
        if int(needed) == 0 or bits & int(needed) != int(needed):
            raise Refused(f"{self.username} lacks the permissions that /{command['name']} asks for", 403)

    def _part(self, message_id: int | str, custom_id: str) -> tuple[Message, Json]:
        message = self._world.messages_room.by_id.get(options.as_id(message_id, "message_id"))
        if message is None or message.guild_id != self.guild.id or message.visible_to not in {None, self.id}:
            raise Refused(f"{self.username} sees no message {message_id}", 404)
        part = parts.find(message.components, custom_id)
        if part is None:
            there = [
                str(each["custom_id"]) for each in parts.walk(message.components) if each.get("custom_id")
            ]
            raise Refused(
                f"the message has no component {custom_id}; it has: {', '.join(there) or 'none'}", 404
            )
        if part.get("disabled"):
            raise Refused(f"{custom_id} is disabled", 409)
        if message.author.id != self._world.bot_user.id:
            raise Refused("that message is not the bot's", 409)
        return message, part

    def _act(self, channel_id: int, kind: int, data: Json, **more: Any) -> Interaction:
        member = self._still_here()
        if self._world.bot_user.id not in self.guild.members:
            raise Refused(f"the bot is not a member of {self.guild.name}", 409)
        if channel_id not in self._world.channels:
            raise Refused("that channel is gone", 404)
        return self._world.interactions.create(self.guild, member, channel_id, kind, data, **more)

    async def _outcome(self, one: Interaction) -> Outcome:
        world = self._world
        if world.hub.listening(self.guild.id):
            try:
                await asyncio.wait_for(one.answered.wait(), world.interaction_wait)
            except TimeoutError:
                world.log.note(f"interaction {one.id} was not answered within {world.interaction_wait:g} s")
        shown = one.original if one.kind in {"message", "update"} or one.callback == 5 else None
        message = world.messages_room.payload(shown) if shown is not None else None
        return Outcome(one.id, one.kind or "none", message, one.modal, one.choices, one, world)

    def _still_here(self) -> Member:
        member = self.guild.members.get(self.id)
        if member is None:
            raise Refused(f"{self.username} is no longer a member of {self.guild.name}", 409)
        return member

    def _seated(self) -> None:
        self._still_here()
        if self.channel_id is None:
            raise Refused(f"{self.username} sits in no voice channel", 409)

    def _channel(self, channel: Channel | int | str) -> Channel:
        some_id = channel.id if isinstance(channel, Channel) else options.as_id(channel, "channel")
        found = self.guild.channels.get(some_id) or self.guild.threads.get(some_id)
        if found is None:
            raise Refused(f"{self.guild.name} has no channel {some_id}", 404)
        if not permissions.in_channel(self.guild, self._still_here(), found) & permissions.VIEW_CHANNEL:
            raise Refused(f"{self.username} does not see {found.name}", 403)
        return found

"""What people do that the bot hears of as an interaction: commands, buttons, menus, forms."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.server import components as parts
from sandbox.server import menus, modals, options, permissions
from sandbox.server.channels import DM, WRITABLE, Channel
from sandbox.server.errors import Refused
from sandbox.server.interactions import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL, Interaction
from sandbox.server.payloads import messages as message_shapes

if TYPE_CHECKING:
    from sandbox.server.guilds import Guild
    from sandbox.server.members import Member
    from sandbox.server.messages import Message
    from sandbox.server.world import World

Json = dict[str, Any]
_ON_USER, _ON_MESSAGE = 2, 3


@dataclass(slots=True)
class Outcome:
    """What a person saw happen.

    ``kind`` is message, deferred, update, modal, choices, premium, or none.
    """

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


class Interacting:
    """The part of a person that uses commands and components."""

    guild: Guild
    member: Member
    _world: World

    @property
    def locale(self) -> str:
        """The language of their client, such as "en-US" or "de"."""
        return self._world.locales.get(self.member.user.id, menus.DEFAULT_LOCALE)

    def set_locale(self, locale: str) -> None:
        """Switch their client's language. Raises Refused for one that Discord does not have."""
        if locale not in menus.LOCALES:
            raise Refused(f"Discord has no language {locale!r}; it has: {', '.join(sorted(menus.LOCALES))}")
        self._world.locales[self.member.user.id] = locale

    @property
    def menu(self) -> list[Json]:
        """The commands they are offered, in their language, one entry for each path that can be called.

        ``command`` is the path as registered and ``shown`` as they read it; options and choices likewise.
        ``type`` is 1 for slash commands, 2 for those on a user, 3 on a message.
        """
        member = self._still_here()
        return [
            line
            for kind in (1, _ON_USER, _ON_MESSAGE)
            for command in self._world.commands.menu(self.guild.id, kind)
            if self._world.command_permissions.allows(self.guild, member, None, command)
            for line in menus.entries(command, self.locale)
        ]

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
        data, target, words = self._command(command, channel, options or {}, stale=stale)
        one = self._act(target.id, COMMAND, data, command_name=words)
        return await self._outcome(one)

    async def autocomplete(
        self,
        command: str,
        channel: Channel | int | str,
        options: dict[str, Any] | None = None,
        *,
        focused: str,
        stale: bool = False,
    ) -> Outcome:
        """Type into the ``focused`` option of a command and get its choices.

        ``stale``: in a menu that has not heard yet that the command left.
        """
        data, target, _ = self._command(command, channel, options or {}, focused=focused, stale=stale)
        return await self._outcome(self._act(target.id, AUTOCOMPLETE, data))

    async def use_on_user(
        self, command: str, user: Any, channel: Channel | int | str, stale: bool = False
    ) -> Outcome:
        """Pick a command from the menu of a member. Raises Refused as for a slash command."""
        target = self._channel(channel)
        resolved = options.Resolved(self.guild, direct=target.type == DM)
        user_id = options.as_id(user, "user")
        resolved.user(user_id)
        return await self._use(_ON_USER, command, target, user_id, resolved.body(), stale=stale)

    async def use_on_message(self, command: str, message_id: int | str, stale: bool = False) -> Outcome:
        """Pick a command from the menu of a message that they see. Raises Refused as for a slash command."""
        message = self._seen(message_id)
        target = self._channel(message.channel_id)
        resolved = {"messages": {str(message.id): message_shapes.message(self._world, message)}}
        return await self._use(_ON_MESSAGE, command, target, message.id, resolved, stale=stale)

    async def click(self, message_id: int | str, custom_id: str) -> Outcome:
        """Press a button. Raises Refused when it is not on a message they see, disabled, or a link."""
        message, part = self._part(message_id, custom_id)
        if part["type"] != parts.BUTTON:
            raise Refused(f"{custom_id} is not a button")
        data = {"custom_id": custom_id, "component_type": parts.BUTTON, "id": part["id"]}
        return await self._outcome(self._act(message.channel_id, COMPONENT, data, source=message))

    async def choose(self, message_id: int | str, custom_id: str, values: list[Any] | None = None) -> Outcome:
        """Pick values in a select menu, or with None leave what is preset in it.

        Raises Refused for a choice that is not there, too few, too many.
        """
        message, part = self._part(message_id, custom_id)
        if part["type"] not in parts.SELECTS:
            raise Refused(f"{custom_id} is not a select menu")
        resolved = options.Resolved(self.guild, direct=not message.guild_id)
        given = modals.preset(part) if values is None else values
        picked = modals.chosen(self.guild, self.member.user.id, part, given, resolved)
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
        me = self.member.user
        if (
            opener is None
            or opener.user_id != me.id
            or opener.guild_id not in {self.guild.id, 0}
            or opener.modal is None
        ):
            raise Refused(f"interaction {interaction_id} opened no modal for {me.username}", 404)
        if not opener.modal_open:
            raise Refused("that modal was sent already", 409)
        answered, resolved = modals.fill(self.guild, me.id, opener.modal, values, direct=not opener.guild_id)
        data: Json = {"custom_id": opener.modal["custom_id"], "components": answered}
        if resolved:
            data["resolved"] = resolved
        opener.modal_open = False
        source = opener.source
        one = self._act(opener.channel_id, MODAL, data, source=source, opener=opener)
        return await self._outcome(one)

    async def dismiss(self, message_id: int | str) -> None:
        """Put away an ephemeral message; only their client forgets it. Raises Refused for another one."""
        message = self._seen(message_id)
        if message.visible_to is None:
            raise Refused("only a message that nobody else sees can be dismissed", 409)
        self._world.messages_room.dismissed.add(message.id)
        self._world.changes.message(message.channel_id)

    def _command(
        self,
        path: str,
        channel: Channel | int | str,
        given: Json,
        *,
        stale: bool = False,
        focused: str | None = None,
    ) -> tuple[Json, Channel, str]:
        target = self._channel(channel)
        locale = self.locale
        command, words, schema = self._world.commands.find(target.guild_id, path, stale=stale, locale=locale)
        self._may_use(command, target)
        filled, resolved = options.fill(
            self.guild,
            self.member.user.id,
            schema,
            given,
            focused=focused,
            locale=locale,
            direct=target.type == DM,
        )
        for depth, word in enumerate(reversed(words)):
            filled = [{"type": 1 if depth == 0 else 2, "name": word, "options": filled}]
        data: Json = {"id": command["id"], "name": command["name"], "type": 1, "options": filled}
        if resolved:
            data["resolved"] = resolved
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        return data, target, " ".join((command["name"], *words))

    async def _use(
        self, kind: int, name: str, channel: Channel, target_id: int, resolved: Json, *, stale: bool
    ) -> Outcome:
        found = self._world.commands.find_context(
            channel.guild_id, kind, name, stale=stale, locale=self.locale
        )
        self._may_use(found, channel)
        data: Json = {
            "id": found["id"],
            "name": found["name"],
            "type": kind,
            "target_id": str(target_id),
            "resolved": resolved,
        }
        if "guild_id" in found:
            data["guild_id"] = found["guild_id"]
        return await self._outcome(self._act(channel.id, COMMAND, data, command_name=found["name"]))

    def _may_use(self, command: Json, channel: Channel) -> None:
        if channel.type == DM:
            return
        name = self.member.user.username
        bits = permissions.in_channel(self.guild, self._still_here(), channel)
        if channel.type not in WRITABLE:
            raise Refused(f"{channel.name} takes no commands: it holds no messages", 409)
        if not bits & permissions.USE_APPLICATION_COMMANDS:
            raise Refused(f"{name} may not use commands in {channel.name}", 403)
        if command["nsfw"] and not channel.nsfw:
            raise Refused(f"{command['name']} is for age-restricted channels; {channel.name} is none", 403)
        if not self._world.command_permissions.allows(self.guild, self.member, channel, command):
            raise Refused(f"{name} lacks the permissions that /{command['name']} asks for", 403)

    def _seen(self, message_id: int | str) -> Message:
        room, me = self._world.messages_room, self.member.user
        message = room.by_id.get(options.as_id(message_id, "message_id"))
        hidden = message is None or message.guild_id not in {self.guild.id, 0} or message.id in room.dismissed
        if message is None or hidden or message.visible_to not in {None, me.id}:
            raise Refused(f"{me.username} sees no message {message_id}", 404)
        self._channel(message.channel_id)
        return message

    def _part(self, message_id: int | str, custom_id: str) -> tuple[Message, Json]:
        message = self._seen(message_id)
        part = parts.find(message.components, custom_id)
        if part is None:
            leads = parts.leading(message.components, custom_id)
            if leads is not None:
                raise Refused(f"{custom_id} {leads}; the bot hears nothing of it", 409)
            if custom_id in message.former_parts:
                raise Refused(f"the message was changed and has no {custom_id} any more", 409)
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
        if world.hub.listening(one.guild_id):
            try:
                await asyncio.wait_for(one.answered.wait(), world.interaction_wait)
            except TimeoutError:
                world.log.note(f"interaction {one.id} was not answered within {world.interaction_wait:g} s")
        shown = one.original if one.kind in {"message", "update"} or one.callback == 5 else None
        message = world.messages_room.payload(shown) if shown is not None else None
        return Outcome(one.id, one.kind or "none", message, one.modal, one.choices, one, world)

    def _still_here(self) -> Member:
        member = self.guild.members.get(self.member.user.id)
        if member is None:
            raise Refused(f"{self.member.user.username} is no longer a member of {self.guild.name}", 409)
        return member

    def _channel(self, channel: Channel | int | str) -> Channel:
        some_id = channel.id if isinstance(channel, Channel) else options.as_id(channel, "channel")
        direct = self._world.channels.get(some_id)
        if direct is not None and direct.type == DM and direct.recipient_id == self.member.user.id:
            return direct
        found = self.guild.channels.get(some_id) or self.guild.threads.get(some_id)
        if found is None:
            raise Refused(f"{self.guild.name} has no channel {some_id}", 404)
        if not permissions.in_channel(self.guild, self._still_here(), found) & permissions.VIEW_CHANNEL:
            raise Refused(f"{self.member.user.username} does not see {found.name}", 403)
        return found

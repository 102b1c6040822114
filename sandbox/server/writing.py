"""What people do with messages beside sending them: react, pin, change, delete; and direct messages."""

from __future__ import annotations

from sandbox.server import emojis, options, permissions, pins
from sandbox.server.audit import Action
from sandbox.server.channels import DM
from sandbox.server.errors import Refused
from sandbox.server.messages import Message
from sandbox.server.moderating import Acting, Who, in_words
from sandbox.server.payloads import Json

LONGEST = 2000


class Writing(Acting):
    """The acts on messages that a person sees, in the guild or in their direct channel with the bot."""

    async def react(self, message_id: int | str, emoji: str) -> None:
        """React to a message, with a character or ``name:id``; to do so twice is fine. Raises Refused."""
        message = self._message(message_id)
        with in_words():
            one, home = emojis.for_reaction(self._world, emoji)
            if home is not None and home != self.guild.id:
                raise Refused(f"{emoji} is an emoji of another guild, for which it takes a subscription", 403)
            if message.guild_id and self._world.reactions.key(one) not in message.reactions:
                channel = self._world.channels[message.channel_id]
                self._need(permissions.ADD_REACTIONS, f"add reactions in {channel.name}", channel)
            self._world.reactions.add(message, self.member.user.id, one)

    async def unreact(self, message_id: int | str, emoji: str, who: Who | None = None) -> None:
        """Take a reaction back, or with Manage Messages somebody else's. Raises Refused."""
        message = self._message(message_id)
        user_id = self.member.user.id if who is None else self._one(who).user.id
        if user_id != self.member.user.id:
            self._need_managing(message, "take the reactions of others away")
        with in_words():
            one, _ = emojis.for_reaction(self._world, emoji)
            self._world.reactions.remove(message, user_id, one)

    async def pin(self, message_id: int | str) -> None:
        """Pin a message; one that is pinned stays so. Raises Refused."""
        message = self._message(message_id)
        self._need_pinning(message)
        with in_words():
            pins.pin(self._world, message, self.member.user)
        self._audit(Action.MESSAGE_PIN, message)

    async def unpin(self, message_id: int | str) -> None:
        """Unpin a message; one that is not pinned stays so. Raises Refused."""
        message = self._message(message_id)
        self._need_pinning(message)
        pins.unpin(self._world, message)
        self._audit(Action.MESSAGE_UNPIN, message)

    async def edit_message(self, message_id: int | str, text: str) -> Json:
        """Change the text of a message of their own; return it. Raises Refused."""
        message = self._message(message_id)
        if message.author.id != self.member.user.id:
            raise Refused(f"{self.member.user.username} did not write that message", 403)
        self._world.messages_room.edit(message, {"content": _checked(text)})
        return self._world.messages_room.payload(message)

    async def delete_message(self, message_id: int | str) -> None:
        """Delete a message of their own, or with Manage Messages anybody's. Raises Refused."""
        message = self._message(message_id)
        if message.author.id != self.member.user.id:
            self._need_managing(message, "delete the messages of others")
            self._audit(Action.MESSAGE_DELETE, message)
        self._world.messages_room.delete(message)

    async def send_direct(self, text: str) -> Json:
        """Write to the bot in their direct channel, opened when there is none; return the message.

        Raises Refused when the text is empty or too long, or the bot shares no guild with them.
        """
        bot = self._world.bot_user
        if bot.id not in self.guild.members:
            raise Refused(f"the bot is not a member of {self.guild.name}", 409)
        channel = self._world.direct_channel(self.member.user.id)
        message = self._world.messages_room.create(channel, self.member.user, {"content": _checked(text)})
        return self._world.messages_room.payload(message)

    def direct_messages(self) -> list[Json]:
        """Return what stands in their direct channel with the bot, oldest first."""
        me = self.member.user.id
        for channel in self._world.channels.values():
            if channel.type == DM and channel.recipient_id == me:
                return self._world.messages(channel.id, as_user=me)
        return []

    def _message(self, message_id: int | str) -> Message:
        """Return a message that the person sees. Raises Refused (404)."""
        number = options.as_id(message_id, "message_id")
        found = self._world.messages_room.by_id.get(number)
        me = self._still_here()
        seen = found is not None and found.visible_to in {None, me.user.id}
        if found is not None and seen:
            channel = self._world.channels.get(found.channel_id)
            if channel is None:
                seen = False
            elif channel.type == DM:
                seen = channel.recipient_id == me.user.id
            else:
                bits = permissions.in_channel(self.guild, me, channel) if self._ours(found) else 0
                seen = bool(bits & permissions.VIEW_CHANNEL)
        if found is None or not seen:
            raise Refused(f"{me.user.username} sees no message {number}", 404)
        return found

    def _ours(self, message: Message) -> bool:
        return message.guild_id == self.guild.id

    def _need_managing(self, message: Message, words: str) -> None:
        if not message.guild_id:
            raise Refused(f"{self.member.user.username} may not {words} in a direct channel", 403)
        self._need(permissions.MANAGE_MESSAGES, words, self._world.channels[message.channel_id])

    def _need_pinning(self, message: Message) -> None:
        if message.guild_id:
            either = permissions.PIN_MESSAGES | permissions.MANAGE_MESSAGES
            self._need(either, "pin messages", self._world.channels[message.channel_id])

    def _audit(self, action: Action, message: Message) -> None:
        if not message.guild_id:
            return
        about: Json = {"channel_id": message.channel_id}
        about |= {"count": 1} if action is Action.MESSAGE_DELETE else {"message_id": message.id}
        self._note(action, message.author.id, about=about)


def _checked(text: str) -> str:
    if not text.strip() or len(text) > LONGEST:
        raise Refused(f"a message has 1 to {LONGEST} characters, not {len(text)}")
    return text

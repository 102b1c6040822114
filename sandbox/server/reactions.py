"""Reactions to messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.server.emojis import ReactionEmoji
from sandbox.server.errors import RestError
from sandbox.server.payloads import Json, people

if TYPE_CHECKING:
    from sandbox.server.messages import Message
    from sandbox.server.world import World

MOST = 20
"""Different emojis that one message can bear."""


@dataclass(slots=True)
class Reaction:
    """One emoji under a message, and who put it there, in order."""

    emoji: ReactionEmoji
    users: dict[int, None] = field(default_factory=dict)


class ReactionRoom:
    """Puts reactions under messages and takes them away, and tells the bot."""

    def __init__(self, world: World) -> None:
        self._world = world

    @staticmethod
    def key(emoji: ReactionEmoji) -> str:
        """Return what tells two emojis apart."""
        return emoji.name if emoji.id is None else str(emoji.id)

    def add(self, message: Message, user_id: int, emoji: ReactionEmoji) -> None:
        """Let a user react; to do so twice changes nothing. Raises RestError 30010 for the 21st emoji."""
        found = message.reactions.get(self.key(emoji))
        if found is None:
            if len(message.reactions) >= MOST:
                raise RestError(400, 30010, f"Maximum number of reactions reached ({MOST})")
            found = message.reactions[self.key(emoji)] = Reaction(emoji)
        if user_id in found.users:
            return
        found.users[user_id] = None
        body = self._body(message) | {
            "user_id": str(user_id),
            "emoji": emoji.body(),
            "message_author_id": str(message.author.id),
            "burst": False,
            "type": 0,
        }
        guild = self._world.guilds.get(message.guild_id)
        if guild is not None and user_id in guild.members:
            body["member"] = people.member(guild.members[user_id])
        self._tell("MESSAGE_REACTION_ADD", message, body)

    def remove(self, message: Message, user_id: int, emoji: ReactionEmoji) -> None:
        """Take a user's reaction away. Raises RestError 10014 when it is not there."""
        found = message.reactions.get(self.key(emoji))
        if found is None or user_id not in found.users:
            raise RestError(404, 10014, "Unknown Emoji")
        del found.users[user_id]
        if not found.users:
            del message.reactions[self.key(emoji)]
        body = {"user_id": str(user_id), "emoji": found.emoji.body(), "burst": False, "type": 0}
        self._tell("MESSAGE_REACTION_REMOVE", message, self._body(message) | body)

    def clear(self, message: Message, emoji: ReactionEmoji | None = None) -> None:
        """Take all reactions away, or all of one emoji."""
        if emoji is None:
            message.reactions.clear()
            self._tell("MESSAGE_REACTION_REMOVE_ALL", message, self._body(message))
        elif message.reactions.pop(self.key(emoji), None) is not None:
            body = self._body(message) | {"emoji": emoji.body()}
            self._tell("MESSAGE_REACTION_REMOVE_EMOJI", message, body)

    @staticmethod
    def _body(message: Message) -> Json:
        body: Json = {"channel_id": str(message.channel_id), "message_id": str(message.id)}
        if message.guild_id:
            body["guild_id"] = str(message.guild_id)
        return body

    def _tell(self, event: str, message: Message, body: Json) -> None:
        self._world.changes.message(message.channel_id)
        if self._world.bot_sees(message.channel_id):
            self._world.hub.dispatch(event, body, guild_id=message.guild_id)

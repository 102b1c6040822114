"""Reactions to messages."""

from __future__ import annotations

from sandbox.server import permissions
from sandbox.server.emojis import ReactionEmoji, for_reaction
from sandbox.server.errors import RestError
from sandbox.server.messages import Message
from sandbox.server.payloads import people
from sandbox.server.rest import checks, queries
from sandbox.server.rest.messages import readable
from sandbox.server.rest.router import Answer, Call, Routes

routes = Routes()
_ALL = "/channels/{channel_id}/messages/{message_id}/reactions"
_ONE = _ALL + "/{emoji_name}"


def _emoji(call: Call, message: Message, *, adding: bool = False) -> ReactionEmoji:
    emoji, guild_id = for_reaction(call.world, call.parameters["emoji_name"])
    if adding and guild_id is not None:
        if call.world.bot_user.id not in call.world.guilds[guild_id].members:
            raise RestError(400, 10014, "Unknown Emoji")
        if guild_id != message.guild_id:
            checks.in_channel(call, call.channel(), permissions.USE_EXTERNAL_EMOJIS)
    return emoji


@routes("PUT", _ONE + "/@me")
def react(call: Call) -> Answer:
    """React; to add an emoji that is there already needs no permission of its own."""
    message = readable(call)
    emoji = _emoji(call, message, adding=True)
    if call.world.reactions.key(emoji) not in message.reactions:
        checks.in_channel(call, call.channel(), permissions.ADD_REACTIONS)
    checks.awake(call, call.channel())
    call.world.reactions.add(message, call.world.bot_user.id, emoji)
    return 204, None


@routes("DELETE", _ONE + "/@me")
@routes("DELETE", _ONE + "/{user_id}")
def take_back(call: Call) -> Answer:
    """Take the bot's own reaction away, or with Manage Messages somebody else's."""
    message = readable(call)
    mine = "user_id" not in call.parameters or call.id("user_id") == call.world.bot_user.id
    if not mine:
        checks.in_channel(call, call.channel(), permissions.MANAGE_MESSAGES)
    user_id = call.world.bot_user.id if mine else call.id("user_id")
    call.world.reactions.remove(message, user_id, _emoji(call, message))
    return 204, None


@routes("GET", _ONE)
def who(call: Call) -> Answer:
    """Return who reacted with an emoji, by id."""
    message = readable(call)
    emoji = _emoji(call, message)
    kind = queries.number(call, "type", 0, 0, 1)
    found = message.reactions.get(call.world.reactions.key(emoji)) if kind == 0 else None
    ids = queries.page(call, sorted(found.users) if found else [], 25, 100)
    return 200, [people.user(call.world.users[each]) for each in ids]


@routes("DELETE", _ALL)
def clear(call: Call) -> Answer:
    """Take all reactions away."""
    message = readable(call)
    checks.in_channel(call, call.channel(), permissions.MANAGE_MESSAGES)
    call.world.reactions.clear(message)
    return 204, None


@routes("DELETE", _ONE)
def clear_one(call: Call) -> Answer:
    """Take all reactions of one emoji away."""
    message = readable(call)
    checks.in_channel(call, call.channel(), permissions.MANAGE_MESSAGES)
    call.world.reactions.clear(message, _emoji(call, message))
    return 204, None
